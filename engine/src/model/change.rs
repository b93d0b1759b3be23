//! What the difference between two schemas means for those who use them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::query::Write;

/// What the difference of one object between two snapshots of a schema means for those who use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The relation or routine, as `schema.name`.
    pub subject: String,
    /// Only these columns; empty: all of it.
    pub columns: Vec<String>,
    /// Only when this is done to it.
    pub on: Events,
    pub effect: Effect,
    pub reason: Reason,
}

/// Why, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    Sentence(String),
    /// What follows the name of the subject, which may change until then: `is gone`.
    Predicate(String),
}

impl Change {
    pub fn sentence(&self) -> String {
        match &self.reason {
            Reason::Sentence(sentence) => sentence.clone(),
            Reason::Predicate(predicate) => format!("{} {predicate}", self.subject),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
}

impl Events {
    pub const ALL: Self = Self { insert: true, update: true, delete: true };

    pub fn of(write: &Write) -> Self {
        let delete = !write.inserts && write.columns.is_empty();
        Self { insert: write.inserts, update: !write.inserts && !delete, delete }
    }
    pub fn meet(self, other: Self) -> bool {
        self.insert && other.insert || self.update && other.update || self.delete && other.delete
    }
}

/// Which queries a change affects, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Who writes these columns: what was taken may be refused.
    Refuses,
    /// Who inserts and leaves these columns out: they get another value.
    Default,
    /// Who inserts and leaves these columns out: they get numbers that were given out before. `same_source`: by the same sequence.
    Repeats { same_source: bool },
    /// Who writes: something else happens besides, or it is refused.
    Writes,
    /// Who deletes, or updates what others refer to: others keep it, or are left behind.
    Keeps,
    /// Who reads: the answer may be another.
    Reads,
    /// Who shows or compares these columns: they may hold what they did not.
    Shows,
    /// Who counts on one row, or on a conflict.
    Key,
    /// Who looks rows up by this column.
    Slower,
    /// Who gives these columns a value: it is refused.
    Generated,
    /// A column came or went: who joins by whatever columns there are.
    Column,
    /// Who calls it, or writes where a trigger does.
    Routine,
    /// It is not there any more: who calls what names it.
    Gone,
    /// Who comes as this role: policies hide other rows from it.
    RowSecurity { role: String },
    /// Whoever had the rights that were taken away.
    Privilege(Revoked),
}

/// Rights that were taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// Who had them; `None`: everybody.
    pub role: Option<String>,
    /// Of everybody: those who have them by something else.
    pub kept_by: BTreeSet<String>,
    pub rights: BTreeSet<Right>,
    /// The right to single columns of the table is left.
    pub columns_left: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    Read,
    Insert,
    Update,
    Delete,
    /// To use it in any other way: to call a routine, to look into a schema.
    Use,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `schema.table`, and its columns.
    pub table: String,
    pub columns: Vec<String>,
    /// What it points to.
    pub parent: String,
    pub theirs: Vec<String>,
}
