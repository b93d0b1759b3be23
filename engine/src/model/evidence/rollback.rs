//! Evidence of `rollback`: what was taken back, and what that lost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::changeset::{ChangesetId, UndoState};
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
    /// Acknowledged writes that are not there any more.
    #[serde(default)]
    pub lost_writes: u64,
    /// The same for people.
    pub lost: String,
}

impl Rollback {
    /// Sets how many acknowledged writes were lost, as a number and in words.
    pub fn set_lost_writes(&mut self, writes: u64) {
        self.lost_writes = writes;
        self.lost = Self::in_words(writes);
    }

    /// What was lost, for people.
    pub fn in_words(writes: u64) -> String {
        if writes == 0 { "nothing".to_owned() } else { format!("{writes} acknowledged writes") }
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
