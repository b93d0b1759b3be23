//! Every way a statement can hurt on Oracle, as one table: a rule has a name, the lock under which it hurts, a weight and a sentence.
//! To add a hazard, add a row here, one `builder.hurt(…)` where the statement is read, and its page in `docs/hazards/oracle`.
//!
//! Locks are the modes of table locks (TM enqueues): Database Concepts, "Data Concurrency and Consistency"; SQL Language Reference,
//! "LOCK TABLE", and the notes of each command.

mod analyse;
mod builder;

use std::collections::BTreeSet;
use std::fmt;

use crate::model::changeset::{Hazard, Severity};
use crate::product::weight::Weight;
pub use analyse::{analyse, pending_indexes};
use builder::Around;

/// Modes of a table lock that statements of a changelog take, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    None,
    RowShare,
    RowExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
}

impl Lock {
    /// What waits for it. Readers wait for no table lock.
    fn blocks(self) -> &'static str {
        match self {
            Lock::Share | Lock::ShareRowExclusive | Lock::Exclusive => "writes",
            _ => "other schema changes",
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Lock::None => "none",
            Lock::RowShare => "ROW SHARE",
            Lock::RowExclusive => "ROW EXCLUSIVE",
            Lock::Share => "SHARE",
            Lock::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Lock::Exclusive => "EXCLUSIVE",
        })
    }
}

/// One row of the table of hazards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub name: &'static str,
    pub lock: Lock,
    pub weight: Weight,
    /// `{table}`, `{lock}`, `{blocks}` and `{what}` are filled in.
    pub says: &'static str,
}

impl Rule {
    /// The hazard on a table, or on none.
    fn on(&self, around: &Around<'_>, table: Option<&str>, what: &str) -> Hazard {
        let size = table.and_then(|table| around.size(table));
        let message = self
            .says
            .replace("{table}", table.unwrap_or("it"))
            .replace("{lock}", &self.lock.to_string())
            .replace("{blocks}", self.lock.blocks())
            .replace("{what}", what);
        Hazard {
            name: self.name.to_owned(),
            severity: self.weight.severity(size),
            lock: (self.lock != Lock::None).then(|| self.lock.to_string()),
            table: table.map(str::to_owned),
            rows: size.map(|s| s.0),
            message,
            allowed: None,
        }
    }
}

/// The names of all hazards.
pub fn names() -> BTreeSet<String> {
    ALL.iter().map(|rule| rule.name.to_owned()).collect()
}

macro_rules! rules {
    ($($id:ident = $name:literal, $lock:ident, $weight:expr, $says:literal;)*) => {
        $(const $id: Rule = Rule { name: $name, lock: Lock::$lock, weight: $weight, says: $says };)*
        /// The whole table.
        const ALL: &[Rule] = &[$($id),*];
    };
}

use Severity::Warning;
use Weight::{Always, AnyRow, Size};

rules! {
    INDEX_OFFLINE = "blocks-writes", Share, Size, "{blocks} to {table} wait until the index is built: build it ONLINE";
    DATA_LOSS = "data-loss", Exclusive, AnyRow, "{what} takes values that no inverse brings back";
    COMMITS = "commits-by-itself", None, Always(Warning), "each statement of this changeset commits by itself: when a later one fails, the earlier ones stay; write a changeset for each";
}
