//! The record of a run as a folder: what one stage hands to the next where they have no disk in common.
//!
//! ```text
//! FOLDER/RUN/journal.jsonl
//! FOLDER/RUN/evidence/plan.json
//! ```

use std::path::Path;

use crate::config::Environment;
use crate::error::{Context, Error, Result};
use crate::run::files::{journal_path, runs_folder};
use crate::run::journal;
use crate::run::record;

/// Writes the record of a run into a folder, in place of an earlier copy there.
///
/// # Errors
/// `Input` when there is no such run, `Failed` when it cannot be copied.
pub fn give(environment: &Environment, run: &str, folder: &Path) -> Result<()> {
    let from = runs_folder(environment).join(run);
    let path = journal_path(environment, run);
    if !path.is_file() {
        return Err(Error::input(format!("there is no run {run}")).hint("`drydock history` lists them"));
    }
    let to = folder.join(run);
    copy(&from.join("evidence"), &to.join("evidence"))?;
    let bytes = std::fs::read(&path).context(format!("the journal {} cannot be read", path.display()))?;
    journal::write_whole(&to, "journal.jsonl", &bytes)
}

/// Takes the record of a run out of a folder that `give` wrote, and gives the run's id. What is known here already and goes
/// further stays.
///
/// # Errors
/// `Input` when the folder does not hold one run of this environment, `Stuck` when it was changed or tells another story.
pub fn take(environment: &Environment, folder: &Path) -> Result<String> {
    let hint = "give the folder that `drydock evidence` wrote";
    let runs: Vec<String> = journal::names(folder)?
        .into_iter()
        .filter(|name| folder.join(name).join("journal.jsonl").is_file())
        .collect();
    let [run] = runs.as_slice() else {
        let found = if runs.is_empty() { "no run".to_owned() } else { runs.join(", ") };
        return Err(Error::input(format!("{} holds {found}, not one run", folder.display())).hint(hint));
    };
    let from = folder.join(run);
    let events = record::intact(&from, run)?;
    match events.first().map(|e| &e.what) {
        Some(crate::model::event::EventKind::Started { environment: of, .. }) if *of == environment.name => {}
        Some(crate::model::event::EventKind::Started { environment: of, .. }) => {
            return Err(Error::input(format!("run {run} is one of environment \"{of}\"")).hint(hint));
        }
        _ => return Err(Error::input(format!("run {run} has no beginning")).hint(hint)),
    }
    let path = journal_path(environment, run);
    let known = if path.is_file() { journal::read(&path)?.len() } else { 0 };
    if known < events.len() {
        copy(&from.join("evidence"), &runs_folder(environment).join(run).join("evidence"))?;
    }
    // The journal last: it names the evidence.
    journal::catch_up(&path, &events)?;
    Ok(run.clone())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for name in journal::names(from)? {
        let path = from.join(&name);
        let bytes = std::fs::read(&path).context(format!("{} cannot be read", path.display()))?;
        journal::write_whole(to, &name, &bytes)?;
    }
    Ok(())
}
