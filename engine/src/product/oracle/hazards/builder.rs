//! What is found out about one statement while it is read, and the `Statement` it becomes.

use std::collections::BTreeSet;

use super::Rule;
use crate::model::catalog::{Catalog, Table};
use crate::model::changeset::{Backfill, Hazard, Phase, Severity, Statement};
use crate::model::schema_action::SchemaAction;
use crate::product::oracle::dictionary::Version;
use crate::product::oracle::grammar::Read;

/// What stands around a statement: the catalog, and what earlier statements of the changeset have made.
pub struct Around<'a> {
    pub catalog: &'a Catalog,
    pub version: Version,
    fresh: BTreeSet<String>,
}

impl<'a> Around<'a> {
    pub fn new(catalog: &'a Catalog, version: Version) -> Self {
        Self { catalog, version, fresh: catalog.pending_tables.clone() }
    }
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.catalog.tables.get(name)
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
    /// A statement has done this.
    pub fn done(&mut self, action: &SchemaAction) {
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
            _ => {}
        }
    }
}

/// A statement in the making.
pub struct Builder<'a> {
    pub read: &'a Read,
    phase: Phase,
    hazards: Vec<Hazard>,
    touches: BTreeSet<String>,
    rewrites: Vec<String>,
    pub waits_without_blocking: bool,
    pub builds_index: Option<String>,
    pub backfill: Option<Backfill>,
}

impl<'a> Builder<'a> {
    pub fn new(read: &'a Read) -> Self {
        Self {
            read,
            phase: Phase::Expand,
            hazards: Vec::new(),
            touches: BTreeSet::new(),
            rewrites: Vec::new(),
            waits_without_blocking: false,
            builds_index: None,
            backfill: None,
        }
    }

    /// The statement is at least of this phase.
    pub fn phase(&mut self, phase: Phase) {
        self.phase = self.phase.max(phase);
    }
    /// Takes something away, unless all it takes it from was made by this script.
    pub fn contract(&mut self, around: &Around<'_>, name: &str) {
        if !around.is_fresh(name) {
            self.phase(Phase::Contract);
        }
    }
    pub fn touch(&mut self, name: impl Into<String>) {
        let name = name.into();
        if !name.is_empty() {
            self.touches.insert(name);
        }
    }
    /// Adds a hazard on a table. Nobody is hurt on a table that nobody else can see yet.
    pub fn hurt(&mut self, around: &Around<'_>, rule: &Rule, table: &str, what: &str) {
        if !around.is_fresh(table) {
            self.found(rule.on(around, Some(table), what));
        }
    }
    /// Adds a hazard of the statement itself.
    pub fn warn(&mut self, around: &Around<'_>, rule: &Rule, what: &str) {
        self.found(rule.on(around, None, what));
    }
    /// The statement writes a table anew as a whole.
    pub fn rewrites(&mut self, table: &str) {
        if !self.rewrites.iter().any(|known| known == table) {
            self.rewrites.push(table.to_owned());
        }
    }
    fn found(&mut self, hazard: Hazard) {
        if !self.hazards.contains(&hazard) {
            self.hazards.push(hazard);
        }
    }

    pub fn finish(mut self, sql: &str) -> Statement {
        self.hazards.sort_by_key(|hazard| match hazard.severity {
            Severity::Danger => 0,
            Severity::Warning => 1,
            Severity::Note => 2,
        });
        Statement {
            sql: sql.to_owned(),
            kind: kind(self.read),
            phase: self.phase,
            actions: self.read.actions.clone(),
            hazards: self.hazards,
            touches: self.touches.into_iter().collect(),
            rewrites: self.rewrites,
            waits_without_blocking: self.waits_without_blocking,
            builds_index: self.builds_index,
            commits: commits(&self.read.kind),
            backfill: self.backfill,
        }
    }
}

/// Oracle commits before and after all DDL (SQL Language Reference, "Types of SQL Statements").
fn commits(kind: &str) -> bool {
    ![
        "select",
        "insert",
        "update",
        "delete",
        "merge",
        "call",
        "anonymous_block",
        "explain",
        "lock_table",
        "commit",
        "rollback",
        "savepoint",
        "set_transaction",
        "set_constraint",
        "set_role",
        "alter_session",
    ]
    .contains(&kind)
}

/// The kind in Oracle's words.
fn kind(read: &Read) -> String {
    let words = read.kind.replace('_', " ").to_uppercase();
    match read.kind.as_str() {
        "anonymous_block" => "BEGIN".to_owned(),
        "create_index" | "drop_index" if read.facts.online => format!("{words} ONLINE"),
        "rename_object" => "RENAME".to_owned(),
        _ => words.strip_prefix("CREATE OR REPLACE ").map_or(words.clone(), |rest| format!("CREATE {rest}")),
    }
}
