//! What stands around a statement: the catalog, and what other statements of the changeset make.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::catalog::{Catalog, Column, Table};
use crate::model::relation_name;
use crate::model::schema_action::SchemaAction;
use crate::product::oracle::dictionary::Version;
use crate::product::oracle::grammar::Read;

/// Table -> the columns of its indexes.
type Indexes = BTreeMap<String, Vec<Vec<String>>>;

pub struct Around<'a> {
    pub catalog: &'a Catalog,
    pub version: Version,
    /// Made by earlier statements or changesets: nobody else can have come to use them.
    fresh: BTreeSet<String>,
    /// Of earlier statements.
    made: Indexes,
    /// Of any statement of the changeset.
    coming: Indexes,
    /// Tables that earlier statements have dropped an index or constraint of: which columns it had is not known.
    loosened: BTreeSet<String>,
}

impl<'a> Around<'a> {
    pub fn new<'r>(
        catalog: &'a Catalog,
        version: Version,
        statements: impl Iterator<Item = &'r Read>,
    ) -> Self {
        let mut coming = Indexes::new();
        statements.for_each(|read| indexes(read, &mut coming));
        Self {
            catalog,
            version,
            fresh: catalog.pending_tables.clone(),
            made: Indexes::new(),
            coming,
            loosened: BTreeSet::new(),
        }
    }

    pub fn table(&self, name: &str) -> Option<&'a Table> {
        self.catalog.tables.get(name)
    }
    pub fn column(&self, table: &str, name: &str) -> Option<&'a Column> {
        self.table(table)?.columns.iter().find(|column| column.name == name)
    }
    /// Rows and bytes of a table. One that was just made has none.
    pub fn size(&self, name: &str) -> Option<(u64, u64)> {
        if self.is_fresh(name) {
            return Some((0, 0));
        }
        self.table(name).map(|table| (table.rows, table.bytes))
    }
    /// Nobody else can have come to use it yet.
    pub fn is_fresh(&self, name: &str) -> bool {
        self.fresh.contains(name)
    }

    /// Changed columns of the table are logged for others, which makes statements block that otherwise do not.
    pub fn logs_changes(&self, table: &str) -> bool {
        self.table(table).is_some_and(|table| table.storage.changes_logged)
    }
    /// Statements that block nobody up to 21c unless changes are logged, and never from 23.3 on: ADD COLUMN, SET UNUSED, ENABLE
    /// NOVALIDATE, DROP CONSTRAINT. Source: SQL Language Reference 23, "List of Nonblocking DDLs".
    pub fn is_nonblocking(&self, table: &str) -> bool {
        self.version >= Version::V23 || !self.logs_changes(table)
    }

    /// Whether an index on just these columns, of the same kind, would be a second one.
    pub fn is_indexed(&self, table: &str, columns: &[String]) -> bool {
        let in_catalog = self.table(table).filter(|_| !self.loosened.contains(table));
        let known = in_catalog.map(|table| table.indexed.as_slice()).unwrap_or_default();
        known.iter().chain(self.made.get(table).into_iter().flatten()).any(|index| index == columns)
    }
    /// Whether a key on these columns finds an index that it can use.
    pub fn has_index_for(&self, table: &str, columns: &[String]) -> bool {
        self.indexes(table, false).any(|index| leads(index, columns))
    }
    /// Whether an index begins with these columns, in any order, once all that is pending is done.
    pub fn will_have_index(&self, table: &str, columns: &[String]) -> bool {
        self.indexes(table, true).any(|index| leads(index, columns))
    }
    fn indexes(&self, table: &str, later: bool) -> impl Iterator<Item = &Vec<String>> {
        let known = self.table(table).map(|table| table.indexed.as_slice()).unwrap_or_default();
        let coming = if later { &self.coming } else { &self.made };
        let pending = self.catalog.pending_indexes.get(table);
        known.iter().chain(coming.get(table).into_iter().flatten()).chain(pending.into_iter().flatten())
    }

    /// Other tables with foreign keys to this one, unless earlier statements have dropped constraints of theirs.
    pub fn referring(&self, table: &str) -> Vec<&'a str> {
        let refers = |known: &Table| known.foreign_keys.iter().any(|(_, parent, _)| parent == table);
        let all = self
            .catalog
            .tables
            .iter()
            .filter(|(name, known)| *name != table && refers(known) && !self.loosened.contains(*name));
        all.map(|(name, _)| name.as_str()).collect()
    }

    /// Views, code and triggers that name an object.
    pub fn dependents(&self, name: &str) -> usize {
        let views = self
            .catalog
            .views
            .iter()
            .filter(|(view, reads)| *view != name && reads.iter().any(|r| r == name));
        let word = relation_name::bare(name).to_lowercase();
        let code = self.catalog.routines.iter().filter(|(own, words)| *own != name && words.contains(&word));
        views.count() + code.count()
    }

    /// A statement has been read.
    pub fn done(&mut self, read: &Read) {
        for action in &read.actions {
            match action {
                SchemaAction::CreateTable { table } => {
                    self.fresh.insert(table.clone());
                }
                SchemaAction::CreateView { view } if !self.catalog.views.contains_key(view) => {
                    self.fresh.insert(view.clone());
                }
                SchemaAction::RenameTable { table, to } if self.fresh.contains(table) => {
                    self.fresh.insert(to.clone());
                }
                SchemaAction::DropIndex { index, table } => {
                    let table = table.clone().or_else(|| self.catalog.indexes.get(index).cloned());
                    self.loosened.extend(table);
                }
                // The index of a key may go with it.
                SchemaAction::DropConstraint { table, .. } => {
                    self.loosened.insert(table.clone());
                }
                _ => {}
            }
        }
        indexes(read, &mut self.made);
    }
}

/// The indexes that a statement makes, those of keys of a new table too.
fn indexes(read: &Read, to: &mut Indexes) {
    for action in &read.actions {
        match action {
            SchemaAction::CreateIndex { table, .. } => {
                to.entry(table.clone()).or_default().push(read.facts.index_columns.clone());
            }
            SchemaAction::CreateTable { table } | SchemaAction::AddConstraint { table, .. } => {
                let keys = read.facts.constraints.iter();
                let keys =
                    keys.filter(|c| matches!(c.kind.as_str(), "primary_key" | "unique") && !c.disabled);
                to.entry(table.clone()).or_default().extend(keys.map(|key| key.columns.clone()));
            }
            _ => {}
        }
    }
}

/// Whether an index begins with columns, in any order.
fn leads(index: &[String], columns: &[String]) -> bool {
    index.get(..columns.len()).is_some_and(|first| columns.iter().all(|column| first.contains(column)))
}
