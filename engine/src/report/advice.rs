//! What to do about a verdict: the way by expand and contract, spelled for the statement that is in the way.

mod step;

use crate::model::changeset::Changeset;
use crate::model::evidence::{Verdict, VerdictKind};
use step::{Step, steps};

/// A short, concrete instruction for a person who has this verdict in front of them.
pub fn advice(verdict: &Verdict, changeset: Option<&Changeset>) -> String {
    let who = format!("{} {}", verdict.service, verdict.version);
    // Which of them it was, nobody says.
    if verdict.reason.contains("ON CONFLICT") {
        return format!(
            "keep the unique index that ON CONFLICT of {} names until {who} is gone, or make another on the same columns first",
            verdict.query
        );
    }
    let breaking = verdict.verdict == VerdictKind::Breaking;
    match (step_behind(verdict, changeset), breaking) {
        (Some(step), true) => way_out(&step, &who, verdict),
        (Some(step), false) => caution(&step, &who, verdict),
        (None, true) => format!("{}, once {who} is gone", default_way(&verdict.class)),
        (None, false) => look(&who, verdict),
    }
}

/// The column that the verdict is about: its own, or the one that the statement behind it names.
pub fn column(verdict: &Verdict, changeset: Option<&Changeset>) -> Option<String> {
    verdict.column.clone().or_else(|| match step_behind(verdict, changeset)? {
        Step::DropColumn { table, column }
        | Step::RenameColumn { table, from: column, .. }
        | Step::Retype { table, column }
        | Step::NotNull { table, column }
        | Step::AddRequired { table, column }
        | Step::AddColumn { table, column }
        | Step::DropDefault { table, column } => Some(format!("{table}.{column}")),
        _ => None,
    })
}

/// The classes of verdicts.
pub const CLASSES: &[&str] = &[
    "does-not-plan",
    "fails-when-run",
    "result-columns",
    "result-type",
    "parameter-type",
    "api-field",
    "answers-differently",
    "gets-slow",
    "lost-privilege",
];

/// The same for a class, whatever the statement: a title, and what it means and asks for.
pub fn class_help(class: &str) -> (&'static str, &'static str) {
    match class {
        "does-not-plan" => (
            "A query does not plan any more",
            "After the changeset the database refuses to plan a query of a deployed version: something it names is gone, \
             renamed or of another type. Add what is new beside what is there, move the services, and take the old away in a \
             later release.",
        ),
        "fails-when-run" => (
            "A query plans and may fail when it runs",
            "The changeset makes the database refuse rows that a deployed version writes. Let every version write what fits \
             first; tighten in a later release.",
        ),
        "result-columns" => (
            "A query gives other columns",
            "A query of a deployed version gives columns of other names, in another order or more of them. Name the columns in \
             the query; keep what is read until its readers are gone.",
        ),
        "result-type" => (
            "A query gives a column of another type",
            "A client that reads the column by its type may fail. Add a second column of the new type, write both, move the \
             readers, and drop the old one in a later release.",
        ),
        "parameter-type" => (
            "A query takes a parameter of another type",
            "A client that binds the parameter by its type may fail, or an index may no longer fit. Look at how the service \
             binds it.",
        ),
        "api-field" => (
            "The column behind an API field changes",
            "Clients of the API see the change. Add the new field beside the old one, and keep the column until no deployed \
             version shows it.",
        ),
        "answers-differently" => (
            "A query gives another answer",
            "The query runs and its answer means something else. Keep the old meaning until the versions that rely on it are \
             gone.",
        ),
        "gets-slow" => (
            "A query gets slow",
            "The plan of a query gets much dearer on production's statistics. Make the index it needs first, and drop the old \
             one in a later release.",
        ),
        "lost-privilege" => (
            "A service loses a right that it uses",
            "Grant the right again in the same changeset, or take it away once no deployed version uses it.",
        ),
        _ => (
            "A deployed version is affected",
            "Let what only adds go out now, and take away what a deployed version still needs in a later release, once that \
             version is gone.",
        ),
    }
}

