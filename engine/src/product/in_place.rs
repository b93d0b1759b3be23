//! A backup in the place of the database that it is of: the last resort, where there is no way back by inverses.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use super::Database;
use crate::error::Result;
use crate::model::backup::Backup;
use crate::model::restored_production::{Hindrance, RestorePoint};
use crate::watcher::Progress;

/// What becomes a database beside production.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    Backup(&'a Backup),
    /// What `recover` has made in the folder.
    Recovered,
}

/// Nothing here destroys anything: the backup becomes a database beside production, and the two exchange their names.
#[async_trait]
pub trait InPlace: Send + Sync {
    /// Why it cannot be done, as far as that can be told without doing anything.
    async fn hindrances(&self, backup: &Backup, database: &dyn Database) -> Result<Vec<Hindrance>>;
    /// Ends the sessions of services; those that they begin anew only read, until `reopen`. May be repeated.
    async fn close(&self, database: &dyn Database) -> Result<()>;
    /// Takes `close` back.
    async fn reopen(&self, database: &dyn Database) -> Result<()>;
    /// Whether it was closed and not opened again.
    async fn is_closed(&self, database: &dyn Database) -> Result<bool>;
    /// Restores a backup in `folder`, has the log that was archived since replayed up to `point`, and gives the database, which only we
    /// reach. `fetch`: the command that fetches a file of the archive. What an earlier, broken try left in the folder is replaced. Nothing
    /// changes on the server of `database`, nor in the archive.
    ///
    /// # Errors
    /// `Refused` when the log does not lead there.
    async fn recover(
        &self,
        backup: &Backup,
        database: &dyn Database,
        point: &RestorePoint,
        fetch: &str,
        folder: &Path,
        progress: Progress,
    ) -> Result<Arc<dyn Database>>;
    /// Makes a database `name` of its origin, on the server of the one that it is of and with its settings and rights. What an earlier,
    /// broken try left is replaced. `folder`: for what is needed on the way.
    async fn lay_beside(
        &self,
        origin: Origin<'_>,
        database: &dyn Database,
        name: &str,
        folder: &Path,
        progress: Progress,
    ) -> Result<Arc<dyn Database>>;
    /// Removes what `recover` and `lay_beside` made.
    async fn discard_beside(&self, database: &dyn Database, name: &str, folder: &Path) -> Result<()>;
    /// Ends all sessions of both and gives `restored` the name of `database`, which is called `aside` from then on: both or neither.
    async fn exchange(&self, database: &dyn Database, restored: &dyn Database, aside: &str) -> Result<()>;
    /// Whether the server has a database of this name.
    async fn has(&self, database: &dyn Database, name: &str) -> Result<bool>;
}
