//! The moment that is restored, where it is not that of the backup: whether the log may lead there, and what of the run was on
//! production then.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::config::Environment;
use crate::error::{Error, Result};
use crate::model::backup::{Backup, BackupMethod};
use crate::model::changeset::ChangesetId;
use crate::model::event::{Action, Event, EventKind};
use crate::model::history::OtherHistory;
use crate::model::restored_production::{MomentAsked, RestorePoint};
use crate::run::saga;

/// How the log is replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    pub point: RestorePoint,
    /// Fetches a file of the archive.
    pub fetch: String,
}

/// Settles the moment, as far as that can be done without the log.
///
/// # Errors
/// `Refused` when the log cannot lead there.
pub fn replay(
    asked: MomentAsked,
    environment: &Environment,
    (run, events): (&str, &[Event]),
    backup: &Backup,
    now: Timestamp,
) -> Result<Replay> {
    let refused = |why: String, hint: &str| {
        Err(Error::refused(format!("production cannot be restored to {asked}: {why}")).hint(hint))
    };
    let point = match asked {
        _ if backup.method == BackupMethod::Logical => {
            return refused(
                format!("the backup of run {run} is a dump, which no log leads on from"),
                "leave --to out to restore the moment of the backup; docs/configuration.md says which right a physical backup needs",
            );
        }
        MomentAsked::Time(at) if at > now => {
            return refused("it is in the future".into(), "name an earlier moment");
        }
        MomentAsked::Time(at) => match backup.moment.at {
            None => {
                return refused(
                    format!("an older Drydock took the backup of run {run}, and did not note its time"),
                    "leave --to out to restore the moment of the backup",
                );
            }
            // The log before the backup is not replayed: nothing would show that transactions of that time are missing or too many.
            Some(taken) if at < taken => {
                return refused(
                    format!("the backup of run {run} is of {taken}"),
                    "name a later moment, or a run before it; leave --to out to restore the moment of the backup",
                );
            }
            Some(_) => RestorePoint::Time { at },
        },
        MomentAsked::BeforeRollout => {
            let first = events.iter().find_map(|event| match &event.what {
                EventKind::Intended { action: Action::Apply { .. }, log, .. } => Some(log.clone()),
                _ => None,
            });
            match first {
                None => {
                    return refused(
                        format!("run {run} changed nothing on production"),
                        "name a date and time",
                    );
                }
                Some(None) => {
                    return refused(
                        format!("run {run} does not say where production's log stood before its rollout"),
                        "an older Drydock began it, or the server did not tell; name a date and time",
                    );
                }
                Some(Some(log)) => RestorePoint::BeforeRollout { log },
            }
        }
    };
    match &environment.backup.restore_command {
        Some(fetch) => Ok(Replay { point, fetch: fetch.clone() }),
        None => refused(
            format!("nothing says how the archived log of {} is fetched", environment.name),
            "set restore_command under [environments.NAME.backup] in drydock.toml: docs/configuration.md has examples",
        ),
    }
}

/// What a restored database has of the changesets of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Nothing,
    /// All that are on production by the record of the run.
    Everything,
}

/// What Liquibase's histories in the restored database have of what the run itself applied.
///
/// # Errors
/// `Refused` when that is only a part: neither could the run be said to be there, nor to be taken back.
pub fn standing((run, events): (&str, &[Event]), histories: &[OtherHistory]) -> Result<Standing> {
    let rows = || histories.iter().flat_map(|history| &history.rows);
    let mut there = BTreeSet::new();
    for event in events {
        let EventKind::Intended { action: Action::Apply { changeset, .. }, before: Some(before), .. } =
            &event.what
        else {
            continue;
        };
        // The history may have the path in another spelling.
        let is = |key: &ChangesetId| {
            (&key.id, &key.author, key.file_name())
                == (&changeset.id, &changeset.author, changeset.file_name())
        };
        if rows().any(|row| is(&row.key) && row.deployment.as_deref() == Some(&before.deployment)) {
            there.insert(changeset.clone());
        }
    }
    let recorded: BTreeSet<ChangesetId> = saga::to_undo(events).into_iter().collect();
    if there.is_empty() {
        return Ok(Standing::Nothing);
    }
    if there == recorded {
        return Ok(Standing::Everything);
    }
    let (then, now) = (there.len(), recorded.len());
    let why = format!(
        "production had {then} changesets of run {run} at that moment, and by its record it has {now}"
    );
    Err(Error::refused(format!("{why}: the record would not fit any more"))
        .hint("restore before-rollout, or a moment at which the run had not begun or was through"))
}

#[cfg(test)]
#[path = "point_tests.rs"]
mod tests;
