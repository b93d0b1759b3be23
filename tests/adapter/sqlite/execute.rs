//! What Liquibase's session needs.

use std::time::Duration;

use async_trait::async_trait;
use drydock::error::{Error, Result};
use drydock::model::changeset::Backfill;
use drydock::model::endpoint::Limits;
use drydock::product::{Batch, Execute, Trial};

use super::{SqliteFile, quoted_relation, wrong};

#[async_trait]
impl Execute for SqliteFile {
    fn session_setup(&self, limits: &Limits, _application: &str) -> Vec<String> {
        let wait = limits.lock_wait.unwrap_or(Duration::from_secs(24 * 60 * 60));
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        vec![format!("PRAGMA busy_timeout = {}", seconds * 1_000)]
    }

    async fn before_retry(&self, _index: &str) -> Result<bool> {
        // An index that could not be built is not there.
        Ok(false)
    }

    async fn has_index(&self, index: &str) -> Result<bool> {
        let name = index.rsplit('.').next().unwrap_or(index).trim_matches('"').to_owned();
        self.on_connection(move |connection| {
            let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = ?1";
            let count: i64 = connection
                .query_row(sql, [name], |row| row.get(0))
                .map_err(|e| wrong("an index cannot be looked for", e))?;
            Ok(count > 0)
        })
        .await
    }

    async fn drop_index(&self, index: &str) -> Result<()> {
        self.execute_script(&format!("DROP INDEX IF EXISTS {index}")).await
    }

    async fn backfill_batch(
        &self,
        _backfill: &Backfill,
        _after: Option<&str>,
        _size: u32,
        _application: &str,
        _lock_wait: Duration,
    ) -> Result<Option<Batch>> {
        Err(Error::failed("no statement of SQLite is run in batches"))
    }

    async fn try_out(&self, _statements: &[&str], _limit: Duration, _application: &str) -> Result<Trial> {
        Err(Error::failed("DDL is not taken back here"))
    }

    async fn refresh_statistics(&self, tables: &[String], rewritten: &[String]) -> Result<()> {
        let all: String = tables
            .iter()
            .chain(rewritten)
            .map(|table| format!("ANALYZE {};", quoted_relation(table)))
            .collect();
        self.execute_script(&all).await
    }

    async fn execute_script(&self, sql: &str) -> Result<()> {
        let sql = sql.to_owned();
        self.on_connection(move |connection| {
            connection.execute_batch(&sql).map_err(|e| wrong("the script cannot be run", e))
        })
        .await
    }
}
