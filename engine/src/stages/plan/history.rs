//! Changesets that count as pending only because the history is looked for under another path, in another schema or in another table. They would run
//! a second time, and with them changes of data (liquibase#5607, #6985, spring-boot#19926).

use std::path::Path;

use crate::config::Environment;
use crate::error::Result;
use crate::liquibase::{ChangesetState, ChangesetStatus, Status};
use crate::model::changeset::ChangesetId;
use crate::model::evidence::{Drift, DriftKind};
use crate::model::history::OtherHistory;
use crate::product::Database;

/// What Liquibase calls its history where nothing says otherwise.
const HISTORY: &str = "DATABASECHANGELOG";

/// What is pending here and recorded elsewhere.
///
/// # Errors
/// `Failed` when the histories cannot be read.
pub(super) async fn elsewhere(
    environment: &Environment,
    database: &dyn Database,
    status: &Status,
) -> Result<Vec<Drift>> {
    let recorded = |key: &ChangesetId| status.history.iter().any(|row| row.key == *key);
    let new: Vec<&ChangesetStatus> = status
        .changesets
        .iter()
        .filter(|c| c.state == ChangesetState::Pending && !recorded(&c.key))
        .collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let unknown: Vec<(&ChangesetId, Option<&str>)> = status
        .history
        .iter()
        .filter(|row| status.unknown.contains(&row.key))
        .map(|row| (&row.key, row.checksum.as_deref()))
        .collect();
    let mut drift: Vec<Drift> = Vec::new();
    for changeset in &new {
        let found = unknown.iter().find(|(key, checksum)| is_same(changeset, key, *checksum));
        drift
            .extend(found.map(|(key, _)| other_path(&environment.changelog_root, &changeset.key, &key.path)));
    }
    // Whoever names the schema knows of the others: one for each tenant, for example.
    let settings = &environment.liquibase;
    let named = [&settings.liquibase_schema, &settings.default_schema, &settings.liquibase_table];
    if !drift.is_empty() || named.iter().any(|name| name.is_some()) {
        return Ok(drift);
    }
    for OtherHistory { schema, table, rows } in database.histories().await? {
        let of_ours = |key: &ChangesetId| status.history.iter().any(|own| own.key == *key);
        for changeset in &new {
            let found = rows
                .iter()
                .any(|row| !of_ours(&row.key) && is_same(changeset, &row.key, row.checksum.as_deref()));
            if found {
                drift.push(match table.eq_ignore_ascii_case(HISTORY) {
                    true => other_schema(&changeset.key, &schema),
                    false => other_table(&changeset.key, &schema, &table),
                });
            }
        }
    }
    Ok(drift)
}

/// Whether a row is of this changeset, under whatever path. Where the checksums cannot be compared, the file has to have the same
/// name: short ids come again in other files.
fn is_same(changeset: &ChangesetStatus, key: &ChangesetId, checksum: Option<&str>) -> bool {
    if (&changeset.key.id, &changeset.key.author) != (&key.id, &key.author) {
        return false;
    }
    let version = |checksum: &str| checksum.split_once(':').map(|(version, _)| version.to_owned());
    match (changeset.checksum.as_deref(), checksum) {
        (Some(now), Some(then)) if version(now) == version(then) => now == then,
        _ => changeset.key.file_name() == key.file_name(),
    }
}

fn other_path(root: &Path, pending: &ChangesetId, recorded: &str) -> Drift {
    let message = format!("is in the history as {recorded}: under this path it would run again");
    let remedy = match root_of(root, &pending.path, recorded) {
        Some(root) => format!(
            "name the folder that the history's paths begin at: --changelog-root {}, or changelog_root in drydock.toml",
            root.display()
        ),
        None => "name the folder that the history's paths begin at: --changelog-root DIR, or changelog_root in drydock.toml"
            .to_owned(),
    };
    Drift {
        kind: DriftKind::OtherPath,
        subject: pending.to_string(),
        message,
        fatal: true,
        remedy: Some(remedy),
    }
}

/// The folder from which a file has the path that is recorded.
fn root_of(root: &Path, now: &str, recorded: &str) -> Option<std::path::PathBuf> {
    let recorded = recorded.trim_start_matches("classpath:").trim_start_matches('/');
    if let Some(before) = recorded.strip_suffix(now).and_then(|p| p.strip_suffix('/')) {
        let above = before.split('/').count();
        return root.ends_with(before).then(|| root.ancestors().nth(above).map(Path::to_path_buf))?;
    }
    let below = now.strip_suffix(recorded)?.strip_suffix('/')?;
    Some(root.join(below))
}

fn other_schema(pending: &ChangesetId, schema: &str) -> Drift {
    Drift {
        kind: DriftKind::OtherSchema,
        subject: pending.to_string(),
        message: format!(
            "is in the history of schema {schema}, which is not the one that is used here: it would run again"
        ),
        fatal: true,
        remedy: Some(format!(
            "name the schema of the history: --liquibase-schema {schema}, or liquibase_schema in drydock.toml"
        )),
    }
}

fn other_table(pending: &ChangesetId, schema: &str, table: &str) -> Drift {
    Drift {
        kind: DriftKind::OtherTable,
        subject: pending.to_string(),
        message: format!(
            "is in the history {schema}.{table}, which is not the one that is used here: it would run again"
        ),
        fatal: true,
        remedy: Some(format!(
            "name the table of the history: --liquibase-table {table}, or liquibase_table in drydock.toml; its schema is \
             {schema}, and the table of the lock may have another name too (--liquibase-lock-table)"
        )),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_by_what_the_paths_share() {
        let root = |root: &str, now: &str, recorded: &str| {
            root_of(Path::new(root), now, recorded).map(|p| p.display().to_string())
        };
        assert_eq!(root("/repo/db", "changes/001.sql", "db/changes/001.sql").as_deref(), Some("/repo"));
        assert_eq!(root("/repo/a/db", "001.sql", "a/db/001.sql").as_deref(), Some("/repo"));
        assert_eq!(
            root("/repo", "src/main/resources/db/1.sql", "classpath:db/1.sql").as_deref(),
            Some("/repo/src/main/resources")
        );
        assert_eq!(root("/repo/changelogs", "001.sql", "db/001.sql"), None);
        assert_eq!(root("/repo", "a/001.sql", "b/001.sql"), None);
    }
}
