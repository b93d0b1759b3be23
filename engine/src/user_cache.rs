//! The user's cache folder: what takes a while to make, is the same for all environments and can be made anew at any time.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The folder, if nobody else can write there, since what lies there is run. It is made if it is not there.
pub fn folder() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    let folder = etcetera::choose_base_strategy().ok()?.cache_dir().join("drydock");
    is_private(&folder).then_some(folder)
}

fn is_private(folder: &Path) -> bool {
    let us = nix::unistd::geteuid().as_raw();
    // Root with another user's environment must not leave folders in that user's home.
    let home = folder.ancestors().find_map(|a| std::fs::metadata(a).ok());
    if home.is_none_or(|home| home.uid() != us) {
        return false;
    }
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let meta = std::fs::symlink_metadata(folder);
    made.is_ok() && meta.is_ok_and(|m| m.is_dir() && m.uid() == us && m.mode() & 0o022 == 0)
}

/// Tells one state of a file from another, without reading it.
///
/// # Errors
/// When there is no such file.
pub fn state(file: &Path) -> std::io::Result<String> {
    let meta = std::fs::metadata(file)?;
    Ok(format!("{} {} {}", meta.len(), meta.mtime(), meta.mtime_nsec()))
}

/// Removes entries with this prefix that were made over a month ago, for another version of what they were made by, and what killed
/// processes left. One that is still used is made anew.
pub fn remove_old(root: &Path, prefix: &str) {
    let month = Duration::from_secs(30 * 24 * 3600);
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(prefix);
        let made = entry.metadata().and_then(|m| m.modified()).ok();
        if ours && made.and_then(|m| m.elapsed().ok()).is_some_and(|age| age > month) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_that_others_can_write_to_is_no_cache() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("new/cache");
        assert!(is_private(&cache));
        assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
        for (mode, private) in [(0o755, true), (0o775, false), (0o777, false), (0o700, true)] {
            std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_private(&cache), private, "{mode:o}");
        }
        // A link may lead anywhere.
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&cache, &link).unwrap();
        assert!(!is_private(&link));
    }

    #[test]
    fn only_entries_that_were_not_made_lately_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let age = |name: &str, days: u64| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            let then = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 24 * 3600);
            std::fs::File::open(&path).unwrap().set_modified(then).unwrap();
            path
        };
        let (old, new, foreign) = (age("driver-old", 40), age("driver-new", 20), age("something", 40));
        remove_old(folder.path(), "driver-");
        assert!(!old.exists() && new.exists() && foreign.exists());
    }
}
