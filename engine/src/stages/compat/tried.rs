//! What running a query showed, as verdicts.

use super::trial::{Outcome, With};
use crate::evidence::{Verdict, VerdictKind};

const FAILS: &str = "fails-when-run";
const DIFFERS: &str = "answers-differently";

/// The verdicts of one query and changeset with what running it showed. `new` makes a verdict on the query.
pub fn settle(
    mut verdicts: Vec<Verdict>,
    outcome: Outcome,
    new: impl Fn(VerdictKind, &str, String) -> Verdict,
) -> Vec<Verdict> {
    match outcome {
        Outcome::Untried => {}
        Outcome::Same { times } => {
            if times > 0 {
                let said = match times {
                    1 => "tried with values of production: as before".to_owned(),
                    n => format!("tried {n} times with values of production: as before"),
                };
                doubted(&mut verdicts, &[FAILS, DIFFERS], &said);
            }
        }
        Outcome::Fails { error, with: with @ (With::Production | With::Anything) } => {
            let because = taken_over(&mut verdicts, FAILS);
            let values =
                if with == With::Production { "values that production holds" } else { "whatever values" };
            let reason = format!("with {values}: {error}{because}");
            let mut verdict = new(VerdictKind::Breaking, FAILS, reason);
            verdict.column = error.column;
            verdicts.push(verdict);
        }
        Outcome::Fails { error, with: With::MadeUp(made_up) } => {
            let said = format!("tried with {made_up}, which worked before: {error}");
            if !doubted(&mut verdicts, &[FAILS], &said) {
                verdicts.push(new(VerdictKind::Risky, FAILS, said));
            }
        }
        Outcome::Differs { what } => {
            // Without a reason that anybody knows of, rows that are equal in the order asked for may have changed places.
            let known = verdicts.iter().any(|v| v.class != "gets-slow");
            let kind = if known { VerdictKind::Breaking } else { VerdictKind::Risky };
            let because = taken_over(&mut verdicts, DIFFERS);
            verdicts.push(new(kind, DIFFERS, format!("with values that production holds: {what}{because}")));
        }
        Outcome::Reordered => {
            if verdicts.iter().any(|v| v.class == DIFFERS) {
                let because = taken_over(&mut verdicts, DIFFERS);
                let reason =
                    format!("with values that production holds: the same rows in another order{because}");
                verdicts.push(new(VerdictKind::Breaking, DIFFERS, reason));
            }
        }
    }
    verdicts
}

/// Adds to the reasons of what is risky; whether there was any.
fn doubted(verdicts: &mut [Verdict], classes: &[&str], said: &str) -> bool {
    let mut any = false;
    let risky = |v: &&mut Verdict| v.verdict == VerdictKind::Risky && classes.contains(&v.class.as_str());
    for verdict in verdicts.iter_mut().filter(risky) {
        verdict.reason = format!("{}; {said}", verdict.reason);
        any = true;
    }
    any
}

/// Takes the doubts of a class out, now that there is none, and gives their reasons.
fn taken_over(verdicts: &mut Vec<Verdict>, class: &str) -> String {
    let doubt = |v: &Verdict| v.verdict == VerdictKind::Risky && v.class == class;
    let reasons: Vec<String> =
        verdicts.iter().filter(|v| doubt(v)).map(|v| format!("; {}", v.reason)).collect();
    verdicts.retain(|v| !doubt(v));
    reasons.concat()
}
