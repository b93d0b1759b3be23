//! What stages hand to the next and to the report. Every type here is part of the published JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::changeset::{ApplyState, Changeset, ChangesetId, UndoState};
use crate::model::schema::{DataFingerprint, SchemaFingerprint};
use crate::model::server::ServerInfo;
use crate::model::session::HeldLock;

/// Evidence of `plan`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// SHA-256 over everything below that decides what happens, hexadecimal.
    pub hash: String,
    pub server: ServerInfo,
    pub liquibase: String,
    /// What is pending, in changelog order.
    pub changesets: Vec<Changeset>,
    /// Indexes into `changesets`, in the order they go out; the first is the canary.
    pub waves: Vec<Wave>,
    /// Changesets that Liquibase's own filters leave out now, with Liquibase's reason.
    pub filtered: Vec<Filtered>,
    pub drift: Vec<Drift>,
    pub applied: u64,
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
    /// `history-unknown` (applied, not in the changelog), `checksum` (edited after it was applied), `catalog` (an object is
    /// not as the last run left it).
    pub kind: String,
    pub subject: String,
    pub message: String,
    /// Whether the run is refused for it.
    pub fatal: bool,
}

/// What one changeset means for one query or API field of one service version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    Compatible,
    Risky,
    Breaking,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// `changeset` (its id), `author` and `path`.
    #[serde(flatten, with = "named")]
    #[schemars(with = "named::Changeset")]
    pub changeset: ChangesetId,
    pub service: String,
    pub version: String,
    /// Name of the query, or the API field.
    pub query: String,
    pub verdict: VerdictKind,
    /// e.g. `does-not-plan`, `fails-when-run`, `result-type`, `api-field`.
    pub class: String,
    pub reason: String,
    pub column: Option<String>,
    pub file: String,
    pub line: u64,
    /// Why the changeset's author lets it pass; it holds nothing then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

/// A changeset where something else has an identity of its own: its id is called `changeset`.
mod named {
    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::changeset::ChangesetId;

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Changeset {
        changeset: String,
        author: String,
        path: String,
    }

    pub fn serialize<S: Serializer>(key: &ChangesetId, to: S) -> Result<S::Ok, S::Error> {
        let ChangesetId { id, author, path } = key.clone();
        Changeset { changeset: id, author, path }.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ChangesetId, D::Error> {
        let Changeset { changeset, author, path } = Changeset::deserialize(from)?;
        Ok(ChangesetId { id: changeset, author, path })
    }
}

/// Who a held changeset waits for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct WaitsFor {
    pub service: String,
    pub version: String,
    pub query: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub waits_for: Vec<WaitsFor>,
    /// Held because it builds on another one that is held.
    pub because_of: Option<ChangesetId>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// Service versions.
    pub services: u64,
    pub queries: u64,
    pub changesets: u64,
    /// Times a query was planned or run.
    pub checks: u64,
    pub seconds: f64,
    /// Why queries were not run, or for which changeset first: what is said there rests on planning them alone.
    #[serde(default)]
    pub untried: Option<String>,
}

/// Evidence of `compat`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Compat {
    /// Everything that is not `compatible`.
    pub verdicts: Vec<Verdict>,
    pub held: Vec<Held>,
    /// What goes on, in order.
    pub accepted: Vec<ChangesetId>,
    pub checked: Checked,
    /// All service versions, for the matrix: `(service, version)`.
    pub services: Vec<(String, String)>,
}

/// Evidence of `clone`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CloneProof {
    pub endpoint: String,
    pub restore_seconds: f64,
    pub equal: bool,
    /// Why the comparison is not exact, if it is not.
    pub note: Option<String>,
    pub tables: u64,
    pub rows: u64,
    pub objects: u64,
    pub differences: Vec<String>,
}

