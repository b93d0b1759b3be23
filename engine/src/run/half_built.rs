//! An index that is built outside of a transaction, and the record that it was, are two transactions. A crash between them leaves an index
//! that the history does not know, and with which the build would fail. An index holds nothing of its own: the one that such a build has
//! left is dropped and built again, with its record. What tells that it is the build's is that it was not there before.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::files;
use super::session::Run;
use crate::error::Result;
use crate::model::changeset::{Changeset, ChangesetId};
use crate::model::event::Action;
use crate::model::evidence::Plan;

const EVIDENCE: &str = "before-build";

/// Indexes by the changesets that build them outside of a transaction.
pub type Builds = HashMap<ChangesetId, Vec<String>>;

/// What an act on production found.
#[derive(Serialize, Deserialize)]
struct BeforeBuild {
    action: Action,
    /// The indexes that it builds and that were not there.
    absent: Vec<String>,
}

/// Keeps which of the indexes that an act is about to build are not there yet.
///
/// # Errors
/// `Failed` when the database cannot be asked, or the answer not kept.
pub(super) async fn remember(run: &Run, action: &Action) -> Result<()> {
    let Some(built) = built(run, action)? else { return Ok(()) };
    let mut absent = Vec::new();
    for index in built {
        if !run.database.has_index(index).await? {
            absent.push(index.clone());
        }
    }
    run.keep(EVIDENCE, &BeforeBuild { action: action.clone(), absent }).await?;
    Ok(())
}

/// Drops what an act has built of which the history shows nothing.
///
/// # Errors
/// `Busy` when somebody builds it just now, `Failed` when it cannot be dropped.
pub(super) async fn clear(run: &Run, action: &Action) -> Result<()> {
    if built(run, action)?.is_none() {
        return Ok(());
    }
    // None: the run was begun by an older version, which did not look.
    let before = files::evidence::<BeforeBuild>(&run.folder(), EVIDENCE)?;
    for index in before.filter(|before| before.action == *action).map(|b| b.absent).unwrap_or_default() {
        if run.database.has_index(&index).await? {
            run.database.drop_index(&index).await?;
            run.watcher.note(&format!("dropped the index {index}, which the history does not show"));
        }
    }
    Ok(())
}

/// `None`: it builds no index outside of a transaction. The plan is read once: a large one takes longer to read than most acts.
fn built<'r>(run: &'r Run, action: &Action) -> Result<Option<&'r Vec<String>>> {
    let Action::Apply { changeset, .. } = action else { return Ok(None) };
    let builds = match run.builds.get() {
        Some(builds) => builds,
        None => {
            let plan: Plan = run.evidence("plan")?;
            run.builds.get_or_init(|| builds(&plan.changesets))
        }
    };
    Ok(builds.get(changeset))
}

fn builds(changesets: &[Changeset]) -> Builds {
    let mut builds = Builds::new();
    for changeset in changesets.iter().filter(|c| !c.in_transaction) {
        let built: Vec<String> = changeset.statements.iter().filter_map(|s| s.builds_index.clone()).collect();
        if !built.is_empty() {
            builds.insert(changeset.key.clone(), built);
        }
    }
    builds
}
