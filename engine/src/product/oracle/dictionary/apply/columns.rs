//! Columns as they come, change and go.

use super::{Outcome, Refusal, Statement, constraints, refuse};
use crate::model::schema_action::SchemaAction;
use crate::product::oracle::dictionary::objects::{Column, Constraint, Dictionary, Identity};
use crate::product::oracle::dictionary::types;
use crate::product::oracle::grammar::facts::{self, Facts};

/// A column as it is written.
pub fn made(column: &facts::Column, in_characters: bool) -> Column {
    Column {
        name: column.name.clone(),
        sql_type: column
            .sql_type
            .as_deref()
            .map(|text| types::canonical(text, in_characters))
            .unwrap_or_default(),
        not_null: column.not_null || column.identity.is_some() || column.on_null,
        not_null_name: column.not_null_name.clone(),
        not_null_unvalidated: false,
        default: column.default_text.clone(),
        on_null: column.on_null,
        identity: column.identity.as_ref().map(identity),
        is_virtual: column.is_virtual,
        invisible: column.invisible,
        encrypted: column.encrypted,
        comment: None,
    }
}

fn identity(written: &facts::Identity) -> Identity {
    match written {
        facts::Identity::Way(way) if way == "by_default" => Identity::ByDefault,
        facts::Identity::Way(way) if way == "by_default_on_null" => Identity::ByDefaultOnNull,
        facts::Identity::Way(_) | facts::Identity::Generated(_) => Identity::Always,
    }
}

fn said<'f>(facts: &'f Facts, column: &str) -> Option<&'f facts::Column> {
    facts.columns.iter().find(|c| c.name == column)
}

impl Dictionary {
    /// # Errors
    /// `ORA-00942` without the table, `ORA-00904` without the column.
    fn column_mut(&mut self, table: &str, column: &str) -> Result<&mut Column, Refusal> {
        let found = self.table_mut(table)?.columns.iter_mut().find(|c| c.name == column);
        match found {
            Some(column) => Ok(column),
            None => refuse("ORA-00904", format!("{column}: invalid identifier")),
        }
    }

    pub(super) fn add_column(
        &mut self,
        name: &str,
        column: &str,
        required: bool,
        statement: &Statement<'_>,
    ) -> Outcome {
        let facts = statement.facts();
        let in_characters = self.lengths_in_characters;
        let table = self.table_mut(name)?;
        if table.columns.iter().any(|c| c.name == column) {
            return refuse("ORA-01430", format!("column {column} being added already exists in {name}"));
        }
        if required && table.rows > 0 {
            return refuse(
                "ORA-01758",
                format!("{name} has rows: a mandatory (NOT NULL) column {column} needs a default"),
            );
        }
        let Some(written) = said(facts, column) else {
            return refuse("ORA-00904", format!("{column}: invalid identifier"));
        };
        table.columns.push(made(written, in_characters));
        // Constraints of one column come with it.
        let own = facts.constraints.iter().filter(|c| c.columns == [column]);
        let separate = statement.read.actions.iter().filter_map(|action| match action {
            SchemaAction::AddConstraint { name, .. } => Some(name.clone()),
            _ => None,
        });
        let separate: Vec<Option<String>> = separate.collect();
        for constraint in own.filter(|c| !separate.contains(&c.name)) {
            let made = constraints::made(self, name, constraint)?;
            self.insert_constraint(name, made)?;
        }
        Ok(())
    }