/// How the inverse did on the clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReverseProof {
    /// Schema and data were equal to before.
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
    pub log_bytes: u64,
    /// Rows changed by batches, for a backfill.
    pub rows: u64,
    /// The longest wait of a query while this changeset ran.
    pub stall_ms: f64,
    /// Who waits for the locks, one entry for each that keeps somebody waiting.
    #[serde(default)]
    pub waits: Vec<LockWait>,
    pub reverse: ReverseProof,
    pub differences: Vec<String>,
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
    /// Whole clone back to before: schema and data equal.
    pub whole_way_back: bool,
    pub differences: Vec<String>,
    /// Fingerprints with everything applied.
    pub schema_after: SchemaFingerprint,
    pub backfill_rows_per_second: Option<f64>,
}

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

/// One reading of the gates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateReading {
    pub at: Timestamp,
    /// `before`, `during`, `after`.
    pub when: String,
    pub wave: u32,
    pub requests: u64,
    pub failed: u64,
    pub p99_ms: Option<f64>,
    pub blocked: Option<u64>,
    pub longest_block_ms: Option<u64>,
    /// Empty when the gate holds; else each condition that does not, in a sentence.
    pub breaches: Vec<String>,
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

/// Evidence of `rollout`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rollout {
    pub changesets: Vec<Applied>,
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

/// Evidence of `rollback`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rollback {
    /// Why it went back.
    pub reason: String,
    pub automatic: bool,
    /// Newest first.
    pub undone: Vec<Undone>,
    pub seconds: f64,
    pub fingerprint: BeforeAfter,
    /// What was lost. Going back by inverses loses nothing.
    pub lost: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Undone {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub seconds: f64,
    pub attempts: u32,
    pub state: UndoState,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Migrated,
    Held,
    Refused,
    RolledBack,
    Stuck,
    /// Not over: under way, or interrupted and to be taken up again.
    Unfinished,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Migrated => "migrated",
            Outcome::Held => "held",
            Outcome::Refused => "refused",
            Outcome::RolledBack => "rolled back",
            Outcome::Stuck => "stuck",
            Outcome::Unfinished => "unfinished",
        }
    }
    /// The exit code a run that ends so has.
    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::Migrated => 0,
            Outcome::Refused => 1,
            Outcome::Held => 3,
            Outcome::RolledBack => 4,
            Outcome::Stuck | Outcome::Unfinished => 5,
        }
    }
}

/// One line of a run's closing document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageLine {
    pub name: String,
    /// `done`, `failed`, `skipped`.
    pub outcome: String,
    pub seconds: f64,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangesetLine {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub phase: crate::model::changeset::Phase,
    /// `applied`, `held`, `undone`, `pending`.
    pub outcome: String,
    pub reverse: ReverseProof,
}

/// What `migrate` prints as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunSummary {
    pub run: String,
    pub environment: String,
    pub outcome: Outcome,
    /// Why it did not end as `migrated`.
    pub reason: Option<String>,
    pub hint: Option<String>,
    pub started: Timestamp,
    pub actor: String,
    pub commit: Option<String>,
    pub seconds: f64,
    pub stages: Vec<StageLine>,
    pub changesets: Vec<ChangesetLine>,
    pub held: Vec<Held>,
    pub traffic: TrafficSummary,
    pub fingerprint: BeforeAfter,
}

/// Everything known of a run, for the report: evidence where a stage gave it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub summary: RunSummary,
    pub plan: Option<Plan>,
    pub backup: Option<crate::model::backup::Backup>,
    pub compat: Option<Compat>,
    pub clone: Option<CloneProof>,
    pub shadow: Option<Shadow>,
    pub rollout: Option<Rollout>,
    pub rollback: Option<Rollback>,
    /// The audit trail: time, kind, one line of text, hash.
    pub events: Vec<EventLine>,
    pub journal_intact: bool,
    /// A stage failed for what was wrong with its input.
    #[serde(default)]
    pub refused_for_input: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    pub seq: u64,
    pub at: Timestamp,
    pub kind: String,
    pub text: String,
    pub hash: String,
}

/// Fingerprints kept aside by name.
pub type Fingerprints = BTreeMap<String, DataFingerprint>;
