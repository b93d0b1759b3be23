//! An empty cluster, as initdb makes it, in the user's cache folder: a copy of it is there in a tenth of the time.
//!
//! Copies share the system identifier. So only clusters that live for one run are made of it, never the demo's production.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::model::hex;
use crate::product::postgres::local::tools::Tools;
use crate::user_cache;

/// Begins the names of all entries, and of the folders in which entries are made.
const PREFIX: &str = "cluster-";

/// Where the empty cluster that initdb makes with these flags is kept. `None`: nothing can be kept.
pub fn place<'a>(tools: &Tools, flags: impl Iterator<Item = &'a str>) -> Option<PathBuf> {
    let mut hash = Sha256::new();
    for file in ["initdb", "postgres"].map(|name| tools.program(name)) {
        let state = user_cache::state(&file).ok()?;
        hash.update(file.as_os_str().as_encoded_bytes());
        hash.update(format!("\0{state}\0"));
    }
    flags.for_each(|flag| hash.update(format!("{flag}\0")));
    let name: String = hex(&hash.finalize()).chars().take(16).collect();
    Some(user_cache::folder()?.join(format!("{PREFIX}{name}")))
}

/// Copies the kept cluster to where a server's data is to be. `false`: there is none, and nothing is there.
pub fn copy(tools: &Tools, place: &Path, data: &Path) -> bool {
    let copied = place.join("PG_VERSION").is_file() && copy_all(tools, place, data).is_ok();
    if !copied {
        let _ = std::fs::remove_dir_all(data);
    }
    copied
}

/// Keeps what initdb has just made. Where that cannot be, the next cluster takes longer, and that is all.
pub fn keep(tools: &Tools, data: &Path, place: &Path) {
    let Some(root) = place.parent() else { return };
    user_cache::remove_old(root, PREFIX);
    let Ok(folder) = tempfile::Builder::new().prefix(PREFIX).tempdir_in(root) else { return };
    let made = folder.path().join("data");
    // Whole under its name, or not there: another process may look at any time.
    if copy_all(tools, data, &made).is_ok() {
        let _ = std::fs::rename(&made, place);
    }
}

/// Removes what is damaged.
pub fn forget(place: &Path) {
    let _ = std::fs::remove_dir_all(place);
}

/// With what lies in it, for the server's user.
fn copy_all(tools: &Tools, from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(tools, &entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
            tools.own(&target)?;
        }
    }
    std::fs::set_permissions(to, std::fs::metadata(from)?.permissions())?;
    tools.own(to)
}
