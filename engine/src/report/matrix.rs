//! Service version × changeset: who is in whose way.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::escape;
use crate::changeset::ChangesetId;
use crate::evidence::{Compat, Verdict, VerdictKind};

pub fn matrix(compat: &Compat) -> String {
    let mut cells: BTreeMap<(String, String), BTreeMap<ChangesetId, Vec<&Verdict>>> = BTreeMap::new();
    let mut columns: Vec<ChangesetId> = Vec::new();
    for verdict in &compat.verdicts {
        if !columns.contains(&verdict.changeset) {
            columns.push(verdict.changeset.clone());
        }
        let row = cells.entry((verdict.service.clone(), verdict.version.clone())).or_default();
        row.entry(verdict.changeset.clone()).or_default().push(verdict);
    }
    let c = &compat.checked;
    let mut out = format!(
        "<p>{} queries of {} service versions against {} changesets, {} checks in {:.1} s. What is not in the table is compatible.</p>",
        c.queries, c.services, c.changesets, c.checks, c.seconds
    );
    if columns.is_empty() {
        return out;
    }
    out.push_str(
        "<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th scope=\"col\">service version</th>",
    );
    for column in &columns {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape(&column.id));
    }
    out.push_str("</tr></thead><tbody>");
    for ((service, version), row) in &cells {
        let _ = write!(out, "<tr><th scope=\"row\">{} {}</th>", escape(service), escape(version));
        for column in &columns {
            out.push_str(
                &row.get(column)
                    .map_or_else(|| "<td class=\"ok\">·</td>".to_owned(), |verdicts| cell(verdicts)),
            );
        }
        out.push_str("</tr>");
    }
    let fine = compat.services.len().saturating_sub(cells.len());
    let _ = write!(
        out,
        "</tbody></table></div><p>{fine} further service versions are compatible with everything.</p>"
    );
    out
}

fn cell(verdicts: &[&Verdict]) -> String {
    let worst = verdicts.iter().map(|v| v.verdict).max().unwrap_or(VerdictKind::Compatible);
    let (class, sign) = match worst {
        VerdictKind::Breaking => ("bad", "✗ breaking"),
        VerdictKind::Risky => ("wait", "△ risky"),
        VerdictKind::Compatible => ("ok", "·"),
    };
    let mut details = String::new();
    for v in verdicts {
        let _ = write!(
            details,
            "<li><b>{}</b> <code>{}:{}</code> {}</li>",
            escape(&v.query),
            escape(&v.file),
            v.line,
            escape(&v.reason)
        );
    }
    format!(
        "<td class=\"{class}\"><details><summary>{sign} ({})</summary><ul>{details}</ul></details></td>",
        verdicts.len()
    )
}
