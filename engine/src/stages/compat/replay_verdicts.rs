//! What running a query showed, as verdicts.

use std::collections::HashMap;

use crate::model::error_class::ErrorClass;
use crate::model::evidence::{Verdict, VerdictClass, VerdictKind};
use crate::stages::compat::query_replay::{Outcome, With};

/// Doubts of one class that are told about one query and changeset.
const MOST_ALIKE: usize = 3;

const FAILS: VerdictClass = VerdictClass::FailsWhenRun;
const DIFFERS: VerdictClass = VerdictClass::AnswersDifferently;

/// The verdicts of one query and changeset with what running it showed. `takes_names`: the changeset takes or moves a name, and no row.
/// `new` makes a verdict on the query.
pub fn settle(
    mut verdicts: Vec<Verdict>,
    outcome: Outcome,
    takes_names: bool,
    new: impl Fn(VerdictKind, VerdictClass, String) -> Verdict,
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
            verdict.rows_kept = error.class == ErrorClass::StillReferenced;
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
            // Without a reason that anybody knows of, rows that are equal in the order asked for may have changed places. They do not
            // where only names are others: a name that means something else now is a reason of its own.
            let told = |v: &Verdict| !matches!(v.class, VerdictClass::GetsSlow | VerdictClass::LostPrivilege);
            let known = takes_names || verdicts.iter().any(told);
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

/// Of many doubts of one kind the first say enough.
pub fn condense(verdicts: &mut Vec<Verdict>) {
    let mut seen: HashMap<VerdictClass, usize> = HashMap::new();
    for verdict in verdicts.iter().filter(|v| v.verdict == VerdictKind::Risky) {
        *seen.entry(verdict.class).or_default() += 1;
    }
    let mut kept: HashMap<VerdictClass, usize> = HashMap::new();
    verdicts.retain_mut(|verdict| {
        if verdict.verdict != VerdictKind::Risky {
            return true;
        }
        let all = seen.get(&verdict.class).copied().unwrap_or_default();
        let n = kept.entry(verdict.class).or_default();
        *n += 1;
        if all > MOST_ALIKE && *n == MOST_ALIKE {
            verdict.reason = format!("{}; and {} more of this kind", verdict.reason, all - MOST_ALIKE);
        }
        *n <= MOST_ALIKE
    });
}

/// Adds to the reasons of what is risky; whether there was any.
fn doubted(verdicts: &mut [Verdict], classes: &[VerdictClass], said: &str) -> bool {
    let mut any = false;
    let risky = |v: &&mut Verdict| v.verdict == VerdictKind::Risky && classes.contains(&v.class);
    for verdict in verdicts.iter_mut().filter(risky) {
        verdict.reason = format!("{}; {said}", verdict.reason);
        any = true;
    }
    any
}

/// Takes the doubts of a class out, now that there is none, and gives their reasons.
fn taken_over(verdicts: &mut Vec<Verdict>, class: VerdictClass) -> String {
    let doubt = |v: &Verdict| v.verdict == VerdictKind::Risky && v.class == class;
    let reasons: Vec<String> =
        verdicts.iter().filter(|v| doubt(v)).map(|v| format!("; {}", v.reason)).collect();
    verdicts.retain(|v| !doubt(v));
    reasons.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::changeset::ChangesetId;
    use crate::model::query::QueryError;

    fn verdict(verdict: VerdictKind, class: VerdictClass, reason: String) -> Verdict {
        Verdict {
            changeset: ChangesetId { id: "1".into(), author: "a".into(), path: "p".into() },
            service: "s".into(),
            version: "1".into(),
            query: "Q".into(),
            verdict,
            class,
            reason,
            column: None,
            unique_key_gone: false,
            grant_to: None,
            rows_kept: false,
            file: String::new(),
            line: 1,
            allowed: None,
        }
    }

    #[test]
    fn of_many_doubts_the_first_are_told_and_every_break() {
        let many = |kind, class, n: usize| {
            (0..n).map(move |i| verdict(kind, class, i.to_string())).collect::<Vec<_>>()
        };
        let mut all = many(VerdictKind::Risky, DIFFERS, 9);
        all.extend(many(VerdictKind::Risky, FAILS, 3));
        all.extend(many(VerdictKind::Breaking, FAILS, 5));
        condense(&mut all);
        let shown: Vec<String> = all.iter().map(|v| format!("{:?} {}", v.verdict, v.reason)).collect();
        let expected = "Risky 0, Risky 1, Risky 2; and 6 more of this kind, Risky 0, Risky 1, Risky 2, \
                        Breaking 0, Breaking 1, Breaking 2, Breaking 3, Breaking 4";
        assert_eq!(shown.join(", "), expected);
    }

    #[test]
    fn another_answer_after_names_were_taken_is_a_break() {
        let differs = Outcome::Differs { what: "2 rows instead of 1".to_owned() };
        let told = settle(Vec::new(), differs, true, verdict);
        assert!(matches!(told.as_slice(), [v] if v.verdict == VerdictKind::Breaking && v.class == DIFFERS));
        assert_eq!(settle(Vec::new(), Outcome::Same { times: 3 }, true, verdict), []);
    }

    #[test]
    fn doubts_become_certain_or_are_told_with_what_was_tried() {
        let error = || QueryError {
            code: "23514".to_owned(),
            class: ErrorClass::CheckViolation,
            message: "no".to_owned(),
            column: None,
            table: None,
            constraint: None,
        };
        let fails = |with| Outcome::Fails { error: error(), with };
        let check = || vec![verdict(VerdictKind::Risky, FAILS, "a check".to_owned())];
        let collation = || vec![verdict(VerdictKind::Risky, DIFFERS, "sorts otherwise".to_owned())];
        let differs = || Outcome::Differs { what: "1 rows instead of 2".to_owned() };
        for (before, outcome, expected) in [
            (vec![], Outcome::Untried, ""),
            (vec![], Outcome::Same { times: 3 }, ""),
            (
                check(),
                Outcome::Same { times: 3 },
                "Risky fails-when-run: a check; tried 3 times with values of production: as before",
            ),
            (
                check(),
                fails(With::Production),
                "Breaking fails-when-run: with values that production holds: no (23514); a check",
            ),
            (vec![], fails(With::Anything), "Breaking fails-when-run: with whatever values: no (23514)"),
            (
                check(),
                fails(With::MadeUp("t.a = NULL".into())),
                "Risky fails-when-run: a check; tried with t.a = NULL, which worked before: no (23514)",
            ),
            (
                vec![],
                fails(With::MadeUp("t.a = NULL".into())),
                "Risky fails-when-run: tried with t.a = NULL, which worked before: no (23514)",
            ),
            (
                collation(),
                differs(),
                "Breaking answers-differently: with values that production holds: 1 rows instead of 2; sorts otherwise",
            ),
            (
                vec![],
                differs(),
                "Risky answers-differently: with values that production holds: 1 rows instead of 2",
            ),
            (
                vec![verdict(VerdictKind::Risky, VerdictClass::LostPrivilege, "no right".to_owned())],
                differs(),
                "Risky lost-privilege: no right\nRisky answers-differently: with values that production holds: 1 rows instead of 2",
            ),
            (vec![], Outcome::Reordered, ""),
            (
                collation(),
                Outcome::Reordered,
                "Breaking answers-differently: with values that production holds: the same rows in another order; sorts otherwise",
            ),
        ] {
            let after = settle(before, outcome, false, verdict);
            let shown: Vec<_> =
                after.iter().map(|v| format!("{:?} {}: {}", v.verdict, v.class, v.reason)).collect();
            assert_eq!(shown.join("\n"), expected);
        }
    }
}
