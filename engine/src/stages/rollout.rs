//! `rollout`: Liquibase on production, wave by wave between gates, while the services keep running.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{planned, tell_skipped};
use crate::config::TrafficKind;
use crate::error::{Error, Result};
use crate::load::{Period, Traffic, TrafficOptions};
use crate::model::changeset::ChangesetId;
use crate::model::event::{Action, EventKind};
use crate::model::evidence::{
    Applied, BeforeAfter, Compat, GateMoment, GateReading, Plan, Rollout, Shadow, TrafficSummary,
};
use crate::model::query::Ending;
use crate::model::schema::SchemaFingerprint;
use crate::model::stage::Stage;
use crate::product::Database;
use crate::run::Run;
use crate::run::files;
use crate::run::inject::Inject;
use crate::run::liquibase_lock;
use crate::stages::changeset_runner::{self, ChangesetRunner, Step};
use crate::stages::gate;

/// What is in flight while production changes.
pub struct Live {
    pub traffic: Traffic,
    pub plan: Plan,
    /// The schema the run found.
    pub before: SchemaFingerprint,
    pub begun: Instant,
    pub evidence: Rollout,
    /// The last changeset of each wave that goes out.
    last_of_wave: Vec<(u32, ChangesetId)>,
    disturbed: bool,
}

/// Starts the traffic and looks at the gates before anything is touched; finds what an interrupted rollout left.
///
/// # Errors
/// `Failed` when there is no traffic to judge by.
pub async fn open(run: &mut Run, live: &mut Option<Live>) -> Result<()> {
    if live.is_some() {
        return Ok(());
    }
    run.watcher.stage_began(Stage::Rollout);
    run.watcher.progress("starting the services' traffic", None);
    let plan: Plan = run.evidence("plan")?;
    let compat: Compat = run.evidence("compat")?;
    let before = match files::evidence::<SchemaFingerprint>(&run.folder(), "schema-before")? {
        Some(schema) => schema,
        None => {
            let schema = run.database.schema_fingerprint().await?;
            run.keep("schema-before", &schema).await?;
            schema
        }
    };
    let earlier = files::evidence::<Rollout>(&run.folder(), "rollout")?;
    let resumed = earlier.is_some();
    let mut evidence = earlier.unwrap_or_else(|| Rollout {
        changesets: Vec::new(),
        gates: Vec::new(),
        traffic: TrafficSummary::default(),
        failures: Vec::new(),
        fingerprint: BeforeAfter { before: before.digest.clone(), ..BeforeAfter::default() },
    });
    let catalog = run.database.catalog().await?;
    let settings = &run.environment.traffic;
    let options = TrafficOptions {
        rate: settings.rate,
        connections: settings.connections,
        ending: if settings.kind == TrafficKind::Services { Ending::Commit } else { Ending::Rollback },
        only_reads: settings.kind == TrafficKind::Probe,
        seed: settings.seed,
    };
    let known = evidence.traffic.skipped.clone();
    let traffic = Traffic::start(Arc::clone(&run.database), &catalog, &run.contracts, options).await?;
    if let Some(broken) = traffic.skipped.iter().find(|q| resumed && !known.iter().any(|k| k.is(q))) {
        return Err(Error::failed(format!("{broken}")).hint("it ran before the rollout was interrupted"));
    }
    if !resumed {
        tell_skipped(run, &traffic.skipped).await?;
    }
    evidence.traffic.skipped.clone_from(&traffic.skipped);
    run.keep("rollout", &evidence).await?;
    let last_of_wave = plan
        .waves
        .iter()
        .filter_map(|w| {
            w.changesets.iter().rfind(|c| compat.accepted.contains(c)).map(|c| (w.number, c.clone()))
        })
        .collect();
    *live =
        Some(Live { traffic, plan, before, begun: Instant::now(), evidence, last_of_wave, disturbed: false });
    liquibase_lock::release_stale(run).await?;
    tokio::time::sleep(Duration::from_secs_f64(run.environment.gates.settle_seconds.max(0.5))).await;
    Ok(())
}

/// Applies one changeset to production, watched.
///
/// # Errors
/// The changeset's own failure, or the gate that did not hold.
pub async fn apply(run: &mut Run, live: &mut Option<Live>, key: &ChangesetId, wave: u32) -> Result<Applied> {
    open(run, live).await?;
    let Some(live) = live else { return Err(Error::failed("the rollout is not open")) };
    let applied = watched(run, live, key, wave).await;
    let kept = run.keep("rollout", &live.evidence).await;
    let applied = applied?;
    kept?;
    Ok(applied)
}

