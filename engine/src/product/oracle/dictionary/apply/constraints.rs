//! Constraints, and the indexes that come with keys.

use super::{Outcome, Refusal, Statement, refuse};
use crate::product::oracle::dictionary::objects::{
    Column, Constraint, ConstraintKind, Dictionary, Index, Table,
};
use crate::product::oracle::grammar::facts::{self, Facts};

/// A constraint as it is written. Without a name it gets one of the server's kind.
pub fn made(
    dictionary: &mut Dictionary,
    table: &str,
    written: &facts::Constraint,
) -> Result<Constraint, Refusal> {
    let kind = match written.kind.as_str() {
        "primary_key" => ConstraintKind::PrimaryKey,
        "unique" => ConstraintKind::Unique,
        "foreign_key" => ConstraintKind::ForeignKey,
        _ => ConstraintKind::Check,
    };
    let name = match &written.name {
        Some(name) => name.clone(),
        None => format!("SYS_C{:06}", dictionary.number()),
    };
    let references = match &written.references {
        Some(parent) => Some((parent.clone(), parent_key(dictionary, table, parent, written)?)),
        None => None,
    };
    Ok(Constraint {
        name,
        kind,
        columns: written.columns.clone(),
        condition: written.condition.clone(),
        references,
        on_delete: written.on_delete.clone(),
        enabled: !written.disabled,
        validated: !written.novalidate && !written.disabled,
        deferrable: written.deferrable,
        generated_name: written.name.is_none(),
    })
}

/// The columns that a foreign key refers to. Of tables that are not known, those that are written.
fn parent_key(
    dictionary: &Dictionary,
    table: &str,
    parent: &str,
    written: &facts::Constraint,
) -> Result<Vec<String>, Refusal> {
    let Some(known) = dictionary.tables.get(parent) else {
        if dictionary.schema_of(parent) == dictionary.schema_of(table) {
            return refuse("ORA-00942", format!("table or view {parent} does not exist"));
        }
        return Ok(written.references_columns.clone());
    };
    let keys = known
        .constraints
        .iter()
        .filter(|c| matches!(c.kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique));
    if written.references_columns.is_empty() {
        let mut primary = keys.filter(|c| c.kind == ConstraintKind::PrimaryKey);
        return match primary.next() {
            Some(key) => Ok(key.columns.clone()),
            None => refuse("ORA-02268", format!("{parent} does not have a primary key")),
        };
    }
    let mut wanted = written.references_columns.clone();
    wanted.sort();
    let fits = |c: &Constraint| {
        let mut own = c.columns.clone();
        own.sort();
        own == wanted
    };
    if keys.into_iter().any(fits) {
        Ok(written.references_columns.clone())
    } else {
        refuse("ORA-02270", format!("{parent} has no matching unique or primary key for this column list"))
    }
}

/// The column whose NOT NULL has this name.
fn not_null<'t>(table: &'t mut Table, name: &str) -> Option<&'t mut Column> {
    table.columns.iter_mut().find(|column| column.not_null_name.as_deref() == Some(name))
}

impl Dictionary {
    pub(super) fn add_constraint(&mut self, table: &str, name: Option<&str>, facts: &Facts) -> Outcome {
        self.table_mut(table)?;
        let Some(written) = facts.constraints.iter().find(|c| c.name.as_deref() == name) else {
            return Ok(());
        };
        let constraint = made(self, table, written)?;
        self.insert_constraint(table, constraint)
    }

    pub(super) fn insert_constraint(&mut self, table: &str, constraint: Constraint) -> Outcome {
        let schema = self.schema_of(table).to_owned();
        let taken = self.tables.iter().any(|(other, known)| {
            self.schema_of(other) == schema && known.constraints.iter().any(|c| c.name == constraint.name)
        });
        if taken {
            return refuse(
                "ORA-02264",
                format!("the name {} is already used by an existing constraint", constraint.name),
            );
        }
        let known = self.table_mut(table)?;
        for column in &constraint.columns {
            if !known.columns.iter().any(|c| c.name == *column) {
                return refuse("ORA-00904", format!("{column}: invalid identifier"));
            }
        }
        let is_key = matches!(constraint.kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique);
        if constraint.kind == ConstraintKind::PrimaryKey
            && known.constraints.iter().any(|c| c.kind == ConstraintKind::PrimaryKey)
        {
            return refuse("ORA-02260", format!("{table} can have only one primary key"));
        }
        let same = |c: &Constraint| c.kind == ConstraintKind::Unique && c.columns == constraint.columns;
        if constraint.kind == ConstraintKind::Unique && known.constraints.iter().any(same) {
            return refuse("ORA-02261", format!("such a unique or primary key already exists in {table}"));
        }
        if constraint.kind == ConstraintKind::PrimaryKey && constraint.enabled {
            let keys = known.columns.iter_mut().filter(|c| constraint.columns.contains(&c.name));
            keys.for_each(|c| c.not_null = true);
        }
        known.constraints.push(constraint.clone());
        if is_key && constraint.enabled {
            self.index_of(table, &constraint);
        }
        Ok(())
    }

