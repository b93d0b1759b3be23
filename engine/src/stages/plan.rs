//! `plan`: what Liquibase has pending, parsed, with phases, hazards, reverses, waves, and what has drifted.

mod drift;
mod history;
mod parameters;
mod statements;

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::config::{Environment, TrafficKind};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::liquibase::{ChangesetState, ChangesetStatus, Liquibase, RollbackKind, RollbackSql};
use crate::model::catalog::Catalog;
use crate::model::changeset::{Changeset, Phase, Reverse, Severity, Statement};
use crate::model::event::ActOutcome;
use crate::model::evidence::{Filtered, Plan, Wave};
use crate::model::hex;
use crate::model::preflight::Fact;
use crate::model::server::ServerInfo;
use crate::product::Database;
use crate::run::{Run, preflight};
use crate::stages::StageDone;
use crate::stages::suppressions;

pub use drift::{differences, refuse_drift, refuse_other_history};

/// The stage of a run.
///
/// # Errors
/// `Refused` when something fatal drifted or a changeset cannot be taken back.
pub async fn stage(run: &mut Run) -> Result<StageDone> {
    run.watcher.progress("asking Liquibase what is pending", None);
    let facts = run.facts.clone();
    let plan = make(&run.environment, run.database.as_ref(), facts, &mut run.liquibase).await?;
    let evidence = run.keep("plan", &plan).await?;
    refuse(&plan, run.options.accept_drift, run.environment.shadow.run_code)?;
    refuse_unknown(run, &plan)?;
    refuse_silent(run, &plan).await?;
    let pending = u64::try_from(plan.changesets.len()).unwrap_or(u64::MAX);
    Ok((ActOutcome::Pending { changesets: pending }, evidence, describe(&plan)))
}

/// Stops a run that knows nobody whom its changes could break.
fn refuse_unknown(run: &Run, plan: &Plan) -> Result<()> {
    let known = run.contracts.iter().any(|c| !c.versions.is_empty());
    if known || plan.changesets.is_empty() || run.environment.compat.without_contracts {
        return Ok(());
    }
    let folder = run.environment.contracts.display();
    Err(Error::refused(format!("no service is known: there is no contract in {folder}")).hint(
        "`drydock contracts harvest` writes contracts of what the database has seen; without_contracts = true in the \
         environment's [compat] goes on without any, and the gates then judge by the database's sessions alone",
    ))
}

/// Stops a run that would find no signal for its gates once it has got to production.
async fn refuse_silent(run: &Run, plan: &Plan) -> Result<()> {
    let probes = run.environment.traffic.kind == TrafficKind::Probe;
    if !probes || plan.changesets.is_empty() || run.environment.compat.without_contracts {
        return Ok(());
    }
    let catalog = run.database.catalog().await?;
    for query in run.contracts.iter().flat_map(|c| &c.versions).flat_map(|v| &v.queries) {
        let usage = run.database.queries(&[&query.sql], &catalog).await.pop();
        // One that cannot be read is told by itself.
        if usage.is_some_and(|usage| usage.map_or(true, |usage| usage.only_reads)) {
            return Ok(());
        }
    }
    Err(Error::refused("no query of the contracts only reads, so that the gates would have no signal").hint(
        "add a query that reads to a contract, or set kind = \"rehearse\" in the environment's [traffic], which also runs those that write \
         and takes each back at once",
    ))
}

fn describe(plan: &Plan) -> String {
    let count = |phase| plan.changesets.iter().filter(|c| c.phase == phase).count();
    let dangers =
        plan.changesets.iter().flat_map(hazards).filter(|severity| *severity == Severity::Danger).count();
    format!(
        "{} changesets pending ({} expand, {} migrate, {} contract) in {} waves, {} dangers, {} left out, plan {}",
        plan.changesets.len(),
        count(Phase::Expand),
        count(Phase::Migrate),
        count(Phase::Contract),
        plan.waves.len(),
        dangers,
        plan.filtered.len(),
        plan.hash.get(..12).unwrap_or_default(),
    )
}

/// What is let pass is no danger.
fn hazards(changeset: &Changeset) -> impl Iterator<Item = Severity> + '_ {
    let all = changeset.statements.iter().flat_map(|s| &s.hazards);
    all.filter(|h| h.allowed.is_none()).map(|h| h.severity)
}

