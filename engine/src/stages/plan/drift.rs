//! What tells changelog, history and catalog apart.

use super::history;
use crate::config::Environment;
use crate::error::{Error, Result};
use crate::liquibase::{ChangesetState, Status};
use crate::model::evidence::{Drift, DriftKind};
use crate::product::Database;
use crate::run::last_schema;

/// What tells changelog, history and catalog apart.
///
/// # Errors
/// `Failed` when the catalog or the remembered schema cannot be read.
pub async fn differences(
    environment: &Environment,
    database: &dyn Database,
    status: &Status,
) -> Result<Vec<Drift>> {
    let mut drift = history_drift(status);
    drift.extend(history::elsewhere(environment, database, status).await?);
    drift.extend(catalog_drift(environment, database).await?);
    Ok(drift)
}

fn history_drift(status: &Status) -> Vec<Drift> {
    let unknown = status.unknown.iter().map(|key| Drift {
        kind: DriftKind::HistoryUnknown,
        subject: key.to_string(),
        message: "was applied, and is not in this changelog".to_owned(),
        fatal: false,
        remedy: None,
    });
    let changed = status.changesets.iter().filter(|c| c.state == ChangesetState::RanChanged).map(|c| Drift {
        kind: DriftKind::Checksum,
        subject: c.key.to_string(),
        message: format!(
            "was edited after it had been applied ({} then, {} now)",
            c.recorded_checksum.as_deref().unwrap_or("no checksum"),
            c.checksum.as_deref().unwrap_or("no checksum"),
        ),
        fatal: true,
        remedy: None,
    });
    unknown.chain(changed).collect()
}

async fn catalog_drift(environment: &Environment, database: &dyn Database) -> Result<Vec<Drift>> {
    let Some(then) = last_schema::read(environment)? else { return Ok(Vec::new()) };
    let now = database.schema_fingerprint().await?;
    Ok(then
        .differences(&now, 50)
        .into_iter()
        .map(|difference| Drift {
            kind: DriftKind::Catalog,
            subject: difference.clone(),
            message: "is not as the last run left it: somebody changed it outside the changelog".to_owned(),
            fatal: true,
            remedy: None,
        })
        .collect())
}

/// Stops a run that would begin on something else than it believes.
///
/// # Errors
/// `Refused`, with the first reason.
pub fn refuse_drift(drift: &[Drift], accept_drift: bool) -> Result<()> {
    refuse(drift.iter().filter(|d| d.fatal && !(accept_drift && d.kind == DriftKind::Catalog)).collect())
}

/// Stops what would look at changesets that have long run as if they were pending.
///
/// # Errors
/// `Refused`, with the first of them.
pub fn refuse_other_history(drift: &[Drift]) -> Result<()> {
    let other = |kind: DriftKind| {
        matches!(kind, DriftKind::OtherPath | DriftKind::OtherSchema | DriftKind::OtherTable)
    };
    refuse(drift.iter().filter(|d| d.fatal && other(d.kind)).collect())
}

fn refuse(fatal: Vec<&Drift>) -> Result<()> {
    if let Some(first) = fatal.first() {
        let more = if fatal.len() > 1 { format!(" (and {} more)", fatal.len() - 1) } else { String::new() };
        let hint = match first.kind {
            DriftKind::Checksum => "undo the edit and write a new changeset instead",
            DriftKind::Catalog | DriftKind::HistoryUnknown => {
                "put the change into a changeset, or take it as it is with --accept-drift"
            }
            DriftKind::OtherPath => "name the folder that the history's paths begin at: --changelog-root DIR",
            DriftKind::OtherSchema => "name the schema of the history: --liquibase-schema NAME",
            DriftKind::OtherTable => "name the table of the history: --liquibase-table NAME",
        };
        let hint = first.remedy.as_deref().unwrap_or(hint);
        return Err(Error::refused(format!("{} {}{more}", first.subject, first.message)).hint(hint));
    }
    Ok(())
}
