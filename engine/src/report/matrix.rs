//! Service version × changeset: who is in whose way. Counted once; drawn as text, Markdown and HTML.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::model::changeset::ChangesetId;
use crate::model::evidence::VerdictKind;
use crate::report::compat::{Finding, Findings};
use crate::report::escape;
use crate::report::text::{drawn, table};

/// Rows are service versions, columns changesets; those with which everything is compatible are left out.
pub struct Matrix<'a> {
    pub changesets: Vec<&'a ChangesetId>,
    pub rows: Vec<Row<'a>>,
    /// Service versions that are compatible with everything.
    pub fine: usize,
}

pub struct Row<'a> {
    pub service: &'a str,
    pub version: &'a str,
    /// One cell for each changeset.
    pub cells: Vec<Vec<&'a Finding<'a>>>,
}

/// The worst of a cell.
pub fn worst(cell: &[&Finding<'_>]) -> VerdictKind {
    cell.iter().map(|f| f.verdict.verdict).max().unwrap_or(VerdictKind::Compatible)
}

impl<'a> Matrix<'a> {
    /// Changesets in the order of the plan.
    pub fn of(findings: &'a Findings<'a>) -> Self {
        let mut cells: BTreeMap<(&str, &str), BTreeMap<&ChangesetId, Vec<&Finding<'_>>>> = BTreeMap::new();
        for finding in &findings.all {
            let v = finding.verdict;
            let row = cells.entry((&v.service, &v.version)).or_default();
            row.entry(&v.changeset).or_default().push(finding);
        }
        let mut changesets: Vec<&ChangesetId> = Vec::new();
        for verdict in &findings.compat.verdicts {
            if !changesets.contains(&&verdict.changeset) {
                changesets.push(&verdict.changeset);
            }
        }
        let fine = findings.compat.services.len().saturating_sub(cells.len());
        let rows = cells
            .into_iter()
            .map(|((service, version), mut row)| Row {
                service,
                version,
                cells: changesets.iter().map(|key| row.remove(*key).unwrap_or_default()).collect(),
            })
            .collect();
        Self { changesets, rows, fine }
    }

    /// Columns have numbers: names of changesets are too long to stand side by side.
    pub fn text(&self, findings: &Findings<'_>, width: u16) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut head = vec!["service version".to_owned()];
        head.extend((1..=self.changesets.len()).map(|n| n.to_string()));
        let mut lines = table(width, &head.iter().map(String::as_str).collect::<Vec<_>>());
        for row in &self.rows {
            let mut cells = vec![format!("{} {}", row.service, row.version)];
            cells.extend(row.cells.iter().map(|cell| match worst(cell) {
                VerdictKind::Breaking => format!("✗{}", cell.len()),
                VerdictKind::Risky => format!("△{}", cell.len()),
                VerdictKind::Compatible => "·".to_owned(),
            }));
            lines.add_row(cells);
        }
        let mut out = drawn(&lines);
        for (n, key) in (1..).zip(&self.changesets) {
            let held = if findings.is_held(key) { ", held" } else { "" };
            let _ = writeln!(out, " {n}  {}{held}", key.id);
        }
        let _ = writeln!(
            out,
            " ✗ breaking, △ risky, · compatible; {} further service versions are compatible with everything",
            self.fine
        );
        out
    }
}

pub fn html(findings: &Findings<'_>) -> String {
    let matrix = Matrix::of(findings);
    let c = &findings.compat.checked;
    let mut out = format!(
        "<p>{} queries of {} service versions against {} changesets, {} checks in {:.1} s. What is not in the table is compatible.</p>",
        c.queries, c.services, c.changesets, c.checks, c.seconds
    );
    if matrix.rows.is_empty() {
        return out;
    }
    out.push_str(
        "<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th scope=\"col\">service version</th>",
    );
    for column in &matrix.changesets {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape(&column.id));
    }
    out.push_str("</tr></thead><tbody>");
    for row in &matrix.rows {
        let _ = write!(out, "<tr><th scope=\"row\">{} {}</th>", escape(row.service), escape(row.version));
        row.cells.iter().for_each(|cell| out.push_str(&html_cell(cell)));
        out.push_str("</tr>");
    }
    let _ = write!(
        out,
        "</tbody></table></div><p>{} further service versions are compatible with everything.</p>",
        matrix.fine
    );
    out
}

fn html_cell(cell: &[&Finding<'_>]) -> String {
    let (class, sign) = match worst(cell) {
        VerdictKind::Breaking => ("bad", "✗ breaking"),
        VerdictKind::Risky => ("wait", "△ risky"),
        VerdictKind::Compatible => return "<td class=\"ok\">·</td>".to_owned(),
    };
    let mut details = String::new();
    for finding in cell {
        let v = finding.verdict;
        let _ = write!(
            details,
            "<li><b>{}</b> <code>{}:{}</code> {}<p>What to do: {}</p></li>",
            escape(&v.query),
            escape(&v.file),
            v.line,
            escape(&v.reason),
            escape(&finding.advice)
        );
    }
    format!(
        "<td class=\"{class}\"><details><summary>{sign} ({})</summary><ul>{details}</ul></details></td>",
        cell.len()
    )
}
