//! Indexes.

use super::{Outcome, refuse};
use crate::product::oracle::dictionary::objects::{Dictionary, Index};
use crate::product::oracle::grammar::facts::Facts;

impl Dictionary {
    pub(super) fn create_index(
        &mut self,
        table: &str,
        name: Option<&str>,
        unique: bool,
        facts: &Facts,
    ) -> Outcome {
        if facts.cluster {
            return Ok(());
        }
        let Some(name) = name else { return Ok(()) };
        if self.indexes.contains_key(name) {
            if facts.if_not_exists {
                return Ok(());
            }
            return refuse("ORA-00955", format!("the name {name} is already used by an existing object"));
        }
        if self.views.get(table).is_none_or(|view| !view.materialized) {
            let known = self.table_mut(table)?;
            let plain = |column: &&String| column.chars().all(|c| c.is_alphanumeric() || "_$#".contains(c));
            let unknown = facts
                .index_columns
                .iter()
                .filter(plain)
                .find(|c| !known.columns.iter().any(|k| k.name == **c));
            if let Some(column) = unknown {
                return refuse("ORA-00904", format!("{column}: invalid identifier"));
            }
        }
        let same = |index: &&Index| index.table == table && index.columns == facts.index_columns;
        // An invisible one beside another of another kind is taken; what is meant is the plain case.
        if let Some(other) = self.indexes.values().find(same)
            && other.invisible == facts.invisible
        {
            return refuse("ORA-01408", format!("such column list of {table} is already indexed"));
        }
        let index = Index {
            number: self.number(),
            table: table.to_owned(),
            columns: facts.index_columns.clone(),
            unique,
            bitmap: facts.bitmap,
            invisible: facts.invisible,
            unusable: facts.unusable,
            local: facts.local,
            of_constraint: None,
        };
        self.indexes.insert(name.to_owned(), index);
        Ok(())
    }

    pub(super) fn drop_index(&mut self, name: &str, facts: &Facts) -> Outcome {
        let Some(index) = self.indexes.get(name) else {
            if facts.if_exists {
                return Ok(());
            }
            return refuse("ORA-01418", format!("the index {name} does not exist"));
        };
        if let Some(constraint) = &index.of_constraint {
            return refuse(
                "ORA-02429",
                format!("the index {name} enforces the key {constraint}: it cannot be dropped"),
            );
        }
        self.indexes.remove(name);
        Ok(())
    }

    pub(super) fn alter_index(&mut self, name: &str, facts: &Facts) -> Outcome {
        let Some(index) = self.indexes.get_mut(name) else {
            return refuse("ORA-01418", format!("the index {name} does not exist"));
        };
        if facts.invisible || facts.visible {
            index.invisible = facts.invisible;
        }
        if facts.rebuild && !facts.partition_only {
            index.unusable = false;
        }
        if facts.unusable && facts.partition.is_none() {
            index.unusable = true;
        }
        if let Some(to) = &facts.rename_to {
            if self.indexes.contains_key(to) {
                return refuse("ORA-00955", format!("the name {to} is already used by an existing object"));
            }
            if let Some(index) = self.indexes.remove(name) {
                self.indexes.insert(to.clone(), index);
            }
        }
        Ok(())
    }
}
