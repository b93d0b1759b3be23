//! What is not wired yet.

use std::time::Duration;

use async_trait::async_trait;

use super::Oracle;
use super::claim;
use crate::error::{Error, Result};
use crate::model::changeset::Backfill;
use crate::model::endpoint::Limits;
use crate::model::session::{Activity, LiquibaseLock, Wait};
use crate::product::{Batch, Claim, Execute, LockWatch, Sessions, Trial};

/// What Drydock cannot do yet with a running Oracle database.
pub fn not_yet(what: &str) -> Error {
    Error::refused(format!("Drydock does not {what} on Oracle yet"))
        .hint("plan and compat work with Oracle databases; the other stages do not yet")
}

#[async_trait]
impl Sessions for Oracle {
    async fn claim(&self, name: &str) -> Result<Option<Box<dyn Claim>>> {
        claim::take(self, name).await
    }
    async fn end_sessions(&self, _application_prefix: &str) -> Result<u64> {
        Err(not_yet("end sessions"))
    }
    async fn activity(&self, _ours: &str) -> Result<Activity> {
        Err(not_yet("look at sessions"))
    }
    async fn waits(&self) -> Result<Vec<Wait>> {
        Ok(Vec::new())
    }
    async fn cancel(&self, _application: &str) -> Result<()> {
        Err(not_yet("break statements off"))
    }
    async fn watch_locks(&self, _application: &str) -> Result<Box<dyn LockWatch>> {
        Err(not_yet("look at locks"))
    }
    async fn liquibase_alive(&self, _lock: &LiquibaseLock, _ours: &str) -> Result<bool> {
        // Nobody takes a lock away whose holder may be at work.
        Ok(true)
    }
}

#[async_trait]
impl Execute for Oracle {
    fn session_setup(&self, _limits: &Limits, _application: &str) -> Vec<String> {
        Vec::new()
    }
    async fn before_retry(&self, _index: &str) -> Result<bool> {
        Err(not_yet("change a database"))
    }
    async fn backfill_batch(
        &self,
        _backfill: &Backfill,
        _after: Option<&str>,
        _size: u32,
        _application: &str,
        _lock_wait: Duration,
    ) -> Result<Option<Batch>> {
        Err(not_yet("change a database"))
    }
    async fn try_out(&self, _statements: &[&str], _limit: Duration, _application: &str) -> Result<Trial> {
        Err(not_yet("change a database"))
    }
    async fn refresh_statistics(&self, _tables: &[String], _rewritten: &[String]) -> Result<()> {
        Err(not_yet("change a database"))
    }
    async fn execute_script(&self, _sql: &str) -> Result<()> {
        Err(not_yet("change a database"))
    }
}