fn default_way(class: &str) -> &'static str {
    match class {
        "fails-when-run" => "let every version write what fits first, and tighten in a later release",
        "gets-slow" => {
            "make the index that the query needs first, and take the old one away in a later release"
        }
        "lost-privilege" => {
            "grant the right again in the same changeset, and take it away in a later release"
        }
        "answers-differently" => {
            "keep the old meaning beside the new one, and take it away in a later release"
        }
        _ => "let what only adds go out now, and take the rest away in a later release",
    }
}

/// For a changeset that is held: how to get it out without waiting, or what it waits for.
fn way_out(step: &Step, who: &str, verdict: &Verdict) -> String {
    match step {
        Step::DropColumn { table, column } => format!(
            "keep {table}.{column} until {who} is gone: deploy a version that does without it, and drop it in a later release"
        ),
        Step::RenameColumn { table, from, to } => format!(
            "keep {table}.{from} until {who} is gone: add {table}.{to} beside it, write both, copy what is there, move the \
             readers, and drop {from} in a later release"
        ),
        Step::Retype { table, column } if verdict.class == "fails-when-run" => format!(
            "let {who} be followed by a version that keeps within the new type of {table}.{column}, and change the type in a \
             later release"
        ),
        Step::Retype { table, column } => format!(
            "leave {table}.{column} as it is until {who} is gone: add a second column of the new type, write both, copy what \
             is there, move the readers, and drop the old one in a later release"
        ),
        Step::NotNull { table, column } => format!(
            "give {table}.{column} a default, or let it stay nullable until {who} is gone: deploy a version that always writes \
             it, fill the rows that lack it, and set NOT NULL in a later release"
        ),
        Step::AddRequired { table, column } => format!(
            "add {table}.{column} with a default or nullable: deploy versions that write it, and make it NOT NULL in a later \
             release, once {who} is gone"
        ),
        Step::AddColumn { table, column } => format!(
            "let {} of {who} name its columns (and qualify them where tables are joined) before {table}.{column} is added",
            verdict.query
        ),
        Step::DropDefault { table, column } => format!(
            "keep the default of {table}.{column} until {who} is gone: deploy a version that writes the column, and drop the \
             default in a later release"
        ),
        Step::Constrain { table } => format!(
            "let every version write to {table} what the new constraint takes, mend the rows that are there, and add it in a \
             later release, once {who} is gone"
        ),
        Step::RenameTable { from, to } => format!(
            "keep the name {from} until {who} is gone: rename to {to} and make a view {from} over it in the same changeset, \
             move the services, and drop the view in a later release"
        ),
        Step::Drop { what, name } if what == "index" => format!(
            "keep the index {name} until {who} is gone, or make the index that its queries can use instead first"
        ),
        Step::Drop { what, name } => format!(
            "keep the {what} {name} until {who} is gone: deploy a version that does without it, and drop it in a later release"
        ),
        Step::AddValue { name, value } => format!(
            "let the readers of {name} know '{value}' before it is there: add it in a later release, once {who} is gone"
        ),
        Step::Revoke => format!(
            "let {who} keep the right until it is gone: grant it again in the same changeset, and take it away in a later release"
        ),
    }
}

/// For a changeset that goes out all the same: what to look at before.
fn caution(step: &Step, who: &str, verdict: &Verdict) -> String {
    match step {
        Step::AddColumn { table, column } | Step::AddRequired { table, column }
            if verdict.class == "result-columns" =>
        {
            format!("name the columns in {} instead of *: {who} gets {table}.{column} besides", verdict.query)
        }
        Step::NotNull { table, column } => format!(
            "see that {who} never writes NULL into {table}.{column}; if it does, deploy a version that does not first"
        ),
        Step::Retype { table, column } if verdict.class == "fails-when-run" => format!(
            "see that {who} writes nothing into {table}.{column} that the new type refuses; if it does, deploy a version that \
             does not first"
        ),
        Step::Retype { table, column } => format!(
            "see that {who} takes {table}.{column} as it is then; if not, add a second column of the new type instead"
        ),
        Step::AddValue { name, value } => format!(
            "write no '{value}' of {name} before {who} knows it: deploy a version that does first, or see that it takes any"
        ),
        Step::Constrain { table } => {
            format!("see that {who} writes nothing to {table} that the new constraint refuses")
        }
        Step::Drop { what, name } if what == "index" => format!(
            "keep the index {name} while {} of {who} needs it, or make one that it can use instead first",
            verdict.query
        ),
        _ => look(who, verdict),
    }
}

