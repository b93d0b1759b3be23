//! What only some products offer.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::statement_stats::StatementStats;

/// Statistics of what services have run.
#[async_trait]
pub trait Harvest: Send + Sync {
    /// What services have run here, by the server's own statistics: nothing on catalogs, of Liquibase or of ourselves.
    ///
    /// # Errors
    /// `Input` where the server keeps none or does not show them.
    async fn statement_stats(&self) -> Result<StatementStats>;
}

/// Failures on demand, for the demo.
#[async_trait]
pub trait FaultInjection: Send + Sync {
    /// Locks tables against everybody for a while: what `--inject rollout-gate` does.
    async fn lock_tables(&self, tables: &[String], time: Duration) -> Result<()>;
    /// Session statements under which a changeset really fails: what `--inject rollout-error` does.
    fn failing_session(&self) -> Vec<String>;
}
