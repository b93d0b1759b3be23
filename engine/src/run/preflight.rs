//! What is looked at before anything is done, and what cannot work is refused then.
//!
//! This is no stage of the saga. It has to come before a run claims its target, which already sets something on a session. A process
//! that takes a run up needs it as much as the one that began the run. And nothing is decided later by what it found.

use std::path::Path;

use crate::error::{Error, Result};
use crate::model::preflight::{Fact, Finding, Weight};
use crate::product::{Database, Provider};

/// How often a copy lies on this machine's disk while a run lasts: the backup before, that of the run, and the clone.
const COPIES: u64 = 3;

/// What copies on this machine will need, and whether `home` has the room.
///
/// # Errors
/// As the provider gives them.
pub async fn copies(database: &dyn Database, provider: &dyn Provider, home: &Path) -> Result<Vec<Fact>> {
    let mut facts = provider.preflight(database).await?;
    let size = facts.iter().find_map(|fact| match fact.finding {
        Finding::CopySize { bytes } => Some(bytes),
        _ => None,
    });
    if let (Some(bytes), Some(free)) = (size, free(home)) {
        let needed = bytes.saturating_mul(COPIES);
        let disk = Finding::Disk { folder: home.display().to_string(), free, needed };
        facts.push(Fact::new(disk).remedy("free some space, or set DRYDOCK_HOME to a larger disk"));
    }
    Ok(facts)
}

/// Bytes that are free on the disk of a folder, or of the nearest one above it that is there.
fn free(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|path| path.is_dir())?;
    let disk = nix::sys::statvfs::statvfs(there).ok()?;
    Some(disk.blocks_available().saturating_mul(disk.fragment_size()))
}

/// Stops what cannot work.
///
/// # Errors
/// `Input` with the first fact that is at least this heavy.
pub fn refuse(facts: &[Fact], weight: Weight) -> Result<()> {
    let mut fatal = facts.iter().filter(|fact| fact.weight >= weight);
    let Some(first) = fatal.next() else { return Ok(()) };
    let more = match fatal.count() {
        0 => String::new(),
        more => format!(" (and {more} more: `drydock doctor` shows them)"),
    };
    let error = Error::input(format!("{}{more}", first.finding));
    Err(match &first.remedy {
        Some(remedy) => error.hint(remedy.clone()),
        None => error,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn what_stops_runs_does_not_stop_a_look() {
        let hidden = Finding::HiddenRows {
            table: "public.orders".to_owned(),
            policies: vec!["own".to_owned()],
            user: "app".to_owned(),
        };
        let facts = [Fact::new(hidden).remedy("let app bypass it")];
        assert!(refuse(&facts, Weight::StopsAll).is_ok());
        let refused = refuse(&facts, Weight::StopsRuns).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Input);
        assert!(refused.chain().contains("public.orders from user app (policy own)"), "{}", refused.chain());
        assert_eq!(refused.hint_text(), Some("let app bypass it"));
    }

    #[test]
    fn the_room_of_a_disk_is_measured() {
        assert!(free(Path::new("/tmp/there-is-no-such-folder/at/all")).unwrap() > 0);
        let full = Finding::Disk { folder: "/x".to_owned(), free: 99, needed: 300 };
        assert_eq!(full.weight(), Weight::StopsRuns);
        let tight = Finding::Disk { folder: "/x".to_owned(), free: 150, needed: 300 };
        assert_eq!(tight.weight(), Weight::Warning);
    }
}
