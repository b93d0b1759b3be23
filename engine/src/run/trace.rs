//! What became of an act on production: the history's rows of its changeset before the act, held against those of now. That a
//! changeset is in the history says nothing: one that runs again was there before.

use std::time::Duration;

use super::session::Run;
use crate::error::{Error, Result};
use crate::model::changeset::ChangesetId;
use crate::model::event::{Action, Event, EventKind};
use crate::model::history::{self, ActTrace, HistoryBefore, HistoryRow};

const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// What the history says of a changeset that is about to be applied or undone. `None` for other acts.
///
/// # Errors
/// As Liquibase gives them.
pub(super) async fn before(run: &mut Run, action: &Action) -> Result<Option<HistoryBefore>> {
    let (Action::Apply { changeset, .. } | Action::Undo { changeset }) = action else { return Ok(None) };
    let rows = read(run, changeset).await?;
    Ok(Some(HistoryBefore { rows, deployment: run.liquibase.deployment().to_owned() }))
}

/// What became of the last apply of a changeset.
///
/// # Errors
/// As Liquibase gives them.
pub(super) async fn of_apply(run: &mut Run, changeset: &ChangesetId) -> Result<ActTrace> {
    let now = read(run, changeset).await?;
    Ok(match before_apply(run.journal.events(), changeset) {
        Some(before) => before.of_apply(&now),
        // An older version began it.
        None if now.is_empty() => ActTrace::None,
        None => ActTrace::Ours,
    })
}

/// Whether the history is as it was before the run applied the changeset.
///
/// # Errors
/// As Liquibase gives them.
pub(super) async fn is_undone(run: &mut Run, changeset: &ChangesetId) -> Result<bool> {
    let now = read(run, changeset).await?;
    Ok(history::is_same(&restored(run.journal.events(), changeset), &now))
}

/// The rows that the history had before the run applied the changeset: undoing it puts them back.
pub fn restored(events: &[Event], changeset: &ChangesetId) -> Vec<HistoryRow> {
    before_apply(events, changeset).map(|before| before.rows.clone()).unwrap_or_default()
}

/// From the last time that the run meant to apply it. A repeated act was preceded by a look that found the history as before.
fn before_apply<'e>(events: &'e [Event], changeset: &ChangesetId) -> Option<&'e HistoryBefore> {
    events
        .iter()
        .rev()
        .find_map(|event| match &event.what {
            EventKind::Intended { action: Action::Apply { changeset: applied, .. }, before, .. }
                if applied == changeset =>
            {
                Some(before.as_ref())
            }
            _ => None,
        })
        .flatten()
}

/// Reads the rows; a connection that broke with the act is given time to come back.
async fn read(run: &mut Run, changeset: &ChangesetId) -> Result<Vec<HistoryRow>> {
    let mut tries = 0;
    loop {
        match run.liquibase.recorded(changeset).await {
            Ok(rows) => return Ok(rows),
            Err(error) if tries >= TRIES => return Err(error),
            Err(_) => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The failure of an act that Liquibase calls done and its history does not show.
pub(super) fn contradiction(action: &Action) -> Error {
    Error::stuck(format!("{action}: Liquibase says that it is done, and its history does not show it")).hint(
        "compare DATABASECHANGELOG with the journal (`drydock report`); somebody else may have changed it",
    )
}
