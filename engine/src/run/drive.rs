//! The saga's hands: does what `saga::next` decides, and writes it down before and after.

use std::time::Instant;

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, Result};
use crate::model::changeset::{ApplyState, ChangesetId, UndoState};
use crate::model::event::{ActOutcome, Action, EventKind, FailureKind};
use crate::model::evidence::{Applied, Outcome, Plan, Undone};
use crate::model::history::ActTrace;
use crate::model::server::LogPosition;
use crate::model::stage::Stage;
use crate::run::Run;
use crate::run::liquibase_lock;
use crate::run::saga::{self, Decision};
use crate::run::trace;
use crate::run::{half_built, half_done};

/// What a stage gives the saga: the outcome it decides by, the evidence's SHA-256, one line for people.
pub type StageDone = (ActOutcome, String, String);

/// What stages do for a run. The driver writes down; they work.
#[async_trait(?Send)]
pub trait StageWork {
    /// A stage before production is touched.
    async fn prepare(&mut self, run: &mut Run, stage: Stage) -> Result<StageDone>;
    /// Applies one changeset to production.
    async fn apply(&mut self, run: &mut Run, changeset: &ChangesetId, wave: u32) -> Result<Applied>;
    /// Looks at the gates once this changeset ends its wave; the reason to go back, if there is one.
    async fn after_wave(
        &mut self,
        run: &mut Run,
        changeset: &ChangesetId,
        wave: u32,
    ) -> Result<Option<String>>;
    /// The last look after all waves.
    async fn settle(&mut self, run: &mut Run) -> Result<String>;
    /// Runs the inverse of one changeset on production.
    async fn undo(&mut self, run: &mut Run, changeset: &ChangesetId) -> Result<Undone>;
    /// The last look after going back.
    async fn settle_back(&mut self, run: &mut Run) -> Result<String>;
    /// Ends what is in flight without judging it.
    async fn close(&mut self, run: &mut Run);
}

/// How far a run is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    End,
    /// This stage has given its evidence.
    After(Stage),
}

/// Drives a run to its end, or until a stage has done its work (`None`: not over yet).
///
/// # Errors
/// What the journal or the disk refuse; failures of stages become outcomes instead.
pub async fn drive(run: &mut Run, stages: &mut dyn StageWork, until: Until) -> Result<Option<Outcome>> {
    if saga::reached_production(run.journal.events()) {
        resume_check(run).await?;
    }
    loop {
        let decision = run.decision();
        if let (Until::After(stage), Decision::Do(action)) = (until, &decision)
            && past(stage, action)
        {
            return Ok(None);
        }
        match decision {
            Decision::Do(action) => act(run, stages, action).await?,
            Decision::Observe(action) => observe(run, stages, action).await?,
            Decision::Unwind { reason } => {
                run.watcher.note(&format!("going back: {reason}"));
                run.journal.append(EventKind::Unwinding { reason, automatic: true }).await?;
            }
            Decision::Finish { outcome, reason } => {
                stages.close(run).await;
                run.journal.append(EventKind::Finished { outcome, reason }).await?;
            }
            Decision::Over(outcome) => return Ok(Some(outcome)),
        }
    }
}

fn past(stage: Stage, action: &Action) -> bool {
    match action {
        Action::Stage { stage: next } => *next > stage,
        Action::Apply { .. } | Action::Settle => stage < Stage::Rollout,
        Action::Undo { .. } | Action::SettleBack => false,
    }
}

