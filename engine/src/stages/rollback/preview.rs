//! What going back would do, before anything is done: who has changed production since, which inverses fail on it now, and what they
//! would take that the run did not write.

use super::trial;
use crate::error::{Error, ErrorKind, Result};
use crate::model::changeset::{ApplyState, Changeset, ChangesetId, Statement};
use crate::model::data_at_risk::{AtRisk, ChangesetAtRisk, Loss, written_since};
use crate::model::evidence::{Outcome, Plan, RollbackPreview, Rollout, Shadow};
use crate::model::schema_action::SchemaAction;
use crate::run::saga::{self, Decision};
use crate::run::{Run, files};

/// Evidence of what the run itself has written.
const OWN: &str = "data-at-risk";
const PREVIEW: &str = "rollback-preview";

/// Keeps what a changeset has just written of the rows that the run's inverses would take, so that a later look can tell it from
/// what services write. Where it moves no rows there is nothing to keep.
///
/// # Errors
/// `Failed` when it cannot be counted or kept.
pub async fn remember_own(run: &Run, applied: &Changeset) -> Result<()> {
    if !writes_rows(applied) {
        return Ok(());
    }
    let plan: Plan = run.evidence("plan")?;
    let mut to_undo = saga::to_undo(run.journal.events());
    to_undo.retain(|key| *key != applied.key);
    to_undo.insert(0, applied.key.clone());
    let earlier: Vec<ChangesetAtRisk> = files::evidence(&run.folder(), OWN)?.unwrap_or_default();
    let moved: Vec<&str> = applied.statements.iter().flat_map(written_tables).collect();
    let code = applied.statements.iter().any(|s| s.actions.contains(&SchemaAction::RunsCode));
    let mut own = data_at_risk(run, &plan, &to_undo).await?;
    for changeset in &mut own {
        let known = earlier.iter().find(|c| c.key == changeset.key).map_or(&[][..], |c| &c.risks);
        // What this changeset did not write keeps what was known of it.
        let is_its = |risk: &AtRisk| code || risk.taken.table().is_none_or(|table| moved.contains(&table));
        changeset.risks.retain(is_its);
        changeset.risks.extend(known.iter().filter(|risk| !is_its(risk)).cloned());
    }
    run.keep(OWN, &own).await.map(drop)
}

/// A table may come with rows: `CREATE TABLE … AS`.
fn writes_rows(changeset: &Changeset) -> bool {
    changeset.statements.iter().any(|s| s.moves_rows() || s.created_tables().next().is_some())
}

fn written_tables(statement: &Statement) -> impl Iterator<Item = &str> {
    statement.moved_tables().chain(statement.created_tables())
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
    let own: Vec<ChangesetAtRisk> = files::evidence(&run.folder(), OWN)?.unwrap_or_default();
    let losses = written_since(&own, &now);
    // Of a changeset that was cut off nobody knows how many of the rows that it moves are its own.
    let cut_off = plan.changesets.iter().filter(|c| {
        to_undo.contains(&c.key) && writes_rows(c) && !own.iter().any(|known| known.key == c.key)
    });
    let moved: Vec<&str> = cut_off.flat_map(|c| &c.statements).flat_map(written_tables).collect();
    let is_mixed = |loss: &Loss| !over && loss.taken.table().is_none_or(|table| moved.contains(&table));
    (preview.not_counted, preview.losses) = losses.into_iter().partition(is_mixed);
    preview.tried = trial::of_inverses(run, &undone(run, &plan, &to_undo)?).await;
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

/// Refuses to begin what cannot be finished.
///
/// # Errors
/// `Refused`, with the inverse that fails.
pub fn refuse_failing(preview: &RollbackPreview) -> Result<()> {
    match preview.failing() {
        Some((key, error)) => {
            Err(fails(key, error).hint("nothing was changed; mend what is in its way first"))
        }
        None => Ok(()),
    }
}

fn fails(key: &ChangesetId, error: &str) -> Error {
    Error::refused(format!("the inverse of {key} fails on production as it is now: {error}"))
}

/// Looks before a run goes back by itself.
///
/// # Errors
/// `Stuck` when an inverse fails, or they would take more than `may_lose` of what others have written.
pub async fn look_unasked(run: &Run) -> Result<RollbackPreview> {
    let preview = look(run).await?;
    if let Some((key, error)) = preview.failing() {
        return Err(fails(key, error)
            .kind(ErrorKind::Stuck)
            .hint("nothing was taken back; mend what is in its way, then `drydock rollback`"));
    }
    let may_lose = run.environment.gates.may_lose;
    if !preview.losses.is_empty() && preview.lost_rows().is_none_or(|rows| rows > may_lose) {
        return Err(Error::stuck(format!(
            "going back would take {}, and [gates] may_lose = {may_lose} allows no more",
            preview.losses_in_words()
        ))
        .hint(
            "nothing was taken back; decide: `drydock rollback --accept-loss` goes back all the same, or keep the change and mend it \
             with a new changeset",
        ));
    }
    Ok(preview)
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
    let changesets = undone(run, plan, to_undo)?;
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

/// The changesets whose inverses will run, newest first.
fn undone<'a>(run: &Run, plan: &'a Plan, to_undo: &[ChangesetId]) -> Result<Vec<&'a Changeset>> {
    let rollout = files::evidence::<Rollout>(&run.folder(), "rollout")?;
    let ran = |key: &ChangesetId| {
        let applied = rollout.iter().flat_map(|r| &r.changesets).rfind(|applied| applied.key == *key);
        // Only its record is taken away again.
        applied.is_none_or(|applied| applied.state != ApplyState::MarkedRan)
    };
    let planned = |key: &ChangesetId| plan.changesets.iter().find(|c| c.key == *key);
    Ok(to_undo.iter().filter(|key| ran(key)).filter_map(planned).collect())
}
