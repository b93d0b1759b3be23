//! What is kept of a run in files, because its database takes no tables of ours: which they are.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::config::Environment;
use crate::error::{Context, Result};
use crate::model::kept::{Kept, KeptPlace};
use crate::run::files::runs_folder;
use crate::run::journal::write_whole;

const DESCRIPTION: &str = "kept.json";

/// Where the files of a run lie.
pub fn folder(environment: &Environment, run: &str) -> PathBuf {
    runs_folder(environment).join(run).join("kept")
}

/// The files that a run has here.
///
/// # Errors
/// `Failed` when their description cannot be read.
pub fn read(folder: &Path) -> Result<Vec<Kept>> {
    let path = folder.join(DESCRIPTION);
    let what = format!("{} cannot be read", path.display());
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).context(what),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e).context(what),
    }
}

/// Describes the files among what is kept. Nobody else may read that: it names tables and rows.
///
/// # Errors
/// `Failed` when the disk does not take it.
pub fn describe(folder: &Path, kept: &[Kept]) -> Result<()> {
    let files: Vec<&Kept> = kept.iter().filter(|kept| is_file(kept)).collect();
    if files.is_empty() {
        return Ok(());
    }
    let what = format!("{} cannot be made", folder.display());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).context(&what)?;
    write_whole(folder, DESCRIPTION, &serde_json::to_vec_pretty(&files).context(&what)?)
}

/// Removes the files of a run. What is gone already is no error.
///
/// # Errors
/// `Failed` when the disk refuses.
pub fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).context(format!("{} cannot be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

pub fn is_file(kept: &Kept) -> bool {
    matches!(kept.place, KeptPlace::File { .. })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::model::kept::example;

    #[test]
    fn files_are_described_for_their_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("run/kept");
        let kept = |place| Kept { place, ..example() };
        let file = kept(KeptPlace::File { file: "1.copy".into() });
        describe(&folder, &[kept(KeptPlace::Table { table: "t".into() })]).unwrap();
        assert_eq!(read(&folder).unwrap(), []);
        describe(&folder, &[kept(KeptPlace::Table { table: "t".into() }), file.clone()]).unwrap();
        assert_eq!(read(&folder).unwrap(), [file]);
        let mode = std::fs::metadata(folder.join(DESCRIPTION)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        remove(&folder).unwrap();
        remove(&folder).unwrap();
        assert_eq!(read(&folder).unwrap(), []);
    }
}
