//! Hazards of several statements of one changeset: Oracle commits before and after each schema change.

use super::around::Around;
use super::builder;
use super::rules;
use super::storage;
use crate::model::changeset::Statement;
use crate::model::schema_action::SchemaAction;
use crate::product::oracle::grammar::Read;

/// Statements after which what was done can still be taken back.
const IN_TRANSACTION: &[&str] = &[
    "select",
    "insert",
    "update",
    "delete",
    "merge",
    "anonymous_block",
    "call",
    "lock_table",
    "commit",
    "rollback",
    "savepoint",
    "set_transaction",
    "set_constraint",
    "explain",
    "alter_session",
];

/// Whether a statement commits by itself, and what was open before it (SQL Language Reference, "Types of SQL Statements").
pub fn commits(kind: &str) -> bool {
    !IN_TRANSACTION.contains(&kind)
}

/// Adds to the statements what they mean together. `read`: the same statements, as they were read.
pub fn look(statements: &mut [Statement], read: &[&Read], around: &Around<'_>) {
    let commits: Vec<bool> = read.iter().map(|read| commits(&read.kind)).collect();
    if commits.iter().filter(|commits| **commits).count() > 1
        && let Some(first) = statements.first_mut()
    {
        first.hazards.push(rules::COMMITS.on(around, None, ""));
    }
    let mut wrote = false;
    for ((statement, read), commits) in statements.iter_mut().zip(read).zip(&commits) {
        if *commits && wrote {
            statement.hazards.push(rules::MIXED.on(around, None, &statement.kind.clone()));
            wrote = false;
        }
        let writes = |action: &SchemaAction| matches!(action, SchemaAction::MoveRows { table, .. } if !around.is_fresh(table));
        wrote |= !commits && read.actions.iter().any(writes);
    }
    parallel(statements, read);
    statements.iter_mut().for_each(|statement| builder::sort(&mut statement.hazards));
}

/// PARALLEL that a later statement takes away again does not stay.
fn parallel(statements: &mut [Statement], read: &[&Read]) {
    for (at, (statement, own)) in statements.iter_mut().zip(read).enumerate() {
        let object = storage::object(own);
        let later = read.iter().skip(at + 1);
        let taken =
            |later: &&Read| later.facts.parallel.as_deref() == Some("1") && storage::object(later) == object;
        if later.copied().any(|later| taken(&later)) {
            statement.hazards.retain(|hazard| hazard.name != rules::PARALLEL.name);
        }
    }
}
