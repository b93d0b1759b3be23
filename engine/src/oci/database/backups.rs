//! Calls about backups. They take no tags: what belongs to a run, their name says.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BackupState, BackupType, Deleted, path};
use crate::oci::Failure;
use crate::oci::client::{Call, Client, Tagged, json};
use crate::oci::endpoint::Service;

const BACKUPS: &str = "autonomousDatabaseBackups";

/// What is asked of a backup.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutonomousDatabaseBackup {
    pub id: String,
    pub compartment_id: String,
    pub autonomous_database_id: String,
    #[serde(default)]
    pub display_name: Option<String>,
    #[serde(rename = "type")]
    pub kind: BackupType,
    #[serde(default)]
    pub is_automatic: bool,
    /// Whether the database can be put back to it in its place. A long-term backup can only become another database.
    #[serde(default)]
    pub is_restorable: Option<bool>,
    #[serde(default)]
    pub time_started: Option<Timestamp>,
    #[serde(default)]
    pub time_ended: Option<Timestamp>,
    /// When it will be deleted.
    #[serde(default)]
    pub time_available_till: Option<Timestamp>,
    pub lifecycle_state: BackupState,
    #[serde(default)]
    pub lifecycle_details: Option<String>,
    #[serde(default, rename = "sizeInTBs")]
    pub size_in_tbs: Option<f64>,
    #[serde(default, rename = "databaseSizeInTBs")]
    pub database_size_in_tbs: Option<f64>,
    #[serde(default)]
    pub db_version: Option<String>,
    #[serde(default)]
    pub retention_period_in_days: Option<u32>,
}

/// A backup that is taken on demand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewBackup {
    pub autonomous_database_id: String,
    pub display_name: String,
    pub is_long_term_backup: bool,
    /// Of a long-term backup: how long it is kept. Others are kept as long as the database says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_period_in_days: Option<u32>,
}

/// Begins to take a backup. `token`: see `retry_token`.
///
/// # Errors
/// When it is not begun, or not known whether it is.
pub async fn create(
    client: &Client,
    new: &NewBackup,
    token: &str,
) -> Result<Tagged<AutonomousDatabaseBackup>, Failure> {
    let body = json(new)?;
    let call = Call::post(Service::Database, path(BACKUPS, None, ""), &body).retry_token(token);
    client.ask(&call).await?.tagged()
}

/// # Errors
/// When it cannot be read.
pub async fn get(client: &Client, id: &str) -> Result<Tagged<AutonomousDatabaseBackup>, Failure> {
    client.ask(&Call::get(Service::Database, path(BACKUPS, Some(id), ""))).await?.tagged()
}

/// Those of a database, in any state; with a name, only those that are called so.
///
/// # Errors
/// When they cannot be listed.
pub async fn list(
    client: &Client,
    database: &str,
    display_name: Option<&str>,
) -> Result<Vec<AutonomousDatabaseBackup>, Failure> {
    let call = Call::get(Service::Database, path(BACKUPS, None, ""))
        .query("autonomousDatabaseId", Some(database))
        .query("displayName", display_name);
    client.list(&call).await
}

/// Begins to delete a long-term backup; no other can be.
///
/// # Errors
/// Any failure but that it is not there.
pub async fn delete(client: &Client, id: &str, etag: Option<&str>) -> Result<Deleted, Failure> {
    let call = Call::delete(Service::Database, path(BACKUPS, Some(id), "")).if_match(etag);
    super::deleted(client.ask(&call).await)
}
