//! The queries that the rehearsal shows to be affected: those that get slow, and those that wait for a lock. A changeset has one
//! line for the first and one for each table that it locks too long.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::model::changeset::ChangesetId;
use crate::model::difference::Difference;
use crate::model::evidence::{LockWait, Rehearsal, Shadow, Verdict, VerdictKind};
use crate::report::escape;
use crate::report::text::{counted, drawn, duration, table};

/// One of them.
pub struct Line {
    pub changeset: ChangesetId,
    /// `gets slow` or `waits`.
    pub what: &'static str,
    pub text: String,
    /// The run is refused for it.
    pub bad: bool,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.changeset.id, self.what, self.text)
    }
}

/// In the order of the changesets.
pub fn lines(rehearsals: &[Rehearsal], verdicts: &[Verdict]) -> Vec<Line> {
    let mut all = Vec::new();
    for rehearsal in rehearsals {
        let mut slow: Vec<&Verdict> = verdicts.iter().filter(|v| v.changeset == rehearsal.key).collect();
        slow.sort_by_key(|v| std::cmp::Reverse(v.verdict));
        if let Some((first, others)) = slow.split_first() {
            let others = match others.len() {
                0 => String::new(),
                n => format!("; and {}", counted(n, "more query", "more queries")),
            };
            let text =
                format!("{} of {} {}: {}{others}", first.query, first.service, first.version, first.reason);
            let bad = first.verdict == VerdictKind::Breaking;
            all.push(Line { changeset: rehearsal.key.clone(), what: "gets slow", text, bad });
        }
        let mut longest: BTreeMap<&str, &LockWait> = BTreeMap::new();
        for wait in rehearsal.waits.iter().filter(|w| w.over_budget) {
            let known = longest.entry(&wait.table).or_insert(wait);
            if (wait.held_ms, wait.queries) > (known.held_ms, known.queries) {
                *known = wait;
            }
        }
        for wait in longest.into_values() {
            all.push(Line {
                changeset: rehearsal.key.clone(),
                what: "waits",
                text: waiting(wait),
                bad: false,
            });
        }
    }
    all
}

fn waiting(wait: &LockWait) -> String {
    let usize = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let more = if usize(wait.queries) > wait.first.len() { ", …" } else { "" };
    format!(
        "{} on {} for {}: {} of {} ({}{more})",
        wait.mode,
        wait.table,
        duration(std::time::Duration::from_millis(wait.held_ms).as_secs_f64()),
        counted(usize(wait.queries), "query", "queries"),
        counted(usize(wait.services), "service", "services"),
        wait.first.join(", "),
    )
}

fn of(shadow: Option<&Shadow>) -> Vec<Line> {
    shadow.map(|s| lines(&s.changesets, &s.verdicts)).unwrap_or_default()
}

pub(super) fn text(shadow: Option<&Shadow>, width: u16) -> String {
    let lines = of(shadow);
    if lines.is_empty() {
        return String::new();
    }
    let mut shown = table(width, &["rehearsed", "", "who feels it"]);
    for line in lines {
        shown.add_row([line.changeset.id, line.what.to_owned(), line.text]);
    }
    format!("\n{}", drawn(&shown))
}

/// What the inverses leave and is understood, with what lets it pass.
fn explained(shadow: Option<&Shadow>) -> Vec<(String, &Difference)> {
    let Some(shadow) = shadow else { return Vec::new() };
    let of_changesets =
        shadow.changesets.iter().flat_map(|r| r.explained.iter().map(|d| (r.key.id.clone(), d)));
    let of_all = shadow.explained.iter().map(|d| ("all inverses".to_owned(), d));
    of_changesets.chain(of_all).collect()
}

pub(super) fn differences_html(page: &mut String, shadow: Option<&Shadow>) {
    let all = explained(shadow);
    if all.is_empty() {
        return;
    }
    page.push_str(
        "<section><h2>What inverses leave</h2><table><thead><tr><th scope=\"col\">inverse of</th><th scope=\"col\">it leaves</th>\
         </tr></thead><tbody>",
    );
    for (id, difference) in all {
        let class = if difference.is_refused() { "bad" } else { "none" };
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}</th><td><span class=\"{class}\">{}</span></td></tr>",
            escape(&id),
            escape(&difference.to_string())
        );
    }
    page.push_str("</tbody></table></section>");
}

pub(super) fn html(page: &mut String, shadow: Option<&Shadow>) {
    let lines = of(shadow);
    if lines.is_empty() {
        return;
    }
    page.push_str(
        "<section><h2>Felt in the rehearsal</h2><table><thead><tr><th scope=\"col\">changeset</th><th scope=\"col\"></th>\
         <th scope=\"col\">who feels it</th></tr></thead><tbody>",
    );
    for line in lines {
        let class = if line.bad { "bad" } else { "none" };
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}</th><td><span class=\"{class}\">{}</span></td><td>{}</td></tr>",
            escape(&line.changeset.id),
            line.what,
            escape(&line.text)
        );
    }
    page.push_str("</tbody></table></section>");
}
