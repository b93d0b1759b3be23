//! Evidence of `shadow`: how each changeset and its inverse did on the clone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::changeset::ChangesetId;
use crate::model::difference::Difference;
use crate::model::evidence::{TrafficFailure, TrafficSummary};
use crate::model::isolation::Network;
use crate::model::schema::SchemaFingerprint;
use crate::model::session::HeldLock;
use crate::model::verdict::Verdict;

/// How the inverse did on the clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReverseProof {
    /// Schema and data were equal to before, but for what is harmless by proof or allowed.
    Proven,
    Differs,
    Failed,
    None,
}

/// Queries that wait while a changeset holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockWait {
    pub table: String,
    /// The engine's word for the mode.
    pub mode: String,
    /// The longest that one of them may wait, milliseconds.
    pub held_ms: u64,
    /// Of all service versions.
    pub queries: u64,
    pub services: u64,
    /// The first of them.
    pub first: Vec<String>,
    /// Longer than the stall budget.
    pub over_budget: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rehearsal {
    #[serde(flatten)]
    pub key: ChangesetId,
    /// Forward.
    pub seconds: f64,
    pub inverse_seconds: f64,
    pub locks: Vec<HeldLock>,
    /// Tables whose storage was written anew.
    pub rewrites: Vec<String>,
    /// Bytes of the write-ahead (redo) log; `null` where the product does not show them.
    pub log_bytes: Option<u64>,
    /// Rows changed by batches, for a backfill.
    pub rows: u64,
    /// The longest wait of a query while this changeset ran.
    pub stall_ms: f64,
    /// Who waits for the locks, one entry for each that keeps somebody waiting.
    #[serde(default)]
    pub waits: Vec<LockWait>,
    pub reverse: ReverseProof,
    /// What the inverse leaves that nothing explains or allows.
    pub differences: Vec<String>,
    /// What it leaves and is understood, with what stands of it.
    #[serde(default)]
    pub explained: Vec<Difference>,
    /// Why it cannot be applied again once it is taken back, where what its inverse leaves is in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_again: Option<String>,
}

/// Evidence of `shadow`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shadow {
    pub changesets: Vec<Rehearsal>,
    pub traffic: TrafficSummary,
    /// Queries that failed on the clone while or after a changeset ran.
    pub failures: Vec<TrafficFailure>,
    /// Queries that get slow, by their plans on the clone.
    #[serde(default)]
    pub verdicts: Vec<Verdict>,
    /// Whole clone back to before: schema and data equal, but for what is explained.
    pub whole_way_back: bool,
    pub differences: Vec<String>,
    /// What differs then and is understood, with what stands of it.
    #[serde(default)]
    pub explained: Vec<Difference>,
    /// What the product does not show, so that it was not measured.
    #[serde(default)]
    pub unmeasured: Vec<String>,
    /// Fingerprints with everything applied.
    pub schema_after: SchemaFingerprint,
    pub backfill_rows_per_second: Option<f64>,
    /// What the processes of the clone's server reached; `null` where there is no server, and in evidence of earlier versions.
    #[serde(default)]
    pub network: Option<Network>,
}
