//! Sessions at one moment, and the locks they hold.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sessions as seen at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// Sessions that wait for a lock.
    pub blocked: u64,
    /// How long the one that waits longest has waited.
    pub longest_wait: Duration,
    /// Sessions that wait for one of ours (by application name).
    pub blocked_by_us: u64,
    pub longest_wait_for_us: Duration,
    /// Transactions of others open for longer than a second, oldest first.
    pub long_transactions: Vec<LongTransaction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LongTransaction {
    pub pid: i64,
    pub application: String,
    pub seconds: u64,
    /// Relations it holds locks on.
    pub holds: Vec<String>,
}

/// A lock some session of ours holds, as seen while a changeset runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct HeldLock {
    /// `schema.name` of the relation.
    pub relation: String,
    /// The engine's word for the mode.
    pub mode: String,
    /// Whether it blocks readers, only writers, or nobody.
    pub blocks: Blocks,
    /// Milliseconds from first to last sight.
    pub held_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    Nobody,
    Writers,
    Everybody,
}

/// Liquibase's lock, held, as its table tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiquibaseLock {
    /// Host name and address of the holder, as `host (address)`.
    pub by: String,
    /// A local time of some machine.
    pub since: String,
}

impl LiquibaseLock {
    /// The address of the holder, where it is told.
    pub fn address(&self) -> Option<&str> {
        self.by.rsplit_once('(')?.1.split_once(')').map(|(address, _)| address.trim())
    }
}
