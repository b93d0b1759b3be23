//! `rollback`: the inverses of what was applied, newest first, while the services keep running.

pub mod keep;
pub mod preview;
mod trial;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::planned;
use super::rollout::Live;
use crate::error::{Error, Result};
use crate::model::changeset::ChangesetId;
use crate::model::difference::Difference;
use crate::model::event::{Action, EventKind};
use crate::model::evidence::{BeforeAfter, Plan, Rollback, RollbackPreview, Undone};
use crate::model::schema::{SchemaFingerprint, subject};
use crate::model::stage::Stage;
use crate::run::Run;
use crate::run::{files, liquibase_lock, trace};
use crate::stages::changeset_runner::{self, ChangesetRunner, Step};
use crate::stages::differences;

/// Takes one changeset back.
///
/// # Errors
/// The inverse's own failure, once its attempts are used up: the run is stuck then.
pub(super) async fn undo(run: &mut Run, live: Option<&Live>, key: &ChangesetId) -> Result<Undone> {
    let mut evidence = begin(run)?;
    if evidence.automatic && evidence.undone.is_empty() && evidence.preview.is_none() {
        let preview = look(run).await?;
        let begun = keep::inverses_begun(run.journal.events(), None) > 1;
        let keeping = keep::aside(run, &preview, begun).await?;
        // Leave to lose it was given, and production waits.
        for line in &keeping.not_kept {
            run.note(format!("not kept aside: {line}"), None).await?;
        }
        evidence.preview = Some(preview);
    }
    if evidence.undone.is_empty() {
        liquibase_lock::release_stale(run).await?;
    }
    let plan: Plan = run.evidence("plan")?;
    let changeset = planned(&plan, key)?;
    let within = keep::before(run, &plan, &changeset).await?;
    run.watcher.progress(&format!("taking back {}", key.id), None);
    if let Some(live) = live {
        live.traffic.running(Some(key.clone()));
    }
    let application = run.application();
    let restore = trace::restored(run.journal.events(), key);
    let (notes, heard) = tokio::sync::mpsc::unbounded_channel();
    let tell = move |step: Step| {
        if let Step::Retry { attempt, error, .. } = step {
            let text = format!("try {attempt} of taking back {} failed ({error})", key.id);
            let action = Some(Action::Undo { changeset: key.clone() });
            let _ = notes.send(EventKind::Noted { text, action, checkpoint: None });
        }
    };
    let begun = Instant::now();
    // Going back is worth more patience than going on: the alternative is a person.
    let mut limits = run.environment.limits.clone();
    limits.lock_attempts = limits.lock_attempts.saturating_mul(5);
    limits.wait_seconds = limits.wait_seconds.saturating_mul(5);
    let work = async {
        // Moved in, so that the notes end with the work.
        let mut tell = tell;
        let mut runner = ChangesetRunner {
            database: run.database.as_ref(),
            liquibase: &mut run.liquibase,
            limits: &limits,
            application: &application,
            gentle: true,
            stop: Arc::new(AtomicBool::new(false)),
            session: Vec::new(),
            tell: &mut tell,
        };
        changeset_runner::back(&mut runner, &changeset, &restore, &within).await
    };
    let (effort, ()) = tokio::join!(work, run.journal.write_down(heard));
    let (state, effort) = effort?;
    let undone =
        Undone { key: key.clone(), seconds: begun.elapsed().as_secs_f64(), attempts: effort.attempts, state };
    evidence.undone.push(undone.clone());
    evidence.kept = keep::after(run, key).await?;
    evidence.seconds += undone.seconds;
    run.keep("rollback", &evidence).await?;
    Ok(undone)
}

/// Looks before the first step back, and says which inverses could not be tried.
async fn look(run: &mut Run) -> Result<RollbackPreview> {
    let preview = preview::look_unasked(run).await?;
    for line in preview.untried() {
        run.note(line, None).await?;
    }
    Ok(preview)
}

