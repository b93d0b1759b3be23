//! One owner at a time: the lock on the environment's folder, and the claim on the target.

use std::fs::{File, TryLockError};
use std::time::Duration;

use crate::config::Environment;
use crate::error::{Context, Error, Result};
use crate::product::{Claim, Database};

/// Takes the environment's lock: one process at a time works on it from this machine.
///
/// # Errors
/// `Refused` when another process has it, `Input` when the folder cannot be made.
pub fn lock(environment: &Environment) -> Result<File> {
    std::fs::create_dir_all(&environment.home).map_err(|e| {
        Error::input(format!("{} cannot be made", environment.home.display()))
            .because(e)
            .hint("set DRYDOCK_HOME to a folder you may write")
    })?;
    let path = environment.home.join("lock");
    let file = File::create(&path).context(format!("{} cannot be made", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::refused(format!("another drydock works on environment \"{}\"", environment.name))
                .hint("wait for it; `drydock status` shows where it is"))
        }
        Err(TryLockError::Error(e)) => Err(e).context("the environment's lock cannot be taken"),
    }
}

/// Claims the target, from whatever machine.
///
/// # Errors
/// `Refused` when another run has it.
pub async fn claim(database: &dyn Database) -> Result<Box<dyn Claim>> {
    // The session of a killed process may take a moment to end.
    for _ in 0..50 {
        if let Some(claim) = database.claim("drydock").await? {
            return Ok(claim);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Error::refused("another Drydock run works on this database")
        .hint("wait for its run to end; one run at a time changes a database"))
}
