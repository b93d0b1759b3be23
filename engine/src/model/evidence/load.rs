//! What the services' queries saw while they ran as traffic.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::changeset::ChangesetId;

/// A percentile triple around the change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AroundMs {
    pub before: f64,
    pub during: f64,
    pub after: f64,
}

/// What the services' traffic saw. Latency is counted from the scheduled moment (open loop).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrafficSummary {
    pub requests: u64,
    pub failed: u64,
    pub longest_wait_ms: f64,
    pub p99_ms: AroundMs,
    pub p50_ms: AroundMs,
    pub services: u64,
    pub rate: f64,
    /// Acknowledged writes that were looked up again at the end, and those not found.
    pub acknowledged: u64,
    pub lost: u64,
    /// Queries that did not run before the traffic began and are no part of it.
    #[serde(default)]
    pub skipped: Vec<SkippedQuery>,
    /// One entry per second of the run.
    pub series: Vec<TrafficSecond>,
}

/// A query that failed each time it was tried before the traffic began: what covers it is the planner alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedQuery {
    pub service: String,
    pub version: String,
    pub query: String,
    pub file: String,
    pub line: u64,
    pub code: String,
    pub message: String,
}

impl SkippedQuery {
    /// The same query of the same version, whatever it failed with.
    pub fn is(&self, other: &Self) -> bool {
        (&self.service, &self.version, &self.query) == (&other.service, &other.version, &other.query)
    }
}

impl std::fmt::Display for SkippedQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { service, version, query, file, line, message, .. } = self;
        write!(f, "{service} {version}: {query} ({file}:{line}): {message}")
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrafficSecond {
    /// Seconds since the traffic began.
    pub second: u32,
    pub at: Option<Timestamp>,
    pub requests: u64,
    pub failed: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// A request that failed: kinds are kept once, with how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrafficFailure {
    pub service: String,
    pub version: String,
    pub query: String,
    pub code: String,
    pub message: String,
    pub count: u64,
    pub file: String,
    pub line: u64,
    /// The changeset that ran, or had run last.
    pub changeset: Option<ChangesetId>,
}
