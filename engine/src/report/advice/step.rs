//! The actions of a changeset that advice has something to say about, with names as the author of the changeset wrote them.

use crate::model::changeset::Statement;
use crate::model::schema_action::SchemaAction as Action;

/// What one statement takes away, narrows or asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    DropColumn {
        table: String,
        column: String,
    },
    RenameColumn {
        table: String,
        column: String,
        to: String,
    },
    ChangeType {
        table: String,
        column: String,
    },
    SetNotNull {
        table: String,
        column: String,
    },
    /// A new column that must be given.
    AddRequired {
        table: String,
        column: String,
    },
    AddColumn {
        table: String,
        column: String,
    },
    DropDefault {
        table: String,
        column: String,
    },
    AddConstraint {
        table: String,
    },
    RenameTable {
        table: String,
        to: String,
    },
    DropIndex {
        index: String,
    },
    /// Anything else that goes: the word for it and its name.
    Drop {
        what: String,
        name: String,
    },
    AddEnumLabel {
        enumeration: String,
        label: String,
    },
    Revoke,
    /// A sequence goes on at another number.
    RestartSequence,
}

pub(super) fn steps(statement: &Statement) -> Vec<Step> {
    let sql = statement.sql.to_lowercase().replace('"', "");
    statement.actions.iter().filter_map(|action| step(action, &sql)).collect()
}

fn step(action: &Action, sql: &str) -> Option<Step> {
    let written = |name: &String| as_written(name, sql).to_owned();
    let drop = |what: &str, name: &String| Step::Drop { what: what.to_owned(), name: written(name) };
    Some(match action {
        Action::RestartSequence => Step::RestartSequence,
        Action::DropColumn { table, column } => {
            Step::DropColumn { table: written(table), column: column.clone() }
        }
        Action::RenameColumn { table, column, to } => {
            Step::RenameColumn { table: written(table), column: column.clone(), to: to.clone() }
        }
        Action::ChangeColumnType { table, column } => {
            Step::ChangeType { table: written(table), column: column.clone() }
        }
        Action::SetNotNull { table, column } => {
            Step::SetNotNull { table: written(table), column: column.clone() }
        }
        Action::AddColumn { table, column, required: true } => {
            Step::AddRequired { table: written(table), column: column.clone() }
        }
        Action::AddColumn { table, column, required: false } => {
            Step::AddColumn { table: written(table), column: column.clone() }
        }
        Action::DropDefault { table, column } => {
            Step::DropDefault { table: written(table), column: column.clone() }
        }
        Action::AddConstraint { table, .. } => Step::AddConstraint { table: written(table) },
        Action::RenameTable { table, to } => {
            // Into another schema: without it, both names would be the same.
            let moved = schema(table) != schema(to);
            Step::RenameTable { table: written(table), to: if moved { to.clone() } else { written(to) } }
        }
        Action::DropTable { table } => drop("table", table),
        Action::DropView { view } => drop("view", view),
        Action::DropIndex { index, .. } => Step::DropIndex { index: written(index) },
        Action::DropObject { kind, name } => drop(&kind.to_string(), name),
        Action::AddEnumLabel { enumeration, label } => {
            Step::AddEnumLabel { enumeration: written(enumeration), label: label.clone() }
        }
        Action::Revoke { .. } => Step::Revoke,
        Action::CreateTable { .. }
        | Action::TruncateTable { .. }
        | Action::DropNotNull { .. }
        | Action::SetDefault { .. }
        | Action::DropConstraint { .. }
        | Action::ValidateConstraint { .. }
        | Action::CreateIndex { .. }
        | Action::CreateView { .. }
        | Action::RenameEnumLabel { .. }
        | Action::Grant { .. }
        | Action::AttachPartition { .. }
        | Action::DetachPartition { .. }
        | Action::MoveRows { .. }
        | Action::RunsCode
        | Action::ReachesOut { .. }
        | Action::Server
        | Action::Other => return None,
    })
}

fn schema(name: &str) -> Option<&str> {
    name.split_once('.').map(|(schema, _)| schema)
}

/// A name without its schema, unless the statement says it. `sql`: in lower case and without quotes.
fn as_written<'a>(name: &'a str, sql: &str) -> &'a str {
    match name.split_once('.') {
        Some((_, bare)) if !sql.contains(&name.to_lowercase()) => bare,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::as_written;

    #[test]
    fn names_are_said_as_they_are_written() {
        let sql = "alter table app.orders rename to bills";
        assert_eq!(as_written("app.orders", sql), "app.orders");
        assert_eq!(as_written("app.bills", sql), "bills");
        assert_eq!(as_written("phone", sql), "phone");
    }
}
