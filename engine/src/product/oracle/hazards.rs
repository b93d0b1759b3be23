//! Every way a statement can hurt on Oracle: a rule has a name, the lock under which it hurts, a weight and a sentence.
//! To add a hazard, add a row to the table in `rules`, one `builder.hurt(…)` where the statement is read, and its page in
//! `docs/hazards/oracle`.
//!
//! Locks are the modes of table locks (TM enqueues): Database Concepts, "Data Concurrency and Consistency"; SQL Language Reference,
//! "LOCK TABLE", the notes of each command, and its appendix "Automatic and Manual Locking Mechanisms During SQL Operations", which
//! lists the statements that block nobody, by version.

mod analyse;
mod around;
mod builder;
mod code;
mod column_types;
mod columns;
mod constraints;
mod cross_statement;
mod drops;
mod indexes;
mod names;
mod objects;
mod partitions;
mod phase;
mod rows;
mod rules;
mod storage;
mod views;

use std::collections::BTreeSet;
use std::fmt;

use crate::model::changeset::Hazard;
use crate::product::oracle::dictionary::Version;
use crate::product::weight::Weight;
pub use analyse::{analyse, pending_indexes, table};
use around::Around;

/// The first version that has the newest nonblocking statements.
const V23: Version = Version::V23;

/// Modes of a table lock that statements of a changelog take, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    None,
    RowShare,
    RowExclusive,
    Share,
    Exclusive,
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Lock::None => "none",
            Lock::RowShare => "ROW SHARE",
            Lock::RowExclusive => "ROW EXCLUSIVE",
            Lock::Share => "SHARE",
            Lock::Exclusive => "EXCLUSIVE",
        })
    }
}

/// One row of the table of hazards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub name: &'static str,
    /// The strongest lock that is held while it hurts. Readers wait for none.
    pub lock: Lock,
    pub weight: Weight,
    /// `{table}` and `{what}` are filled in.
    pub says: &'static str,
}

impl Rule {
    /// The hazard on a table, or on none.
    fn on(&self, around: &Around<'_>, table: Option<&str>, what: &str) -> Hazard {
        self.sized(table, table.and_then(|table| around.size(table)), what)
    }

    /// The hazard, weighed by what is told: rows and bytes.
    fn sized(&self, table: Option<&str>, size: Option<(u64, u64)>, what: &str) -> Hazard {
        Hazard {
            name: self.name.to_owned(),
            severity: self.weight.severity(size),
            lock: (self.lock != Lock::None).then(|| self.lock.to_string()),
            table: table.map(str::to_owned),
            rows: size.map(|s| s.0),
            message: self.says.replace("{table}", table.unwrap_or("it")).replace("{what}", what),
            allowed: None,
        }
    }
}

/// The names of all hazards.
pub fn names() -> BTreeSet<String> {
    rules::ALL.iter().map(|rule| rule.name.to_owned()).collect()
}

#[cfg(test)]
#[path = "hazards/actions_tests.rs"]
mod actions_tests;
#[cfg(test)]
#[path = "hazards/analyse_tests.rs"]
mod analyse_tests;
#[cfg(test)]
#[path = "hazards/pages_tests.rs"]
mod pages_tests;
