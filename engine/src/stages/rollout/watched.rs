//! One changeset on production, while the gates are watched.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Live, gate};
use crate::config::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::load::{Period, Traffic};
use crate::model::catalog::Catalog;
use crate::model::changeset::ChangesetId;
use crate::model::event::{Action, EventKind};
use crate::model::evidence::{Applied, FailedApply, GateMoment, GateReading};
use crate::product::Database;
use crate::run::Run;
use crate::run::inject::Inject;
use crate::stages::changeset_runner::{self, ChangesetRunner, Step};
use crate::stages::planned;

/// Applies one changeset while the gates are read; a gate that does not hold ends its session.
///
/// # Errors
/// The changeset's own failure, or the gate that did not hold.
pub(super) async fn watched(run: &mut Run, live: &mut Live, key: &ChangesetId, wave: u32) -> Result<Applied> {
    let resume = run.checkpoint(key);
    let application = run.application();
    let inject = run.options.inject;
    let changeset = planned(&live.plan, key)?;
    let first = !live.evidence.changesets.iter().any(|a| a.wave == wave);
    if first {
        wait_for_gate(run.database.as_ref(), live, &run.environment, &application, wave).await?;
    }
    if changeset_runner::moves_in_batches(&changeset.statements) {
        run.journal.append(EventKind::Moving { changeset: key.clone() }).await?;
    }
    live.traffic.mark(Period::During);
    live.traffic.running(Some(key.clone()));
    let total = live.plan.changesets.len();
    run.watcher.progress(&format!("wave {wave}: {}", key.id), count(live.evidence.changesets.len(), total));

    let disturb = inject == Inject::RolloutGate && wave >= 2 && !live.disturbed;
    let disturbance = if disturb {
        live.disturbed = true;
        run.watcher.note("injected: somebody locks busy tables for 4 seconds");
        let database = Arc::clone(&run.database);
        let tables = busiest(&database.catalog().await?);
        Some(tokio::spawn(async move {
            match database.faults() {
                Some(faults) => faults.lock_tables(&tables, Duration::from_secs(4)).await,
                None => Ok(()),
            }
        }))
    } else {
        None
    };
    let faults = run.database.faults().filter(|_| inject == Inject::RolloutError && wave >= 2);
    let session = faults.map(|faults| faults.failing_session()).unwrap_or_default();

    let stop = Arc::new(AtomicBool::new(false));
    let started = Timestamp::now();
    let begun = Instant::now();
    let (notes, heard) = tokio::sync::mpsc::unbounded_channel();
    let watcher = Arc::clone(&run.watcher);
    let mut kept = Instant::now();
    let moved = Arc::new(Mutex::new((0, 0)));
    let heard_of = Arc::clone(&moved);
    let tell = move |step: Step| match step {
        Step::Retry { attempt, error, pause, blockers } => {
            let text =
                format!("try {attempt} of {} failed ({error}); again in {} ms", key.id, pause.as_millis());
            watcher.progress(&waiting(wave, key, attempt, &blockers), None);
            let action = Some(Action::Apply { changeset: key.clone(), wave });
            let _ = notes.send(EventKind::Noted { text, action, checkpoint: None });
        }
        Step::Batch { rows, total, last_key } => {
            let mut moved = heard_of.lock().unwrap_or_else(PoisonError::into_inner);
            *moved = (moved.0 + 1, rows);
            watcher.progress(&format!("wave {wave}: {} (rows)", key.id), Some((rows, total)));
            // A checkpoint that cannot be written costs a repetition, not correctness.
            if kept.elapsed() > Duration::from_secs(1) {
                kept = Instant::now();
                let text = format!("{rows} of about {total} rows moved");
                let action = Some(Action::Apply { changeset: key.clone(), wave });
                let _ = notes.send(EventKind::Noted { text, action, checkpoint: Some(last_key) });
            }
        }
    };
    let work = async {
        // Moved in, so that the notes end with the work.
        let mut tell = tell;
        let mut runner = ChangesetRunner {
            database: run.database.as_ref(),
            liquibase: &mut run.liquibase,
            limits: &run.environment.limits,
            application: &application,
            gentle: true,
            stop: Arc::clone(&stop),
            session,
            tell: &mut tell,
        };
        changeset_runner::forward(&mut runner, &changeset, resume).await
    };
    // A journal that is slow to take a note must not hold up a statement that holds a lock.
    let writing = run.journal.write_down(heard);
    let work = async { tokio::join!(work, writing).0 };
    let guard = watch(run.database.as_ref(), &live.traffic, &run.environment, &application, wave, &stop);
    tokio::pin!(work, guard);
    // A breach ends our session, and then the work ends by itself: its outcome is looked up, never guessed.
    let mut readings = Vec::new();
    let mut breach = None;
    let worked = loop {
        tokio::select! {
            worked = &mut work => break worked,
            bad = &mut guard, if breach.is_none() => { breach = Some(bad.breaches.join("; ")); readings.push(bad); }
        }
    };
    if let Some(disturbance) = disturbance {
        disturbance.abort();
    }
    let stall_ms = live.traffic.longest_since(begun);
    live.evidence.gates.extend(readings);
    if breach.is_some() || worked.is_err() {
        let (batches, rows) = *moved.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, seconds) = (key.clone(), begun.elapsed().as_secs_f64());
        live.evidence.failed.push(FailedApply { key, wave, started, seconds, batches, rows, stall_ms });
    }
    if let Some(breach) = breach {
        let error = Error::failed(format!("gate during wave {wave}: {breach}"));
        return Err(match worked {
            Err(unknown) if unknown.kind == ErrorKind::Stuck => error.kind(ErrorKind::Stuck).because(unknown),
            _ => error,
        });
    }
    let (state, effort) = worked?;
    let applied = Applied {
        key: key.clone(),
        wave,
        started,
        seconds: begun.elapsed().as_secs_f64(),
        attempts: effort.attempts,
        batches: effort.batches,
        rows: effort.rows,
        stall_ms,
        state,
    };
    live.evidence.changesets.push(applied.clone());
    Ok(applied)
}

