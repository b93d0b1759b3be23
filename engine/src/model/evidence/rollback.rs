//! Evidence of `rollback`: what was taken back, and what that lost.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::changeset::{ChangesetId, UndoState};
use crate::model::data_at_risk::Loss;
use crate::model::difference::Difference;
use crate::model::evidence::BeforeAfter;
use crate::model::kept::Keeping;

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
    /// How the schema differs from the one before, as the changesets allow.
    #[serde(default)]
    pub explained: Vec<Difference>,
    /// What was looked at before anything was taken back. Older versions did not look when a run went back by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<RollbackPreview>,
    /// What the inverses took and is kept aside. Older versions kept nothing.
    #[serde(default, skip_serializing_if = "Keeping::is_empty")]
    pub kept: Keeping,
    /// Acknowledged writes that are not there any more.
    #[serde(default)]
    pub lost_writes: u64,
    /// The same for people.
    pub lost: String,
}

impl Rollback {
    /// What of the schema is not as before, after "schema as before"; empty where all is.
    pub fn left_in_words(&self) -> String {
        if self.explained.is_empty() {
            return String::new();
        }
        let left: Vec<String> = self.explained.iter().map(ToString::to_string).collect();
        format!(" but for {}", left.join(", "))
    }
    /// Sets how many of the acknowledged writes are gone, and says what was lost, as far as somebody looked.
    pub fn set_lost_writes(&mut self, lost: u64, acknowledged: u64) {
        self.lost_writes = lost;
        let writes = (acknowledged > 0).then(|| format!("{lost} of {acknowledged} acknowledged writes"));
        let values = self.preview.as_ref().map(RollbackPreview::losses_in_words);
        let said: Vec<String> = [values, writes].into_iter().flatten().collect();
        self.lost = if said.is_empty() { "not counted".to_owned() } else { said.join("; ") };
    }
}

/// What going back would meet and take, seen before anything is done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RollbackPreview {
    /// How production's schema differs from the one that the run left.
    pub drift: Vec<String>,
    /// What the inverses take and the run did not write.
    pub losses: Vec<Loss>,
    /// The run was cut off, and what of this is its own cannot be told.
    #[serde(default)]
    pub not_counted: Vec<Loss>,
    /// The inverses, tried on production as it is now, newest first.
    #[serde(default)]
    pub tried: Vec<TriedInverse>,
}

/// An inverse that was tried in a transaction that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriedInverse {
    #[serde(flatten)]
    pub key: ChangesetId,
    #[serde(flatten)]
    pub outcome: TrialOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "trial", rename_all = "snake_case")]
pub enum TrialOutcome {
    Passed,
    Failed { error: String },
    NotTried { why: Untried },
}

/// Why an inverse was not tried on production.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Untried {
    /// What the product does to a schema is in no transaction.
    NotTransactional,
    /// The changeset runs outside a transaction.
    OutsideTransaction,
    /// It runs code, which may do what no transaction takes back.
    Code,
    /// It moves rows in batches.
    Batches,
    /// It would have taken longer than services may wait, or a lock was not to be had.
    Time,
    /// An inverse before it was not tried.
    BuildsOnUntried,
}

impl fmt::Display for Untried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotTransactional => "the product takes no change of a schema back",
            Self::OutsideTransaction => "it runs outside a transaction",
            Self::Code => "it runs code",
            Self::Batches => "it moves rows in batches",
            Self::Time => {
                "services would have waited longer than the stall budget, or a lock was not to be had"
            }
            Self::BuildsOnUntried => "an inverse before it was not tried",
        })
    }
}

impl RollbackPreview {
    /// How many rows and values would be lost; `None` where some cannot be counted.
    pub fn lost_rows(&self) -> Option<u64> {
        self.losses.iter().try_fold(0_u64, |sum, loss| Some(sum.saturating_add(loss.rows?)))
    }

    /// The inverses that could not be tried, as lines for people.
    pub fn untried(&self) -> impl Iterator<Item = String> {
        self.tried.iter().filter_map(|tried| match &tried.outcome {
            TrialOutcome::NotTried { why } => {
                Some(format!("the inverse of {} was not tried on production: {why}", tried.key.id))
            }
            TrialOutcome::Passed | TrialOutcome::Failed { .. } => None,
        })
    }

    /// The inverse that fails on production as it is, and how.
    pub fn failing(&self) -> Option<(&ChangesetId, &str)> {
        self.tried.iter().find_map(|tried| match &tried.outcome {
            TrialOutcome::Failed { error } => Some((&tried.key, error.as_str())),
            TrialOutcome::Passed | TrialOutcome::NotTried { .. } => None,
        })
    }

    /// What would be lost, for people.
    pub fn losses_in_words(&self) -> String {
        let told = |losses: &[Loss]| losses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match (self.losses.is_empty(), self.not_counted.is_empty()) {
            (true, true) => "nothing".to_owned(),
            (false, true) => told(&self.losses),
            (true, false) => format!("not known of {}", told(&self.not_counted)),
            (false, false) => format!("{}; not known of {}", told(&self.losses), told(&self.not_counted)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Undone {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub seconds: f64,
    pub attempts: u32,
    pub state: UndoState,
}
