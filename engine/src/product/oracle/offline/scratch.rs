//! Scratch databases that are dictionaries in the memory of this process. Each has the name of a file that is not there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::{dictionary, endpoint, forget, keep};
use crate::error::{Error, Result};
use crate::model::backup::Backup;
use crate::model::catalog::Catalog;
use crate::model::endpoint::Endpoint;
use crate::model::isolation::Isolation;
use crate::model::preflight::{Fact, Finding};
use crate::model::sample::SampleData;
use crate::product::oracle::dictionary::Dictionary;
use crate::product::{Database, Provider, Restored, Scratch};
use crate::watcher::Progress;

const TEMPLATE: &str = "template.json";

/// The provider of a database that is a dictionary: it has nothing to back up.
pub struct Files;

fn nothing_to_back_up() -> Error {
    Error::refused("a dictionary has no rows: there is nothing to back up or to restore")
        .hint("plan and compat work with a dictionary; for the other stages name the database itself")
}

#[async_trait]
impl Provider for Files {
    async fn preflight(&self, _database: &dyn Database) -> Result<Vec<Fact>> {
        Ok(vec![Fact::new(Finding::CopySize { bytes: 0 })])
    }
    async fn backup(
        &self,
        _database: &dyn Database,
        _folder: &Path,
        _id: &str,
        _progress: Progress,
    ) -> Result<Backup> {
        Err(nothing_to_back_up())
    }
    async fn holds(&self, _backup: &Backup) -> Result<bool> {
        Ok(false)
    }
    async fn restore(
        &self,
        _backup: &Backup,
        _database: &dyn Database,
        _folder: &Path,
        _progress: Progress,
    ) -> Result<Restored> {
        Err(nothing_to_back_up())
    }
    async fn scratch(
        &self,
        database: &dyn Database,
        folder: &Path,
        _progress: Progress,
    ) -> Result<Option<Arc<dyn Scratch>>> {
        let dictionary = dictionary(Path::new(&database.endpoint().database))?;
        Ok(Some(Arc::new(Dictionaries::begin(dictionary, folder))))
    }
    async fn rest(&self, _folder: &Path) -> Result<()> {
        Ok(())
    }
    async fn discard(&self, folder: &Path) -> Result<()> {
        forget(folder);
        Ok(())
    }
    async fn revive(&self, _folder: &Path) -> Result<Option<Endpoint>> {
        Ok(None)
    }
}

/// Copies of a dictionary.
pub struct Dictionaries {
    template: Endpoint,
    isolation: Isolation,
    folder: PathBuf,
}

impl Dictionaries {
    /// The first of them, named as if it lay in `folder`, in place of what there was of that name.
    pub fn begin(dictionary: Arc<Dictionary>, folder: &Path) -> Self {
        forget(folder);
        let template = folder.join(TEMPLATE);
        keep(&template, dictionary);
        Self {
            template: endpoint(&template),
            // No server runs.
            isolation: Isolation::default(),
            folder: folder.to_path_buf(),
        }
    }
}

#[async_trait]
impl Scratch for Dictionaries {
    fn template(&self) -> &Endpoint {
        &self.template
    }
    fn isolation(&self) -> &Isolation {
        &self.isolation
    }
    async fn copy(&self, of: &Endpoint, name: &str) -> Result<Endpoint> {
        let file = self.folder.join(format!("{name}.json"));
        keep(&file, dictionary(Path::new(&of.database))?);
        Ok(endpoint(&file))
    }
    /// A dictionary has nothing in common with another.
    async fn clear(&self) -> Result<bool> {
        Ok(false)
    }
    async fn sample_rows(
        &self,
        _database: &dyn Database,
        _catalog: &Catalog,
        _tables: &BTreeSet<String>,
        _progress: Progress,
    ) -> Result<Option<SampleData>> {
        Ok(None)
    }
}