fn busiest(catalog: &Catalog) -> Vec<String> {
    let mut tables: Vec<_> = catalog.tables.iter().filter(|(_, t)| t.parent.is_none()).collect();
    tables.sort_by_key(|(_, t)| std::cmp::Reverse(t.rows));
    tables.into_iter().take(20).map(|(name, _)| name.clone()).collect()
}

fn count(done: usize, total: usize) -> Option<(u64, u64)> {
    Some((u64::try_from(done).ok()?, u64::try_from(total).ok()?))
}

async fn wait_for_gate(
    database: &dyn Database,
    live: &mut Live,
    environment: &Environment,
    ours: &str,
    wave: u32,
) -> Result<()> {
    let mut last = String::new();
    // A gate that does not hold yet is waited for: pausing costs nothing.
    for _ in 0..40 {
        let reading = gate::read(
            database,
            &live.traffic,
            &environment.gates,
            environment.limits.stall(),
            ours,
            GateMoment::Before,
            wave,
        )
        .await;
        last = reading.breaches.join("; ");
        let holds = reading.breaches.is_empty();
        live.evidence.gates.push(reading);
        if holds {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Err(Error::failed(format!("gate before wave {wave}: {last}"))
        .hint("a gate did not hold before the wave; run it again when production is healthy"))
}

/// One line for people while a changeset tries to get its locks.
fn waiting(wave: u32, key: &ChangesetId, attempt: u32, blockers: &[String]) -> String {
    let who =
        if blockers.is_empty() { String::new() } else { format!(", in the way: {}", blockers.join(", ")) };
    format!("wave {wave}: {}, try {attempt} failed{who}", key.id)
}

/// Ends with the first reading that does not hold; by then our sessions are ended too.
async fn watch(
    database: &dyn Database,
    traffic: &Traffic,
    environment: &Environment,
    ours: &str,
    wave: u32,
    stop: &AtomicBool,
) -> GateReading {
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let reading = gate::read(
            database,
            traffic,
            &environment.gates,
            environment.limits.stall(),
            ours,
            GateMoment::During,
            wave,
        )
        .await;
        if !reading.breaches.is_empty() {
            stop.store(true, Ordering::Relaxed);
            let _ = database.end_sessions(ours).await;
            return reading;
        }
    }
}
