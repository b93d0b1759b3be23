//! Where scratch databases come from: dictionaries of the live database. Backups and clones are not made yet.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use super::Oracle;
use crate::error::{Error, Result};
use crate::model::backup::Backup;
use crate::model::endpoint::Endpoint;
use crate::model::preflight::{Fact, Finding};
use crate::product::oracle::offline::{Dictionaries, Files};
use crate::product::{Database, Provider, Restored, Scratch};
use crate::watcher::Progress;

/// The provider of running databases.
pub struct ScratchOnly;

fn no_backups() -> Error {
    Error::refused("backups of Oracle databases are made by Oracle Cloud Infrastructure, and Drydock does not ask it to yet")
        .hint("plan and compat work with Oracle databases; the other stages do not yet")
}

/// Of which only the dictionary is there.
fn is_offline(database: &dyn Database) -> bool {
    database.endpoint().user.is_empty()
}

#[async_trait]
impl Provider for ScratchOnly {
    async fn preflight(&self, database: &dyn Database) -> Result<Vec<Fact>> {
        if is_offline(database) {
            return Files.preflight(database).await;
        }
        Ok(vec![Fact::new(Finding::CopySize { bytes: 0 })])
    }
    async fn backup(
        &self,
        database: &dyn Database,
        folder: &Path,
        id: &str,
        progress: Progress,
    ) -> Result<Backup> {
        if is_offline(database) {
            return Files.backup(database, folder, id, progress).await;
        }
        Err(no_backups())
    }
    async fn holds(&self, _backup: &Backup) -> Result<bool> {
        Ok(false)
    }
    async fn restore(
        &self,
        backup: &Backup,
        database: &dyn Database,
        folder: &Path,
        progress: Progress,
    ) -> Result<Restored> {
        if is_offline(database) {
            return Files.restore(backup, database, folder, progress).await;
        }
        Err(no_backups())
    }
    async fn scratch(
        &self,
        database: &dyn Database,
        folder: &Path,
        progress: Progress,
    ) -> Result<Option<Arc<dyn Scratch>>> {
        if is_offline(database) {
            return Files.scratch(database, folder, progress).await;
        }
        let dictionary = Oracle::at(database.endpoint().clone()).dictionary().await?;
        Ok(Some(Arc::new(Dictionaries::begin(Arc::new(dictionary), folder))))
    }
    async fn rest(&self, folder: &Path) -> Result<()> {
        Files.rest(folder).await
    }
    async fn discard(&self, folder: &Path) -> Result<()> {
        Files.discard(folder).await
    }
    async fn revive(&self, folder: &Path) -> Result<Option<Endpoint>> {
        Files.revive(folder).await
    }
}
