//! Where backups and clones come from. Kinds of provider live in `provider/`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::database::{DataFingerprint, Database, Endpoint, Moment, SchemaFingerprint};
use crate::error::Result;

pub mod local;

/// The provider of databases on this machine.
///
/// # Errors
/// `Input` when the programs it needs are missing.
pub async fn embedded() -> Result<Arc<dyn Provider>> {
    Ok(Arc::new(local::Local::find().await?))
}

/// How a backup was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackupMethod {
    /// Physical base backup with its log and a named restore point.
    Physical,
    /// Parallel logical dump of one exported snapshot: the database gives no replication rights.
    Logical,
}

/// A backup that can be restored, with the source's fingerprints at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Backup {
    pub id: String,
    pub method: BackupMethod,
    /// Why it is not physical, for people.
    pub note: Option<String>,
    pub folder: PathBuf,
    pub moment: Moment,
    pub bytes: u64,
    /// What verified it: the name of a program or service.
    pub verified_by: String,
    /// Of the source at `moment`.
    pub schema: SchemaFingerprint,
    pub data: DataFingerprint,
    pub server: String,
}

/// Progress of something long, shown to people: a label and, where known, done out of total.
pub type Progress = Arc<dyn Fn(&str, Option<(u64, u64)>) + Send + Sync>;

/// Takes backups and makes databases out of them. Everything it makes lies in the folder it is given, so that a later
/// process finds it; every call may be repeated.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Takes, verifies and describes a backup in `folder`. What an earlier, broken try left there is removed first.
    async fn backup(
        &self,
        database: &dyn Database,
        folder: &Path,
        id: &str,
        progress: Progress,
    ) -> Result<Backup>;
    /// Whether a backup is still where it was put.
    async fn holds(&self, backup: &Backup) -> Result<bool>;
    /// Restores a backup as a database of its own in `folder` and starts it. An earlier one there is replaced.
    async fn restore(
        &self,
        backup: &Backup,
        database: &dyn Database,
        folder: &Path,
        progress: Progress,
    ) -> Result<Endpoint>;
    /// An empty-of-data database with the schema and Liquibase's history of `database`, and its planner statistics where
    /// they can be had; a template from which `fresh_scratch` makes copies in well under a second.
    async fn scratch(&self, database: &dyn Database, folder: &Path, progress: Progress) -> Result<Endpoint>;
    /// A new copy of the scratch template with the given name (replaces an earlier one of that name).
    async fn fresh_scratch(&self, template: &Endpoint, name: &str) -> Result<Endpoint>;
    /// Stops and removes whatever `restore` or `scratch` made in `folder`. Nothing there is no error.
    async fn discard(&self, folder: &Path) -> Result<()>;
    /// Whether the database that lies in `folder` answers; starts it when it is stopped.
    async fn revive(&self, folder: &Path) -> Result<Option<Endpoint>>;
}
