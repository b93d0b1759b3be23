//! What is known of a run, put together from its journal and its evidence.

use std::path::Path;

use crate::config::Environment;
use crate::error::{Error, Result};
use crate::model::event::{ActOutcome, Action, Event, EventKind, FailureKind};
use crate::model::evidence::{
    BeforeAfter, ChangesetLine, ChangesetOutcome, Compat, EventLine, Outcome, Plan, ReverseProof, Rollback,
    Rollout, RunRecord, RunSummary, Shadow, StageLine, StageOutcome,
};
use crate::model::restored_production::{RESTORED, RestoredProduction};
use crate::model::stage::Stage;
use crate::run::files::{evidence, journal_path, runs_folder};
use crate::run::journal;
use crate::run::saga::Decision;

/// Reads a run's record; works on a run that another process is driving.
///
/// # Errors
/// `Input` when there is no such run, `Failed` when it cannot be read.
pub fn load(environment: &Environment, run: &str) -> Result<RunRecord> {
    let path = journal_path(environment, run);
    if !path.is_file() {
        return Err(Error::input(format!("there is no run {run}")).hint("`drydock history` lists them"));
    }
    let events = journal::read(&path)?;
    let folder = runs_folder(environment).join(run);
    let plan: Option<Plan> = evidence(&folder, "plan")?;
    let compat: Option<Compat> = evidence(&folder, "compat")?;
    let shadow: Option<Shadow> = evidence(&folder, "shadow")?;
    let rollout: Option<Rollout> = evidence(&folder, "rollout")?;
    let rollback: Option<Rollback> = evidence(&folder, "rollback")?;
    let mut summary = summarise(
        run,
        &events,
        plan.as_ref(),
        compat.as_ref(),
        shadow.as_ref(),
        rollout.as_ref(),
        rollback.as_ref(),
    )?;
    // Where its changesets stayed, the run is as its rollout left it, and may still be taken back.
    if let Some(restored) = evidence::<RestoredProduction>(&folder, RESTORED)?.filter(|r| r.rolled_back) {
        summary.fingerprint = restored.fingerprint;
    }
    Ok(RunRecord {
        summary,
        plan,
        backup: evidence(&folder, "backup")?,
        compat,
        clone: evidence(&folder, "clone")?,
        shadow,
        rollout,
        rollback,
        events: events.iter().map(line).collect(),
        journal_intact: journal::verify(&events).is_ok(),
        refused_for_input: events
            .iter()
            .any(|e| matches!(e.what, EventKind::Failed { kind: FailureKind::Input, .. })),
    })
}

#[allow(clippy::too_many_arguments)]
fn summarise(
    run: &str,
    events: &[Event],
    plan: Option<&Plan>,
    compat: Option<&Compat>,
    shadow: Option<&Shadow>,
    rollout: Option<&Rollout>,
    rollback: Option<&Rollback>,
) -> Result<RunSummary> {
    let first = events.first().ok_or_else(|| Error::failed(format!("the journal of run {run} is empty")))?;
    let (environment, database, actor, commit) = match &first.what {
        EventKind::Started { environment, database, actor, commit, .. } => {
            (environment.clone(), database.clone(), actor.clone(), commit.clone())
        }
        _ => Default::default(),
    };
    let (outcome, reason) = ending(events);
    let hint = events.iter().rev().find_map(|e| match &e.what {
        EventKind::Failed { hint, .. } => hint.clone(),
        _ => None,
    });
    let before_after = match (rollback, rollout) {
        (Some(rollback), _) => rollback.fingerprint.clone(),
        (None, Some(rollout)) => rollout.fingerprint.clone(),
        (None, None) => BeforeAfter::default(),
    };
    Ok(RunSummary {
        run: run.to_owned(),
        environment,
        database,
        outcome,
        reason,
        hint: if matches!(outcome, Outcome::Migrated | Outcome::Held) { None } else { hint },
        started: first.at,
        actor,
        commit,
        seconds: at_work(events),
        stages: stages(events),
        changesets: plan.map(|p| changesets(p, compat, shadow, events)).unwrap_or_default(),
        held: compat.map(|c| c.held.clone()).unwrap_or_default(),
        traffic: rollout.map(|r| r.traffic.clone()).unwrap_or_default(),
        fingerprint: before_after,
        kept: rollback.map(|r| r.kept.clone()).unwrap_or_default(),
    })
}