    pub(super) fn drop_column(&mut self, name: &str, column: &str, facts: &Facts) -> Outcome {
        self.column_mut(name, column)?;
        let referred = self.tables.values().any(|table| {
            let refers = |(parent, theirs): &(String, Vec<String>)| {
                parent == name && theirs.iter().any(|c| c == column)
            };
            table.constraints.iter().filter_map(|c| c.references.as_ref()).any(refers)
        });
        if referred && !facts.cascade_constraints {
            return refuse(
                "ORA-12992",
                format!("column {column} of {name} is a parent key: it cannot be dropped"),
            );
        }
        let table = self.table_mut(name)?;
        let several =
            table.constraints.iter().find(|c| c.columns.len() > 1 && c.columns.iter().any(|o| o == column));
        if let (Some(constraint), false) = (several, facts.cascade_constraints) {
            let named = &constraint.name;
            return refuse("ORA-12991", format!("column {column} is in the multi-column constraint {named}"));
        }
        if table.columns.len() == 1 {
            return refuse("ORA-12983", format!("the last column of {name} cannot be dropped"));
        }
        table.columns.retain(|c| c.name != column);
        let goes = |c: &Constraint| c.columns.iter().any(|own| own == column);
        table.constraints.retain(|c| !goes(c));
        for other in self.tables.values_mut() {
            other.constraints.retain(|c| {
                c.references.as_ref().is_none_or(|(parent, theirs)| {
                    parent != name || !theirs.iter().any(|theirs| theirs == column)
                })
            });
        }
        self.indexes.retain(|_, index| index.table != name || !index.columns.iter().any(|c| c == column));
        Ok(())
    }

    pub(super) fn rename_column(&mut self, name: &str, column: &str, to: &str) -> Outcome {
        self.column_mut(name, column)?;
        let table = self.table_mut(name)?;
        if table.columns.iter().any(|c| c.name == to) {
            return refuse("ORA-00957", format!("{name} has a column {to} already"));
        }
        let renamed = |own: &mut String| {
            if own == column {
                to.clone_into(own);
            }
        };
        table.columns.iter_mut().for_each(|c| renamed(&mut c.name));
        table.constraints.iter_mut().flat_map(|c| &mut c.columns).for_each(renamed);
        for other in self.tables.values_mut() {
            let keys = other.constraints.iter_mut().filter_map(|c| c.references.as_mut());
            keys.filter(|(parent, _)| parent == name).flat_map(|(_, theirs)| theirs).for_each(renamed);
        }
        let indexes = self.indexes.values_mut().filter(|index| index.table == name);
        indexes.flat_map(|index| &mut index.columns).for_each(renamed);
        Ok(())
    }

    pub(super) fn change_type(&mut self, table: &str, column: &str, facts: &Facts) -> Outcome {
        let in_characters = self.lengths_in_characters;
        let rows = self.table_mut(table)?.rows;
        let known = self.column_mut(table, column)?;
        let Some(written) = said(facts, column).and_then(|c| c.sql_type.as_deref()) else { return Ok(()) };
        let written = types::canonical(written, in_characters);
        let (was, is) = (types::column_type(&known.sql_type), types::column_type(&written));
        // Another length is looked up in the rows, which nobody has here.
        if rows > 0 && !was.differs_in_length_only(&is) && was.without_limits() != is.without_limits() {
            return refuse(
                "ORA-01439",
                format!("column {column} must be empty to change its data type to {written}"),
            );
        }
        known.sql_type = written;
        Ok(())
    }

    pub(super) fn not_null(&mut self, table: &str, column: &str, not_null: bool, facts: &Facts) -> Outcome {
        let known = self.column_mut(table, column)?;
        if known.not_null == not_null {
            let (code, how) = if not_null { ("ORA-01442", "NOT NULL") } else { ("ORA-01451", "NULL") };
            return refuse(code, format!("column {column} to be modified to {how} is {how} already"));
        }
        let written = said(facts, column).filter(|_| not_null);
        known.not_null = not_null;
        known.not_null_name = written.and_then(|c| c.not_null_name.clone());
        known.not_null_unvalidated = written.is_some_and(|c| c.novalidate);
        Ok(())
    }

    pub(super) fn set_default(&mut self, table: &str, column: &str, facts: &Facts) -> Outcome {
        let known = self.column_mut(table, column)?;
        let Some(written) = said(facts, column) else { return Ok(()) };
        known.default.clone_from(&written.default_text);
        known.on_null = written.on_null;
        if let Some(way) = &written.identity {
            known.identity = Some(identity(way));
        }
        Ok(())
    }

    pub(super) fn drop_default(&mut self, table: &str, column: &str) -> Outcome {
        let known = self.column_mut(table, column)?;
        known.default = None;
        known.identity = None;
        known.on_null = false;
        Ok(())
    }
}
