//! Tables as they come, go and are renamed.

use super::{Outcome, Refusal, Statement, columns, constraints, refuse};
use crate::product::oracle::dictionary::objects::{Column, Constraint, Dictionary, Table};
use crate::product::oracle::grammar::facts::Facts;

impl Dictionary {
    /// # Errors
    /// `ORA-00942`.
    pub(super) fn table_mut(&mut self, name: &str) -> Result<&mut Table, Refusal> {
        match self.tables.get_mut(name) {
            Some(table) => Ok(table),
            None => refuse("ORA-00942", format!("table or view {name} does not exist")),
        }
    }

    pub(super) fn name_is_free(&self, name: &str) -> Outcome {
        if self.has_name(name) {
            return refuse("ORA-00955", format!("the name {name} is already used by an existing object"));
        }
        Ok(())
    }

    pub(super) fn create_table(&mut self, name: &str, statement: &Statement<'_>) -> Outcome {
        let facts = statement.facts();
        if facts.private {
            return Ok(());
        }
        if facts.if_not_exists && self.tables.contains_key(name) {
            return Ok(());
        }
        self.name_is_free(name)?;
        let mut table = Table {
            number: self.number(),
            partitioned: facts.partitioned,
            temporary: facts.temporary,
            external: facts.external,
            columns: facts.columns.iter().map(|c| columns::made(c, self.lengths_in_characters)).collect(),
            ..Table::default()
        };
        if facts.as_select {
            self.selected(&mut table, statement);
        }
        self.tables.insert(name.to_owned(), table);
        for constraint in &facts.constraints {
            let made = constraints::made(self, name, constraint)?;
            self.insert_constraint(name, made)?;
        }
        Ok(())
    }

    /// The columns that a query gives; of a list of columns, only the names may be written.
    fn selected(&self, table: &mut Table, statement: &Statement<'_>) {
        let result = statement.read.query.iter().flat_map(|q| &q.result);
        let given: Vec<Column> = result
            .map(|column| {
                let origin = column.1.first().filter(|_| column.2);
                let known = origin.and_then(|(relation, name)| self.column(relation, name));
                Column {
                    name: column.0.clone(),
                    sql_type: known.map(|c| c.sql_type.clone()).unwrap_or_default(),
                    not_null: known.is_some_and(|c| c.not_null),
                    ..Column::default()
                }
            })
            .collect();
        if table.columns.is_empty() {
            table.columns = given;
            return;
        }
        for (column, given) in table.columns.iter_mut().zip(given) {
            column.sql_type = given.sql_type;
            column.not_null |= given.not_null;
        }
    }

    pub(super) fn drop_table(&mut self, name: &str, facts: &Facts) -> Outcome {
        if facts.if_exists && !self.tables.contains_key(name) {
            return Ok(());
        }
        self.table_mut(name)?;
        let others = |(other, table): (&String, &Table)| {
            let refers = |c: &&Constraint| c.references.as_ref().is_some_and(|(parent, _)| parent == name);
            (other != name).then(|| table.constraints.iter().find(refers).map(|c| c.name.clone())).flatten()
        };
        let referring = self.tables.iter().find_map(others);
        if let (Some(key), false) = (referring, facts.cascade_constraints) {
            return refuse(
                "ORA-02449",
                format!("unique or primary keys of {name} are referenced by the foreign key {key}"),
            );
        }
        for table in self.tables.values_mut() {
            table.constraints.retain(|c| c.references.as_ref().is_none_or(|(parent, _)| parent != name));
        }
        self.tables.remove(name);
        self.indexes.retain(|_, index| index.table != name);
        self.triggers.retain(|_, trigger| trigger.table != name);
        self.grants.remove(name);
        Ok(())
    }

    pub(super) fn truncate(&mut self, name: &str) -> Outcome {
        let referring = self.tables.iter().any(|(other, table)| {
            let refers =
                |c: &Constraint| c.enabled && c.references.as_ref().is_some_and(|(parent, _)| parent == name);
            other != name && table.constraints.iter().any(refers)
        });
        if referring {
            return refuse(
                "ORA-02266",
                format!("unique or primary keys of {name} are referenced by enabled foreign keys"),
            );
        }
        self.table_mut(name)?.rows = 0;
        Ok(())
    }

    /// A table, view, sequence or private synonym gets another name. Views and code go on naming the old one.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> Outcome {
        self.name_is_free(to)?;
        if let Some(table) = self.tables.remove(from) {
            self.tables.insert(to.to_owned(), table);
            for table in self.tables.values_mut() {
                let keys = table.constraints.iter_mut().filter_map(|c| c.references.as_mut());
                keys.filter(|(parent, _)| parent == from).for_each(|(parent, _)| to.clone_into(parent));
            }
            let of = self.indexes.values_mut().map(|i| &mut i.table);
            of.chain(self.triggers.values_mut().map(|t| &mut t.table))
                .filter(|table| *table == from)
                .for_each(|table| to.clone_into(table));
        } else if let Some(view) = self.views.remove(from) {
            self.views.insert(to.to_owned(), view);
        } else if let Some(sequence) = self.sequences.remove(from) {
            self.sequences.insert(to.to_owned(), sequence);
        } else if let Some(synonym) = self.synonyms.remove(from) {
            self.synonyms.insert(to.to_owned(), synonym);
        } else {
            return refuse("ORA-04043", format!("object {from} does not exist"));
        }
        if let Some(grants) = self.grants.remove(from) {
            self.grants.insert(to.to_owned(), grants);
        }
        Ok(())
    }
}
