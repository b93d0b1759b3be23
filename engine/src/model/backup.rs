//! A backup and how it was taken.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema::{DataFingerprint, SchemaFingerprint};
use super::server::Moment;

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
    /// Tables whose rows this method leaves out, as unlogged ones in a physical copy: they were dumped in addition, at the same
    /// moment.
    #[serde(default)]
    pub extra_tables: Vec<String>,
}
