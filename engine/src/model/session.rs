//! Sessions at one moment, and the locks they hold.

use std::fmt;
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

/// A session of ours that waits for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Its application name.
    pub application: String,
    pub time: Duration,
    pub blockers: Vec<Blocker>,
}

/// A session that others wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// 0: no session, as for a transaction that was prepared.
    pub pid: i64,
    pub application: String,
    pub user: String,
    /// How long its transaction has been open, seconds.
    pub seconds: u64,
    /// What it runs, or ran last, without the constants: they may be anybody's data. `None` where we may not see it.
    pub query: Option<String>,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("a prepared transaction that has not ended");
        }
        let name = if self.application.is_empty() { &self.user } else { &self.application };
        write!(f, "{name} (pid {}, user {}, transaction open for {} s", self.pid, self.user, self.seconds)?;
        match &self.query {
            Some(query) => write!(f, ": {query})"),
            None => f.write_str(")"),
        }
    }
}

impl Wait {
    /// Who is waited for.
    pub fn who(&self) -> String {
        self.blockers.iter().map(Blocker::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waiting for {}, for {} s", self.who(), self.time.as_secs())
    }
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
