//! Liquibase's own lock on the target.

use std::time::Duration;

use super::session::Run;
use crate::error::{Error, Result};
use crate::model::session::LiquibaseLock;

/// Liquibase's lock is held by somebody gone: released. By somebody alive: waited for.
///
/// # Errors
/// `Refused` when its holder lives and does not end within a minute.
pub async fn release_stale(run: &mut Run) -> Result<()> {
    let ours = run.application();
    let mut holder = String::new();
    for _ in 0..60 {
        let Some(lock) = run.liquibase.lock_holder().await? else { return Ok(()) };
        let alive = run.database.liquibase_alive(&lock, &ours).await?;
        let LiquibaseLock { by, since } = lock;
        if !alive {
            run.note(
                format!("Liquibase's lock, held by {by} since {since}, has no living holder: released"),
                None,
            )
            .await?;
            run.watcher.note(&format!("released Liquibase's lock, whose holder {by} is gone"));
            return run.liquibase.release_lock().await;
        }
        holder = format!("{by} since {since}");
        run.watcher.progress(&format!("waiting for Liquibase's lock, held by {holder}"), None);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(Error::refused(format!("another Liquibase holds its lock: {holder}"))
        .hint(
            "wait for it to end, or end it, and run the same command again; if nobody migrates, release the lock with \
             `liquibase release-locks`",
        ))
}