fn look(who: &str, verdict: &Verdict) -> String {
    let query = &verdict.query;
    match verdict.class.as_str() {
        "fails-when-run" => format!(
            "see that what {query} of {who} writes is still taken; if not, deploy a version that writes what is first"
        ),
        "answers-differently" => format!(
            "see that {who} understands the new answer of {query}; if not, deploy a version that does first"
        ),
        "gets-slow" => {
            format!(
                "look at the plan of {query} on production's data, and make the index that it needs first"
            )
        }
        "lost-privilege" => {
            format!("see that {who} does not use the right, or grant it again in the same changeset")
        }
        _ => format!("see that {who} can live with what changes for {query}"),
    }
}

/// The step that the verdict is about: one whose name it says, of the table that it says, or else the first that can be to
/// blame.
fn step_behind(verdict: &Verdict, changeset: Option<&Changeset>) -> Option<Step> {
    let steps: Vec<Step> = changeset?.statements.iter().flat_map(|s| steps(&s.sql)).collect();
    let said = format!("{} {}", verdict.column.as_deref().unwrap_or_default(), verdict.reason);
    let said: Vec<&str> = said.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let says = |name: &str| name.rsplit('.').next().is_some_and(|n| said.contains(&n));
    let likely = |step: &Step| {
        let (table, name) = match step {
            Step::DropColumn { table, column }
            | Step::Retype { table, column }
            | Step::NotNull { table, column }
            | Step::AddRequired { table, column }
            | Step::AddColumn { table, column }
            | Step::DropDefault { table, column } => (table, column),
            Step::RenameColumn { table, from, .. } => (table, from),
            Step::RenameTable { from, .. } => (from, from),
            Step::AddValue { name, value } => (name, value),
            Step::Constrain { table } => (table, table),
            Step::Drop { name, .. } => (name, name),
            Step::Revoke => return (verdict.class == "lost-privilege", true, true),
        };
        // What only adds is to blame when it is named, or when nothing else is there; and never for what is refused.
        let adds = matches!(step, Step::AddColumn { .. });
        let named = says(name) && !(adds && verdict.class == "fails-when-run");
        (named, named && says(table), !adds)
    };
    // Of equals the first.
    steps.iter().rev().max_by_key(|s| likely(s)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::changeset::{ChangesetId, Phase, Reverse, Statement};
    use proptest::prelude::*;

    fn key() -> ChangesetId {
        ChangesetId { id: "c".to_owned(), author: "a".to_owned(), path: "p.sql".to_owned() }
    }

    fn changeset(sql: &str) -> Changeset {
        let statement = |sql: &str| Statement {
            sql: sql.to_owned(),
            kind: String::new(),
            phase: Phase::Contract,
            hazards: vec![],
            touches: vec![],
            patient: false,
            builds_index: None,
            backfill: None,
        };
        Changeset {
            key: key(),
            line: None,
            comment: None,
            checksum: None,
            phase: Phase::Contract,
            in_transaction: true,
            statements: sql.split("; ").map(statement).collect(),
            reverse: Reverse::None,
            inverse: vec![],
            allowed: vec![],
        }
    }

    fn verdict(kind: VerdictKind, class: &str, reason: &str) -> Verdict {
        Verdict {
            changeset: key(),
            service: "driver-app".to_owned(),
            version: "1.8.0".to_owned(),
            query: "Me".to_owned(),
            verdict: kind,
            class: class.to_owned(),
            reason: reason.to_owned(),
            column: None,
            file: "q.sql".to_owned(),
            line: 3,
            allowed: None,
        }
    }

    #[test]
    fn the_way_out_names_what_the_statement_takes() {
        use VerdictKind::{Breaking, Risky};
        let cases = [
            (
                Breaking,
                "does-not-plan",
                "column \"phone\" does not exist",
                "alter table drivers drop column if exists phone cascade",
            ),
            (
                Breaking,
                "does-not-plan",
                "column \"phone\" does not exist",
                "alter table drivers add column a int, drop fax, drop \"phone\"",
            ),
            (
                Breaking,
                "does-not-plan",
                "column \"phone\" does not exist",
                "alter table only drivers rename phone to mobile;",
            ),
            (Breaking, "does-not-plan", "relation \"a\" does not exist", "alter table a rename to b"),
            (Breaking, "does-not-plan", "relation \"b\" does not exist", "drop table if exists a, b cascade"),
            (Breaking, "does-not-plan", "relation \"v\" does not exist", "drop materialized view v"),
            (
                Breaking,
                "does-not-plan",
                "column reference \"id\" is ambiguous",
                "alter table a add column if not exists id bigint",
            ),
            (
                Breaking,
                "result-type",
                "column total is numeric instead of integer",
                "alter table o alter column total set data type numeric(10, 2) using total::numeric",
            ),
            (
                Breaking,
                "fails-when-run",
                "public.o.ref must be given now",
                "alter table o alter ref set not null",
            ),
            (
                Breaking,
                "fails-when-run",
                "public.o.ref must be given now",
                "alter table o add column ref text not null",
            ),
            (
                Breaking,
                "fails-when-run",
                "public.task_log.ref must be given now",
                "alter table task add column ref text; alter table task_log add ref text; drop index task_log_at; alter table task_log alter ref set not null",
            ),
            (
                Breaking,
                "does-not-plan",
                "there is no unique or exclusion constraint matching the ON CONFLICT specification (42P10)",
                "drop index o_at; drop index o_ref_key",
            ),
            (
                Breaking,
                "fails-when-run",
                "the default is gone",
                "alter table o alter column ref drop default",
            ),
            (
                Breaking,
                "fails-when-run",
                "violates",
                "alter table o add constraint o_check check (total > 0)",
            ),
            (Breaking, "lost-privilege", "permission denied", "revoke select on o from driver_app"),
            (Breaking, "gets-slow", "a scan of o", "drop index concurrently o_ref_idx"),
            (
                Breaking,
                "what-nobody-knows",
                "?",
                "create function f() returns int language sql as 'select 1, 2'",
            ),
            (Risky, "result-columns", "also gives note", "alter table o add column note text default 'a, b'"),
            (Risky, "fails-when-run", "o.ref takes no NULL any more", "alter table o alter ref set not null"),
            (
                Risky,
                "result-type",
                "column ref is varchar(9) instead of varchar(99)",
                "alter table o alter ref type varchar(9)",
            ),
            (
                Risky,
                "answers-differently",
                "public.v.state may hold 'reserved'",
                "alter type vehicle_state add value if not exists 'reserved' after 'idle'",
            ),
            (
                Risky,
                "answers-differently",
                "f does something else now",
                "create or replace function f() returns int language sql as 'select 1'",
            ),
            (
                Risky,
                "fails-when-run",
                "a trigger may refuse it",
                "create trigger t before insert on o execute function f()",
            ),
            (Risky, "gets-slow", "?", "drop index i"),
            (Risky, "lost-privilege", "?", "select 1"),
            (Risky, "what-nobody-knows", "?", "select 1"),
        ];
        let said: Vec<String> = cases
            .iter()
            .map(|(kind, class, reason, sql)| {
                format!("{sql}\n=> {}\n", advice(&verdict(*kind, class, reason), Some(&changeset(sql))))
            })
            .chain([format!("(no plan)\n=> {}\n", advice(&verdict(Breaking, "gets-slow", ""), None))])
            .collect();
        insta::with_settings!({snapshot_path => "../../../tests/expected", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!("advice", said.join("\n"));
        });
    }

    proptest! {
        #[test]
        fn any_statement_can_be_read(sql in "(alter table |drop |rename |to |add |type |set not null|\\PC|[\"'(),; ]){0,30}") {
            let _ = advice(&verdict(VerdictKind::Breaking, "does-not-plan", "x"), Some(&changeset(&sql)));
        }
    }

    #[test]
    fn every_class_has_help_of_its_own() {
        for class in CLASSES {
            assert_ne!(class_help(class), class_help(""), "{class}");
        }
    }
}