/// Makes the plan. Changes nothing anywhere. `preflight`: what was known before.
///
/// # Errors
/// `Input` for a changelog that cannot be read or a statement that is none.
pub async fn make(
    environment: &Environment,
    database: &dyn Database,
    mut preflight: Vec<Fact>,
    liquibase: &mut Liquibase,
) -> Result<Plan> {
    let server = database.server().await?;
    let status = liquibase.status().await?;
    let mut catalog = database.catalog().await?;
    let in_state = |state| status.changesets.iter().filter(move |c| c.state == state);
    let pending: Vec<&ChangesetStatus> = in_state(ChangesetState::Pending).collect();
    let texts: Vec<String> = pending.iter().flat_map(|c| c.sql.iter().cloned()).collect();
    catalog.pending_indexes = database.pending_indexes(&texts, &catalog);
    let hazards = database.hazards();
    let mut changesets = Vec::new();
    for pending in pending {
        let changeset = read(pending, database, &server, &catalog, &hazards).await?;
        changeset.statements.iter().flat_map(|s| &s.actions).for_each(|action| catalog.foresee(action));
        changesets.push(changeset);
    }
    let filtered = in_state(ChangesetState::Filtered)
        .map(|c| Filtered {
            key: c.key.clone(),
            reason: c.filter_reason.clone().unwrap_or_else(|| "filtered".to_owned()),
        })
        .collect();
    let waves = waves(&changesets, environment.limits.wave_size);
    let drift = differences(environment, database, &status).await?;
    preflight.extend(preflight::server_disk(database, &changesets, &catalog).await?);
    let mut plan = Plan {
        hash: String::new(),
        server,
        database: Some(database.endpoint().to_string()),
        liquibase: crate::liquibase::VERSION.to_owned(),
        applied: u64::try_from(status.history.len()).unwrap_or(u64::MAX),
        changesets,
        waves,
        filtered,
        drift,
        preflight,
    };
    plan.hash = hash(&plan)?;
    Ok(plan)
}

/// Over everything that decides what happens; sizes and server facts may change between two looks.
fn hash(plan: &Plan) -> Result<String> {
    let essence: Vec<_> = plan
        .changesets
        .iter()
        .map(|c| {
            let sql = |statements: &[Statement]| statements.iter().map(|s| s.sql.clone()).collect::<Vec<_>>();
            let suppressions = c.suppressions.clone();
            (
                c.key.clone(),
                c.checksum.clone(),
                c.phase,
                c.reverse,
                sql(&c.statements),
                sql(&c.inverse),
                suppressions,
            )
        })
        .collect();
    let bytes = serde_json::to_vec(&(essence, &plan.waves, &plan.filtered, &plan.drift))
        .context("the plan cannot be hashed")?;
    Ok(hex(&Sha256::digest(bytes)))
}

/// Where a statement commits by itself, a changeset that fails further on can be neither taken back nor run again.
///
/// # Errors
/// `Refused` where it is not the only one.
fn alone_where_it_commits(statements: &[Statement], place: &str, id: &str) -> Result<()> {
    match statements.iter().find(|statement| statement.commits) {
        Some(first) if statements.len() > 1 => Err(Error::refused(format!(
            "{place}: changeset \"{id}\" has {} statements, and {} commits by itself: when another one fails, the changeset is \
             half done and cannot run again",
            statements.len(),
            first.kind
        ))
        .hint("write a changeset for each statement")),
        _ => Ok(()),
    }
}

async fn read(
    pending: &ChangesetStatus,
    database: &dyn Database,
    server: &ServerInfo,
    catalog: &Catalog,
    hazards: &BTreeSet<String>,
) -> Result<Changeset> {
    let place = match pending.line {
        Some(line) => format!("{}:{line}", pending.key.path),
        None => pending.key.path.clone(),
    };
    let id = &pending.key.id;
    let unread = |what: &str| format!("{place}: the {what} of changeset \"{id}\" cannot be read");
    parameters::all_set(&pending.sql).input(unread("SQL"))?;
    let mut statements = statements::read(database, server, &pending.sql, catalog, &unread("SQL")).await?;
    alone_where_it_commits(&statements, &place, id)?;
    let mut no_inverse = None;
    let (reverse, mut inverse) = match &pending.rollback {
        Some(RollbackSql { kind: RollbackKind::Inverse | RollbackKind::Empty, sql, written, .. }) => {
            parameters::all_set(sql).input(unread("rollback"))?;
            match statements::read(database, server, sql, catalog, &unread("rollback")).await {
                Ok(inverse) => (Reverse::Inverse, inverse),
                // Liquibase drops a constraint without a name as `null`.
                Err(error) if !written && error.kind == ErrorKind::Input => {
                    let why =
                        std::error::Error::source(&error).map_or_else(|| error.chain(), ToString::to_string);
                    no_inverse = Some(format!("the one that Liquibase derives cannot be run: {why}"));
                    (Reverse::None, Vec::new())
                }
                Err(error) => return Err(error),
            }
        }
        Some(RollbackSql { kind: RollbackKind::None, message, .. }) => {
            no_inverse.clone_from(message);
            (Reverse::None, Vec::new())
        }
        None => (Reverse::None, Vec::new()),
    };
    let mut suppressed = suppressions::read(&pending.remarks, pending.comment.as_deref(), hazards)
        .input(format!("{place}: a remark of changeset \"{id}\" cannot be read"))?;
    suppressions::apply(&mut suppressed, &mut statements, &mut inverse);
    Ok(Changeset {
        key: pending.key.clone(),
        line: pending.line,
        comment: pending.comment.clone(),
        checksum: pending.checksum.clone(),
        // What code does may be anything.
        phase: match pending.code.is_empty() {
            true => statements.iter().map(|s| s.phase).max().unwrap_or(Phase::Expand),
            false => Phase::Contract,
        },
        code: pending.code.clone(),
        preconditions: pending.preconditions.clone(),
        in_transaction: pending.run_in_transaction && database.product().capabilities().transactional_ddl,
        statements,
        reverse,
        no_inverse,
        inverse,
        suppressions: suppressed,
    })
}

