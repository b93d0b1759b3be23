//! What the author of a changeset lets pass: `drydock: allow NAME because REASON`, in a comment of its SQL or as its comment.
//!
//! NAME is a hazard of the plan, a class of verdicts, of which it may be one SERVICE or SERVICE/QUERY only, or what allows a class
//! of differences that an inverse leaves, of which it may be one object only. The
//! reason is kept with what it lets pass, in the evidence and in every report.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::model::changeset::{Statement, Suppression};
use crate::model::difference::DifferenceClass;
use crate::model::evidence::{Verdict, VerdictClass, VerdictKind};

const MARK: &str = "drydock:";
const HOW: &str = "write `drydock: allow NAME because REASON`, NAME being a hazard, a class of verdicts or of \
                   differences; of verdicts also `allow CLASS SERVICE/QUERY because REASON`";

/// Reads the remarks of a changeset: comment lines of its SQL that begin with the mark, and its comment, in which the mark may
/// stand anywhere. `hazards`: the names there are.
///
/// # Errors
/// `Input` for one that is not understood, gives no reason or names nothing that exists.
pub fn read(
    remarks: &[String],
    comment: Option<&str>,
    hazards: &BTreeSet<String>,
) -> Result<Vec<Suppression>> {
    let lines = remarks.iter().map(String::as_str).chain(comment.iter().flat_map(|c| c.lines()));
    lines.flat_map(|line| line.split(MARK).skip(1)).map(|said| one(said.trim(), hazards)).collect()
}

fn one(said: &str, hazards: &BTreeSet<String>) -> Result<Suppression> {
    let wrong = |what: String| Error::input(what).hint(HOW);
    let mut words = said.split_whitespace();
    if words.next() != Some("allow") {
        return Err(wrong(format!("\"{MARK} {said}\" is not understood")));
    }
    let before: Vec<&str> = words.by_ref().take_while(|w| *w != "because").collect();
    let reason = words.collect::<Vec<_>>().join(" ");
    let (what, of) = match before.as_slice() {
        [what] => (*what, None),
        [what, of] => (*what, Some((*of).to_owned())),
        _ => return Err(wrong(format!("\"{MARK} {said}\" is not understood"))),
    };
    if reason.is_empty() {
        return Err(wrong(format!("\"{MARK} {said}\" gives no reason")));
    }
    let class = VerdictClass::from_name(what);
    if class == Some(VerdictClass::DoesNotPlan) {
        let said = format!("\"{MARK} {said}\": a query that does not plan cannot be suppressed");
        return Err(Error::input(said)
            .hint("remove the query from the contract, or change the changeset: the service would fail"));
    }
    let difference = DifferenceClass::from_allowance(what);
    if class.is_none() && difference.is_none() && !hazards.contains(what) {
        return Err(wrong(format!("\"{MARK} {said}\": there is neither a hazard nor a class called {what}")));
    }
    if let (None, None, Some(of)) = (class, difference, &of) {
        return Err(wrong(format!("\"{MARK} {said}\": a hazard is of the changeset itself, not of {of}")));
    }
    Ok(Suppression { what: what.to_owned(), of, reason, unused: false })
}

/// Marks the hazards that are let pass, and the lines that let nothing pass.
pub fn apply(suppressions: &mut [Suppression], statements: &mut [Statement], inverse: &mut [Statement]) {
    for line in suppressions.iter_mut().filter(|s| s.class().is_none()) {
        // Whether the line of a difference is unused is for the rehearsal to say, unless it is a hazard's too.
        line.unused = !line.is_of_rehearsal();
        let all = statements.iter_mut().chain(inverse.iter_mut()).flat_map(|s| s.hazards.iter_mut());
        for hazard in all.filter(|h| h.name == line.what) {
            hazard.allowed = Some(line.reason.clone());
            line.unused = false;
        }
    }
}

/// Marks the verdicts on a changeset that its author lets pass, which then break nobody; gives what lets nothing pass.
pub fn verdicts<'a>(suppressions: &'a [Suppression], verdicts: &mut [Verdict]) -> Vec<&'a Suppression> {
    let mut unused = Vec::new();
    for (line, class) in suppressions.iter().filter_map(|s| Some((s, s.class()?))) {
        let mut any = false;
        let of = |v: &Verdict| match line.of.as_deref().map(|of| of.split_once('/').unwrap_or((of, ""))) {
            Some((service, query)) => v.service == service && (query.is_empty() || v.query == query),
            None => true,
        };
        for verdict in verdicts.iter_mut().filter(|v| v.class == class && of(v)) {
            any = true;
            if verdict.verdict == VerdictKind::Breaking {
                verdict.verdict = VerdictKind::Risky;
                verdict.reason = format!("{}; it would not go out", verdict.reason);
            }
            verdict.reason = format!("{}; allowed because {}", verdict.reason, line.reason);
            verdict.allowed = Some(line.reason.clone());
        }
        if !any {
            unused.push(line);
        }
    }
    unused
}

