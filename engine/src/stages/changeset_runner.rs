//! How one changeset goes onto a database and off it again, under limits: batches first, short lock waits, tries again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::config::LimitSettings;
use crate::error::{Error, Result};
use crate::liquibase::{Failure, Fault, FaultKind, Liquibase};
use crate::model::changeset::{ApplyState, Backfill, Changeset, ChangesetId, Statement, UndoState};
use crate::model::endpoint::Limits;
use crate::model::error_class::ErrorClass;
use crate::model::history::{self, HistoryRow};
use crate::model::session::Wait;
use crate::product::Database;

/// Between two looks at who is in the way.
const LOOK: Duration = Duration::from_secs(1);

/// Who works on which database, under which limits.
pub struct ChangesetRunner<'a> {
    pub database: &'a dyn Database,
    pub liquibase: &'a mut Liquibase,
    pub limits: &'a LimitSettings,
    /// Application name of Liquibase's session.
    pub application: &'a str,
    /// On production locks are waited for shortly and often; on a clone nobody else is in a hurry.
    pub gentle: bool,
    /// Set by whoever watches: no further batch or attempt is begun.
    pub stop: Arc<AtomicBool>,
    /// Extra session statements (injected failures).
    pub session: Vec<String>,
    /// Told of retries, batches and checkpoints.
    pub tell: &'a mut (dyn FnMut(Step) + Send),
}

/// Something worth telling while a changeset is under way.
#[derive(Debug, Clone)]
pub enum Step {
    /// `blockers`: transactions of others that hold what the changeset touches.
    Retry {
        attempt: u32,
        error: String,
        pause: Duration,
        blockers: Vec<String>,
    },
    Batch {
        rows: u64,
        total: u64,
        last_key: String,
    },
}

/// What it took.
#[derive(Debug, Clone, Default)]
pub struct Effort {
    pub attempts: u32,
    pub batches: u32,
    pub rows: u64,
    pub batch_seconds: f64,
}

/// A way to go, as Liquibase is asked for it.
trait Way {
    type State;

    async fn go(
        &self,
        liquibase: &mut Liquibase,
        key: &ChangesetId,
        session: &[String],
    ) -> Result<Self::State, Failure>;

    /// What an attempt came to that was reported as failed, if the history shows that it went through.
    fn went_through(&self, before: &[HistoryRow], now: &[HistoryRow]) -> Option<Self::State>;
}

struct Forward;
struct Back<'a> {
    restore: &'a [HistoryRow],
    within: &'a [String],
}

impl Way for Forward {
    type State = ApplyState;

    async fn go(
        &self,
        liquibase: &mut Liquibase,
        key: &ChangesetId,
        session: &[String],
    ) -> Result<ApplyState, Failure> {
        liquibase.apply(key, session).await
    }

    fn went_through(&self, before: &[HistoryRow], now: &[HistoryRow]) -> Option<ApplyState> {
        let last = now.last().filter(|_| !history::is_same(before, now))?;
        let marked = last.exec_type.as_deref() == Some(history::MARK_RAN);
        Some(if marked { ApplyState::MarkedRan } else { ApplyState::Applied })
    }
}

impl Way for Back<'_> {
    type State = UndoState;

    async fn go(
        &self,
        liquibase: &mut Liquibase,
        key: &ChangesetId,
        session: &[String],
    ) -> Result<UndoState, Failure> {
        liquibase.undo(key, session, self.restore, self.within).await
    }

    fn went_through(&self, before: &[HistoryRow], now: &[HistoryRow]) -> Option<UndoState> {
        (!history::is_same(before, now) && history::is_same(self.restore, now)).then_some(UndoState::Undone)
    }
}

/// Applies a changeset. `after`: where an earlier, interrupted backfill had got to.
///
/// # Errors
/// As the database gives them, once the attempts are used up; nothing of the changeset is left then but finished batches,
/// which its inverse takes back.
pub async fn forward(
    runner: &mut ChangesetRunner<'_>,
    changeset: &Changeset,
    after: Option<String>,
) -> Result<(ApplyState, Effort)> {
    go(runner, &Forward, changeset, &changeset.statements, after).await
}

/// Runs a changeset's inverse. `restore`: the rows that the history had before the changeset ran. `within`: statements that come
/// first in its transaction.
///
/// # Errors
/// See `forward`.
pub async fn back(
    runner: &mut ChangesetRunner<'_>,
    changeset: &Changeset,
    restore: &[HistoryRow],
    within: &[String],
) -> Result<(UndoState, Effort)> {
    go(runner, &Back { restore, within }, changeset, &changeset.inverse, None).await
}

/// Whether rows are moved in batches before Liquibase runs the statements. Only where the statement stands alone: what comes
/// before it in the same changeset would not have happened yet.
pub fn moves_in_batches(statements: &[Statement]) -> bool {
    matches!(statements, [Statement { backfill: Some(_), .. }])
}

