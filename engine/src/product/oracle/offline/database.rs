//! The traits of a database, as far as a dictionary alone can answer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Offline, client};
use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::change::Change;
use crate::model::changeset::{Backfill, Statement};
use crate::model::data_at_risk::AtRisk;
use crate::model::endpoint::{ClientSettings, Endpoint, JdbcTarget, Limits};
use crate::model::history::OtherHistory;
use crate::model::preflight::{Fact, Finding};
use crate::model::row_writer::RowWriter;
use crate::model::schema::{DataFingerprint, SchemaFingerprint, SchemaSnapshot, WriteMark};
use crate::model::server::{Footprint, ServerInfo};
use crate::model::session::{Activity, LiquibaseLock, Wait};
use crate::product::oracle::dictionary::{self, Version};
use crate::product::oracle::{Product, Speaks};
use crate::product::{
    self, Batch, Capabilities, Claim, Client, Database, Execute, Inspect, LockWatch, Sessions, Trial,
};

/// What only a server could do.
fn no_server() -> Error {
    Error::refused("there is only a dictionary here, and no server that could do it")
        .hint("plan and compat work with a dictionary; for the other stages name the database itself")
}

impl Speaks for Offline {
    fn version(&self) -> Version {
        self.version
    }
}

#[async_trait]
impl Database for Offline {
    fn product(&self) -> Arc<dyn product::Product> {
        Arc::new(Product)
    }
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
    fn at(&self, endpoint: Endpoint) -> Arc<dyn Database> {
        Arc::new(Self::at(endpoint))
    }
    fn jdbc(&self) -> JdbcTarget {
        let version = match self.version {
            Version::V19 => "19.0",
            Version::V21 => "21.0",
            Version::V23 => "23.0",
        };
        let history = format!("{}.history.csv", self.endpoint.database);
        JdbcTarget {
            url: format!(
                "offline:oracle?version={version}&caseSensitive=false&outputLiquibaseSql=none&changeLogFile={history}"
            ),
            user: String::new(),
            password: None,
            properties: Default::default(),
            application_property: None,
            transactional_ddl: false,
            role_switch: None,
            message_prefixes: &[],
            message_ends: &[],
            value_states: &[],
            session: Vec::new(),
        }
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities { shows_sessions: false, ..self.product().capabilities() }
    }
    async fn client_with(&self, _application: &str, _settings: &ClientSettings) -> Result<Box<dyn Client>> {
        Ok(Box::new(client::Describer::new(self.clone())))
    }
}

#[async_trait]
impl Inspect for Offline {
    async fn preflight(&self) -> Result<Vec<Fact>> {
        self.dictionary()?;
        let version = format!("Oracle {} (a dictionary)", self.version.name());
        Ok(vec![Fact::new(Finding::Server { version, encoding: "AL32UTF8".to_owned() })])
    }
    async fn server(&self) -> Result<ServerInfo> {
        let dictionary = self.dictionary()?;
        Ok(ServerInfo {
            version: format!("Oracle {} (a dictionary)", self.version.name()),
            major: match self.version {
                Version::V19 => 19,
                Version::V21 => 21,
                Version::V23 => 23,
            },
            system_id: None,
            user: dictionary.schema.clone(),
            superuser: false,
            replication: false,
            sees_activity: false,
            database_bytes: dictionary.tables.values().map(|table| table.bytes).sum(),
        })
    }
    async fn catalog(&self) -> Result<Catalog> {
        Ok(self.dictionary()?.catalog())
    }
    async fn schema_fingerprint(&self) -> Result<SchemaFingerprint> {
        Ok(self.dictionary()?.fingerprint())
    }
    /// There are no rows.
    async fn data_fingerprint(&self, _tables: Option<&[String]>) -> Result<DataFingerprint> {
        Ok(DataFingerprint::default())
    }
    async fn histories(&self) -> Result<Vec<OtherHistory>> {
        Ok(Vec::new())
    }
    async fn write_mark(&self) -> Result<Option<WriteMark>> {
        Ok(None)
    }
    async fn untouched_since(&self, _tables: &[String], _mark: &WriteMark) -> Result<DataFingerprint> {
        Err(no_server())
    }
    async fn row_writers(&self) -> Result<Vec<RowWriter>> {
        Ok(Vec::new())
    }
    async fn snapshot(&self) -> Result<SchemaSnapshot> {
        Ok(self.dictionary()?.snapshot())
    }
    fn diff(&self, before: &SchemaSnapshot, after: &SchemaSnapshot) -> Vec<Change> {
        dictionary::between(before, after)
    }
    async fn rows(&self, _table: &str, _most: u32) -> Result<(Vec<String>, Vec<Vec<Option<String>>>)> {
        Ok((Vec::new(), Vec::new()))
    }
    async fn samples(&self, _table: &str, _column: &str, _most: u32) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    async fn count_present(&self, _table: &str, _column: &str, _values: &[String]) -> Result<u64> {
        Ok(0)
    }
    async fn data_at_risk(&self, _statements: &[&Statement], _limit: Duration) -> Result<Vec<Vec<AtRisk>>> {
        Err(no_server())
    }
    async fn footprint(&self) -> Result<Footprint> {
        Ok(Footprint::default())
    }
}