/// Of a line that lets nothing pass.
pub fn nothing_to_pass(line: &Suppression) -> String {
    let of = line.of.as_ref().map(|of| format!(" {of}")).unwrap_or_default();
    format!("allow {}{of}: this line suppresses nothing", line.what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::changeset::{Hazard, Phase, Severity};

    fn names() -> BTreeSet<String> {
        ["table-rewrite", "squawk/ban-char-field"].into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn remarks_are_read_from_sql_and_from_the_comment() {
        let remarks = ["-- drydock: allow table-rewrite because the table has 40 rows".to_owned()];
        let comment = "Codes are fixed. drydock: allow squawk/ban-char-field because ISO says 3 drydock: allow gets-slow billing/Totals because it runs at night";
        let all = read(&remarks, Some(comment), &names()).unwrap();
        let shown: Vec<_> =
            all.iter().map(|a| format!("{} {:?}: {}", a.what, a.of.as_deref(), a.reason)).collect();
        assert_eq!(
            shown,
            [
                "table-rewrite None: the table has 40 rows",
                "squawk/ban-char-field None: ISO says 3",
                "gets-slow Some(\"billing/Totals\"): it runs at night",
            ]
        );
        assert_eq!(read(&[], Some("only words"), &names()).unwrap(), []);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for (said, told) in [
            ("drydock: allow table-rewrite", "gives no reason"),
            ("drydock: allow table-rewrite because", "gives no reason"),
            ("drydock: allow table-rewrit because small", "called table-rewrit"),
            ("drydock: allow table-rewrite billing because small", "not of billing"),
            ("drydock: ignore table-rewrite because small", "is not understood"),
            ("drydock: allow because small", "is not understood"),
            ("drydock: allow a b c because small", "is not understood"),
            ("drydock: allow does-not-plan billing because it is old", "cannot be suppressed"),
        ] {
            let error = read(&[said.to_owned()], None, &names()).unwrap_err();
            assert!(error.chain().contains(told), "{said}: {}", error.chain());
            assert!(error.hint_text().is_some());
        }
    }

    #[test]
    fn a_verdict_that_is_let_pass_breaks_nobody() {
        let verdict = |service: &str, class| Verdict {
            changeset: crate::model::changeset::ChangesetId {
                id: "1".into(),
                author: "a".into(),
                path: "p".into(),
            },
            service: service.to_owned(),
            version: "1".to_owned(),
            query: "Totals".to_owned(),
            verdict: VerdictKind::Breaking,
            class,
            reason: "other values".to_owned(),
            column: None,
            unique_key_gone: false,
            grant_to: None,
            rows_kept: false,
            file: String::new(),
            line: 1,
            allowed: None,
        };
        let class = VerdictClass::AnswersDifferently;
        let all = [verdict("billing", class), verdict("labels", class)];
        for (said, passed) in [
            ("answers-differently", [true, true]),
            ("answers-differently billing", [true, false]),
            ("answers-differently labels/Totals", [false, true]),
            ("answers-differently labels/Others", [false, false]),
            ("fails-when-run", [false, false]),
        ] {
            let remarks = [format!("-- drydock: allow {said} because it is meant")];
            let allowed = read(&remarks, None, &names()).unwrap();
            let mut found = all.clone();
            let unused = verdicts(&allowed, &mut found);
            assert_eq!(found.each_ref().map(|v| v.allowed.is_some()), passed, "{said}");
            assert_eq!(found.each_ref().map(|v| v.verdict == VerdictKind::Risky), passed, "{said}");
            assert_eq!(unused.is_empty(), passed.contains(&true), "{said}");
        }
    }

    #[test]
    fn a_hazard_keeps_the_reason_and_a_line_without_one_is_unused() {
        let hazard = Hazard {
            name: "table-rewrite".into(),
            severity: Severity::Danger,
            lock: None,
            table: None,
            rows: None,
            message: String::new(),
            allowed: None,
        };
        let mut statements = [Statement {
            sql: String::new(),
            kind: String::new(),
            phase: Phase::Expand,
            hazards: vec![hazard],
            touches: Vec::new(),
            actions: Vec::new(),
            waits_without_blocking: false,
            builds_index: None,
            commits: false,
            backfill: None,
            rewrites: Vec::new(),
        }];
        let lines =
            ["table-rewrite because small", "squawk/ban-char-field because ISO", "gets-slow because small"];
        let remarks: Vec<String> = lines.iter().map(|l| format!("--drydock: allow {l}")).collect();
        let mut allowed = read(&remarks, None, &names()).unwrap();
        apply(&mut allowed, &mut statements, &mut []);
        let [statement] = &statements;
        assert_eq!(statement.hazards.first().unwrap().allowed.as_deref(), Some("small"));
        // Whether the line of a class is unused is for compat to say.
        assert_eq!(allowed.iter().map(|a| a.unused).collect::<Vec<_>>(), [false, true, false]);
    }
}
