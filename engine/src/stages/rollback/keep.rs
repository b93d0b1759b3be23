//! Keeps aside what inverses take and others have written, before the first of them runs.
//!
//! Everything is copied before the first inverse, while services write. What they write until an inverse runs is fetched twice: once
//! right before the inverse, and, where that was quick enough for the stall budget, once more at the beginning of the inverse's own
//! transaction. Only then is a copy complete; else it is as of the moment that its evidence names.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::error::{Error, Result};
use crate::model::changeset::{Changeset, ChangesetId, Statement};
use crate::model::data_at_risk::{Loss, Taken};
use crate::model::event::{Action, Event, EventKind};
use crate::model::evidence::{Plan, RollbackPreview};
use crate::model::kept::{Keeping, NotKept, WhyNotKept};
use crate::model::schema_action::SchemaAction;
use crate::product::{Keep, KeepOptions, ToKeep};
use crate::run::{Run, files, kept_files};
use crate::stages::changeset_runner;

/// Evidence of what is kept.
const KEPT: &str = "kept";

/// Copies whatever inverses take that has a loss on it. `begun`: whether an inverse of this run was begun before, and may have taken a
/// part of it already.
///
/// # Errors
/// `Failed` when evidence cannot be kept. What cannot be copied is in the evidence.
pub async fn aside(run: &Run, preview: &RollbackPreview, begun: bool) -> Result<Keeping> {
    let losses: Vec<&Loss> = preview.losses.iter().chain(&preview.not_counted).collect();
    if losses.is_empty() {
        return Ok(Keeping::default());
    }
    let plan: Plan = run.evidence("plan")?;
    let mut keeping = Keeping::default();
    let not_kept = |loss: &Loss, why| NotKept { loss: loss.clone(), why };
    let days = run.environment.rollback.keep_days;
    if days == 0 {
        keeping.not_kept = losses.into_iter().map(|loss| not_kept(loss, WhyNotKept::Settings)).collect();
        return save(run, keeping).await;
    }
    let Some(keep) = run.database.keep() else {
        keeping.not_kept = losses.into_iter().map(|loss| not_kept(loss, WhyNotKept::Product)).collect();
        return save(run, keeping).await;
    };
    run.watcher.progress("keeping aside what going back would take", None);
    let folder = kept_files::folder(&run.environment, &run.id);
    let window = SignedDuration::from_hours(24).saturating_mul(i32::try_from(days).unwrap_or(i32::MAX));
    let until = Timestamp::now().checked_add(window).unwrap_or(Timestamp::MAX);
    let options = options(run, &folder, until, Duration::ZERO);
    let forward: Vec<&Statement> =
        plan.changesets.iter().flat_map(|changeset| &changeset.statements).collect();
    let mut known = keep.kept(Some(&run.id)).await?;
    known.extend(kept_files::read(&folder)?);
    for loss in losses {
        if matches!(loss.taken, Taken::Unknown { .. }) {
            keeping.not_kept.push(not_kept(loss, WhyNotKept::Unknown));
            continue;
        }
        for thing in things(run, &plan, &forward, keep, loss).await? {
            // Two statements that take the same are two losses.
            if keeping.kept.iter().any(|kept| kept.is_of(thing.key, thing.number, thing.taken)) {
                continue;
            }
            let earlier = known.iter().find(|kept| kept.is_of(thing.key, thing.number, thing.taken));
            let kept = match earlier {
                Some(kept) if begun => Ok(kept.clone()),
                Some(kept) => keep.renew(thing, kept, options).await.map(|renewed| renewed.kept),
                None => keep.keep(thing, options).await,
            };
            match kept {
                Ok(kept) => keeping.kept.push(kept),
                Err(error) => {
                    keeping.not_kept.push(not_kept(loss, WhyNotKept::Failed { error: error.chain() }));
                }
            }
        }
    }
    kept_files::describe(&folder, &keeping.kept)?;
    save(run, keeping).await
}

/// Refuses to take what could not be kept.
///
/// # Errors
/// `Refused`, with the first that could not.
pub fn refuse_failed(keeping: &Keeping) -> Result<()> {
    let failed = keeping.not_kept.iter().find(|not_kept| matches!(not_kept.why, WhyNotKept::Failed { .. }));
    match failed {
        Some(failed) => Err(Error::refused(format!("what going back takes cannot be kept aside: {failed}")).hint(
            "nothing was changed; mend that first, or go back without keeping anything: [rollback] keep_days = 0",
        )),
        None => Ok(()),
    }
}

/// What is known to be kept of this run.
///
/// # Errors
/// `Failed` when it cannot be read.
pub fn known(run: &Run) -> Result<Keeping> {
    files::evidence(&run.folder(), KEPT).map(Option::unwrap_or_default)
}

