//! `shadow`: the rehearsal. Real Liquibase on the clone under the contracts' queries: forward, every inverse, forward again.

mod plans;
mod refuse;
mod slow;
mod waits;
mod way_back;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::load::{Traffic, TrafficOptions};
use crate::model::backup::Backup;
use crate::model::changeset::Changeset;
use crate::model::difference::Difference;
use crate::model::event::ActOutcome;
use crate::model::evidence::{Compat, Plan, Rehearsal, ReverseProof, Shadow, TrafficFailure};
use crate::model::query::Ending;
use crate::product::Database;
use crate::report::rehearsal;
use crate::run::Run;
use crate::run::drive::StageDone;
use crate::stages::changeset_runner::{self, ChangesetRunner, Effort, Step};
use crate::stages::clone;
use crate::stages::{differences, product_limits, suppressions};
use plans::Plans;
use way_back::{Before, End, WayBack};

/// Requests a second on the clone: enough that every query runs before and after.
const RATE: f64 = 200.0;

/// The stage of a run.
///
/// # Errors
/// `Refused` when an inverse is not proven, or a query fails or gets slow under the new schema.
pub async fn stage(run: &mut Run) -> Result<StageDone> {
    let (clone, network) = clone::revive(run).await?;
    let application = format!("{} shadow", run.application());
    run.liquibase.connect(clone.as_ref(), &application).await?;
    // Whoever held it when the backup was taken holds production's, not the clone's.
    if run.liquibase.lock_holder().await?.is_some() {
        run.liquibase.release_lock().await?;
    }
    let rehearsed = rehearse(run, &clone, &application).await;
    // Whatever came of it, from here on Liquibase works on production.
    let production = Arc::clone(&run.database);
    let back = run.liquibase.connect(production.as_ref(), &run.application()).await;
    let shadow = Shadow { network, ..rehearsed? };
    back?;
    let evidence = run.keep("shadow", &shadow).await?;
    let plan: Plan = run.evidence("plan")?;
    refuse::refuse(&shadow, &plan.changesets)?;
    let proven = shadow.changesets.iter().filter(|c| c.reverse == ReverseProof::Proven).count();
    let text = format!(
        "{} changesets forward, back and forward again; {proven} inverses proven; {} requests, {} failed, longest wait {:.0} ms",
        shadow.changesets.len(),
        shadow.traffic.requests,
        shadow.traffic.failed,
        shadow.traffic.longest_wait_ms,
    );
    Ok((ActOutcome::Plain, evidence, text))
}

