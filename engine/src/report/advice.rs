//! What to do about a verdict: the way by expand and contract, spelled for the statement that is in the way.

mod step;

use crate::model::changeset::Changeset;
use crate::model::evidence::{Verdict, VerdictClass, VerdictKind};
use step::{Step, steps};

/// A short, concrete instruction for a person who has this verdict in front of them.
pub fn advice(verdict: &Verdict, changeset: Option<&Changeset>) -> String {
    let who = format!("{} {}", verdict.service, verdict.version);
    // The database does not say which one it was.
    if verdict.unique_key_gone {
        return format!(
            "keep the unique index that ON CONFLICT of {} names until {who} is gone, or make another on the same columns first",
            verdict.query
        );
    }
    if let Some(role) = &verdict.grant_to {
        return format!("grant {role} what {} needs in the same changeset", verdict.query);
    }
    if verdict.rows_kept {
        return format!(
            "leave the foreign key as it acts today until {who} is gone: deploy a version whose {} first takes away the rows that \
             refer to what it deletes, and change the key in a later release",
            verdict.query
        );
    }
    let breaking = verdict.verdict == VerdictKind::Breaking;
    if verdict.class == VerdictClass::OtherObject {
        return match breaking {
            true => format!("{}, once {who} is gone", default_way(verdict.class)),
            false => look(&who, verdict),
        };
    }
    match (step_behind(verdict, changeset), breaking) {
        (Some(step), true) => way_out(&step, &who, verdict),
        (Some(step), false) => caution(&step, &who, verdict),
        (None, true) => format!("{}, once {who} is gone", default_way(verdict.class)),
        (None, false) => look(&who, verdict),
    }
}

/// The column that the verdict is about: its own, or the one that the statement behind it names.
pub fn column(verdict: &Verdict, changeset: Option<&Changeset>) -> Option<String> {
    verdict.column.clone().or_else(|| match step_behind(verdict, changeset)? {
        Step::DropColumn { table, column }
        | Step::RenameColumn { table, column, .. }
        | Step::ChangeType { table, column }
        | Step::SetNotNull { table, column }
        | Step::AddRequired { table, column }
        | Step::AddColumn { table, column }
        | Step::DropDefault { table, column } => Some(format!("{table}.{column}")),
        _ => None,
    })
}

/// The same for a class, whatever the statement: a title, and what it means and asks for.
pub fn class_help(class: VerdictClass) -> (&'static str, &'static str) {
    match class {
        VerdictClass::DoesNotPlan => (
            "A query does not plan any more",
            "After the changeset the database refuses to plan a query of a deployed version: something it names is gone, \
             renamed or of another type. Add what is new beside what is there, move the services, and take the old away in a \
             later release.",
        ),
        VerdictClass::FailsWhenRun => (
            "A query plans and may fail when it runs",
            "The changeset makes the database refuse rows that a deployed version writes. Let every version write what fits \
             first; tighten in a later release.",
        ),
        VerdictClass::ResultColumns => (
            "A query gives other columns",
            "A query of a deployed version gives columns of other names, in another order or more of them. Name the columns in \
             the query; keep what is read until its readers are gone.",
        ),
        VerdictClass::ResultType => (
            "A query gives a column of another type",
            "A client that reads the column by its type may fail. Add a second column of the new type, write both, move the \
             readers, and drop the old one in a later release.",
        ),
        VerdictClass::ParameterType => (
            "A query takes a parameter of another type",
            "A client that binds the parameter by its type may fail, or an index may no longer fit. Look at how the service \
             binds it.",
        ),
        VerdictClass::ApiField => (
            "The column behind an API field changes",
            "Clients of the API see the change. Add the new field beside the old one, and keep the column until no deployed \
             version shows it.",
        ),
        VerdictClass::AnswersDifferently => (
            "A query gives another answer",
            "The query runs and its answer means something else. Keep the old meaning until the versions that rely on it are \
             gone.",
        ),
        VerdictClass::OtherObject => (
            "A name in a query means another object",
            "After the changeset a name in a query of a deployed version finds another table, column or routine than before, and no \
             error says so. Give what is new a name that no deployed query says, or let the queries name the schema or table that \
             they mean first.",
        ),
        VerdictClass::GetsSlow => (
            "A query gets slow",
            "The plan of a query gets much dearer on production's statistics. Make the index it needs first, and drop the old \
             one in a later release.",
        ),
        VerdictClass::LostPrivilege => (
            "A service loses a right that it uses",
            "Grant the right again in the same changeset, or take it away once no deployed version uses it.",
        ),
    }
}

