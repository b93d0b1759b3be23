//! What a run does, and the events that its journal is made of.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::changeset::ChangesetId;
use super::evidence::Outcome;
use super::history::HistoryBefore;
use super::server::LogPosition;
use super::stage::Stage;

/// One line of the record of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub seq: u64,
    pub at: Timestamp,
    /// Hash of the event before; empty for the first.
    pub previous: String,
    pub what: EventKind,
    /// SHA-256 of the line before this field, hexadecimal.
    pub hash: String,
    /// The line as it was written, without its newline. Copies are made of it: it may have fields of a later version.
    pub line: String,
}

/// Something a run does, or does back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Action {
    /// A stage before production is touched.
    Stage { stage: Stage },
    /// One changeset on production.
    Apply { changeset: ChangesetId, wave: u32 },
    /// The last look after all waves: gates, fingerprints, lost writes.
    Settle,
    /// The inverse of one changeset on production.
    Undo { changeset: ChangesetId },
    /// The last look after going back.
    SettleBack,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Action::Stage { stage } => write!(f, "{stage}"),
            Action::Apply { changeset, wave } => write!(f, "wave {wave}: apply {changeset}"),
            Action::Settle => f.write_str("settle the rollout"),
            Action::Undo { changeset } => write!(f, "undo {changeset}"),
            Action::SettleBack => f.write_str("settle the rollback"),
        }
    }
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    Started {
        environment: String,
        actor: String,
        commit: Option<String>,
        version: String,
        inject: Option<String>,
        /// User, host, port and name of the database. Older versions did not write it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        database: Option<String>,
    },
    /// Another process takes the run over.
    Resumed {
        actor: String,
        version: String,
        /// As of `Started`. Older versions did not write it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        database: Option<String>,
    },
    Intended {
        action: Action,
        /// For an act on production, what the history said of its changeset. Older versions did not write it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<HistoryBefore>,
        /// For the first act of the run on production, where the log of production stood just before it. Older versions did not write
        /// it, and not every product or server tells it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log: Option<LogPosition>,
    },
    Done {
        action: Action,
        /// What the saga needs to know of the outcome.
        #[serde(default)]
        outcome: ActOutcome,
        /// SHA-256 of the evidence file, where there is one.
        evidence: Option<String>,
        /// One line for people.
        text: String,
    },
    Failed {
        action: Action,
        error: String,
        kind: FailureKind,
        hint: Option<String>,
    },
    /// From here on batches move rows of this changeset, and each of them stays: if the changeset does not go through, its inverse
    /// has to be run all the same.
    Moving {
        changeset: ChangesetId,
    },
    /// A measurement, a retry, a checkpoint: nothing that `next` decides by.
    Noted {
        text: String,
        action: Option<Action>,
        checkpoint: Option<String>,
    },
    /// From here on the run goes back.
    Unwinding {
        reason: String,
        automatic: bool,
    },
    Finished {
        outcome: Outcome,
        reason: Option<String>,
    },
}

/// What the saga needs to know of something done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum ActOutcome {
    #[default]
    Plain,
    /// After `plan`: how many changesets are pending.
    Pending { changesets: u64 },
    /// After `compat`: what goes out, wave by wave, and how many are held.
    Accepted { waves: Vec<(u32, Vec<ChangesetId>)>, held: u64 },
    /// After an apply or undo: whether production changed by it.
    Changed { changed: bool },
}

/// Why something failed, as far as the saga cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    Input,
    Refused,
    Failed,
    /// A crash cut it off.
    Crashed,
    /// The outcome cannot be told.
    Unknown,
}
