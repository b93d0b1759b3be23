//! Evidence of `plan`: what is pending, in which waves, and what has drifted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::changeset::{Changeset, ChangesetId};
use crate::model::preflight::Fact;
use crate::model::server::ServerInfo;

/// Evidence of `plan`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// SHA-256 over everything below that decides what happens, hexadecimal.
    pub hash: String,
    pub server: ServerInfo,
    /// User, host, port and name of the database. Older versions did not write it.
    #[serde(default)]
    pub database: Option<String>,
    pub liquibase: String,
    /// What is pending, in changelog order.
    pub changesets: Vec<Changeset>,
    /// Indexes into `changesets`, in the order they go out; the first is the canary.
    pub waves: Vec<Wave>,
    /// Changesets that Liquibase's own filters leave out now, with Liquibase's reason.
    pub filtered: Vec<Filtered>,
    pub drift: Vec<Drift>,
    pub applied: u64,
    /// What was found before anything was done. Older versions did not look.
    #[serde(default)]
    pub preflight: Vec<Fact>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filtered {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub reason: String,
}

/// A group of changesets applied together under one set of limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wave {
    pub number: u32,
    pub canary: bool,
    pub changesets: Vec<ChangesetId>,
}

/// A difference between changelog, history and catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    pub kind: DriftKind,
    pub subject: String,
    pub message: String,
    /// Whether the run is refused for it.
    pub fatal: bool,
    /// What to do, where that depends on what was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// What drifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// A changeset was applied and is not in the changelog.
    HistoryUnknown,
    /// A changeset is pending, and in the history under another path: its changelog is read from another folder than before.
    OtherPath,
    /// A changeset is pending, and in the history of another schema.
    OtherSchema,
    /// A changeset is pending, and in a history whose table has another name.
    OtherTable,
    /// A changeset was edited after it had been applied.
    Checksum,
    /// An object is not as the last run left it.
    Catalog,
}
