//! Where backups, clones and scratch databases come from.

use std::collections::BTreeSet;
use std::path::Path;

use async_trait::async_trait;

use super::Database;
use crate::error::Result;
use crate::model::backup::Backup;
use crate::model::catalog::Catalog;
use crate::model::endpoint::Endpoint;
use crate::model::sample::SampleData;
use crate::watcher::Progress;

/// Takes backups and makes databases out of them. Everything it makes lies in the folder it is given, so that a later
/// process finds it; every call may be repeated.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Takes, verifies and describes a backup in `folder`. What an earlier, broken try left there is removed first.
    async fn backup(
        &self,
        database: &dyn Database,
        folder: &Path,
        id: &str,
        progress: Progress,
    ) -> Result<Backup>;
    /// Whether a backup is still where it was put.
    async fn holds(&self, backup: &Backup) -> Result<bool>;
    /// Restores a backup as a database of its own in `folder` and starts it. An earlier one there is replaced.
    async fn restore(
        &self,
        backup: &Backup,
        database: &dyn Database,
        folder: &Path,
        progress: Progress,
    ) -> Result<Endpoint>;
    /// An empty-of-data database with the schema and Liquibase's history of `database`, and its planner statistics where
    /// they can be had; a template from which `fresh_scratch` makes copies in well under a second.
    async fn scratch(&self, database: &dyn Database, folder: &Path, progress: Progress) -> Result<Endpoint>;
    /// A new copy of the scratch template with the given name (replaces an earlier one of that name).
    async fn fresh_scratch(&self, template: &Endpoint, name: &str) -> Result<Endpoint>;
    /// Takes away what changesets made for the whole server in `folder`, as roles are, and with it all copies; says whether there
    /// was anything.
    async fn clear_scratch(&self, folder: &Path) -> Result<bool>;
    /// A second template beside the one that `scratch` made in `folder`: with rows of these tables of production, and with
    /// the rows that they refer to. Reads little, by key, and never for long.
    async fn sample_rows(
        &self,
        database: &dyn Database,
        catalog: &Catalog,
        folder: &Path,
        tables: &BTreeSet<String>,
        progress: Progress,
    ) -> Result<SampleData>;
    /// Stops and removes whatever `restore` or `scratch` made in `folder`. Nothing there is no error.
    async fn discard(&self, folder: &Path) -> Result<()>;
    /// Whether the database that lies in `folder` answers; starts it when it is stopped.
    async fn revive(&self, folder: &Path) -> Result<Option<Endpoint>>;
}
