//! `backup`: a verified backup with a named restore point, and what the source looked like at that moment.

use crate::error::{Context, Result};
use crate::model::backup::BackupMethod;
use crate::model::event::ActOutcome;
use crate::run::{Run, files};
use crate::stages::StageDone;
use crate::watcher::as_progress;

/// The stage of a run.
///
/// # Errors
/// As the provider gives them.
pub async fn stage(run: &mut Run) -> Result<StageDone> {
    let progress = as_progress(&run.watcher);
    let folder = run.backup_folder();
    let backup = match run.provider.backup(run.database.as_ref(), &folder, &run.id, progress).await {
        Ok(backup) => backup,
        Err(error) => {
            // Half a backup is of no use to anybody, and a full disk of harm.
            let _ = std::fs::remove_dir_all(&folder);
            return Err(error);
        }
    };
    let evidence = run.keep("backup", &backup).await?;
    let extra = (!backup.extra_tables.is_empty()).then(|| {
        format!(
            "a physical copy has no rows of unlogged tables, so they were dumped in addition: {}",
            backup.extra_tables.join(", ")
        )
    });
    for line in backup.note.iter().map(|note| format!("the backup is {note}")).chain(extra) {
        run.watcher.note(&line);
        run.note(line, None).await?;
    }
    let text = format!(
        "{} backup of {} MiB to {}, verified by {}",
        match backup.method {
            BackupMethod::Physical => "physical",
            BackupMethod::Logical => "logical",
        },
        backup.bytes / (1024 * 1024),
        match (&backup.moment.name, backup.method) {
            (Some(name), _) => name.clone(),
            (None, BackupMethod::Physical) => format!("position {}", backup.moment.position),
            (None, BackupMethod::Logical) => format!("snapshot {}", backup.moment.position),
        },
        backup.verified_by,
    );
    drop_older(run).await?;
    Ok((ActOutcome::Plain, evidence, text))
}

/// Takes backups of earlier runs away, but as many as the configuration keeps. Their journals and evidence stay.
async fn drop_older(run: &mut Run) -> Result<()> {
    let runs = files::runs_folder(&run.environment);
    let earlier = files::list(&run.environment)?.into_iter().rev().filter(|id| *id < run.id);
    let backups = earlier.map(|id| (runs.join(&id).join("backup"), id)).filter(|(folder, _)| folder.exists());
    for (folder, id) in backups.skip(run.environment.keep_backups.saturating_sub(1)).collect::<Vec<_>>() {
        std::fs::remove_dir_all(&folder).context(format!("{} cannot be removed", folder.display()))?;
        run.note(format!("removed the backup of run {id}"), None).await?;
    }
    Ok(())
}