async fn rehearse(run: &mut Run, clone: &Arc<dyn Database>, application: &str) -> Result<Shadow> {
    let plan: Plan = run.evidence("plan")?;
    let compat: Compat = run.evidence("compat")?;
    let backup: Backup = run.evidence("backup")?;
    let changesets: Vec<Changeset> =
        compat.accepted.iter().map(|key| super::planned(&plan, key)).collect::<Result<_>>()?;
    let total = u64::try_from(changesets.len()).unwrap_or(u64::MAX);

    run.watcher.progress("every query once before the change", None);
    let traffic = start_traffic(run, clone).await?;
    super::tell_skipped(run, &traffic.skipped).await?;
    let round = round_time(&run.contracts);
    let contracts = run.contracts.clone();
    let (watcher, limits) = (format!("{application} plans"), run.environment.shadow.clone());
    let plans = Plans::begin(clone, &contracts, &changesets, &watcher, &limits);
    let (plans, ()) = tokio::join!(plans, tokio::time::sleep(round));
    let mut plans = plans?;

    let mut rehearsals = Vec::new();
    let mut befores = Vec::new();
    let mut moved = (0_u64, 0.0_f64);
    for (n, changeset) in (0_u64..).zip(&changesets) {
        run.watcher.progress(&format!("forward: {}", changeset.key.id), Some((n, total)));
        let before = Before::take(run, clone.as_ref(), changeset).await?;
        traffic.running(Some(changeset.key.clone()));
        let (mut rehearsal, effort) = forward(run, clone.as_ref(), &traffic, changeset, application).await?;
        if effort.batches > 0 {
            moved = (moved.0 + effort.rows, moved.1 + effort.batch_seconds);
        }
        rehearsal.waits = plans.waits(&rehearsal.locks, run.environment.limits.stall_ms);
        plans.after(changeset, &rehearsal.rewrites, effort.rows > 0).await?;
        rehearsals.push(rehearsal);
        befores.push(before);
    }
    run.watcher.progress("every query once after the change", None);
    tokio::time::sleep(round).await;
    let (summary, failures) = traffic.stop().await;
    let failures = new_failures(failures);
    let (verdicts, unused) = plans.verdicts(&changesets, &compat.verdicts);
    for line in
        unused.into_iter().chain(rehearsal::lines(&rehearsals, &verdicts).iter().map(ToString::to_string))
    {
        run.watcher.note(&line);
        run.note(line, None).await?;
    }
    let unmeasured = product_limits::of_shadow(clone.as_ref());
    for line in &unmeasured {
        run.watcher.note(line);
        run.note(line.clone(), None).await?;
    }
    let schema_after = clone.schema_fingerprint().await?;

    let way = WayBack { clone, application, changesets: &changesets, befores: &befores, backup: &backup };
    let end = way.go(run, &mut rehearsals).await?;
    let proven = end.is_some();
    let End { mut differences, explained } = end.unwrap_or_default();
    if proven && differences.is_empty() {
        forward_again(run, clone.as_ref(), &changesets, &mut rehearsals, application).await?;
        let again = clone.schema_fingerprint().await?;
        differences.extend(schema_after.differences(&again, 10));
    }
    tell_differences(run, &changesets, &rehearsals, &explained).await?;
    Ok(Shadow {
        changesets: rehearsals,
        traffic: summary,
        failures,
        verdicts,
        whole_way_back: proven && differences.is_empty(),
        differences,
        explained,
        unmeasured,
        schema_after,
        backfill_rows_per_second: (moved.1 > 0.0).then(|| moved.0 as f64 / moved.1),
        network: None,
    })
}

fn runner<'a>(
    run: &'a mut Run,
    clone: &'a dyn Database,
    application: &'a str,
    tell: &'a mut (dyn FnMut(Step) + Send),
) -> ChangesetRunner<'a> {
    ChangesetRunner {
        database: clone,
        liquibase: &mut run.liquibase,
        limits: &run.environment.limits,
        application,
        gentle: false,
        stop: Arc::new(AtomicBool::new(false)),
        session: Vec::new(),
        tell,
    }
}

async fn start_traffic(run: &Run, clone: &Arc<dyn Database>) -> Result<Traffic> {
    let catalog = clone.catalog().await?;
    let options = TrafficOptions {
        rate: RATE,
        connections: 6,
        // Same locks, same work, and the data stays comparable.
        ending: Ending::Rollback,
        only_reads: false,
        seed: run.environment.traffic.seed,
        may_be_silent: run.environment.compat.without_contracts,
    };
    Traffic::start(Arc::clone(clone), &catalog, &run.contracts, options).await
}

fn round_time(contracts: &[crate::contract::Contract]) -> Duration {
    let queries: usize = contracts.iter().flat_map(|c| &c.versions).map(|v| v.queries.len()).sum();
    Duration::from_secs_f64((queries as f64 / RATE).clamp(0.5, 60.0) + 0.3)
}

/// A query that failed before anything was changed says nothing of the change.
fn new_failures(failures: Vec<TrafficFailure>) -> Vec<TrafficFailure> {
    let old: Vec<_> = failures
        .iter()
        .filter(|f| f.changeset.is_none())
        .map(|f| (f.service.clone(), f.version.clone(), f.query.clone(), f.code.clone()))
        .collect();
    failures
        .into_iter()
        .filter(|f| f.changeset.is_some())
        .filter(|f| !old.contains(&(f.service.clone(), f.version.clone(), f.query.clone(), f.code.clone())))
        .collect()
}