/// The outcome on record, and why.
fn ending(events: &[Event]) -> (Outcome, Option<String>) {
    if let Decision::Over(outcome) = crate::run::saga::next(events) {
        let reason = events.iter().rev().find_map(|e| match &e.what {
            EventKind::Finished { reason: Some(reason), .. } => Some(reason.clone()),
            EventKind::Unwinding { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        return (outcome, reason);
    }
    (
        Outcome::Unfinished,
        Some("the run is under way, or was interrupted: the same command goes on with it".to_owned()),
    )
}

fn seconds(from: &Event, to: &Event) -> f64 {
    to.at.duration_since(from.at).as_secs_f64()
}

/// The time that some process was at work on it.
fn at_work(events: &[Event]) -> f64 {
    let pairs = events.iter().zip(events.iter().skip(1));
    let begins = |e: &Event| {
        matches!(e.what, EventKind::Resumed { .. } | EventKind::Unwinding { automatic: false, .. })
    };
    pairs.filter(|(_, after)| !begins(after)).map(|(before, after)| seconds(before, after)).sum()
}

/// Wall time per stage: from an intent to its outcome, over all tries; the rollout and rollback over all their acts.
fn stages(events: &[Event]) -> Vec<StageLine> {
    let mut lines: Vec<StageLine> = Vec::new();
    for stage in Stage::ALL {
        let of = |action: &Action| match action {
            Action::Stage { stage: s } => *s == stage,
            Action::Apply { .. } | Action::Settle => stage == Stage::Rollout,
            Action::Undo { .. } | Action::SettleBack => stage == Stage::Rollback,
        };
        let mut total = 0.0;
        let mut open: Option<&Event> = None;
        let mut outcome = None;
        let mut detail = String::new();
        for event in events {
            match &event.what {
                EventKind::Intended { action, .. } if of(action) => open = Some(event),
                EventKind::Done { action, text, .. } if of(action) => {
                    total += open.take().map_or(0.0, |from| seconds(from, event));
                    outcome = Some(StageOutcome::Done);
                    detail.clone_from(text);
                }
                EventKind::Failed { action, error, .. } if of(action) => {
                    total += open.take().map_or(0.0, |from| seconds(from, event));
                    outcome = Some(StageOutcome::Failed);
                    detail.clone_from(error);
                }
                _ => {}
            }
        }
        // A gate that did not hold fails the rollout although every changeset was applied.
        if stage == Stage::Rollout && outcome == Some(StageOutcome::Done) {
            let reason = events.iter().find_map(|e| match &e.what {
                EventKind::Unwinding { reason, automatic: true } => Some(reason.clone()),
                _ => None,
            });
            if let Some(reason) = reason {
                outcome = Some(StageOutcome::Failed);
                detail = reason;
            }
        }
        // The rollout is one stretch, traffic and gates between its acts included.
        if stage == Stage::Rollout {
            total = stretch(events);
        }
        let outcome =
            outcome.unwrap_or(if open.is_some() { StageOutcome::Interrupted } else { StageOutcome::Skipped });
        if stage == Stage::Rollback && outcome == StageOutcome::Skipped {
            continue;
        }
        lines.push(StageLine { name: stage.name().to_owned(), outcome, seconds: total, detail });
    }
    lines
}

/// From the first act on production to the last word on it, without the time between two processes.
fn stretch(events: &[Event]) -> f64 {
    let mut total = 0.0;
    let mut last: Option<&Event> = None;
    for event in events {
        let rollout = matches!(
            &event.what,
            EventKind::Intended { action: Action::Apply { .. } | Action::Settle, .. }
                | EventKind::Done { action: Action::Apply { .. } | Action::Settle, .. }
                | EventKind::Failed { action: Action::Apply { .. } | Action::Settle, .. }
                | EventKind::Noted { .. }
        );
        if matches!(event.what, EventKind::Resumed { .. } | EventKind::Unwinding { .. }) {
            last = None;
        }
        if rollout {
            total += last.map_or(0.0, |from| seconds(from, event));
            let began = matches!(event.what, EventKind::Noted { .. }) && last.is_none();
            last = if began { None } else { Some(event) };
        }
    }
    total
}

fn changesets(
    plan: &Plan,
    compat: Option<&Compat>,
    shadow: Option<&Shadow>,
    events: &[Event],
) -> Vec<ChangesetLine> {
    plan.changesets
        .iter()
        .map(|changeset| {
            let key = &changeset.key;
            let mut outcome = ChangesetOutcome::Pending;
            if compat.is_some_and(|c| c.held.iter().any(|h| h.key == *key)) {
                outcome = ChangesetOutcome::Held;
            }
            for event in events {
                match &event.what {
                    EventKind::Done { action: Action::Apply { changeset, .. }, outcome: came, .. }
                        if changeset == key =>
                    {
                        outcome = match came {
                            ActOutcome::Changed { changed: false } => ChangesetOutcome::LeftOut,
                            _ => ChangesetOutcome::Applied,
                        }
                    }
                    EventKind::Done { action: Action::Undo { changeset }, .. } if changeset == key => {
                        outcome = ChangesetOutcome::Undone
                    }
                    _ => {}
                }
            }
            let rehearsal = shadow.and_then(|s| s.changesets.iter().find(|r| r.key == *key));
            ChangesetLine {
                key: key.clone(),
                phase: changeset.phase,
                outcome,
                reverse: rehearsal.map_or(ReverseProof::None, |r| r.reverse),
            }
        })
        .collect()
}

/// One line of the audit trail for people.
fn line(event: &Event) -> EventLine {
    let (kind, text) = match &event.what {
        EventKind::Started { actor, commit, version, inject, .. } => {
            let commit = commit
                .as_deref()
                .map(|c| format!(", commit {}", c.get(..12).unwrap_or(c)))
                .unwrap_or_default();
            let inject = inject.as_deref().map(|i| format!(", injecting {i}")).unwrap_or_default();
            ("started", format!("by {actor} with drydock {version}{commit}{inject}"))
        }
        EventKind::Resumed { actor, version, .. } => {
            ("resumed", format!("by {actor} with drydock {version}"))
        }
        EventKind::Intended { action, .. } => ("intended", action.to_string()),
        EventKind::Moving { changeset } => ("moving", format!("rows of {changeset}, in batches that stay")),
        EventKind::Done { action, text, evidence, .. } => {
            let evidence =
                evidence.as_deref().map(|e| format!(" [{}]", e.get(..12).unwrap_or(e))).unwrap_or_default();
            ("done", format!("{action}: {text}{evidence}"))
        }
        EventKind::Failed { action, error, .. } => ("failed", format!("{action}: {error}")),
        EventKind::Noted { text, .. } => ("noted", text.clone()),
        EventKind::Unwinding { reason, automatic } => {
            ("unwinding", format!("{}: {reason}", if *automatic { "by itself" } else { "by hand" }))
        }
        EventKind::Finished { outcome, reason } => {
            let reason = reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
            ("finished", format!("{}{reason}", outcome.name()))
        }
    };
    EventLine { seq: event.seq, at: event.at, kind: kind.to_owned(), text, hash: event.hash.clone() }
}

/// Checks the record of a run: nothing changed, nothing missing. Gives how many events it has.
///
/// # Errors
/// `Stuck` naming the first that was changed.
pub fn verify(environment: &Environment, run: &str) -> Result<u64> {
    let events = intact(&runs_folder(environment).join(run), run)?;
    Ok(u64::try_from(events.len()).unwrap_or(u64::MAX))
}

/// The events of a run's folder, once they and the evidence they name are found to be what was recorded.
///
/// # Errors
/// `Stuck` naming the first that was changed.
pub fn intact(folder: &Path, run: &str) -> Result<Vec<Event>> {
    use sha2::{Digest, Sha256};
    let events = journal::read(&folder.join("journal.jsonl"))?;
    journal::verify(&events)?;
    let mut last = std::collections::BTreeMap::new();
    for event in &events {
        if let EventKind::Done { action: Action::Stage { stage }, evidence: Some(hash), .. } = &event.what {
            last.insert(*stage, hash.clone());
        }
    }
    for (stage, hash) in last {
        let path = folder.join("evidence").join(format!("{stage}.json"));
        let bytes = std::fs::read(&path)
            .map_err(|e| Error::stuck(format!("{} is gone", path.display())).because(e))?;
        if crate::model::hex(&Sha256::digest(&bytes)) != hash {
            return Err(Error::stuck(format!(
                "{} is not what the journal of run {run} recorded",
                path.display()
            )));
        }
    }
    Ok(events)
}
