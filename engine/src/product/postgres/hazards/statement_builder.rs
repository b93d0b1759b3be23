//! What is found out about one statement while it is read, and the `Statement` it becomes.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::changeset::{Backfill, Hazard, Phase, Severity, Statement};
use crate::model::schema_action::SchemaAction;
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::hazards::{self, Lock, Rule};

/// A statement in the making.
#[derive(Debug)]
pub struct StatementBuilder {
    pub kind: String,
    phase: Phase,
    actions: Vec<SchemaAction>,
    hazards: Vec<Hazard>,
    touches: BTreeSet<String>,
    rewrites: Vec<String>,
    /// Strongest lock on each relation.
    locks: BTreeMap<String, Lock>,
    pub waits_without_blocking: bool,
    pub builds_index: Option<String>,
    pub backfill: Option<Backfill>,
}

impl StatementBuilder {
    pub fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            phase: Phase::Expand,
            actions: Vec::new(),
            hazards: Vec::new(),
            touches: BTreeSet::new(),
            rewrites: Vec::new(),
            locks: BTreeMap::new(),
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
    pub fn contract(&mut self, names: &Names, table: &str) {
        if !names.is_fresh(table) {
            self.phase(Phase::Contract);
        }
    }

    /// The statement does this.
    pub fn act(&mut self, action: SchemaAction) {
        if !self.actions.contains(&action) {
            self.actions.push(action);
        }
    }

    pub fn touch(&mut self, name: impl Into<String>) {
        let name = name.into();
        if !name.is_empty() {
            self.touches.insert(name);
        }
    }

    /// Locks a relation. Partitions are locked with their parent.
    pub fn lock(&mut self, names: &Names, table: &str, lock: Lock) {
        for name in names.partitions(table) {
            self.touch(name);
        }
        self.lock_only(names, table, lock);
    }

    /// Locks a relation without its partitions.
    pub fn lock_only(&mut self, names: &Names, table: &str, lock: Lock) {
        if let Some(parent) = names.table(table).and_then(|t| t.parent.clone()) {
            self.touch(parent);
        }
        self.touch(table);
        let held = self.locks.entry(table.to_string()).or_insert(Lock::None);
        *held = (*held).max(lock);
    }

    pub fn lock_of(&self, table: &str) -> Lock {
        self.locks.get(table).copied().unwrap_or(Lock::None)
    }

    /// Adds a hazard on a table. Nobody is hurt on a table that nobody else can see yet.
    pub fn hurt(&mut self, names: &Names, rule: &Rule, table: &str, what: &str) {
        if names.is_fresh(table) {
            return;
        }
        let hazard = rule.on(names, Some(table), self.lock_of(table), what);
        if rule.rewrites() && !self.rewrites.iter().any(|known| known == table) {
            self.rewrites.push(table.to_owned());
        }
        if !self
            .hazards
            .iter()
            .any(|h| h.name == hazard.name && h.table == hazard.table && h.message == hazard.message)
        {
            self.hazards.push(hazard);
        }
    }

    /// Adds a hazard of the statement itself.
    pub fn warn(&mut self, names: &Names, rule: &Rule, what: &str) {
        self.hazards.push(rule.on(names, None, Lock::None, what));
    }

    /// Adds a hazard that is no matter of locks, also on a table that nobody else can see yet.
    pub fn remark(&mut self, names: &Names, rule: &Rule, table: &str, what: &str) {
        self.found(rule.on(names, Some(table), Lock::None, what));
    }

    /// Adds what somebody else found, once.
    pub fn found(&mut self, hazard: Hazard) {
        if !self.hazards.contains(&hazard) {
            self.hazards.push(hazard);
        }
    }

    /// Takes over what a statement inside this one does.
    pub fn absorb(&mut self, inner: StatementBuilder) {
        self.phase(inner.phase);
        inner.actions.into_iter().for_each(|action| self.act(action));
        self.touches.extend(inner.touches);
        for (table, lock) in inner.locks {
            let held = self.locks.entry(table).or_insert(Lock::None);
            *held = (*held).max(lock);
        }
        inner.hazards.into_iter().for_each(|hazard| self.found(hazard));
    }

    pub fn finish(mut self, names: &Names, sql: String) -> Statement {
        let brief: Vec<(String, Lock)> = self
            .locks
            .iter()
            .filter(|(table, lock)| **lock >= Lock::ShareUpdateExclusive && !names.is_fresh(table))
            .filter(|(table, lock)| {
                let lock_in = |h: &Hazard| h.lock.as_deref().map_or(Lock::None, Lock::from_words);
                !self.hazards.iter().any(|h| h.table.as_ref() == Some(*table) && lock_in(h) >= **lock)
            })
            .map(|(table, lock)| (table.clone(), *lock))
            .collect();
        for (table, lock) in brief {
            self.hazards.push(hazards::BRIEF.on(names, Some(&table), lock, ""));
        }
        self.hazards.sort_by_key(|h| std::cmp::Reverse(weight(h.severity)));
        if self.actions.is_empty() {
            self.actions.push(SchemaAction::Other);
        }
        Statement {
            sql,
            kind: self.kind,
            phase: self.phase,
            actions: self.actions,
            hazards: self.hazards,
            touches: self.touches.into_iter().collect(),
            rewrites: self.rewrites,
            waits_without_blocking: self.waits_without_blocking,
            builds_index: self.builds_index,
            commits: false,
            backfill: self.backfill,
        }
    }
}

fn weight(severity: Severity) -> u8 {
    match severity {
        Severity::Note => 0,
        Severity::Warning => 1,
        Severity::Danger => 2,
    }
}