async fn forward(
    run: &mut Run,
    clone: &dyn Database,
    traffic: &Traffic,
    changeset: &Changeset,
    application: &str,
) -> Result<(Rehearsal, Effort)> {
    let footprint = clone.footprint().await?;
    let watch = match clone.capabilities().shows_sessions {
        true => Some(clone.watch_locks(application).await?),
        false => None,
    };
    let watcher = Arc::clone(&run.watcher);
    let id = changeset.key.id.clone();
    let mut tell = move |step: Step| {
        if let Step::Batch { rows, total, .. } = step {
            watcher.progress(&format!("forward: {id} (rows)"), Some((rows, total)));
        }
    };
    let begun = Instant::now();
    let mut runner = runner(run, clone, application, &mut tell);
    let worked = changeset_runner::forward(&mut runner, changeset, None).await;
    let seconds = begun.elapsed().as_secs_f64();
    let locks = match watch {
        Some(watch) => watch.stop().await,
        None => Vec::new(),
    };
    let (_, effort) = worked.map_err(|e| {
        Error::refused(format!("{} fails on the clone", changeset.place()))
            .because(e)
            .hint("production was not touched; correct the changeset")
    })?;
    let after = clone.footprint().await?;
    Ok((
        Rehearsal {
            key: changeset.key.clone(),
            seconds,
            inverse_seconds: 0.0,
            locks,
            rewrites: rewrites(&footprint.storage, &after.storage),
            log_bytes: after.log_bytes.zip(footprint.log_bytes).map(|(now, then)| now.saturating_sub(then)),
            rows: effort.rows,
            stall_ms: traffic.longest_since(begun),
            waits: Vec::new(),
            reverse: ReverseProof::None,
            differences: Vec::new(),
            explained: Vec::new(),
            not_again: None,
        },
        effort,
    ))
}

fn rewrites(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    before
        .iter()
        .filter(|(table, id)| after.get(*table).is_some_and(|now| now != *id))
        .map(|(table, _)| table.clone())
        .collect()
}

/// Applies all of them to the clone once more, as a run after a rollback would.
async fn forward_again(
    run: &mut Run,
    clone: &dyn Database,
    changesets: &[Changeset],
    rehearsals: &mut [Rehearsal],
    application: &str,
) -> Result<()> {
    let total = u64::try_from(changesets.len()).unwrap_or(u64::MAX);
    for (n, (changeset, rehearsal)) in (0_u64..).zip(changesets.iter().zip(rehearsals)) {
        run.watcher.progress(&format!("forward again: {}", changeset.key.id), Some((n, total)));
        let mut tell = |_: Step| {};
        let mut runner = runner(run, clone, application, &mut tell);
        match changeset_runner::forward(&mut runner, changeset, None).await {
            Ok(_) => {}
            // What its inverse is allowed to leave is in its own way.
            Err(error) if !rehearsal.explained.is_empty() => rehearsal.not_again = Some(error.chain()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Says what the inverses leave and why it may stay, and which lines of the changesets allow nothing.
async fn tell_differences(
    run: &mut Run,
    changesets: &[Changeset],
    rehearsals: &[Rehearsal],
    end: &[Difference],
) -> Result<()> {
    let mut lines = Vec::new();
    for (changeset, rehearsal) in changesets.iter().zip(rehearsals) {
        let id = &changeset.key.id;
        let told = rehearsal.explained.iter().filter(|d| !d.is_refused());
        lines.extend(told.map(|d| format!("the inverse of {id} leaves {d}")));
        lines.extend(rehearsal.not_again.as_ref().map(|error| {
            format!("{id} cannot be applied again once it is taken back, as it is written now: {error}")
        }));
        let all: Vec<Difference> = rehearsal.explained.iter().chain(end).cloned().collect();
        lines.extend(
            differences::unused(changeset, &all)
                .into_iter()
                .map(|line| format!("{}: {}", changeset.place(), suppressions::nothing_to_pass(line))),
        );
    }
    let known = |d: &&Difference| rehearsals.iter().flat_map(|r| &r.explained).all(|e| e.object != d.object);
    let after = end.iter().filter(|d| !d.is_refused()).filter(known);
    lines.extend(after.map(|d| format!("after all inverses the clone has {d}")));
    for line in lines {
        run.watcher.note(&line);
        run.note(line, None).await?;
    }
    Ok(())
}
