//! What going back would do, before anything is done: who has changed production since, and what the inverses would take that the
//! run did not write.

use crate::error::{Error, Result};
use crate::model::changeset::{ApplyState, ChangesetId, Statement};
use crate::model::data_at_risk::{ChangesetAtRisk, Loss, written_since};
use crate::model::evidence::{Outcome, Plan, RollbackPreview, Rollout, Shadow};
use crate::run::saga::{self, Decision};
use crate::run::{Run, files};

/// Evidence of what the run itself had written when it ended.
const AT_END: &str = "data-at-risk";
const PREVIEW: &str = "rollback-preview";

/// Keeps what of the run's own is in the rows that its inverses would take, so that a later look can tell it from what services
/// write. Where the run moved no rows there is none.
///
/// # Errors
/// `Failed` when it cannot be counted or kept.
pub async fn remember_own(run: &Run) -> Result<()> {
    let plan: Plan = run.evidence("plan")?;
    let to_undo = saga::to_undo(run.journal.events());
    let moved = |key: &ChangesetId| {
        let planned = plan.changesets.iter().find(|c| c.key == *key);
        planned.is_some_and(|c| c.statements.iter().any(|s| s.moves_rows()))
    };
    if to_undo.iter().any(moved) {
        let own = data_at_risk(run, &plan, &to_undo).await?;
        run.keep(AT_END, &own).await?;
    }
    Ok(())
}

/// Looks at production as it is now. Nothing is changed.
///
/// # Errors
/// As the database gives them.
pub async fn look(run: &Run) -> Result<RollbackPreview> {
    let over = matches!(run.decision(), Decision::Over(Outcome::Migrated | Outcome::Held));
    let mut preview = RollbackPreview::default();
    if !saga::reached_production(run.journal.events()) {
        return Ok(preview);
    }
    // In the middle of a rollout there is no schema to hold production against.
    if over && let Some(shadow) = files::evidence::<Shadow>(&run.folder(), "shadow")? {
        let now = run.database.schema_fingerprint().await?;
        preview.drift = shadow.schema_after.differences(&now, usize::MAX);
    }
    let plan: Plan = run.evidence("plan")?;
    let to_undo = saga::to_undo(run.journal.events());
    run.watcher.progress("counting what going back would take", None);
    let now = data_at_risk(run, &plan, &to_undo).await?;
    let own: Option<Vec<ChangesetAtRisk>> = files::evidence(&run.folder(), AT_END)?;
    let losses = written_since(&own.unwrap_or_default(), &now);
    // Until the run has ended, nobody knows how many of the rows that it moves are its own.
    let moved: Vec<&str> =
        plan.changesets.iter().flat_map(|c| &c.statements).flat_map(Statement::moved_tables).collect();
    let is_mixed = |loss: &Loss| !over && loss.taken.table().is_none_or(|table| moved.contains(&table));
    (preview.not_counted, preview.losses) = losses.into_iter().partition(is_mixed);
    run.keep(PREVIEW, &preview).await?;
    Ok(preview)
}

/// What was seen before this run was taken back by hand, if it was.
///
/// # Errors
/// `Failed` when it cannot be read.
pub fn seen(run: &Run) -> Result<Option<RollbackPreview>> {
    files::evidence(&run.folder(), PREVIEW)
}

/// Refuses to go back over what others have changed.
///
/// # Errors
/// `Refused`, with the first differences.
pub fn refuse_drift(preview: &RollbackPreview) -> Result<()> {
    if preview.drift.is_empty() {
        return Ok(());
    }
    let first: Vec<&str> = preview.drift.iter().take(10).map(String::as_str).collect();
    Err(Error::refused(format!("production is not as the run left it: {}", first.join("; ")))
        .hint("nothing was changed; take back what came later first, or go back all the same with `drydock rollback --accept-drift`"))
}

/// Refuses to take what the run did not write.
///
/// # Errors
/// `Refused`, with all of it.
pub fn refuse_loss(preview: &RollbackPreview) -> Result<()> {
    if preview.losses.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!("going back would take {}", preview.losses_in_words()))
        .hint("nothing was changed; go back all the same with `drydock rollback --accept-loss`"))
}

/// What the inverses of these changesets, newest first, would take now.
async fn data_at_risk(run: &Run, plan: &Plan, to_undo: &[ChangesetId]) -> Result<Vec<ChangesetAtRisk>> {
    let rollout = files::evidence::<Rollout>(&run.folder(), "rollout")?;
    let ran = |key: &ChangesetId| {
        let applied = rollout.iter().flat_map(|r| &r.changesets).rfind(|applied| applied.key == *key);
        // Only its record is taken away again.
        applied.is_none_or(|applied| applied.state != ApplyState::MarkedRan)
    };
    let changesets: Vec<_> = to_undo
        .iter()
        .filter(|key| ran(key))
        .filter_map(|key| plan.changesets.iter().find(|c| c.key == *key))
        .collect();
    let statements: Vec<_> = changesets.iter().flat_map(|c| &c.inverse).collect();
    let limit = run.environment.limits.statement();
    let mut risks = run.database.data_at_risk(&statements, limit).await?.into_iter();
    Ok(changesets
        .iter()
        .map(|c| ChangesetAtRisk {
            key: c.key.clone(),
            risks: risks.by_ref().take(c.inverse.len()).flatten().collect(),
        })
        .collect())
}
