//! A run as a whole: how it ended, stage by stage and changeset by changeset.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::backup::Backup;
use crate::model::changeset::{ChangesetId, Phase};
use crate::model::evidence::{
    BeforeAfter, CloneProof, Compat, Plan, ReverseProof, Rollback, Rollout, Shadow, TrafficSummary,
};
use crate::model::kept::Keeping;
use crate::model::verdict::Held;

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

/// How a stage of a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageOutcome {
    Done,
    Failed,
    /// It began, and nobody saw its end.
    Interrupted,
    /// It never began.
    Skipped,
}

impl fmt::Display for StageOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Skipped => "skipped",
        })
    }
}

/// What became of a changeset in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangesetOutcome {
    Pending,
    Held,
    Applied,
    /// Its turn came and production did not change: a precondition, a failure that it may end with, or that it was there already.
    LeftOut,
    Undone,
}

impl fmt::Display for ChangesetOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Applied => "applied",
            Self::LeftOut => "left out",
            Self::Undone => "undone",
        })
    }
}

/// One line of a run's closing document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageLine {
    pub name: String,
    pub outcome: StageOutcome,
    pub seconds: f64,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangesetLine {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub phase: Phase,
    pub outcome: ChangesetOutcome,
    pub reverse: ReverseProof,
}

/// What `migrate` prints as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunSummary {
    pub run: String,
    pub environment: String,
    /// User, host, port and name of the database. Runs of older versions do not have it.
    #[serde(default)]
    pub database: Option<String>,
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
    /// What a rollback took and is kept aside, where there was one.
    #[serde(default, skip_serializing_if = "Keeping::is_empty")]
    pub kept: Keeping,
}

/// Everything known of a run, for the report: evidence where a stage gave it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub summary: RunSummary,
    pub plan: Option<Plan>,
    pub backup: Option<Backup>,
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

/// The name of an environment that only the command line describes.
pub const UNNAMED: &str = "url";

impl RunSummary {
    /// Where the run was, for people: an environment that has no name of its own is told by its database.
    pub fn place(&self) -> &str {
        match &self.database {
            Some(database) if self.environment == UNNAMED => database,
            _ => &self.environment,
        }
    }
}