    /// The index that holds a key: one that is there over its columns, or a new one.
    fn index_of(&mut self, table: &str, constraint: &Constraint) {
        let begins = |index: &Index| index.table == table && index.columns.starts_with(&constraint.columns);
        if self.indexes.values().any(begins) {
            return;
        }
        let number = self.number();
        let name = format!("{}.{}", self.schema_of(table), constraint.name);
        let index = Index {
            number,
            table: table.to_owned(),
            columns: constraint.columns.clone(),
            unique: !constraint.deferrable,
            of_constraint: Some(constraint.name.clone()),
            ..Index::default()
        };
        self.indexes.insert(name, index);
    }

    pub(super) fn drop_constraint(&mut self, table: &str, name: &str, facts: &Facts) -> Outcome {
        let known = self.table_mut(table)?;
        let meant = |c: &Constraint| match name.strip_prefix("UNIQUE (") {
            Some(columns) => {
                c.kind == ConstraintKind::Unique && c.columns.join(", ") == columns.trim_end_matches(')')
            }
            None if name == "PRIMARY KEY" => c.kind == ConstraintKind::PrimaryKey,
            None => c.name == name,
        };
        let Some(place) = known.constraints.iter().position(meant) else {
            if let Some(column) = not_null(known, name) {
                column.not_null = false;
                column.not_null_name = None;
                column.not_null_unvalidated = false;
                return Ok(());
            }
            if facts.if_exists {
                return Ok(());
            }
            return refuse(
                "ORA-02443",
                format!("cannot drop constraint {name} of {table}: it does not exist"),
            );
        };
        let gone = known.constraints.remove(place);
        let is_key = matches!(gone.kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique);
        let refers = |c: &Constraint| {
            c.references.as_ref().is_some_and(|(parent, theirs)| parent == table && *theirs == gone.columns)
        };
        if is_key && self.tables.values().any(|t| t.constraints.iter().any(refers)) {
            if !facts.cascade {
                return refuse(
                    "ORA-02273",
                    format!("this unique or primary key of {table} is referenced by some foreign keys"),
                );
            }
            self.tables.values_mut().for_each(|t| t.constraints.retain(|c| !refers(c)));
        }
        if gone.kind == ConstraintKind::PrimaryKey
            && let Some(known) = self.tables.get_mut(table)
        {
            // NOT NULL that came with the key goes with it.
            let columns = known.columns.iter_mut().filter(|c| gone.columns.contains(&c.name));
            columns.filter(|c| c.identity.is_none()).for_each(|c| c.not_null = false);
        }
        if !facts.keep_index {
            self.indexes.retain(|_, i| i.table != table || i.of_constraint.as_ref() != Some(&gone.name));
        }
        Ok(())
    }

    pub(super) fn validate_constraint(&mut self, table: &str, name: &str) -> Outcome {
        let known = self.table_mut(table)?;
        if let Some(column) = not_null(known, name) {
            column.not_null_unvalidated = false;
            return Ok(());
        }
        let Some(constraint) = known.constraints.iter_mut().find(|c| c.name == name) else {
            return refuse(
                "ORA-02430",
                format!("cannot enable constraint {name} of {table}: no such constraint"),
            );
        };
        constraint.enabled = true;
        constraint.validated = true;
        Ok(())
    }

    /// What a statement says of the state of constraints.
    pub(super) fn constraint_states(&mut self, statement: &Statement<'_>) -> Outcome {
        let facts = statement.facts();
        let Some(table) = statement.read.relations.first().cloned() else { return Ok(()) };
        for state in &facts.constraint_states {
            let known = self.table_mut(&table)?;
            if let Some(column) = state.name.as_deref().and_then(|name| not_null(known, name)) {
                column.not_null = state.enabled.unwrap_or(column.not_null);
                column.not_null_unvalidated = !state.validated.unwrap_or(!column.not_null_unvalidated);
                continue;
            }
            let meant = |c: &&mut Constraint| match (&state.name, state.kind.as_deref()) {
                (Some(name), _) => c.name == *name,
                (None, Some("primary_key")) => c.kind == ConstraintKind::PrimaryKey,
                _ => false,
            };
            let Some(constraint) = known.constraints.iter_mut().find(meant) else {
                let name = state.name.as_deref().unwrap_or("PRIMARY KEY");
                return refuse(
                    "ORA-02431",
                    format!("cannot change constraint {name} of {table}: no such constraint"),
                );
            };
            constraint.enabled = state.enabled.unwrap_or(constraint.enabled);
            constraint.validated = match state.validated {
                Some(validated) => validated,
                None => constraint.validated && constraint.enabled,
            };
        }
        if let Some(renamed) = &facts.rename_constraint {
            let known = self.table_mut(&table)?;
            if let Some(column) = not_null(known, &renamed.from) {
                column.not_null_name = Some(renamed.to.clone());
                return Ok(());
            }
            let Some(constraint) = known.constraints.iter_mut().find(|c| c.name == renamed.from) else {
                return refuse("ORA-23292", format!("the constraint {} does not exist", renamed.from));
            };
            constraint.name.clone_from(&renamed.to);
            let own = self.indexes.values_mut().filter(|i| i.of_constraint.as_ref() == Some(&renamed.from));
            own.for_each(|index| index.of_constraint = Some(renamed.to.clone()));
        }
        Ok(())
    }
}
