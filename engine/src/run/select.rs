//! Which run a command means, and bringing its record to this machine.

use super::files::{journal_path, list, runs_folder};
use super::journal;
use super::saga::{self, Decision};
use super::session::RunOptions;
use super::storage::Storage;
use crate::config::Environment;
use crate::error::{Error, Result};
use crate::model::event::Event;
use crate::model::evidence::Outcome;

/// Which runs a command reads.
#[derive(Debug, Clone, Copy)]
pub enum RunSelector<'a> {
    Latest,
    /// This one and all after it.
    Since(&'a str),
    All,
}

/// Brings here what is kept in object storage, and gives that storage; `None` where the environment keeps nothing there.
///
/// # Errors
/// `Input` when the storage does not answer, `Stuck` when it tells another story than the files here.
pub async fn bring(environment: &Environment, wanted: RunSelector<'_>) -> Result<Option<Storage>> {
    let Some(storage) = Storage::of(environment)? else { return Ok(None) };
    let runs = storage.runs().await?;
    let from = match wanted {
        RunSelector::All => 0,
        RunSelector::Latest => runs.len().saturating_sub(1),
        RunSelector::Since(id) => runs.iter().position(|r| r.as_str() >= id).unwrap_or(runs.len()),
    };
    for id in runs.iter().skip(from) {
        storage.bring(id, &runs_folder(environment).join(id)).await?;
    }
    storage.bring_schema(&environment.home).await?;
    Ok(Some(storage))
}

/// The run that is meant, and `None` for a new one: the named one, the one to go back from, or the unfinished one.
pub(super) fn which(environment: &Environment, options: &RunOptions, reopen: bool) -> Result<Option<String>> {
    let runs = list(environment)?;
    let unknown = |text: String| Error::input(text).hint("`drydock history` lists them");
    let id = match (options.run.as_deref(), reopen) {
        (Some(id), _) if !runs.iter().any(|r| r == id) => {
            return Err(unknown(format!("there is no run {id}")));
        }
        (Some(id), _) => {
            // Refused before anything is started for it, where it cannot be read.
            journal::read(&journal_path(environment, id))?;
            id.to_owned()
        }
        (None, true) => {
            return going_back(environment, &runs)?
                .map(Some)
                .ok_or_else(|| unknown("there is no run to go back from".to_owned()));
        }
        (None, false) => return unfinished(environment, &runs, options.accept_drift),
    };
    if reopen {
        is_last(environment, &runs, &id)?;
    }
    Ok(Some(id))
}

/// # Errors
/// `Refused` when a later run may have changed production.
pub fn is_last(environment: &Environment, runs: &[String], id: &str) -> Result<()> {
    for later in runs.iter().filter(|run| run.as_str() > id) {
        if on_production(&journal::read(&journal_path(environment, later))?) {
            return Err(Error::refused(format!("run {later} changed production after run {id}")).hint(
                format!(
                    "take that one back first: {}",
                    environment.command(&format!("rollback --run {later}"))
                ),
            ));
        }
    }
    Ok(())
}

/// The latest run, if it is not over. One that is stuck stands in the way of a new one.
fn unfinished(environment: &Environment, runs: &[String], accept: bool) -> Result<Option<String>> {
    for id in runs.iter().rev() {
        let events = journal::read(&journal_path(environment, id))?;
        if events.is_empty() {
            continue;
        }
        return match saga::next(&events) {
            Decision::Over(Outcome::Stuck) if !accept => Err(Error::stuck(format!(
                "run {id} is stuck; no new run can begin"
            ))
            .hint(format!(
                "see `drydock status`; take it back with `{}` once the cause is gone, or go on from what is there with \
                 --accept-drift",
                environment.command("rollback")
            ))),
            Decision::Over(_) => Ok(None),
            _ => Ok(Some(id.clone())),
        };
    }
    Ok(None)
}

/// The latest run that is not over, or whose changesets may be on production; else the one taken back last.
fn going_back(environment: &Environment, runs: &[String]) -> Result<Option<String>> {
    let mut touched = None;
    for id in runs.iter().rev() {
        let events = journal::read(&journal_path(environment, id))?;
        if events.is_empty() {
            continue;
        }
        if !matches!(saga::next(&events), Decision::Over(_)) || on_production(&events) {
            return Ok(Some(id.clone()));
        }
        if touched.is_none() && saga::reached_production(&events) {
            touched = Some(id.clone());
        }
    }
    Ok(touched)
}

/// Whether changesets of this run may still be on production.
fn on_production(events: &[Event]) -> bool {
    saga::reached_production(events) && saga::next(events) != Decision::Over(Outcome::RolledBack)
}
