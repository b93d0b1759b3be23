//! `backup`: a verified backup with a named restore point, and what the source looked like at that moment.

use super::StageDone;
use crate::error::Result;
use crate::run::Run;
use crate::saga::ActOutcome;
use crate::watcher::as_progress;

/// The stage of a run.
///
/// # Errors
/// As the provider gives them.
pub async fn stage(run: &mut Run) -> Result<StageDone> {
    let progress = as_progress(&run.watcher);
    let folder = run.backup_folder();
    let backup = run.provider.backup(run.database.as_ref(), &folder, &run.id, progress).await?;
    let evidence = run.keep("backup", &backup)?;
    let text = format!(
        "{:?} backup of {} MiB to {}, verified by {}",
        backup.method,
        backup.bytes / (1024 * 1024),
        backup.moment.name.as_deref().unwrap_or(&backup.moment.position),
        backup.verified_by,
    );
    Ok((ActOutcome::Plain, evidence, text))
}
