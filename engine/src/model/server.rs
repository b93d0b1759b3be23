//! Who the server is, and physical facts about it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who the server is and what we may do there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerInfo {
    /// Product and version for people, e.g. `Product 15.18`.
    pub version: String,
    pub major: u32,
    /// The identity of the cluster, the same for its physical copies.
    pub system_id: Option<String>,
    pub user: String,
    pub superuser: bool,
    /// May take a physical base backup.
    pub replication: bool,
    /// May see what other sessions do.
    pub sees_activity: bool,
    pub database_bytes: u64,
}

/// Physical facts from which rewrites and log volume are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Table -> identity of its storage; another one means that it was rewritten.
    pub storage: BTreeMap<String, String>,
    /// Position in the write-ahead (redo) log, bytes; `None` where the server has none that only grows.
    pub log_bytes: Option<u64>,
}

/// A moment of the source that a copy can be held against: `position` is what `Provider` restores to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// Name of the restore point, where there is one.
    pub name: Option<String>,
    /// LSN or SCN.
    pub position: String,
    /// Whether no transaction ended between the fingerprint's snapshot and this point.
    pub exact: bool,
    /// Time of the server's clock right after this point: what its log has of later moments can be recovered from the backup. `None`
    /// for dumps, and for backups of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// A place in the log of a server that a recovery can end at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogPosition {
    /// LSN or SCN.
    pub position: String,
    /// Timeline or incarnation: after a failover or a recovery the log goes on under another number.
    pub timeline: u32,
}
