//! Views and materialized views.

use super::{Outcome, Statement, refuse};
use crate::product::oracle::dictionary::objects::{Column, Dictionary, View};
use crate::product::oracle::dictionary::uses::Uses;
use crate::product::oracle::grammar::facts::Facts;

impl Dictionary {
    pub(super) fn create_view(&mut self, name: &str, statement: &Statement<'_>) -> Outcome {
        let facts = statement.facts();
        if facts.if_not_exists && self.views.contains_key(name) {
            return Ok(());
        }
        let replaced =
            self.views.get(name).filter(|view| facts.replace && !view.materialized).map(|v| v.number);
        if replaced.is_none() {
            // A materialized view over a table that was there before has its name.
            let prebuilt = facts.prebuilt && self.tables.contains_key(name);
            if !prebuilt {
                self.name_is_free(name)?;
            }
        }
        let query = statement.read.query.clone().unwrap_or_default();
        let own = self.schema_of(name);
        let unknown = statement.read.relations.iter().find(|relation| {
            // Of other schemas and the server's own nothing is known.
            relation.as_str() != name && self.schema_of(relation) == own && self.columns(relation).is_none()
        });
        if let (Some(relation), false) = (unknown, facts.force) {
            return refuse("ORA-00942", format!("table or view {relation} does not exist"));
        }
        if let (Some(column), false) = (query.unresolved.first(), facts.force) {
            return refuse("ORA-00904", format!("{column}: invalid identifier"));
        }
        let columns = query.result.iter().map(|result| {
            let origin = result.1.first().filter(|_| result.2);
            let known = origin.and_then(|(relation, column)| self.column(relation, column));
            Column {
                name: result.0.clone(),
                sql_type: known.map(|c| c.sql_type.clone()).unwrap_or_default(),
                not_null: known.is_some_and(|c| c.not_null),
                ..Column::default()
            }
        });
        let view = View {
            columns: columns.collect(),
            text: statement.sql.trim().to_owned(),
            uses: Uses::of(&query, own, self),
            materialized: facts.materialized,
            read_only: facts.read_only.unwrap_or(false),
            editioning: facts.editioning,
            number: match replaced {
                Some(number) => number,
                None => self.number(),
            },
        };
        self.views.insert(name.to_owned(), view);
        Ok(())
    }

    pub(super) fn drop_view(&mut self, name: &str, facts: &Facts) -> Outcome {
        if self.views.remove(name).is_none() && !facts.if_exists {
            let code = if facts.materialized { "ORA-12003" } else { "ORA-00942" };
            return refuse(code, format!("view {name} does not exist"));
        }
        self.indexes.retain(|_, index| index.table != name);
        self.triggers.retain(|_, trigger| trigger.table != name);
        self.grants.remove(name);
        Ok(())
    }
}
