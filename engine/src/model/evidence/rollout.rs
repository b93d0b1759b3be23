//! Evidence of `rollout`: what was applied to production, between which gates.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::changeset::{ApplyState, ChangesetId};
use crate::model::evidence::{TrafficFailure, TrafficSummary};

/// One reading of the gates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateReading {
    pub at: Timestamp,
    pub when: GateMoment,
    pub wave: u32,
    pub requests: u64,
    pub failed: u64,
    pub p99_ms: Option<f64>,
    pub blocked: Option<u64>,
    pub longest_block_ms: Option<u64>,
    /// Empty when the gate holds; else each condition that does not, in a sentence.
    pub breaches: Vec<String>,
}

/// When a gate was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateMoment {
    Before,
    During,
    After,
}

impl fmt::Display for GateMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
        })
    }
}

/// One changeset on production.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Applied {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub wave: u32,
    pub started: Timestamp,
    pub seconds: f64,
    /// 1 when the first try went through.
    pub attempts: u32,
    pub batches: u32,
    pub rows: u64,
    /// The longest that others waited for it.
    pub stall_ms: f64,
    pub state: ApplyState,
}

/// One changeset that did not go through on production, and what it had done by then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailedApply {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub wave: u32,
    pub started: Timestamp,
    pub seconds: f64,
    pub batches: u32,
    /// Rows of the batches that were through: they stayed until the inverse took them back.
    pub rows: u64,
    /// The longest that others waited for it.
    pub stall_ms: f64,
}

/// Evidence of `rollout`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rollout {
    pub changesets: Vec<Applied>,
    /// Older versions did not write it.
    #[serde(default)]
    pub failed: Vec<FailedApply>,
    pub gates: Vec<GateReading>,
    pub traffic: TrafficSummary,
    pub failures: Vec<TrafficFailure>,
    pub fingerprint: BeforeAfter,
}

/// Digests of the schema before and after, and of what the shadow stage had said it would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BeforeAfter {
    pub before: String,
    pub after: String,
    /// Whether `after` is what the rehearsal ended with (rollout) or what was there before (rollback).
    pub as_expected: bool,
    pub differences: Vec<String>,
}
