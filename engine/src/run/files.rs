//! Where the record of a run lies on disk.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::config::Environment;
use crate::error::{Context, Result};

/// The folder of an environment's runs.
pub fn runs_folder(environment: &Environment) -> PathBuf {
    environment.home.join("runs")
}

/// Run ids of an environment, oldest first: they begin with the time.
///
/// # Errors
/// `Failed` when the folder cannot be read.
pub fn list(environment: &Environment) -> Result<Vec<String>> {
    let folder = runs_folder(environment);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).context(format!("{} cannot be read", folder.display())),
    };
    let mut ids: Vec<String> = entries
        .flatten()
        .filter(|e| e.path().join("journal.jsonl").is_file())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    ids.sort();
    Ok(ids)
}

pub fn journal_path(environment: &Environment, run: &str) -> PathBuf {
    runs_folder(environment).join(run).join("journal.jsonl")
}

/// Evidence of a run, if that stage gave any.
///
/// # Errors
/// `Failed` when it is there and cannot be read.
pub fn evidence<T: DeserializeOwned>(run_folder: &Path, name: &str) -> Result<Option<T>> {
    let path = run_folder.join("evidence").join(format!("{name}.json"));
    match std::fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).context(format!("{} cannot be read", path.display())).map(Some)
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).context(format!("{} cannot be read", path.display())),
    }
}
