//! What statements make of a dictionary, without a server. What Oracle would refuse is refused with its code.
//!
//! Source: SQL Language Reference, the notes of each statement; Database Error Messages.

mod code;
mod columns;
mod constraints;
mod indexes;
mod tables;
mod views;

use super::objects::Dictionary;
use crate::error::{Error, ErrorKind};
use crate::model::schema_action::{ObjectKind, SchemaAction};
use crate::product::oracle::grammar::facts::{Facts, Read};

/// Oracle would not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    pub code: &'static str,
    pub message: String,
}

pub type Outcome = std::result::Result<(), Refusal>;

pub(super) fn refuse<T>(code: &'static str, message: impl Into<String>) -> std::result::Result<T, Refusal> {
    Err(Refusal { code, message: message.into() })
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::new(ErrorKind::Failed, refusal.to_string()).code(refusal.code)
    }
}

/// A statement as it is applied.
pub(super) struct Statement<'a> {
    pub sql: &'a str,
    pub read: &'a Read,
}

impl Statement<'_> {
    pub fn facts(&self) -> &Facts {
        &self.read.facts
    }
}

impl Dictionary {
    /// What is so once a statement has run. It is left as it was where that is refused.
    ///
    /// # Errors
    /// As Oracle would refuse it.
    pub fn apply(&mut self, sql: &str, read: &Read) -> Outcome {
        let mut next = self.clone();
        next.change(&Statement { sql, read })?;
        *self = next;
        Ok(())
    }

    fn change(&mut self, statement: &Statement<'_>) -> Outcome {
        let facts = statement.facts();
        for action in &statement.read.actions {
            self.act(action, statement)?;
        }
        self.constraint_states(statement)?;
        if let Some(name) = &facts.index {
            self.alter_index(name, facts)?;
        }
        self.code_objects(statement)?;
        self.comment(statement);
        if facts.supplemental_logging
            && let Some(table) = statement.read.relations.first().and_then(|t| self.tables.get_mut(t))
        {
            table.supplemental_logging = !statement.sql.to_uppercase().contains("DROP SUPPLEMENTAL");
        }
        if let (Some(only), "alter_table") = (facts.read_only, statement.read.kind.as_str())
            && let Some(table) = statement.read.relations.first().and_then(|t| self.tables.get_mut(t))
        {
            table.read_only = only;
        }
        Ok(())
    }

    fn act(&mut self, action: &SchemaAction, statement: &Statement<'_>) -> Outcome {
        use SchemaAction as A;
        match action {
            A::CreateTable { table } => self.create_table(table, statement),
            A::DropTable { table } => self.drop_table(table, statement.facts()),
            A::RenameTable { table, to } => self.rename(table, to),
            A::TruncateTable { table } => self.truncate(table),
            A::AddColumn { table, column, required } => {
                self.add_column(table, column, *required, statement)
            }
            A::DropColumn { table, column } => self.drop_column(table, column, statement.facts()),
            A::RenameColumn { table, column, to } => self.rename_column(table, column, to),
            A::ChangeColumnType { table, column } => self.change_type(table, column, statement.facts()),
            A::SetNotNull { table, column } => self.not_null(table, column, true, statement.facts()),
            A::DropNotNull { table, column } => self.not_null(table, column, false, statement.facts()),
            A::SetDefault { table, column } => self.set_default(table, column, statement.facts()),
            A::DropDefault { table, column } => self.drop_default(table, column),
            A::AddConstraint { table, name, .. } => {
                self.add_constraint(table, name.as_deref(), statement.facts())
            }
            A::DropConstraint { table, name } => self.drop_constraint(table, name, statement.facts()),
            A::ValidateConstraint { table, name } => self.validate_constraint(table, name),
            A::CreateIndex { table, index, unique } => {
                self.create_index(table, index.as_deref(), *unique, statement.facts())
            }
            A::DropIndex { index, .. } => self.drop_index(index, statement.facts()),
            A::CreateView { view } => self.create_view(view, statement),
            A::DropView { view } => self.drop_view(view, statement.facts()),
            A::DropObject { kind, name } => self.drop_object(*kind, name, statement.facts()),
            A::Grant { relations } => {
                self.grant(relations, statement.facts());
                Ok(())
            }
            A::Revoke { relations } => {
                self.revoke(relations, statement.facts());
                Ok(())
            }
            // Partitions are no objects here.
            A::AttachPartition { .. }
            | A::DetachPartition { .. }
            | A::RestartSequence
            | A::MoveRows { .. }
            | A::RunsCode
            | A::ReachesOut { .. }
            | A::Server
            // Oracle has no enums.
            | A::AddEnumLabel { .. }
            | A::RenameEnumLabel { .. }
            | A::Other => Ok(()),
        }
    }

    fn drop_object(&mut self, kind: ObjectKind, name: &str, facts: &Facts) -> Outcome {
        match kind {
            ObjectKind::Sequence => match self.sequences.remove(name) {
                None if !facts.if_exists => refuse("ORA-02289", format!("sequence {name} does not exist")),
                _ => {
                    self.grants.remove(name);
                    Ok(())
                }
            },
            ObjectKind::Trigger => match self.triggers.remove(name) {
                None if !facts.if_exists => refuse("ORA-04080", format!("trigger {name} does not exist")),
                _ => Ok(()),
            },
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Type => {
                self.drop_code(name, facts)
            }
            ObjectKind::Aggregate
            | ObjectKind::Domain
            | ObjectKind::Extension
            | ObjectKind::Policy
            | ObjectKind::Role
            | ObjectKind::Rule
            | ObjectKind::Schema => Ok(()),
        }
    }

    fn grant(&mut self, relations: &[String], facts: &Facts) {
        for relation in relations {
            for to in &facts.to {
                let own = self.grants.entry(relation.clone()).or_default().entry(to.clone()).or_default();
                own.extend(facts.privileges.iter().cloned());
            }
        }
    }

    fn revoke(&mut self, relations: &[String], facts: &Facts) {
        for relation in relations {
            let Some(of) = self.grants.get_mut(relation) else { continue };
            for from in &facts.to {
                if let Some(own) = of.get_mut(from) {
                    let all = facts.privileges.iter().any(|p| p == "ALL" || p == "ALL PRIVILEGES");
                    own.retain(|right| !all && !facts.privileges.contains(right));
                }
            }
            of.retain(|_, rights| !rights.is_empty());
        }
        self.grants.retain(|_, of| !of.is_empty());
    }

    /// COMMENT ON: an empty one takes it away.
    fn comment(&mut self, statement: &Statement<'_>) {
        let Some(on) = &statement.facts().comment_on else { return };
        let text = statement.sql.find('\'').and_then(|at| statement.sql.get(at..));
        let text = text.map(|t| t.trim().trim_matches('\'').to_owned()).filter(|t| !t.is_empty());
        let Some(table) = self.tables.get_mut(on) else { return };
        match &statement.facts().column {
            None => table.comment = text,
            Some(name) => {
                if let Some(column) = table.columns.iter_mut().find(|c| c.name == *name) {
                    column.comment = text;
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
