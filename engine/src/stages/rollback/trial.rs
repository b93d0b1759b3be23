//! The inverses, tried on production as it is now before the first of them runs: what came since may be in their way.

use std::time::Duration;

use crate::model::changeset::Changeset;
use crate::model::evidence::{TrialOutcome, TriedInverse, Untried};
use crate::model::schema_action::SchemaAction;
use crate::product::Trial;
use crate::run::Run;
use crate::stages::changeset_runner;

/// A lock that is held for a moment is no reason to give up.
const ATTEMPTS: u32 = 5;

/// Tries the inverses of these changesets, newest first, in one transaction that is taken back: each on what the ones before it
/// leave. Services wait no longer for it than the run's stall budget.
pub async fn of_inverses(run: &Run, changesets: &[&Changeset]) -> Vec<TriedInverse> {
    let transactional = run.database.product().capabilities().transactional_ddl;
    let mut tried: Vec<TriedInverse> = changesets
        .iter()
        .map(|c| TriedInverse { key: c.key.clone(), outcome: outcome_without_trial(c, transactional) })
        .collect();
    let is_tried = |t: &TriedInverse| t.outcome == TrialOutcome::Passed;
    let statements: Vec<(usize, &str)> = changesets
        .iter()
        .enumerate()
        .filter(|(n, _)| tried.get(*n).is_some_and(is_tried))
        .flat_map(|(n, c)| c.inverse.iter().map(move |s| (n, s.sql.as_str())))
        .collect();
    if statements.is_empty() {
        return tried;
    }
    run.watcher.progress("trying the inverses on production", None);
    let texts: Vec<&str> = statements.iter().map(|(_, sql)| *sql).collect();
    let (at, of_it) = match attempts(run, &texts).await {
        Trial::Passed => return tried,
        Trial::OutOfTime { statement } => (statement, TrialOutcome::NotTried { why: Untried::Time }),
        Trial::Failed { statement, error } => (statement, TrialOutcome::Failed { error: error.chain() }),
    };
    // What comes after all of them is what their last one leaves to the end of its transaction.
    let at = statements.get(at).or(statements.last()).map_or(0, |(n, _)| *n);
    // One that was left out may be what it needs.
    let conclusive = tried.iter().take(at).all(is_tried);
    for (n, one) in tried.iter_mut().enumerate().skip(at).filter(|(_, t)| is_tried(t)) {
        one.outcome = match &of_it {
            TrialOutcome::Failed { .. } if n == at && !conclusive => {
                TrialOutcome::NotTried { why: Untried::BuildsOnUntried }
            }
            of_it if n == at => of_it.clone(),
            _ => TrialOutcome::NotTried { why: Untried::BuildsOnUntried },
        };
    }
    tried
}

async fn attempts(run: &Run, statements: &[&str]) -> Trial {
    let (limit, application) = (run.environment.limits.stall(), run.application());
    let mut pause = Duration::from_millis(50);
    for _ in 1..ATTEMPTS {
        match run.database.try_out(statements, limit, &application).await {
            // A connection that breaks is no reason not to go back.
            Ok(Trial::OutOfTime { .. }) | Err(_) => tokio::time::sleep(pause).await,
            Ok(outcome) => return outcome,
        }
        pause *= 2;
    }
    run.database.try_out(statements, limit, &application).await.unwrap_or(Trial::OutOfTime { statement: 0 })
}

/// `Passed` for what has to be tried to be known.
fn outcome_without_trial(changeset: &Changeset, transactional: bool) -> TrialOutcome {
    let runs_code = !changeset.code.is_empty()
        || changeset.inverse.iter().any(|s| s.actions.contains(&SchemaAction::RunsCode));
    let why = match () {
        () if !transactional => Untried::NotTransactional,
        () if !changeset.in_transaction => Untried::OutsideTransaction,
        () if runs_code => Untried::Code,
        () if changeset_runner::moves_in_batches(&changeset.inverse) => Untried::Batches,
        () => return TrialOutcome::Passed,
    };
    TrialOutcome::NotTried { why }
}