async fn act(run: &mut Run, stages: &mut dyn StageWork, action: Action) -> Result<()> {
    half_done::remember(run, &action).await?;
    half_built::remember(run, &action).await?;
    let before = trace::before(run, &action).await?;
    let log = log_before(run, &action).await;
    run.journal.append(EventKind::Intended { action: action.clone(), before, log }).await?;
    match &action {
        Action::Stage { stage } => {
            let stage = *stage;
            run.watcher.stage_began(stage);
            let begun = Instant::now();
            let worked = stages
                .prepare(run, stage)
                .await
                .and_then(|done| run.options.inject.strike(stage).map(|()| done));
            match worked {
                Ok((outcome, evidence, text)) => {
                    run.watcher.stage_done(stage, begun.elapsed().as_secs_f64(), &text);
                    run.journal
                        .append(EventKind::Done { action, outcome, evidence: Some(evidence), text })
                        .await?;
                }
                Err(error) => {
                    let error = run.waits.explain(error);
                    run.watcher.stage_failed(stage, begun.elapsed().as_secs_f64(), &error.chain());
                    failed(run, action, &error).await?;
                }
            }
        }
        Action::Apply { changeset, wave } => {
            let (changeset, wave) = (changeset.clone(), *wave);
            match stages.apply(run, &changeset, wave).await {
                Ok(applied) => {
                    let ran = matches!(applied.state, ApplyState::Applied | ApplyState::MarkedRan);
                    let changed = match trace::of_apply(run, &changeset).await {
                        Ok(ActTrace::Ours) => true,
                        Ok(ActTrace::None | ActTrace::Others) if !ran => false,
                        Ok(ActTrace::None | ActTrace::Others) => {
                            let error = trace::contradiction(&action);
                            return failed(run, action, &error).await;
                        }
                        Err(unknown) => return not_known(run, action, unknown).await,
                    };
                    let text = format!(
                        "{} in {:.3} s, {} tries, {} rows",
                        applied.state, applied.seconds, applied.attempts, applied.rows
                    );
                    done(run, action, changed, text).await?;
                    if let Some(reason) = stages.after_wave(run, &changeset, wave).await? {
                        run.watcher.note(&format!("gate: {reason}"));
                        run.journal.append(EventKind::Unwinding { reason, automatic: true }).await?;
                    }
                }
                Err(error) => after_failure(run, action, &changeset, error).await?,
            }
        }
        Action::Undo { changeset } => {
            let changeset = changeset.clone();
            match trace::of_apply(run, &changeset).await {
                // The record makes the undoing of a part what any other is: one transaction that takes the record away.
                Ok(ActTrace::None) if saga::is_in_part(run.journal.events(), &changeset) => {
                    if let Err(error) = run.liquibase.record(&changeset).await {
                        return failed(run, action, &error).await;
                    }
                }
                Ok(ActTrace::Ours | ActTrace::None) => {}
                Ok(ActTrace::Others) => {
                    let error = Error::stuck(format!("{changeset} has run again since, and not by this run"))
                        .hint("take back what ran later first, or go forward with a new changeset");
                    return failed(run, action, &error).await;
                }
                Err(unknown) => return not_known(run, action, unknown).await,
            }
            match stages.undo(run, &changeset).await {
                Ok(undone) => match trace::is_undone(run, &changeset).await {
                    Ok(true) => {
                        let text =
                            format!("{} in {:.3} s, {} tries", undone.state, undone.seconds, undone.attempts);
                        done(run, action, undone.state != UndoState::NotApplied, text).await?;
                    }
                    Ok(false) => {
                        let error = trace::contradiction(&action);
                        failed(run, action, &error).await?;
                    }
                    Err(unknown) => not_known(run, action, unknown).await?,
                },
                Err(error) => failed(run, action, &error).await?,
            }
        }
        Action::Settle => match stages.settle(run).await {
            Ok(text) => done(run, action, false, text).await?,
            Err(error) => failed(run, action, &error).await?,
        },
        Action::SettleBack => match stages.settle_back(run).await {
            Ok(text) => done(run, action, false, text).await?,
            Err(error) => failed(run, action, &error).await?,
        },
    }
    Ok(())
}

/// Where production's log stands before the first act on it, for a restore to that moment. A server that does not tell it is no reason
/// not to go on.
async fn log_before(run: &Run, action: &Action) -> Option<LogPosition> {
    if !matches!(action, Action::Apply { .. }) || saga::reached_production(run.journal.events()) {
        return None;
    }
    run.database.log_position().await.unwrap_or_else(|error| {
        tracing::warn!(error = %error.chain(), "where the log stands is not told");
        None
    })
}

async fn done(run: &mut Run, action: Action, changed: bool, text: String) -> Result<()> {
    let outcome = ActOutcome::Changed { changed };
    run.journal.append(EventKind::Done { action, outcome, evidence: None, text }).await.map(|_| ())
}

async fn failed(run: &mut Run, action: Action, error: &Error) -> Result<()> {
    let kind = match error.kind {
        ErrorKind::Input => FailureKind::Input,
        ErrorKind::Refused => FailureKind::Refused,
        ErrorKind::Stuck => FailureKind::Unknown,
        _ => FailureKind::Failed,
    };
    let hint = error.hint_text().map(str::to_owned);
    run.journal.append(EventKind::Failed { action, error: error.chain(), kind, hint }).await.map(|_| ())
}