fn begin(run: &mut Run) -> Result<Rollback> {
    if let Some(evidence) = files::evidence::<Rollback>(&run.folder(), "rollback")? {
        return Ok(evidence);
    }
    run.watcher.stage_began(Stage::Rollback);
    let (reason, automatic) = run
        .journal
        .events()
        .iter()
        .rev()
        .find_map(|e| match &e.what {
            EventKind::Unwinding { reason, automatic } => Some((reason.clone(), *automatic)),
            _ => None,
        })
        .unwrap_or_default();
    let before = files::evidence::<SchemaFingerprint>(&run.folder(), "schema-before")?.unwrap_or_default();
    Ok(Rollback {
        reason,
        automatic,
        undone: Vec::new(),
        seconds: 0.0,
        fingerprint: BeforeAfter { before: before.digest, ..BeforeAfter::default() },
        explained: Vec::new(),
        preview: if automatic { None } else { preview::seen(run)? },
        kept: keep::known(run)?,
        lost_writes: 0,
        lost: String::new(),
    })
}

/// Holds the schema against the one from before, and looks for acknowledged writes that are gone.
///
/// # Errors
/// `Stuck` when production is not as it was.
pub(super) async fn settle(run: &mut Run, live: Option<Live>) -> Result<String> {
    let mut evidence = begin(run)?;
    let before: SchemaFingerprint = files::evidence(&run.folder(), "schema-before")?.unwrap_or_default();
    let (mut lost, mut acknowledged) = (0, 0);
    if let Some(mut live) = live {
        live.traffic.running(None);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let (traffic, failures) = live.traffic.stop().await;
        (lost, acknowledged) = (traffic.lost, traffic.acknowledged);
        live.evidence.traffic = traffic;
        live.evidence.failures = failures;
        run.keep("rollout", &live.evidence).await?;
    }
    let after = run.database.schema_fingerprint().await?;
    // A run that never got to production has nothing to be held against.
    let mut found = if before.objects.is_empty() { Vec::new() } else { left(run, &before, &after)? };
    // What somebody else had changed before, and was accepted, stays.
    let drift = evidence.preview.iter().flat_map(|o| &o.drift).map(|d| subject(d)).collect::<Vec<_>>();
    found.retain(|d| !drift.contains(&subject(&d.line)));
    let (refused, explained): (Vec<_>, Vec<_>) = found.into_iter().partition(Difference::is_refused);
    let differences: Vec<String> = refused.iter().take(10).map(ToString::to_string).collect();
    evidence.fingerprint = BeforeAfter {
        before: before.digest.clone(),
        after: after.digest.clone(),
        as_expected: differences.is_empty(),
        differences: differences.clone(),
    };
    evidence.explained = explained;
    evidence.set_lost_writes(lost, acknowledged);
    run.keep("rollback", &evidence).await?;
    if !differences.is_empty() {
        return Err(Error::stuck(format!("the schema is not as it was before: {}", differences.join("; ")))
            .hint("`drydock report` has the journal; the backup of this run is kept"));
    }
    if lost > 0 {
        return Err(Error::stuck(format!("{lost} acknowledged writes are gone"))
            .hint("the backup of this run is kept"));
    }
    run.remember_schema(&after).await?;
    let text = format!(
        "{} {} taken back in {:.1} s, schema as before{}; lost: {}",
        evidence.undone.len(),
        if evidence.undone.len() == 1 { "changeset" } else { "changesets" },
        evidence.seconds,
        evidence.left_in_words(),
        evidence.lost
    );
    run.watcher.stage_done(Stage::Rollback, evidence.seconds, &text);
    Ok(text)
}

/// How the schema differs from the one before, and what of it the undone changesets allow.
fn left(run: &Run, before: &SchemaFingerprint, after: &SchemaFingerprint) -> Result<Vec<Difference>> {
    let plan: Plan = run.evidence("plan")?;
    let changesets: Vec<_> = plan.changesets.iter().collect();
    Ok(differences::of_schema_here(run.database.as_ref(), before, after, &changesets))
}
