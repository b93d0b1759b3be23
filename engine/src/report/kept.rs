//! What rollbacks have kept aside, for people.

use jiff::Timestamp;

use crate::model::evidence::{RunSummary, UNNAMED};
use crate::model::kept::{Keeping, Kept, PutBack};

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// What can be done with it.
fn command(summary: &RunSummary) -> String {
    let environment = match summary.environment.as_str() {
        "" | UNNAMED => String::new(),
        name => format!(" --env {name}"),
    };
    format!("drydock restore-data --run {}{environment}", summary.run)
}

/// A line for each thing that is kept, or is not.
pub fn lines(keeping: &Keeping) -> Vec<String> {
    let kept = keeping.kept.iter().map(|kept| {
        let reservations = kept.reservations();
        let reservations = if reservations.is_empty() { reservations } else { format!(" ({reservations})") };
        let verb = if kept.rows == 1 { "is" } else { "are" };
        format!("{kept} {verb} kept until {}{reservations}", day(kept.until))
    });
    let not_kept = keeping.not_kept.iter().map(|one| format!("not kept: {one}"));
    kept.chain(not_kept).collect()
}

/// What the rollback of a run kept, after its outcome.
pub fn of_run(keeping: &Keeping, summary: &RunSummary) -> String {
    let mut out: String = lines(keeping).iter().map(|line| format!("kept      {line}\n")).collect();
    if keeping.kept.iter().any(|kept| !kept.key_columns.is_empty()) {
        out.push_str(&format!("          put back with `{}`\n", command(summary)));
    }
    out
}

/// What became of what was to be put back.
pub fn put_back(things: &[PutBack]) -> String {
    things.iter().map(|thing| format!("{thing}\n")).collect()
}

/// What was dropped, and what stays.
pub fn cleaned(dropped: &[Kept], stay: &[Kept]) -> String {
    let line = |verb: &str, kept: &Kept, end: String| format!("{verb:<9} {kept}, of run {}{end}\n", kept.run);
    let mut out: String = dropped.iter().map(|kept| line("dropped", kept, String::new())).collect();
    out.extend(stay.iter().map(|kept| line("stays", kept, format!(", until {}", day(kept.until)))));
    if out.is_empty() { "nothing is kept\n".to_owned() } else { out }
}