async fn go<W: Way>(
    runner: &mut ChangesetRunner<'_>,
    way: &W,
    changeset: &Changeset,
    statements: &[Statement],
    after: Option<String>,
) -> Result<(W::State, Effort)> {
    let mut effort = Effort::default();
    let before = runner.liquibase.recorded(&changeset.key).await?;
    if moves_in_batches(statements)
        && let Some(backfill) = statements.first().and_then(|s| s.backfill.as_ref())
    {
        walk(runner, changeset, backfill, after, &mut effort).await?;
    }
    let waits_without_blocking = statements.iter().any(|s| s.waits_without_blocking);
    let limited = runner.gentle && !waits_without_blocking;
    let limits = Limits {
        lock_wait: limited.then(|| runner.limits.stall()),
        statement: limited.then(|| runner.limits.statement()),
    };
    let mut session = runner.database.session_setup(&limits, runner.application);
    session.extend(runner.session.iter().cloned());
    let mut pause = Duration::from_millis(50);
    loop {
        effort.attempts += 1;
        for index in statements.iter().filter_map(|s| s.builds_index.as_deref()) {
            runner.database.before_retry(index).await?;
        }
        let act = way.go(runner.liquibase, &changeset.key, &session);
        let watched = runner.gentle && waits_without_blocking;
        let patience = watched.then(|| runner.limits.wait());
        let (acted, waited) = patiently(runner.database, runner.application, patience, act).await;
        let failure = match acted {
            Ok(state) => return Ok((state, effort)),
            Err(failure) => failure,
        };
        // Code may commit what it likes. On a copy that is lost with the copy.
        let by_code = runner.gentle && !changeset.code.is_empty() && may_have_begun(&failure);
        let transactional = runner.database.capabilities().transactional_ddl;
        if by_code || !transactional && may_have_run(&failure) {
            let unknown = format!("{} may have run, and Liquibase's history does not show it", changeset.key);
            return Err(Error::stuck(unknown).because(Error::from(failure)));
        }
        let busy = is_busy(runner.database, &failure);
        let error = Error::from(failure);
        if let Some(wait) = waited {
            for index in statements.iter().filter_map(|s| s.builds_index.as_deref()) {
                runner.database.before_retry(index).await?;
            }
            let limit = runner.limits.wait_seconds;
            return Err(Error::busy(format!(
                "{} waited for more than {limit} s and was given up",
                changeset.key
            ))
            .because(error)
            .hint(format!(
                "in the way: {}; wait until it ends, or end it; [limits] wait_seconds is the limit",
                wait.who()
            )));
        }
        if runner.stop.load(Ordering::Relaxed) || !busy || effort.attempts >= runner.limits.lock_attempts {
            for index in statements.iter().filter_map(|s| s.builds_index.as_deref()) {
                let _ = runner.database.before_retry(index).await;
            }
            return Err(if busy {
                Error::busy(format!(
                    "{} did not get its locks in {} attempts",
                    changeset.key, effort.attempts
                ))
                .because(error)
                .hint(in_the_way(&blockers(runner.database, runner.application, changeset).await))
            } else {
                error
            });
        }
        // Its commit may have gone through all the same, and what runs always would run a second time.
        let now = runner.liquibase.recorded(&changeset.key).await?;
        if let Some(state) = way.went_through(&before, &now) {
            return Ok((state, effort));
        }
        let blockers = blockers(runner.database, runner.application, changeset).await;
        (runner.tell)(Step::Retry { attempt: effort.attempts, error: error.chain(), pause, blockers });
        tokio::time::sleep(pause).await;
        // Waits grow so that a long transaction can end, and stay short enough that nobody waits for us.
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

/// Carries an act out that may wait without a limit of the server's, and breaks it off when it has waited for the same transactions
/// for longer than `patience`. Also gives the wait then.
async fn patiently<T>(
    database: &dyn Database,
    application: &str,
    patience: Option<Duration>,
    act: impl Future<Output = Result<T, Failure>>,
) -> (Result<T, Failure>, Option<Wait>) {
    let patience = patience.filter(|_| database.capabilities().shows_sessions);
    let Some(patience) = patience else { return (act.await, None) };
    let mut given_up = None;
    tokio::pin!(act);
    loop {
        tokio::select! {
            done = &mut act => return (done, given_up),
            () = tokio::time::sleep(LOOK), if given_up.is_none() => {}
        }
        let waits = database.waits().await.unwrap_or_default();
        let wait = waits.into_iter().find(|w| w.application == application && w.time > patience);
        if wait.is_some() {
            let _ = database.cancel(application).await;
            given_up = wait;
        }
    }
}

/// Whether a later try may succeed.
fn is_busy(database: &dyn Database, failure: &Failure) -> bool {
    match failure {
        Failure::Fault(fault) => {
            fault.kind == FaultKind::Lock || fault.codes().any(|code| database.error_class(&code).may_pass())
        }
        Failure::Died(_) | Failure::Other(_) => false,
    }
}

/// Whether the statement of a changeset may have run although the act failed: where DDL is not transactional, it stays then. It
/// did not run when the database refused the statement itself; it did when the database refused its row in the history.
fn may_have_run(failure: &Failure) -> bool {
    match failure {
        Failure::Died(_) => true,
        Failure::Fault(Fault { kind: FaultKind::Connection, .. }) => true,
        Failure::Fault(fault) => fault.of_history,
        Failure::Other(_) => false,
    }
}

/// Whether the changeset may have been begun when it failed.
fn may_have_begun(failure: &Failure) -> bool {
    match failure {
        Failure::Died(_) | Failure::Other(_) => true,
        Failure::Fault(fault) => match fault.kind {
            FaultKind::Sql | FaultKind::Connection | FaultKind::Internal => true,
            FaultKind::Parse
            | FaultKind::MissingFile
            | FaultKind::Duplicate
            | FaultKind::Validation
            | FaultKind::Checksum
            | FaultKind::UnknownChangeset
            | FaultKind::Precondition
            | FaultKind::NoInverse
            | FaultKind::Lock => false,
        },
    }
}

/// Names who stands in the way: the first thing a person asks.
async fn blockers(database: &dyn Database, application: &str, changeset: &Changeset) -> Vec<String> {
    if !database.capabilities().shows_sessions {
        return Vec::new();
    }
    let touched = changeset.touches();
    let Ok(activity) = database.activity(application).await else { return Vec::new() };
    activity
        .long_transactions
        .iter()
        .filter(|t| t.holds.iter().any(|h| touched.contains(h)))
        .map(|t| format!("{} (pid {}, open for {} s)", t.application, t.pid, t.seconds))
        .collect()
}

/// What to do about them.
fn in_the_way(blockers: &[String]) -> String {
    match blockers {
        [] => "run it again when the tables are less busy".to_owned(),
        names => format!(
            "in the way: {}; wait until it ends, or end it, and run the command again",
            names.join(", ")
        ),
    }
}

/// Moves rows key range by key range. The size follows the time a batch takes: growth at most 1.2×, halved at once when a
/// batch fails on a lock (GitLab's batch optimizer).
async fn walk(
    runner: &mut ChangesetRunner<'_>,
    changeset: &Changeset,
    backfill: &Backfill,
    after: Option<String>,
    effort: &mut Effort,
) -> Result<()> {
    let begun = Instant::now();
    let target = if runner.gentle { runner.limits.batch_ms } else { runner.limits.batch_ms * 8 };
    let most =
        if runner.gentle { runner.limits.batch_rows } else { runner.limits.batch_rows.saturating_mul(5) };
    let target = Duration::from_millis(target.max(1));
    let mut size: u32 = 1_000.min(most);
    let mut last = after;
    let mut failures = 0;
    loop {
        if runner.stop.load(Ordering::Relaxed) {
            return Err(Error::busy("the backfill was stopped between two batches"));
        }
        let started = Instant::now();
        let tried = runner
            .database
            .backfill_batch(backfill, last.as_deref(), size, runner.application, runner.limits.stall())
            .await;
        match tried {
            Ok(None) => break,
            Ok(Some(batch)) => {
                failures = 0;
                effort.batches += 1;
                effort.rows += batch.changed;
                last = Some(batch.last_key.clone());
                (runner.tell)(Step::Batch {
                    rows: effort.rows,
                    total: backfill.rows,
                    last_key: batch.last_key,
                });
                let took = started.elapsed();
                let ratio = (target.as_secs_f64() / took.as_secs_f64().max(0.001)).clamp(0.5, 1.2);
                let next = f64::from(size) * ratio;
                size = if next >= f64::from(most) { most } else { (next as u32).max(100) };
                if runner.gentle {
                    // Leaves the disk and the locks to the services for a moment.
                    tokio::time::sleep(took / 10).await;
                }
            }
            Err(error) => {
                failures += 1;
                let class = error.code.as_deref().map(|code| runner.database.error_class(code));
                let busy = class.is_some_and(ErrorClass::may_pass);
                // A batch whose commit nobody saw is done again: its predicate leaves out what is done.
                let lost = class == Some(ErrorClass::ConnectionLost);
                if !(busy || lost) || failures >= runner.limits.lock_attempts {
                    let moved = format!("{} did not get through, {} rows in", changeset.key, effort.rows);
                    let hint = match busy {
                        true => in_the_way(&blockers(runner.database, runner.application, changeset).await),
                        false => "its inverse takes the rows back".to_owned(),
                    };
                    return Err(Error::new(error.kind, moved).because(error).hint(hint));
                }
                size = (size / 2).max(1);
                let pause = Duration::from_millis(50) * failures;
                let blockers = blockers(runner.database, runner.application, changeset).await;
                (runner.tell)(Step::Retry { attempt: failures, error: error.chain(), pause, blockers });
                tokio::time::sleep(pause).await;
            }
        }
    }
    effort.batch_seconds = begun.elapsed().as_secs_f64();
    Ok(())
}
