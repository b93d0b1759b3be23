//! Where backups, clones and scratch databases of a product come from.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Database, InPlace};
use crate::error::Result;
use crate::model::backup::Backup;
use crate::model::catalog::Catalog;
use crate::model::endpoint::Endpoint;
use crate::model::isolation::{Isolation, Network};
use crate::model::preflight::Fact;
use crate::model::sample::SampleData;
use crate::watcher::Progress;

/// A restored copy, and what keeps it to itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Restored {
    pub endpoint: Endpoint,
    pub isolation: Isolation,
}

/// Takes backups and makes databases out of them. Everything it makes lies in the folder it is given, so that a later
/// process finds it; every call may be repeated.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What copies of this database need here: their size (`CopySize`), and what would be missing.
    async fn preflight(&self, database: &dyn Database) -> Result<Vec<Fact>>;
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
    /// Restores a backup as a database of its own in `folder` and starts it. An earlier one there is replaced. Nothing in the copy
    /// reaches the systems that the source works with.
    async fn restore(
        &self,
        backup: &Backup,
        database: &dyn Database,
        folder: &Path,
        progress: Progress,
    ) -> Result<Restored>;
    /// Scratch databases in `folder`, with the schema and Liquibase's history of `database` and none of its rows; an earlier
    /// one there is replaced. They reach out as little as a restored copy. `None` where the product's capabilities say that there are none.
    async fn scratch(
        &self,
        database: &dyn Database,
        folder: &Path,
        progress: Progress,
    ) -> Result<Option<Arc<dyn Scratch>>>;
    /// How a backup takes the place of production; `None` where nothing offers that.
    fn in_place(&self) -> Option<&dyn InPlace> {
        None
    }
    /// Stops the database that lies in `folder` and leaves it there, for `revive`. What was not made completely is removed.
    async fn rest(&self, folder: &Path) -> Result<()>;
    /// Stops and removes whatever `restore` or `scratch` made in `folder`. Nothing there is no error.
    async fn discard(&self, folder: &Path) -> Result<()>;
    /// What the processes of the server in `folder` reach, as it was started last. `None`: there is none.
    async fn network(&self, _folder: &Path) -> Result<Option<Network>> {
        Ok(None)
    }
    /// Whether the database that lies in `folder` answers; starts it when it is stopped.
    async fn revive(&self, folder: &Path) -> Result<Option<Endpoint>>;
}

/// Scratch databases with production's schema.
#[async_trait]
pub trait Scratch: Send + Sync {
    /// The one that others are made of.
    fn template(&self) -> &Endpoint;
    /// What keeps all of them to themselves.
    fn isolation(&self) -> &Isolation;
    /// A database of this name (replaces an earlier one): a copy of `of`, with what was changed there where scratch databases
    /// are `Copies`; where they are `SchemaOnly`, `of` is the template.
    async fn copy(&self, of: &Endpoint, name: &str) -> Result<Endpoint>;
    /// Takes away what changesets made for the whole server, as roles are, and with it all copies; whether there was
    /// anything.
    async fn clear(&self) -> Result<bool>;
    /// A second template: with sample rows of these tables of production, and the rows that they refer to. Reads little, by
    /// key, and never for long. `None` where the product's capabilities say that there are none.
    async fn sample_rows(
        &self,
        database: &dyn Database,
        catalog: &Catalog,
        tables: &BTreeSet<String>,
        progress: Progress,
    ) -> Result<Option<SampleData>>;
}
