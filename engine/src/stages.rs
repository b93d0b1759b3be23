//! One room a stage, and what several of them share.

pub mod backup;
pub mod changeset_runner;
pub mod clone;
pub mod compat;
pub mod contract_queries;
pub mod differences;
pub mod plan;
pub mod product_limits;
pub mod rollback;
pub mod rollout;
mod sessions;
pub mod shadow;
pub mod suppressions;
mod view_lineage;

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::model::changeset::{Changeset, ChangesetId};
use crate::model::evidence::{Applied, Plan, SkippedQuery, Undone};
use crate::model::stage::Stage;
use crate::run::Run;
use crate::run::drive::{StageDone, StageWork};

/// All stages, and what of them is in flight.
#[derive(Default)]
pub struct Stages {
    live: Option<rollout::Live>,
}

#[async_trait(?Send)]
impl StageWork for Stages {
    async fn prepare(&mut self, run: &mut Run, stage: Stage) -> Result<StageDone> {
        match stage {
            Stage::Plan => plan::stage(run).await,
            Stage::Backup => backup::stage(run).await,
            Stage::Compat => compat::stage(run).await,
            Stage::Clone => clone::stage(run).await,
            Stage::Shadow => shadow::stage(run).await,
            Stage::Rollout | Stage::Rollback => {
                Err(Error::failed(format!("{stage} cannot be run as one step")))
            }
        }
    }

    async fn apply(&mut self, run: &mut Run, changeset: &ChangesetId, wave: u32) -> Result<Applied> {
        rollout::apply(run, &mut self.live, changeset, wave).await
    }

    async fn after_wave(
        &mut self,
        run: &mut Run,
        changeset: &ChangesetId,
        wave: u32,
    ) -> Result<Option<String>> {
        rollout::after_wave(run, &mut self.live, changeset, wave).await
    }

    async fn settle(&mut self, run: &mut Run) -> Result<String> {
        rollout::settle(run, &mut self.live).await
    }

    async fn undo(&mut self, run: &mut Run, changeset: &ChangesetId) -> Result<Undone> {
        rollback::undo(run, self.live.as_ref(), changeset).await
    }

    async fn settle_back(&mut self, run: &mut Run) -> Result<String> {
        rollback::settle(run, self.live.take()).await
    }

    async fn close(&mut self, run: &mut Run) {
        rollout::close(run, self.live.take()).await;
    }
}

/// The changeset of the plan with this identity.
///
/// # Errors
/// `Failed` when the plan does not have it.
pub fn planned(plan: &Plan, key: &ChangesetId) -> Result<Changeset> {
    plan.changesets
        .iter()
        .find(|c| c.key == *key)
        .cloned()
        .ok_or_else(|| Error::failed(format!("{key} is not in the plan of this run")))
}

/// Queries that are no part of the traffic are said: nobody should believe them covered by it.
///
/// # Errors
/// `Failed` when the journal cannot be written.
pub async fn tell_skipped(run: &mut Run, skipped: &[SkippedQuery]) -> Result<()> {
    for query in skipped {
        let text = format!("left out of the traffic because it fails now: {query}");
        run.watcher.note(&text);
        run.note(text, None).await?;
    }
    Ok(())
}
