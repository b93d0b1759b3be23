//! Calls about Autonomous Databases.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::{ConnectionStrings, DatabaseState, Deleted, OpenMode, PermissionLevel, path};
use crate::model::endpoint::Secret;
use crate::oci::Failure;
use crate::oci::client::{Call, Client, Tagged, json};
use crate::oci::endpoint::Service;

const DATABASES: &str = "autonomousDatabases";

/// What is asked of a database.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutonomousDatabase {
    pub id: String,
    pub compartment_id: String,
    pub db_name: String,
    #[serde(default)]
    pub display_name: Option<String>,
    pub lifecycle_state: DatabaseState,
    #[serde(default)]
    pub lifecycle_details: Option<String>,
    #[serde(default)]
    pub open_mode: Option<OpenMode>,
    #[serde(default)]
    pub permission_level: Option<PermissionLevel>,
    #[serde(default)]
    pub db_version: Option<String>,
    #[serde(default)]
    pub db_workload: Option<String>,
    /// ECPUs or OCPUs, as `compute_model` says.
    #[serde(default)]
    pub compute_count: Option<f64>,
    #[serde(default)]
    pub compute_model: Option<String>,
    #[serde(default, rename = "dataStorageSizeInGBs")]
    pub data_storage_size_in_gbs: Option<f64>,
    #[serde(default)]
    pub license_model: Option<String>,
    #[serde(default)]
    pub subnet_id: Option<String>,
    #[serde(default)]
    pub nsg_ids: Option<Vec<String>>,
    #[serde(default)]
    pub is_mtls_connection_required: Option<bool>,
    #[serde(default)]
    pub source_id: Option<String>,
    #[serde(default)]
    pub time_created: Option<Timestamp>,
    #[serde(default)]
    pub freeform_tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub connection_strings: Option<ConnectionStrings>,
}

impl AutonomousDatabase {
    /// The value of a freeform tag.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.freeform_tags.as_ref()?.get(name).map(String::as_str)
    }
}

/// The password of `ADMIN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum AdminPassword {
    Given {
        #[serde(rename = "adminPassword", serialize_with = "expose")]
        password: Secret,
    },
    /// A secret of OCI's Vault, by its OCID.
    Vault {
        #[serde(rename = "secretId")]
        secret: String,
    },
}

pub(super) fn expose<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CloneType {
    /// With its rows.
    Full,
    /// Without them.
    Metadata,
}

/// A database that is made of a backup.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewFromBackup {
    pub compartment_id: String,
    /// At most 30 letters and digits, the first one a letter; no other database of the tenancy has it.
    pub db_name: String,
    pub display_name: String,
    pub autonomous_database_backup_id: String,
    pub clone_type: CloneType,
    pub compute_model: &'static str,
    pub compute_count: f64,
    #[serde(flatten)]
    pub admin_password: AdminPassword,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nsg_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_mtls_connection_required: Option<bool>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub freeform_tags: BTreeMap<String, String>,
}

/// # Errors
/// When it cannot be read.
pub async fn get(client: &Client, id: &str) -> Result<Tagged<AutonomousDatabase>, Failure> {
    client.ask(&Call::get(Service::Database, path(DATABASES, Some(id), ""))).await?.tagged()
}

/// Those of a compartment, in any state; with a name, only those that are called so.
///
/// # Errors
/// When they cannot be listed.
pub async fn list(
    client: &Client,
    compartment: &str,
    display_name: Option<&str>,
) -> Result<Vec<AutonomousDatabase>, Failure> {
    let call = Call::get(Service::Database, path(DATABASES, None, ""))
        .query("compartmentId", Some(compartment))
        .query("displayName", display_name);
    client.list(&call).await
}

/// Begins to make a database. `token`: see `retry_token`.
///
/// # Errors
/// When it is not begun, or not known whether it is.
pub async fn create(
    client: &Client,
    new: &NewFromBackup,
    token: &str,
) -> Result<Tagged<AutonomousDatabase>, Failure> {
    #[derive(Serialize)]
    struct Details<'a> {
        source: &'static str,
        #[serde(flatten)]
        new: &'a NewFromBackup,
    }
    let body = json(&Details { source: "BACKUP_FROM_ID", new })?;
    let call = Call::post(Service::Database, path(DATABASES, None, ""), &body).retry_token(token);
    client.ask(&call).await?.tagged()
}

/// Begins to take a database away, with everything in it.
///
/// # Errors
/// Any failure but that it is not there; 412 when it is not the one of this tag any more.
pub async fn delete(client: &Client, id: &str, etag: Option<&str>) -> Result<Deleted, Failure> {
    let call = Call::delete(Service::Database, path(DATABASES, Some(id), "")).if_match(etag);
    super::deleted(client.ask(&call).await)
}

/// # Errors
/// When it is not begun; 412 when it is not the one of this tag any more.
pub async fn stop(
    client: &Client,
    id: &str,
    etag: Option<&str>,
) -> Result<Tagged<AutonomousDatabase>, Failure> {
    act(client, id, "stop", b"", etag).await
}

/// # Errors
/// As of `stop`.
pub async fn start(
    client: &Client,
    id: &str,
    etag: Option<&str>,
) -> Result<Tagged<AutonomousDatabase>, Failure> {
    act(client, id, "start", b"", etag).await
}

/// Puts the database back to a moment: nobody reaches it meanwhile, and what was written since is lost.
///
/// # Errors
/// As of `stop`.
pub async fn restore(
    client: &Client,
    id: &str,
    to: Timestamp,
    etag: &str,
) -> Result<Tagged<AutonomousDatabase>, Failure> {
    let body = json(&serde_json::json!({ "timestamp": to }))?;
    act(client, id, "restore", &body, Some(etag)).await
}

async fn act(
    client: &Client,
    id: &str,
    action: &str,
    body: &[u8],
    etag: Option<&str>,
) -> Result<Tagged<AutonomousDatabase>, Failure> {
    let path = path(DATABASES, Some(id), &format!("/actions/{action}"));
    client.ask(&Call::post(Service::Database, path, body).if_match(etag)).await?.tagged()
}
