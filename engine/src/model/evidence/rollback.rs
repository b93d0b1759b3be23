//! Evidence of `rollback`: what was taken back, and what that lost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::changeset::{ChangesetId, UndoState};
use crate::model::data_at_risk::Loss;
use crate::model::difference::Difference;
use crate::model::evidence::BeforeAfter;

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
    /// What was looked at before it was taken back by hand. Nobody looks before a run goes back by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<RollbackPreview>,
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
        let said: Vec<String> =
            [writes.filter(|_| lost > 0 || values.is_none()), values].into_iter().flatten().collect();
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
}

impl RollbackPreview {
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
