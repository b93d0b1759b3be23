//! What changes a database outside Liquibase, and what Liquibase's session needs.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::model::changeset::Backfill;
use crate::model::endpoint::Limits;

#[async_trait]
pub trait Execute: Send + Sync {
    /// Statements that set the limits and the application name on Liquibase's session.
    fn session_setup(&self, limits: &Limits, application: &str) -> Vec<String>;
    /// Takes away what a failed attempt to build this index left; `true` when there was something.
    async fn before_retry(&self, index: &str) -> Result<bool>;
    /// Whether there is an index of this name, finished or not.
    async fn has_index(&self, index: &str) -> Result<bool>;
    /// Drops an index that a build left behind, finished or not.
    async fn drop_index(&self, index: &str) -> Result<()>;
    /// Runs one key range after another, from `after` (text; `None`: the start). `size`: rows walked.
    /// Returns `None` when no key is left.
    async fn backfill_batch(
        &self,
        backfill: &Backfill,
        after: Option<&str>,
        size: u32,
        application: &str,
        lock_wait: Duration,
    ) -> Result<Option<Batch>>;
    /// Tries statements out: runs them in this order in one transaction that is taken back. All is over within `limit`, so that nobody
    /// waits longer for it. Only asked where DDL is transactional.
    async fn try_out(&self, statements: &[&str], limit: Duration, application: &str) -> Result<Trial>;
    /// Brings what the planner knows of tables to where the server brings it by itself in time. Of those that were
    /// `rewritten` that is more than of those that only hold other values.
    async fn refresh_statistics(&self, tables: &[String], rewritten: &[String]) -> Result<()>;
    /// Runs a script of several statements on a fresh session.
    async fn execute_script(&self, sql: &str) -> Result<()>;
}

/// What came of trying statements out.
#[derive(Debug)]
pub enum Trial {
    Passed,
    /// This one fails, counted from 0. One more than there are: what is checked at the end of the transaction.
    Failed {
        statement: usize,
        error: Error,
    },
    /// The time was up or a lock was not to be had, at this one.
    OutOfTime {
        statement: usize,
    },
}

/// One key range done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The last key of the range: where the next one starts.
    pub last_key: String,
    pub changed: u64,
}
