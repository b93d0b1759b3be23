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
pub fn of_run(summary: &RunSummary) -> String {
    let keeping = &summary.kept;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::data_at_risk::{Loss, Taken};
    use crate::model::kept::{KeptPlace, NotKept, WhyNotKept, example};

    #[test]
    fn a_line_says_what_is_kept_until_when_and_what_is_not() {
        let kept = Kept {
            run: "r".into(),
            taken: Taken::Column { table: "public.t".into(), column: "c".into() },
            place: KeptPlace::File { file: "1.copy".into() },
            rows: 1,
            complete: false,
            ..example()
        };
        let (key, taken) = (kept.key.clone(), kept.taken.clone());
        let loss = Loss { key, taken, rows: Some(2), at_least: false };
        let keeping =
            Keeping { kept: vec![kept.clone()], not_kept: vec![NotKept { loss, why: WhyNotKept::Product }] };
        assert_eq!(
            lines(&keeping),
            [
                "1 value of public.t.c is kept until 2026-12-05 (as of 2026-11-28 07:41:00 UTC, in the file 1.copy of the run)",
                "not kept: 2 values of public.t.c: the product keeps nothing",
            ]
        );
        assert_eq!(cleaned(&[], &[kept]), "stays     1 value of public.t.c, of run r, until 2026-12-05\n");
        assert_eq!(cleaned(&[], &[]), "nothing is kept\n");
    }
}