async fn watched(run: &mut Run, live: &mut Live, key: &ChangesetId, wave: u32) -> Result<Applied> {
    let resume = run.checkpoint(key);
    let application = run.application();
    let inject = run.options.inject;
    let changeset = planned(&live.plan, key)?;
    let first = !live.evidence.changesets.iter().any(|a| a.wave == wave);
    if first {
        wait_for_gate(run.database.as_ref(), live, &run.environment, &application, wave).await?;
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
    let tell = move |step: Step| match step {
        Step::Retry { attempt, error, pause } => {
            let text =
                format!("try {attempt} of {} gave way ({error}); again in {} ms", key.id, pause.as_millis());
            let action = Some(Action::Apply { changeset: key.clone(), wave });
            let _ = notes.send(EventKind::Noted { text, action, checkpoint: None });
        }
        Step::Batch { rows, total, last_key } => {
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
    if let Some(breach) = breach {
        return Err(Error::failed(format!("gate during wave {wave}: {breach}")));
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

fn busiest(catalog: &crate::model::catalog::Catalog) -> Vec<String> {
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
    environment: &crate::config::Environment,
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
        .hint("production was not well before the wave began; run it again when it is"))
}

/// Ends with the first reading that does not hold; by then our sessions are ended too.
async fn watch(
    database: &dyn Database,
    traffic: &Traffic,
    environment: &crate::config::Environment,
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

/// Looks at the gates once a wave is through. Gives the reason to go back, if there is one.
///
/// # Errors
/// `Failed` when evidence cannot be kept.
pub async fn after_wave(
    run: &mut Run,
    live: &mut Option<Live>,
    key: &ChangesetId,
    wave: u32,
) -> Result<Option<String>> {
    let ours = run.application();
    let Some(live) = live.as_mut() else { return Ok(None) };
    if !live.last_of_wave.contains(&(wave, key.clone())) {
        return Ok(None);
    }
    live.traffic.running(None);
    // Long enough that the new schema has been asked something.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let environment = &run.environment;
    let reading = gate::read(
        run.database.as_ref(),
        &live.traffic,
        &environment.gates,
        environment.limits.stall(),
        &ours,
        GateMoment::After,
        wave,
    )
    .await;
    let breaches = reading.breaches.join("; ");
    live.evidence.gates.push(reading);
    let evidence = live.evidence.clone();
    run.keep("rollout", &evidence).await?;
    Ok((!breaches.is_empty()).then(|| format!("gate after wave {wave}: {breaches}")))
}

/// The last look: traffic after the change, lost writes, the schema against the rehearsal's.
///
/// # Errors
/// `Failed` when production is not what was rehearsed or a write was lost: the run goes back.
pub async fn settle(run: &mut Run, live: &mut Option<Live>) -> Result<String> {
    open(run, live).await?;
    run.watcher.progress("watching the traffic after the last wave", None);
    let shadow: Shadow = run.evidence("shadow")?;
    if let Some(live) = live.as_ref() {
        live.traffic.mark(Period::After);
    }
    tokio::time::sleep(Duration::from_secs_f64(run.environment.gates.settle_seconds.max(0.5))).await;
    let after = run.database.schema_fingerprint().await?;
    let Some(mut live) = live.take() else { return Err(Error::failed("the rollout is not open")) };
    let (traffic, failures) = live.traffic.stop().await;
    let differences = shadow.schema_after.differences(&after, 10);
    live.evidence.fingerprint = BeforeAfter {
        before: live.before.digest.clone(),
        after: after.digest.clone(),
        as_expected: differences.is_empty(),
        differences: differences.clone(),
    };
    live.evidence.traffic = traffic.clone();
    live.evidence.failures = failures;
    run.keep("rollout", &live.evidence).await?;
    let text = format!(
        "{} changesets, {} requests, {} failed, longest wait {:.0} ms",
        live.evidence.changesets.len(),
        traffic.requests,
        traffic.failed,
        traffic.longest_wait_ms
    );
    if !differences.is_empty() {
        return Err(Error::failed(format!(
            "production is not what the rehearsal ended with: {}",
            differences.join("; ")
        )));
    }
    if traffic.lost > 0 {
        return Err(Error::failed(format!("{} acknowledged writes are not there any more", traffic.lost)));
    }
    run.remember_schema(&after).await?;
    run.watcher.stage_done(Stage::Rollout, live.begun.elapsed().as_secs_f64(), &text);
    Ok(text)
}

/// Stops what is in flight without judging it (the run ends otherwise).
pub(super) async fn close(run: &mut Run, live: Option<Live>) {
    if let Some(mut live) = live {
        let (traffic, failures) = live.traffic.stop().await;
        live.evidence.traffic = traffic;
        live.evidence.failures = failures;
        let _ = run.keep("rollout", &live.evidence).await;
    }
}
