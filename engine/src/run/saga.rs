//! The one pure function that says what a run does next, from nothing but its journal.
//!
//! ```text
//! plan ─ backup ─ compat ─ clone ─ shadow ─ apply… ─ settle ─ finished
//!   └──────── failed: refused ────────┘        └─ failed or breached: undo… ─ settle back ─ rolled back
//! ```
//!
//! An act is journalled before it is done (`intended`) and after (`done`, `failed`). An intended act with no outcome is
//! what a crash leaves: stages are repeated, for they only make things of their own; what touches production is observed.

use crate::model::changeset::ChangesetId;
use crate::model::event::{ActOutcome, Action, Event, EventKind, FailureKind};
use crate::model::evidence::Outcome;
use crate::model::stage::Stage;

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
struct RunState<'a> {
    done: Vec<(&'a Action, &'a ActOutcome)>,
    open: Option<&'a Action>,
    failed: Option<(&'a Action, &'a str, FailureKind)>,
    unwinding: bool,
    finished: Option<Outcome>,
    /// Changesets that are on production because of this run, whole or in part, oldest first.
    on_production: Vec<&'a ChangesetId>,
    /// Those of them whose rows were moved in batches, and that have not gone through.
    in_part: Vec<&'a ChangesetId>,
}

fn replay(events: &[Event]) -> RunState<'_> {
    let mut state = RunState::default();
    for event in events {
        match &event.what {
            EventKind::Intended { action, .. } => {
                state.open = Some(action);
                state.failed = None;
                // A stage that is begun again makes what came of it before void; a new clone voids the shadow.
                if let Action::Stage { stage } = action {
                    state.done.retain(|(done, _)| !matches!(done, Action::Stage { stage: s } if s >= stage));
                }
            }
            EventKind::Done { action, outcome, .. } => {
                state.open = None;
                state.done.push((action, outcome));
                if let Action::Apply { changeset, .. } | Action::Undo { changeset } = action {
                    state.in_part.retain(|c| *c != changeset);
                    state.on_production.retain(|c| *c != changeset);
                }
                if let Action::Apply { changeset, .. } = action
                    && *outcome == (ActOutcome::Changed { changed: true })
                {
                    state.on_production.push(changeset);
                }
            }
            EventKind::Failed { action, error, kind, .. } => {
                state.open = None;
                state.failed = Some((action, error, *kind));
            }
            EventKind::Moving { changeset } => {
                for all in [&mut state.in_part, &mut state.on_production] {
                    all.retain(|c| *c != changeset);
                    all.push(changeset);
                }
            }
            EventKind::Unwinding { .. } => {
                state.unwinding = true;
                state.finished = None;
                state.failed = None;
            }
            EventKind::Finished { outcome, .. } => state.finished = Some(*outcome),
            EventKind::Started { .. } | EventKind::Resumed { .. } | EventKind::Noted { .. } => {}
        }
    }
    state
}

/// Whether an act on production was ever begun.
pub fn reached_production(events: &[Event]) -> bool {
    events.iter().any(|e| matches!(e.what, EventKind::Intended { action: Action::Apply { .. }, .. }))
}

/// Whether rows of a changeset were moved in batches, and the changeset did not go through.
pub fn is_in_part(events: &[Event], changeset: &ChangesetId) -> bool {
    replay(events).in_part.contains(&changeset)
}

/// Whether a changeset is on production because of this run, whole or in part.
pub fn is_on_production(events: &[Event], changeset: &ChangesetId) -> bool {
    replay(events).on_production.contains(&changeset)
}

/// The changesets that are on production because of this run, whole or in part, newest first.
pub fn to_undo(events: &[Event]) -> Vec<ChangesetId> {
    replay(events).on_production.into_iter().rev().cloned().collect()
}

/// Whether a step back was ever done.
pub fn has_gone_back(events: &[Event]) -> bool {
    events.iter().any(|e| matches!(e.what, EventKind::Done { action: Action::Undo { .. }, .. }))
}

/// Whether the run goes back.
pub fn is_unwinding(events: &[Event]) -> bool {
    replay(events).unwinding
}

/// Decides from the journal alone what the run does next.
pub fn next(events: &[Event]) -> Decision {
    let state = replay(events);
    if let Some(outcome) = state.finished {
        return Decision::Over(outcome);
    }
    if let Some(action) = state.open {
        return match action {
            // What a shadow run left of its clone is not what was restored.
            Action::Stage { stage: Stage::Shadow } => Decision::Do(Action::Stage { stage: Stage::Clone }),
            Action::Stage { .. } | Action::Settle | Action::SettleBack => Decision::Do(action.clone()),
            Action::Apply { .. } | Action::Undo { .. } => Decision::Observe(action.clone()),
        };
    }
    if state.unwinding { back(&state) } else { forward(&state) }
}

fn forward(state: &RunState<'_>) -> Decision {
    if let Some((action, error, kind)) = state.failed {
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
        state
            .done
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
            let applied = state
                .done
                .iter()
                .any(|(a, _)| matches!(a, Action::Apply { changeset: c, .. } if c == changeset));
            if !applied {
                return Decision::Do(Action::Apply { changeset: changeset.clone(), wave: *wave });
            }
        }
    }
    if !state.done.iter().any(|(a, _)| **a == Action::Settle) {
        return Decision::Do(Action::Settle);
    }
    Decision::Finish { outcome: end, reason: None }
}

fn back(state: &RunState<'_>) -> Decision {
    // An apply that was cut off and is not done after all is no failure of the way back.
    if let Some((action, error, _)) = state.failed.filter(|(_, _, kind)| *kind != FailureKind::Crashed) {
        return Decision::Finish {
            outcome: Outcome::Stuck,
            reason: Some(format!("{action} failed: {error}")),
        };
    }
    if let Some(changeset) = state.on_production.last() {
        return Decision::Do(Action::Undo { changeset: (*changeset).clone() });
    }
    if !state.done.iter().any(|(a, _)| **a == Action::SettleBack) {
        return Decision::Do(Action::SettleBack);
    }
    Decision::Finish { outcome: Outcome::RolledBack, reason: None }
}

#[cfg(test)]
mod tests;
