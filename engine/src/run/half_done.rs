//! Where DDL is not transactional, and where a changeset runs code, which may commit, a changeset and its record in the history are two
//! transactions. A crash between them leaves a change that the history does not know. The schema from before the act tells whether the act
//! had changed anything.

use serde::{Deserialize, Serialize};

use super::files;
use super::session::Run;
use crate::error::{Error, Result};
use crate::model::changeset::{Changeset, ChangesetId, Statement};
use crate::model::event::Action;
use crate::model::evidence::Plan;
use crate::model::schema::SchemaFingerprint;

const EVIDENCE: &str = "before-act";

/// What an act on production found.
#[derive(Serialize, Deserialize)]
struct BeforeAct {
    action: Action,
    schema: SchemaFingerprint,
}

/// Keeps the schema that an act is about to find, where only that can tell later what came of the act.
///
/// # Errors
/// `Failed` when the schema cannot be read or kept.
pub(super) async fn remember(run: &Run, action: &Action) -> Result<()> {
    let (Action::Apply { changeset, .. } | Action::Undo { changeset }) = action else { return Ok(()) };
    // Without leave there is no code; a large plan takes longer to read than most acts.
    let any_code = run.environment.shadow.run_code;
    if is_transactional(run) && !(any_code && runs_code(planned(run, changeset)?.as_ref())) {
        return Ok(());
    }
    let schema = run.database.schema_fingerprint().await?;
    run.keep(EVIDENCE, &BeforeAct { action: action.clone(), schema }).await?;
    Ok(())
}

/// Whether an act of which the history shows nothing changed nothing either.
///
/// # Errors
/// `Stuck` when it changed something, and when nothing tells whether it did.
pub(super) async fn untouched(run: &Run, action: &Action) -> Result<()> {
    let (changeset, shown, correct) = match action {
        Action::Apply { changeset, .. } => (
            changeset,
            "does not show it",
            "take the change back by hand, or put the changeset into Liquibase's history",
        ),
        Action::Undo { changeset } => (
            changeset,
            "still has the changeset",
            "take the changeset out of Liquibase's history, or make its change again by hand",
        ),
        _ => return Ok(()),
    };
    let planned = planned(run, changeset)?;
    let runs_code = runs_code(planned.as_ref());
    if is_transactional(run) && !runs_code {
        return Ok(());
    }
    let before =
        files::evidence::<BeforeAct>(&run.folder(), EVIDENCE)?.filter(|before| before.action == *action);
    let now = run.database.schema_fingerprint().await?;
    let differences = before.as_ref().map(|before| before.schema.differences(&now, 10));
    if let Some(differences) = differences.as_ref().filter(|differences| !differences.is_empty()) {
        let differences = differences.join("; ");
        return Err(Error::stuck(format!(
            "{action} was done, and Liquibase's history {shown}: {differences}"
        ))
        .hint(format!("{correct}, and then run `drydock rollback`")));
    }
    let statements = planned.as_ref().map_or(&[][..], |planned| statements(action, planned));
    // An unchanged schema says that a statement did not run if the schema is all that it changes.
    if differences.is_some() && !runs_code && !statements.iter().any(Statement::moves_rows) {
        return Ok(());
    }
    let (does, look) = match runs_code {
        true => ("runs code", "look at what it changes; if that is changed"),
        false => ("changes rows", "look at the rows that it changes; if they are changed"),
    };
    Err(Error::stuck(format!(
        "whether {action} was done cannot be told: it {does}, and Liquibase's history {shown}"
    ))
    .hint(format!("{look}, {correct}; then run `drydock rollback`")))
}

fn statements<'p>(action: &Action, planned: &'p Changeset) -> &'p [Statement] {
    match action {
        Action::Undo { .. } => &planned.inverse,
        _ => &planned.statements,
    }
}

fn planned(run: &Run, changeset: &ChangesetId) -> Result<Option<Changeset>> {
    let plan: Plan = run.evidence("plan")?;
    Ok(plan.changesets.into_iter().find(|c| c.key == *changeset))
}

fn runs_code(planned: Option<&Changeset>) -> bool {
    planned.is_some_and(|planned| !planned.code.is_empty())
}

fn is_transactional(run: &Run) -> bool {
    run.database.product().capabilities().transactional_ddl
}