/// Changelog order is kept, for later changesets may build on earlier ones. A wave ends where the phase changes or when it
/// is full; the first wave is one changeset: the canary.
fn waves(changesets: &[Changeset], size: usize) -> Vec<Wave> {
    let mut waves: Vec<Wave> = Vec::new();
    let mut phase = None;
    for changeset in changesets {
        let fits = waves
            .last()
            .is_some_and(|w| !w.canary && w.changesets.len() < size.max(1) && phase == Some(changeset.phase));
        if !fits {
            let number = u32::try_from(waves.len()).unwrap_or(u32::MAX).saturating_add(1);
            waves.push(Wave { number, canary: number == 1, changesets: Vec::new() });
        }
        if let Some(wave) = waves.last_mut() {
            wave.changesets.push(changeset.key.clone());
        }
        phase = Some(changeset.phase);
    }
    waves
}

/// Stops what must not go on.
///
/// # Errors
/// `Refused`, with every reason.
pub fn refuse(plan: &Plan, accept_drift: bool, run_code: bool) -> Result<()> {
    refuse_drift(&plan.drift, accept_drift)?;
    refuse_unrehearsable(&plan.changesets, run_code)?;
    for changeset in &plan.changesets {
        if changeset.reverse == Reverse::None {
            let none = Error::refused(format!(
                "{}: changeset \"{}\" has no inverse",
                changeset.place(),
                changeset.key.id
            ));
            return Err(match &changeset.no_inverse {
                Some(why) => none.because(why.clone()),
                None => none,
            }
            .hint("write what takes it back: a --rollback line in SQL (`--rollback empty` if there is nothing to do), a rollback element in XML, YAML and JSON"));
        }
        if changeset.in_transaction {
            continue;
        }
        let (place, id) = (changeset.place(), &changeset.key.id);
        let (statements, inverse) = (changeset.statements.len(), changeset.inverse.len());
        if statements > 1 {
            return Err(Error::refused(format!(
                "{place}: changeset \"{id}\" runs {statements} statements outside a transaction: half of it could stay behind"
            ))
            .hint("give each statement a changeset of its own"));
        }
        if inverse > 1 {
            return Err(Error::refused(format!(
                "{place}: the rollback of changeset \"{id}\" runs {inverse} statements outside a transaction: half of it could stay behind"
            ))
            .hint("take it back with one statement, or split the changeset so that each part has one"));
        }
    }
    Ok(())
}

/// Stops what no rehearsal may do: code whose doing cannot be seen without it, unless it has leave, and statements that reach outside of
/// the database.
///
/// # Errors
/// `Refused`, with the first changeset.
pub fn refuse_unrehearsable(changesets: &[Changeset], run_code: bool) -> Result<()> {
    let hint = |way: &str| {
        format!("nothing was run; {way}, or run this changeset with Liquibase itself before the others")
    };
    for changeset in changesets {
        let place = format!("{}: changeset \"{}\"", changeset.place(), changeset.key.id);
        if let Some(code) = changeset.code.first().filter(|_| !run_code) {
            return Err(Error::refused(format!(
                "{place} runs code, and what it does cannot be seen without doing it: {code}"
            ))
            .hint(hint("write the change as SQL, give it leave to run on the clone and then on production (run_code = true in the \
                        environment's [shadow])")));
        }
        let mut statements = changeset.statements.iter().chain(&changeset.inverse);
        if let Some((statement, to)) = statements.find_map(|s| Some((s, s.reaches_out()?))) {
            return Err(Error::refused(format!(
                "{place} reaches outside of the database, which no rehearsal may: {to} ({})",
                statement.kind
            ))
            .hint(hint("take the statement out of the changelog")));
        }
    }
    Ok(())
}
