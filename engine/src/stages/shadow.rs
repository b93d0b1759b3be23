//! `shadow`: the rehearsal. Real Liquibase on the clone under the contracts' queries: forward, every inverse, forward again.

mod plans;
mod refuse;
mod slow;
mod waits;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::load::{Traffic, TrafficOptions};
use crate::model::backup::Backup;
use crate::model::changeset::{Changeset, Phase};
use crate::model::event::ActOutcome;
use crate::model::evidence::{Compat, Plan, Rehearsal, ReverseProof, Shadow, TrafficFailure};
use crate::model::history::HistoryRow;
use crate::model::query::Ending;
use crate::model::schema::{DataFingerprint, SchemaFingerprint, subject};
use crate::product::Database;
use crate::report::rehearsal;
use crate::run::Run;
use crate::run::drive::StageDone;
use crate::stages::changeset_runner::{self, ChangesetRunner, Effort, Step};
use crate::stages::clone;
use crate::stages::product_limits;
use plans::Plans;

/// Requests a second on the clone: enough that every query runs before and after.
const RATE: f64 = 200.0;

/// The stage of a run.
///
/// # Errors
/// `Refused` when an inverse is not proven, or a query fails or gets slow under the new schema.
pub async fn stage(run: &mut Run) -> Result<StageDone> {
    let clone = clone::revive(run).await?;
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
    let shadow = rehearsed?;
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

/// What stood before a changeset ran, to hold its inverse against.
struct Before {
    schema: SchemaFingerprint,
    data: Option<DataFingerprint>,
    history: Vec<HistoryRow>,
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
        let before = Before {
            schema: clone.schema_fingerprint().await?,
            data: match changeset.phase {
                Phase::Expand => None,
                _ => Some(clone.data_fingerprint(Some(&changeset.touches())).await?),
            },
            history: run.liquibase.recorded(&changeset.key).await?,
        };
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
    let unmeasured = product_limits::of_shadow(clone.product().as_ref());
    for line in &unmeasured {
        run.watcher.note(line);
        run.note(line.clone(), None).await?;
    }
    let schema_after = clone.schema_fingerprint().await?;

    let mut left = Vec::new();
    for (n, ((changeset, rehearsal), before)) in
        (0_u64..).zip(changesets.iter().zip(rehearsals.iter_mut()).zip(&befores).rev())
    {
        run.watcher.progress(&format!("back: {}", changeset.key.id), Some((n, total)));
        if !backward(run, clone.as_ref(), changeset, rehearsal, before, &mut left, application).await? {
            // What lies beneath a failed inverse cannot be judged.
            break;
        }
    }
    let proven = rehearsals.iter().all(|r| r.reverse == ReverseProof::Proven);
    let mut differences = Vec::new();
    if proven {
        run.watcher.progress("comparing the clone with the backup", None);
        let (schema, data) = tokio::try_join!(clone.schema_fingerprint(), clone.data_fingerprint(None))?;
        differences.extend(backup.schema.differences(&schema, 10));
        if backup.moment.exact {
            differences.extend(backup.data.differences(&data, 10));
        }
    }
    if proven && differences.is_empty() {
        for (n, changeset) in (0_u64..).zip(&changesets) {
            run.watcher.progress(&format!("forward again: {}", changeset.key.id), Some((n, total)));
            let mut tell = |_: Step| {};
            let mut runner = runner(run, clone.as_ref(), application, &mut tell);
            changeset_runner::forward(&mut runner, changeset, None).await?;
        }
        let again = clone.schema_fingerprint().await?;
        differences.extend(schema_after.differences(&again, 10));
    }
    Ok(Shadow {
        changesets: rehearsals,
        traffic: summary,
        failures,
        verdicts,
        whole_way_back: proven && differences.is_empty(),
        differences,
        unmeasured,
        schema_after,
        backfill_rows_per_second: (moved.1 > 0.0).then(|| moved.0 as f64 / moved.1),
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
    let watch = match clone.product().capabilities().shows_sessions {
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

/// Runs an inverse and holds the clone against what stood before. `false` when it failed. `left` is what the inverses
/// before it left behind, which is not this one's fault.
async fn backward(
    run: &mut Run,
    clone: &dyn Database,
    changeset: &Changeset,
    rehearsal: &mut Rehearsal,
    before: &Before,
    left: &mut Vec<String>,
    application: &str,
) -> Result<bool> {
    let begun = Instant::now();
    let mut tell = |_: Step| {};
    let mut runner = runner(run, clone, application, &mut tell);
    let undone = changeset_runner::back(&mut runner, changeset, &before.history).await;
    rehearsal.inverse_seconds = begun.elapsed().as_secs_f64();
    if let Err(error) = undone {
        rehearsal.reverse = ReverseProof::Failed;
        rehearsal.differences.push(error.chain());
        return Ok(false);
    }
    let schema = clone.schema_fingerprint().await?;
    let mut differences = before.schema.differences(&schema, usize::MAX);
    if let Some(data) = &before.data {
        let now = clone.data_fingerprint(Some(&changeset.touches())).await?;
        differences.extend(data.differences(&now, usize::MAX));
    }
    let blamed = |d: &String| left.iter().any(|l| subject(l) == subject(d));
    let own: Vec<String> = differences.iter().filter(|d| !blamed(d)).take(10).cloned().collect();
    rehearsal.reverse = if own.is_empty() { ReverseProof::Proven } else { ReverseProof::Differs };
    rehearsal.differences = own;
    *left = differences;
    Ok(true)
}
