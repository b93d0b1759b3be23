//! The one pure function that says what a run does next, from nothing but its journal.
//!
//! ```text
//! plan ─ backup ─ compat ─ clone ─ shadow ─ apply… ─ settle ─ finished
//!   └──────── failed: refused ────────┘        └─ failed or breached: undo… ─ settle back ─ rolled back
//! ```
//!
//! An act is journalled before it is done (`intended`) and after (`done`, `failed`). An intended act with no outcome is
//! what a crash leaves: stages are repeated, for they only make things of their own; what touches production is observed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::changeset::ChangesetId;
use crate::evidence::Outcome;
use crate::journal::Event;
use crate::stage::Stage;

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
pub enum What {
    Started {
        environment: String,
        actor: String,
        commit: Option<String>,
        version: String,
        inject: Option<String>,
    },
    /// Another process takes the run over.
    Resumed {
        actor: String,
        version: String,
    },
    Intended {
        action: Action,
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

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    Do(Action),
    /// Intended, and nobody knows what came of it: ask the database.
    Observe(Action),
    /// Write that the run goes back from here.
    Unwind {
        reason: String,
    },
    Finish {
        outcome: Outcome,
        reason: Option<String>,
    },
    Over(Outcome),
}

/// The state of a run as its journal tells it.
#[derive(Debug, Default)]
struct Told<'a> {
    done: Vec<(&'a Action, &'a ActOutcome)>,
    open: Option<&'a Action>,
    failed: Option<(&'a Action, &'a str, FailureKind)>,
    unwinding: bool,
    finished: Option<Outcome>,
    /// Changesets that are, or may be, on production because of this run, oldest first.
    on_production: Vec<&'a ChangesetId>,
}

fn tell(events: &[Event]) -> Told<'_> {
    let mut told = Told::default();
    for event in events {
        match &event.what {
            What::Intended { action } => {
                told.open = Some(action);
                told.failed = None;
                // A stage that is begun again makes what came of it before void; a new clone voids the shadow.
                if let Action::Stage { stage } = action {
                    told.done.retain(|(done, _)| !matches!(done, Action::Stage { stage: s } if s >= stage));
                }
            }
            What::Done { action, outcome, .. } => {
                told.open = None;
                told.done.push((action, outcome));
                match action {
                    Action::Apply { changeset, .. }
                        if *outcome == (ActOutcome::Changed { changed: true }) =>
                    {
                        told.on_production.push(changeset);
                    }
                    Action::Undo { changeset } => told.on_production.retain(|c| *c != changeset),
                    _ => {}
                }
            }
            What::Failed { action, error, kind, .. } => {
                told.open = None;
                told.failed = Some((action, error, *kind));
            }
            What::Unwinding { .. } => {
                told.unwinding = true;
                told.finished = None;
                told.failed = None;
            }
            What::Finished { outcome, .. } => told.finished = Some(*outcome),
            What::Started { .. } | What::Resumed { .. } | What::Noted { .. } => {}
        }
    }
    told
}

/// Whether an act on production was ever begun.
pub fn reached_production(events: &[Event]) -> bool {
    events.iter().any(|e| matches!(e.what, What::Intended { action: Action::Apply { .. } }))
}

/// Decides from the journal alone what the run does next.
pub fn next(events: &[Event]) -> Decision {
    let told = tell(events);
    if let Some(outcome) = told.finished {
        return Decision::Over(outcome);
    }
    if let Some(action) = told.open {
        return match action {
            // What a shadow run left of its clone is not what was restored.
            Action::Stage { stage: Stage::Shadow } => Decision::Do(Action::Stage { stage: Stage::Clone }),
            Action::Stage { .. } | Action::Settle | Action::SettleBack => Decision::Do(action.clone()),
            Action::Apply { .. } | Action::Undo { .. } => Decision::Observe(action.clone()),
        };
    }
    if told.unwinding { back(&told) } else { forward(&told) }
}

fn forward(told: &Told<'_>) -> Decision {
    if let Some((action, error, kind)) = told.failed {
        let reason = format!("{action} failed: {error}");
        return match (action, kind) {
            (_, FailureKind::Unknown) => Decision::Finish { outcome: Outcome::Stuck, reason: Some(reason) },
            (Action::Stage { .. }, _) => {
                Decision::Finish { outcome: Outcome::Refused, reason: Some(error.to_owned()) }
            }
            _ => Decision::Unwind { reason },
        };
    }
    let outcome_of = |stage: Stage| {
        told.done
            .iter()
            .rev()
            .find_map(|(a, o)| matches!(a, Action::Stage { stage: s } if *s == stage).then_some(*o))
    };
    let act = |stage: Stage| Decision::Do(Action::Stage { stage });
    match outcome_of(Stage::Plan) {
        None => return act(Stage::Plan),
        Some(ActOutcome::Pending { changesets: 0 }) => {
            return Decision::Finish { outcome: Outcome::Migrated, reason: Some("nothing to do".to_owned()) };
        }
        Some(_) => {}
    }
    if outcome_of(Stage::Backup).is_none() {
        return act(Stage::Backup);
    }
    let Some(ActOutcome::Accepted { waves, held }) = outcome_of(Stage::Compat) else {
        return act(Stage::Compat);
    };
    let end = if *held > 0 { Outcome::Held } else { Outcome::Migrated };
    if waves.iter().all(|(_, changesets)| changesets.is_empty()) {
        return Decision::Finish { outcome: end, reason: None };
    }
    for stage in [Stage::Clone, Stage::Shadow] {
        if outcome_of(stage).is_none() {
            return act(stage);
        }
    }
    for (wave, changesets) in waves {
        for changeset in changesets {
            let applied = told
                .done
                .iter()
                .any(|(a, _)| matches!(a, Action::Apply { changeset: c, .. } if c == changeset));
            if !applied {
                return Decision::Do(Action::Apply { changeset: changeset.clone(), wave: *wave });
            }
        }
    }
    if !told.done.iter().any(|(a, _)| **a == Action::Settle) {
        return Decision::Do(Action::Settle);
    }
    Decision::Finish { outcome: end, reason: None }
}

fn back(told: &Told<'_>) -> Decision {
    if let Some((action, error, _)) = told.failed {
        return Decision::Finish {
            outcome: Outcome::Stuck,
            reason: Some(format!("{action} failed: {error}")),
        };
    }
    if let Some(changeset) = told.on_production.last() {
        return Decision::Do(Action::Undo { changeset: (*changeset).clone() });
    }
    if !told.done.iter().any(|(a, _)| **a == Action::SettleBack) {
        return Decision::Do(Action::SettleBack);
    }
    Decision::Finish { outcome: Outcome::RolledBack, reason: None }
}

#[cfg(test)]
mod tests;
