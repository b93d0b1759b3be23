//! What is looked at before anything is done, and what cannot work is refused then.
//!
//! This is no stage of the saga. It has to come before a run claims its target, which already sets something on a session. A process
//! that takes a run up needs it as much as the one that began the run. And nothing is decided later by what it found.

use std::path::Path;

use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::changeset::Changeset;
use crate::model::preflight::{Fact, Finding, ServerDisk, Weight};
use crate::product::{Database, Provider, disk};

/// How often a copy lies on this machine's disk while a run lasts: the backup before, that of the run, and the clone.
const COPIES: u64 = 3;

/// A table that is written anew is there twice for a while, and the log of it is as large.
const REWRITTEN: u64 = 2;

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
    if let (Some(bytes), Some(free)) = (size, disk::free(home)) {
        let needed = bytes.saturating_mul(COPIES);
        let disk = Finding::Disk { folder: home.display().to_string(), free, needed };
        facts.push(Fact::new(disk).remedy("free some space, or set DRYDOCK_HOME to a larger disk"));
    }
    Ok(facts)
}

/// Whether the server has the room for what changesets write anew, as far as that can be seen from here.
///
/// # Errors
/// `Failed` when the server cannot be asked.
pub async fn server_disk(
    database: &dyn Database,
    changesets: &[Changeset],
    catalog: &Catalog,
) -> Result<Option<Fact>> {
    let rewritten = changesets.iter().flat_map(|c| &c.statements).flat_map(|s| &s.rewrites);
    let size = |table: &String| catalog.tables.get(table).map_or(0, |t| t.bytes);
    // One after the other: what was there before goes when its changeset is through.
    let largest = rewritten.max_by_key(|table| size(table)).cloned();
    let needed = largest.as_ref().map_or(0, |table| size(table).saturating_mul(REWRITTEN));
    let Some(disk) = database.disk().await? else { return Ok(None) };
    let remedy = match disk {
        ServerDisk::Here { .. } => {
            "free some space there, or leave the changeset for a time when there is some"
        }
        ServerDisk::Hidden => "look there before the run: a server whose disk is full stops",
    };
    let fact = Fact::new(Finding::ServerDisk { disk, rewritten: largest, needed });
    Ok(Some(if fact.weight > Weight::Known { fact.remedy(remedy) } else { fact }))
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
    fn a_disk_that_is_full_stops_runs() {
        let full = Finding::Disk { folder: "/x".to_owned(), free: 99, needed: 300 };
        assert_eq!(full.weight(), Weight::StopsRuns);
        let tight = Finding::Disk { folder: "/x".to_owned(), free: 150, needed: 300 };
        assert_eq!(tight.weight(), Weight::Warning);
        let seen = |free| ServerDisk::Here { folder: "/data".to_owned(), free };
        for (disk, needed, weight) in [
            (seen(99), 100, Weight::Warning),
            (seen(100), 100, Weight::Known),
            (ServerDisk::Hidden, 100, Weight::Warning),
            (ServerDisk::Hidden, 0, Weight::Known),
        ] {
            let finding = Finding::ServerDisk { disk, rewritten: Some("t".to_owned()), needed };
            assert_eq!(finding.weight(), weight, "{finding}");
        }
    }
}