/// A file beside the dictionary: the system releases it with the process that holds it.
struct Held(std::fs::File);

#[async_trait]
impl Claim for Held {
    async fn held(&self) -> bool {
        true
    }
    async fn release(self: Box<Self>) {
        let _ = self.0.unlock();
    }
}

#[async_trait]
impl Sessions for Offline {
    async fn claim(&self, name: &str) -> Result<Option<Box<dyn Claim>>> {
        let path = format!("{}.{name}.claim", self.endpoint.database);
        let unmade = |e: std::io::Error| Error::failed(format!("{path} cannot be locked")).because(e);
        let file = std::fs::File::create(&path).map_err(unmade)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(Held(file)))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(e)) => Err(unmade(e)),
        }
    }
    async fn end_sessions(&self, _application_prefix: &str) -> Result<u64> {
        Ok(0)
    }
    async fn activity(&self, _ours: &str) -> Result<Activity> {
        Err(no_server())
    }
    async fn waits(&self) -> Result<Vec<Wait>> {
        Ok(Vec::new())
    }
    async fn cancel(&self, _application: &str) -> Result<()> {
        Ok(())
    }
    async fn watch_locks(&self, _application: &str) -> Result<Box<dyn LockWatch>> {
        Err(no_server())
    }
    async fn liquibase_alive(&self, _lock: &LiquibaseLock, _ours: &str) -> Result<bool> {
        Ok(false)
    }
}

#[async_trait]
impl Execute for Offline {
    fn session_setup(&self, _limits: &Limits, _application: &str) -> Vec<String> {
        Vec::new()
    }
    async fn before_retry(&self, _index: &str) -> Result<bool> {
        Err(no_server())
    }
    async fn has_index(&self, _index: &str) -> Result<bool> {
        Err(no_server())
    }
    async fn drop_index(&self, _index: &str) -> Result<()> {
        Err(no_server())
    }
    async fn backfill_batch(
        &self,
        _backfill: &Backfill,
        _after: Option<&str>,
        _size: u32,
        _application: &str,
        _lock_wait: Duration,
    ) -> Result<Option<Batch>> {
        Err(no_server())
    }
    async fn try_out(&self, _statements: &[&str], _limit: Duration, _application: &str) -> Result<Trial> {
        Err(no_server())
    }
    async fn refresh_statistics(&self, _tables: &[String], _rewritten: &[String]) -> Result<()> {
        Err(no_server())
    }
    async fn execute_script(&self, sql: &str) -> Result<()> {
        self.apply(sql)
    }
}