/// Brings the copies of what an inverse takes up to date, right before it runs. Gives the statements that do it again at the
/// beginning of its transaction.
///
/// # Errors
/// `Failed` when evidence cannot be kept. A copy that cannot be brought up to date stays as it is, and that is noted.
pub async fn before(run: &mut Run, plan: &Plan, changeset: &Changeset) -> Result<Vec<String>> {
    let mut keeping = known(run)?;
    if !keeping.kept.iter().any(|kept| kept.key == changeset.key) {
        return Ok(Vec::new());
    }
    let transactional = run.database.product().capabilities().transactional_ddl;
    let is_atomic =
        transactional && changeset.in_transaction && !changeset_runner::moves_in_batches(&changeset.inverse);
    if !is_atomic && inverses_begun(run.journal.events(), Some(&changeset.key)) > 1 {
        return Ok(Vec::new());
    }
    let (mut within, mut notes) = (Vec::new(), Vec::new());
    let folder = kept_files::folder(&run.environment, &run.id);
    let written = written_by_inverses(plan, run.journal.events());
    let forward: Vec<&Statement> =
        plan.changesets.iter().flat_map(|changeset| &changeset.statements).collect();
    // The inverse needs the other half of what services may wait.
    let mut wait = run.environment.limits.stall() / 2;
    if let Some(keep) = run.database.keep() {
        for kept in keeping.kept.iter_mut().filter(|kept| kept.key == changeset.key) {
            // What our own inverses have written since is nothing to keep.
            if kept.taken.table().is_none_or(|table| written.touches(table)) {
                continue;
            }
            let number = kept.statement;
            let place = usize::try_from(number).unwrap_or(usize::MAX);
            let Some(statement) = changeset.inverse.get(place) else { continue };
            let (key, taken) = (kept.key.clone(), kept.taken.clone());
            let thing =
                ToKeep { run: &run.id, key: &key, number, statement, taken: &taken, forward: &forward };
            match keep.renew(thing, kept, options(run, &folder, kept.until, wait)).await {
                Ok(renewed) => {
                    *kept = renewed.kept;
                    wait = wait.saturating_sub(renewed.took);
                    within.extend(renewed.within);
                }
                Err(error) => {
                    notes.push(format!("{kept} stay kept as of {}: {}", kept.as_of, error.chain()));
                }
            }
        }
    }
    for note in notes {
        run.watcher.note(&note);
        run.note(note, None).await?;
    }
    kept_files::describe(&folder, &keeping.kept)?;
    save(run, keeping).await?;
    // Without a limit on its wait for locks, an inverse must not take them earlier than it has to.
    let is_limited = !changeset.inverse.iter().any(|statement| statement.waits_without_blocking);
    Ok(if is_atomic && is_limited { within } else { Vec::new() })
}

/// What is kept now that an inverse has run.
///
/// # Errors
/// `Failed` when it cannot be read or its evidence not be kept.
pub async fn after(run: &Run, key: &ChangesetId) -> Result<Keeping> {
    let mut keeping = known(run)?;
    let Some(keep) = run.database.keep() else { return Ok(keeping) };
    if !keeping.kept.iter().any(|kept| kept.key == *key) {
        return Ok(keeping);
    }
    let now = keep.kept(Some(&run.id)).await?;
    for kept in &mut keeping.kept {
        if let Some(now) = now.iter().find(|now| now.place == kept.place) {
            *kept = now.clone();
        }
    }
    save(run, keeping).await
}

async fn save(run: &Run, keeping: Keeping) -> Result<Keeping> {
    run.keep(KEPT, &keeping).await?;
    Ok(keeping)
}

fn options<'a>(run: &Run, folder: &'a Path, until: Timestamp, wait: Duration) -> KeepOptions<'a> {
    KeepOptions { folder, until, statement: run.environment.limits.statement(), wait }
}

/// The statements of an inverse that take what is lost.
///
/// # Errors
/// `Failed` when the database cannot be asked.
async fn things<'a>(
    run: &'a Run,
    plan: &'a Plan,
    forward: &'a [&'a Statement],
    keep: &dyn Keep,
    loss: &'a Loss,
) -> Result<Vec<ToKeep<'a>>> {
    let changeset = plan.changesets.iter().find(|changeset| changeset.key == loss.key);
    let mut all = Vec::new();
    for (number, statement) in (0_u32..).zip(changeset.into_iter().flat_map(|changeset| &changeset.inverse)) {
        if keep.takes(statement).await?.contains(&loss.taken) {
            let (run, key, taken) = (&run.id, &loss.key, &loss.taken);
            all.push(ToKeep { run, key, number, statement, taken, forward });
        }
    }
    Ok(all)
}

/// How often an inverse was begun: of this changeset, or of any.
pub fn inverses_begun(events: &[Event], of: Option<&ChangesetId>) -> usize {
    let begun = |event: &&Event| match &event.what {
        EventKind::Intended { action: Action::Undo { changeset }, .. } => of.is_none_or(|of| changeset == of),
        _ => false,
    };
    events.iter().filter(begun).count()
}

/// What the inverses that are done have written.
struct Written<'a> {
    tables: Vec<&'a str>,
    has_code: bool,
}

impl Written<'_> {
    fn touches(&self, table: &str) -> bool {
        self.has_code || self.tables.contains(&table)
    }
}

fn written_by_inverses<'a>(plan: &'a Plan, events: &[Event]) -> Written<'a> {
    let is_done = |key: &ChangesetId| {
        events.iter().any(|event| {
            matches!(&event.what, EventKind::Done { action: Action::Undo { changeset }, .. } if changeset == key)
        })
    };
    let statements: Vec<&Statement> =
        plan.changesets.iter().filter(|c| is_done(&c.key)).flat_map(|c| &c.inverse).collect();
    Written {
        tables: statements.iter().flat_map(|statement| statement.moved_tables()).collect(),
        has_code: statements.iter().any(|statement| statement.actions.contains(&SchemaAction::RunsCode)),
    }
}