fn default_way(class: VerdictClass) -> &'static str {
    match class {
        VerdictClass::FailsWhenRun => {
            "let every version write what fits first, and tighten in a later release"
        }
        VerdictClass::GetsSlow => {
            "make the index that the query needs first, and take the old one away in a later release"
        }
        VerdictClass::LostPrivilege => {
            "grant the right again in the same changeset, and take it away in a later release"
        }
        VerdictClass::OtherObject => {
            "give what is new a name that no deployed query says, or deploy a version that names the schema or table it means \
             first; take the old name over in a later release"
        }
        VerdictClass::AnswersDifferently => {
            "keep the old meaning beside the new one, and take it away in a later release"
        }
        VerdictClass::DoesNotPlan
        | VerdictClass::ResultColumns
        | VerdictClass::ResultType
        | VerdictClass::ParameterType
        | VerdictClass::ApiField => {
            "let what only adds go out now, and take the rest away in a later release"
        }
    }
}

/// For a changeset that is held: how to get it out without waiting, or what it waits for.
fn way_out(step: &Step, who: &str, verdict: &Verdict) -> String {
    match step {
        Step::DropColumn { table, column } => format!(
            "keep {table}.{column} until {who} is gone: deploy a version that does without it, and drop it in a later release"
        ),
        Step::RenameColumn { table, column, to } => format!(
            "keep {table}.{column} until {who} is gone: add {table}.{to} beside it, write both, copy what is there, move the \
             readers, and drop {column} in a later release"
        ),
        Step::ChangeType { table, column } if verdict.class == VerdictClass::FailsWhenRun => format!(
            "let {who} be followed by a version that keeps within the new type of {table}.{column}, and change the type in a \
             later release"
        ),
        Step::ChangeType { table, column } => format!(
            "leave {table}.{column} as it is until {who} is gone: add a second column of the new type, write both, copy what \
             is there, move the readers, and drop the old one in a later release"
        ),
        Step::SetNotNull { table, column } => format!(
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
        Step::AddConstraint { table } => format!(
            "let every version write to {table} what the new constraint takes, mend the rows that are there, and add it in a \
             later release, once {who} is gone"
        ),
        Step::RenameTable { table, to } => format!(
            "keep the name {table} until {who} is gone: rename to {to} and make a view {table} over it in the same changeset, \
             move the services, and drop the view in a later release"
        ),
        Step::DropIndex { index } => format!(
            "keep the index {index} until {who} is gone, or make the index that its queries can use instead first"
        ),
        Step::Drop { what, name } => format!(
            "keep the {what} {name} until {who} is gone: deploy a version that does without it, and drop it in a later release"
        ),
        Step::AddEnumLabel { enumeration, label } => format!(
            "let the readers of {enumeration} know '{label}' before it is there: add it in a later release, once {who} is gone"
        ),
        Step::RestartSequence => {
            "let the sequence go on above the numbers that rows have: leave it where it is, or say a greater number".to_owned()
        }
        Step::Revoke => format!(
            "let {who} keep the right until it is gone: grant it again in the same changeset, and take it away in a later release"
        ),
    }
}

/// For a changeset that goes out all the same: what to look at before.
fn caution(step: &Step, who: &str, verdict: &Verdict) -> String {
    match step {
        Step::AddColumn { table, column } | Step::AddRequired { table, column }
            if verdict.class == VerdictClass::ResultColumns =>
        {
            format!("name the columns in {} instead of *: {who} gets {table}.{column} besides", verdict.query)
        }
        Step::SetNotNull { table, column } => format!(
            "see that {who} never writes NULL into {table}.{column}; if it does, deploy a version that does not first"
        ),
        Step::ChangeType { table, column } if verdict.class == VerdictClass::FailsWhenRun => format!(
            "see that {who} writes nothing into {table}.{column} that the new type refuses; if it does, deploy a version that \
             does not first"
        ),
        Step::ChangeType { table, column } => format!(
            "see that {who} takes {table}.{column} as it is then; if not, add a second column of the new type instead"
        ),
        Step::AddEnumLabel { enumeration, label } => format!(
            "write no '{label}' of {enumeration} before {who} knows it: deploy a version that does first, or see that it takes any"
        ),
        Step::AddConstraint { table } => {
            format!("see that {who} writes nothing to {table} that the new constraint refuses")
        }
        Step::DropIndex { index } => format!(
            "keep the index {index} while {} of {who} needs it, or make one that it can use instead first",
            verdict.query
        ),
        _ => look(who, verdict),
    }
}

fn look(who: &str, verdict: &Verdict) -> String {
    let query = &verdict.query;
    match verdict.class {
        VerdictClass::FailsWhenRun => format!(
            "see that what {query} of {who} writes is still taken; if not, deploy a version that writes what is first"
        ),
        VerdictClass::AnswersDifferently => format!(
            "see that {who} understands the new answer of {query}; if not, deploy a version that does first"
        ),
        VerdictClass::OtherObject => format!(
            "see that {query} of {who} works with what its names mean then; if not, give what is new another name"
        ),
        VerdictClass::GetsSlow => {
            format!(
                "look at the plan of {query} on production's data, and make the index that it needs first"
            )
        }
        VerdictClass::LostPrivilege => {
            format!("see that {who} does not use the right, or grant it again in the same changeset")
        }
        VerdictClass::DoesNotPlan
        | VerdictClass::ResultColumns
        | VerdictClass::ResultType
        | VerdictClass::ParameterType
        | VerdictClass::ApiField => format!("see that {who} can live with what changes for {query}"),
    }
}

/// The step that the verdict is about: one whose name it says, of the table that it says, or else the first that can be to
/// blame.
fn step_behind(verdict: &Verdict, changeset: Option<&Changeset>) -> Option<Step> {
    let steps: Vec<Step> = changeset?.statements.iter().flat_map(steps).collect();
    let said = format!("{} {}", verdict.column.as_deref().unwrap_or_default(), verdict.reason);
    let said: Vec<&str> = said.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let says = |name: &str| name.rsplit('.').next().is_some_and(|n| said.contains(&n));
    let likely = |step: &Step| {
        let (table, name) = match step {
            Step::DropColumn { table, column }
            | Step::ChangeType { table, column }
            | Step::SetNotNull { table, column }
            | Step::AddRequired { table, column }
            | Step::AddColumn { table, column }
            | Step::DropDefault { table, column } => (table, column),
            Step::RenameColumn { table, column, .. } => (table, column),
            Step::RenameTable { table, .. } => (table, table),
            Step::AddEnumLabel { enumeration, label } => (enumeration, label),
            Step::AddConstraint { table } => (table, table),
            Step::DropIndex { index: name } | Step::Drop { name, .. } => (name, name),
            Step::Revoke => return (verdict.class == VerdictClass::LostPrivilege, true, true),
            Step::RestartSequence => return (verdict.class == VerdictClass::FailsWhenRun, true, true),
        };
        // What only adds is to blame when it is named, or when nothing else is there; and never for what is refused.
        let adds = matches!(step, Step::AddColumn { .. });
        let named = says(name) && !(adds && verdict.class == VerdictClass::FailsWhenRun);
        (named, named && says(table), !adds)
    };
    // Of equals the first.
    steps.iter().rev().max_by_key(|s| likely(s)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_class_has_help_of_its_own() {
        let said: BTreeSet<_> = VerdictClass::ALL.iter().map(|class| class_help(*class)).collect();
        assert_eq!(said.len(), VerdictClass::ALL.len());
    }
}
