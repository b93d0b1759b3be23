//! `rollout`: Liquibase on production, wave by wave between gates, while the services keep running.

mod gate;
mod watched;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::tell_skipped;
use crate::config::TrafficKind;
use crate::error::{Error, Result};
use crate::load::{Period, Traffic, TrafficOptions};
use crate::model::changeset::ChangesetId;
use crate::model::evidence::{
    Applied, BeforeAfter, Compat, GateMoment, Plan, Rollout, Shadow, TrafficSummary,
};
use crate::model::query::Ending;
use crate::model::schema::SchemaFingerprint;
use crate::model::stage::Stage;
use crate::run::Run;
use crate::run::files;
use crate::run::liquibase_lock;
use crate::stages::{planned, product_limits, rollback};
use watched::watched;

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
        failed: Vec::new(),
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
        may_be_silent: run.environment.compat.without_contracts,
    };
    let known = evidence.traffic.skipped.clone();
    let traffic = Traffic::start(Arc::clone(&run.database), &catalog, &run.contracts, options).await?;
    if let Some(broken) = traffic.skipped.iter().find(|q| resumed && !known.iter().any(|k| k.is(q))) {
        return Err(Error::failed(format!("{broken}")).hint("it ran before the rollout was interrupted"));
    }
    if !resumed {
        tell_skipped(run, &traffic.skipped).await?;
        let database = Arc::clone(&run.database);
        for line in product_limits::of_rollout(database.as_ref(), &run.environment.limits, &plan.changesets) {
            run.watcher.note(&line);
            run.note(line, None).await?;
        }
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
    // It is on production by now: that its rows cannot be counted is no reason to go back.
    if let Err(error) = rollback::preview::remember_own(run, &planned(&live.plan, key)?).await {
        let text =
            format!("what {} has written cannot be told from what others write: {}", key.id, error.chain());
        run.note(text, None).await?;
    }
    Ok(applied)
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
            "production's schema differs from the rehearsal's: {}",
            differences.join("; ")
        )));
    }
    if traffic.lost > 0 {
        return Err(Error::failed(format!("{} acknowledged writes are missing", traffic.lost)));
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