/// What came of an act on production cannot be told.
async fn not_known(run: &mut Run, action: Action, unknown: Error) -> Result<()> {
    let error = Error::stuck(format!("{action}: whether it was done cannot be known")).because(unknown);
    failed(run, action, &error).await
}

/// A failed apply may have gone through all the same: the history says.
async fn after_failure(run: &mut Run, action: Action, changeset: &ChangesetId, error: Error) -> Result<()> {
    match trace::of_apply(run, changeset).await {
        Ok(ActTrace::Ours) => {
            done(run, action, true, format!("applied, and then: {}", error.chain())).await?;
            run.journal.append(EventKind::Unwinding { reason: error.chain(), automatic: true }).await?;
            Ok(())
        }
        // It may have run without its record.
        Ok(ActTrace::None | ActTrace::Others) if error.kind == ErrorKind::Stuck => {
            let error = match half_done::untouched(run, &action).await {
                Ok(()) => error.kind(ErrorKind::Failed),
                Err(half) => half.because(error),
            };
            failed(run, action, &error).await
        }
        Ok(ActTrace::None | ActTrace::Others) => failed(run, action, &error).await,
        Err(unknown) => not_known(run, action, unknown.because(error)).await,
    }
}

/// What came of an act that a crash cut off.
async fn observe(run: &mut Run, stages: &mut dyn StageWork, action: Action) -> Result<()> {
    liquibase_lock::release_stale(run).await?;
    let found = match &action {
        Action::Apply { changeset, .. } => match trace::of_apply(run, changeset).await {
            Ok(ActTrace::Ours) => Ok(Some(true)),
            // What this run began did not go through: the changeset was locked, and is recorded with it.
            Ok(ActTrace::Others) => Ok(Some(false)),
            Ok(ActTrace::None) => Ok(None),
            Err(unknown) => Err(unknown),
        },
        Action::Undo { changeset } => trace::is_undone(run, changeset).await.map(|is| is.then_some(true)),
        Action::Stage { .. } | Action::Settle | Action::SettleBack => return act(run, stages, action).await,
    };
    let is_forward = matches!(action, Action::Apply { .. });
    match found {
        Ok(Some(changed)) => {
            run.watcher.note(&format!("found done: {action}"));
            let text =
                if changed { "found done after a crash" } else { "somebody else has applied it since" };
            done(run, action, changed, text.to_owned()).await
        }
        Ok(None) => match untouched(run, &action).await {
            // A run that goes back does nothing more: the changeset may mean something else by now.
            Ok(()) if is_forward && saga::is_unwinding(run.journal.events()) => {
                let error = "cut off, and not done".to_owned();
                let failed = EventKind::Failed { action, error, kind: FailureKind::Crashed, hint: None };
                run.journal.append(failed).await.map(|_| ())
            }
            Ok(()) => act(run, stages, action).await,
            Err(half) => failed(run, action, &half).await,
        },
        Err(unknown) => not_known(run, action, unknown).await,
    }
}

/// Whether an act of which the history shows nothing left nothing either, once what it built is cleared away.
async fn untouched(run: &Run, action: &Action) -> Result<()> {
    half_built::clear(run, action).await?;
    half_done::untouched(run, action).await
}

/// A run that is taken up in the middle of its rollout must still mean the changesets it had rehearsed.
async fn resume_check(run: &mut Run) -> Result<()> {
    if matches!(run.decision(), Decision::Over(_)) {
        return Ok(());
    }
    let plan: Plan = run.evidence("plan")?;
    let status = run.liquibase.status().await?;
    let unwinding = saga::is_unwinding(run.journal.events());
    for planned in &plan.changesets {
        let now = status.changesets.iter().find(|c| c.key == planned.key).and_then(|c| c.checksum.clone());
        if now != planned.checksum {
            let reason = format!("{} was edited while the run was interrupted", planned.key);
            // Its inverse is no longer the one that was rehearsed.
            if unwinding || saga::is_on_production(run.journal.events(), &planned.key) {
                return Err(Error::stuck(reason)
                    .hint("check out the commit that the run began with and run it again"));
            }
            run.journal.append(EventKind::Unwinding { reason, automatic: true }).await?;
            return Ok(());
        }
    }
    Ok(())
}
