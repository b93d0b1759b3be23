//! What is found out about one statement while it is read, and the `Statement` it becomes.

use std::collections::BTreeSet;

use super::{Lock, Rule, cross_statement, rules};
use crate::model::changeset::{Hazard, Phase, Severity, Statement};
use crate::product::oracle::grammar::Read;

use super::around::Around;

/// A statement in the making.
pub struct Builder<'a> {
    pub read: &'a Read,
    pub sql: &'a str,
    phase: Phase,
    hazards: Vec<Hazard>,
    touches: BTreeSet<String>,
    rewrites: Vec<String>,
    waits: bool,
    blocks: bool,
    pub builds_index: Option<String>,
}

impl<'a> Builder<'a> {
    pub fn new(read: &'a Read, sql: &'a str) -> Self {
        Self {
            read,
            sql,
            phase: Phase::Expand,
            hazards: Vec::new(),
            touches: BTreeSet::new(),
            rewrites: Vec::new(),
            waits: false,
            blocks: false,
            builds_index: None,
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
    /// Adds a hazard that a table keeps, so that it counts for a new one too.
    pub fn remark(&mut self, around: &Around<'_>, rule: &Rule, table: &str, what: &str) {
        self.found(rule.on(around, Some(table), what));
    }
    /// Adds a hazard of the statement itself.
    pub fn warn(&mut self, around: &Around<'_>, rule: &Rule, what: &str) {
        self.found(rule.on(around, None, what));
    }
    /// The statement writes a table anew as a whole, beside what is there. Oracle changes columns in the rows where they lie.
    pub fn rewrites(&mut self, around: &Around<'_>, table: &str) {
        if !around.is_fresh(table) && !self.rewrites.iter().any(|known| known == table) {
            self.rewrites.push(table.to_owned());
        }
    }
    pub fn found(&mut self, hazard: Hazard) {
        if !self.hazards.contains(&hazard) {
            self.hazards.push(hazard);
        }
    }

    /// A part of the statement waits for other transactions and lets them go on meanwhile (`free`), or holds them up.
    pub fn waits(&mut self, free: bool) {
        self.waits |= free;
        self.blocks |= !free;
    }
    fn waits_without_blocking(&self) -> bool {
        self.waits && !self.blocks
    }
    /// A schema change of a table needs its lock for a moment, unless it is of the kind that blocks nobody, or says worse already.
    pub fn brief_lock(&mut self, around: &Around<'_>, table: &str) {
        let locked = [Lock::Share, Lock::Exclusive].map(|lock| lock.to_string());
        let told = |hazard: &Hazard| {
            hazard.table.as_deref() == Some(table)
                && hazard.lock.as_ref().is_some_and(|lock| locked.contains(lock))
        };
        if !self.waits_without_blocking() && !self.hazards.iter().any(told) {
            self.hurt(around, &rules::BRIEF, table, "");
        }
    }

    pub fn finish(mut self) -> Statement {
        self.hazards.sort_by_key(|hazard| std::cmp::Reverse(hazard.severity));
        Statement {
            sql: self.sql.to_owned(),
            kind: kind(self.read),
            phase: self.phase,
            actions: self.read.actions.clone(),
            waits_without_blocking: self.waits_without_blocking(),
            hazards: self.hazards,
            touches: self.touches.into_iter().collect(),
            rewrites: self.rewrites,
            builds_index: self.builds_index,
            commits: cross_statement::commits(&self.read.kind),
            backfill: None,
        }
    }
}

/// Danger first.
pub fn sort(hazards: &mut [Hazard]) {
    hazards.sort_by_key(|hazard| std::cmp::Reverse::<Severity>(hazard.severity));
}

/// The kind in Oracle's words.
fn kind(read: &Read) -> String {
    let words = read.kind.replace('_', " ").to_uppercase();
    match read.kind.as_str() {
        "anonymous_block" => "BEGIN".to_owned(),
        "create_index" | "drop_index" if read.facts.online => format!("{words} ONLINE"),
        "rename_object" => "RENAME".to_owned(),
        _ if read.facts.routine.as_ref().is_some_and(|routine| routine.kind == "package_body") => {
            "CREATE PACKAGE BODY".to_owned()
        }
        _ => words.strip_prefix("CREATE OR REPLACE ").map_or(words.clone(), |rest| format!("CREATE {rest}")),
    }
}
