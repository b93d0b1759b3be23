//! A comment for a merge request: what is held and why, who is in whose way, what to do; details folded.
//!
//! Names and sentences come from outside: none of them may become markup, a link or a mention.

use std::fmt::Write;

use crate::model::evidence::VerdictKind;
use crate::report::compat::{Finding, Findings, one_line};
use crate::report::matrix::{Matrix, worst};
use crate::report::text::{count, counted, duration, waits};

/// GitHub takes 65,536 characters and GitLab more; the rest is for a line or two that CI puts around it.
const MOST: usize = 64_000;
/// The greatest share of it for the matrix, which is of no use when it is cut.
const MOST_MATRIX: usize = 20_000;

pub fn markdown(findings: &Findings<'_>) -> String {
    capped(findings, MOST)
}

fn capped(findings: &Findings<'_>, most: usize) -> String {
    let compat = findings.compat;
    let (breaking, risky) =
        (findings.of(VerdictKind::Breaking).count(), findings.of(VerdictKind::Risky).count());
    let fails = breaking > 0 || findings.notes.iter().any(|n| n.fails);
    let sign = if fails { "❌" } else { "✅" };
    // The first line lets CI find its own comment again and replace it.
    let mut out = format!(
        "<!-- drydock compat -->\n### {sign} Drydock: {}, {}; {}, {}\n\n",
        counted(breaking, "break", "breaks"),
        counted(risky, "risk", "risks"),
        counted(compat.accepted.len(), "changeset goes on", "changesets go on"),
        counted(compat.held.len(), "is held", "are held"),
    );
    for note in &findings.notes {
        let _ = writeln!(out, "- ⚠️ {}", words(&note.text));
    }
    if !findings.notes.is_empty() {
        out.push('\n');
    }
    for held in &compat.held {
        let _ = writeln!(out, "- {} waits for {}", code(&held.key.id), words(&waits(held)));
    }
    if !compat.held.is_empty() {
        out.push('\n');
    }
    let c = &compat.checked;
    let end = format!(
        "\n{} queries of {} service versions against {} changesets, {} checks in {}.\n",
        count(c.queries),
        c.services,
        c.changesets,
        count(c.checks),
        duration(c.seconds)
    );
    let matrix = matrix(findings);
    if matrix.chars().count() <= MOST_MATRIX.min(most / 3) {
        out.push_str(&matrix);
    } else {
        out.push_str("_The matrix is too large for a comment._\n\n");
    }
    let mut space = most.saturating_sub(out.chars().count() + end.chars().count());
    let breaks: Vec<&Finding<'_>> = findings.of(VerdictKind::Breaking).collect();
    let risks: Vec<&Finding<'_>> = findings.of(VerdictKind::Risky).collect();
    out.push_str(&section("#### Breaking\n\n", "", &breaks, &mut space));
    let summary = format!("\n<details><summary>{}</summary>\n\n", counted(risks.len(), "risk", "risks"));
    out.push_str(&section(&summary, "\n</details>\n", &risks, &mut space));
    out.push_str(&end);
    out
}

/// A table of findings, as many as there is space for, and how many are left out.
fn section(head: &str, tail: &str, findings: &[&Finding<'_>], space: &mut usize) -> String {
    const COLUMNS: &str =
        "| changeset | service version | query | what happens | what to do |\n|---|---|---|---|---|\n";
    const LEFT_OUT: usize = 80;
    if findings.is_empty() {
        return String::new();
    }
    let mut out = format!("{head}{COLUMNS}");
    let mut used = out.chars().count() + tail.chars().count() + LEFT_OUT;
    let mut shown = 0;
    for finding in findings {
        let row = row(finding);
        used += row.chars().count();
        if used > *space {
            break;
        }
        out.push_str(&row);
        shown += 1;
    }
    if shown == 0 {
        out.clear();
    }
    let left_out = findings.len() - shown;
    if left_out > 0 {
        let _ =
            write!(out, "\n_{left_out} more {} left out here._\n", if left_out == 1 { "is" } else { "are" });
    }
    if shown > 0 {
        out.push_str(tail);
    }
    *space = space.saturating_sub(out.chars().count());
    out
}

fn row(finding: &Finding<'_>) -> String {
    let v = finding.verdict;
    format!(
        "| {} | {} | {}<br>{} | {} | {} |\n",
        code(&v.changeset.id),
        code(&finding.who()),
        code(&v.query),
        code(&format!("{}:{}", finding.file, v.line)),
        words(&v.reason),
        words(&finding.advice)
    )
}

fn matrix(findings: &Findings<'_>) -> String {
    let matrix = Matrix::of(findings);
    if matrix.rows.is_empty() {
        return String::new();
    }
    let mut out = String::from("<details><summary>Who blocks what</summary>\n\n| service version |");
    for key in &matrix.changesets {
        let held = if findings.is_held(key) { " (held)" } else { "" };
        let _ = write!(out, " {}{held} |", code(&key.id));
    }
    let _ = write!(out, "\n|---|{}\n", "---|".repeat(matrix.changesets.len()));
    for row in &matrix.rows {
        let _ = write!(out, "| {} |", code(&format!("{} {}", row.service, row.version)));
        for cell in &row.cells {
            match worst(cell) {
                VerdictKind::Breaking => drop(write!(out, " ❌ {} |", cell.len())),
                VerdictKind::Risky => drop(write!(out, " ⚠️ {} |", cell.len())),
                VerdictKind::Compatible => out.push_str(" |"),
            }
        }
        out.push('\n');
    }
    let _ = write!(
        out,
        "\n❌ breaking, ⚠️ risky; {} further service versions are compatible with everything.\n\n</details>\n\n",
        matrix.fine
    );
    out
}

/// A name as code, in which nothing has a meaning but the backtick, and the bar in a table.
fn code(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A sentence, in which nothing has a meaning.
fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Behind a comment no name is mentioned and no issue is linked.
            '@' | '#' => {
                out.push(c);
                out.push_str("<!-- -->");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    // A bare address would become a link.
    out.replace("://", ":<!-- -->//").replace("www.", "www<!-- -->.")
}

#[cfg(test)]
pub(super) fn with_cap(findings: &Findings<'_>, most: usize) -> String {
    capped(findings, most)
}
