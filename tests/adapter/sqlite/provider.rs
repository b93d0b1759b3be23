//! Backups, clones and scratch databases: files beside one another.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use drydock::error::{Context, Error, Result};
use drydock::model::backup::{Backup, BackupMethod};
use drydock::model::catalog::Catalog;
use drydock::model::endpoint::Endpoint;
use drydock::model::isolation::Isolation;
use drydock::model::preflight::{Fact, Finding};
use drydock::model::sample::SampleData;
use drydock::model::server::Moment;
use drydock::product::{Database, Provider, Restored, Scratch};
use drydock::watcher::Progress;
use sha2::{Digest, Sha256};

use super::inspect::{self, hex, is_history};
use super::{create, endpoint, on_thread, open, quoted, wrong};

pub struct Files;

const BACKUP: &str = "backup.db";
const CLONE: &str = "clone.db";
const TEMPLATE: &str = "template.db";

fn file_of(database: &dyn Database) -> PathBuf {
    PathBuf::from(&database.endpoint().database)
}

fn hash(file: &Path) -> Result<String> {
    let bytes = std::fs::read(file).context(format!("{} cannot be read", file.display()))?;
    Ok(hex(&Sha256::digest(bytes)))
}

fn emptied(folder: &Path) -> Result<()> {
    removed(folder)?;
    std::fs::create_dir_all(folder).context(format!("{} cannot be made", folder.display()))
}

fn removed(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).context(format!("{} cannot be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

fn back_up(source: &Path, folder: &Path, id: &str) -> Result<Backup> {
    const WHAT: &str = "the database cannot be backed up";
    emptied(folder)?;
    let file = folder.join(BACKUP);
    let mut from = open(source)?;
    // One snapshot for the fingerprints and the copy.
    let snapshot = from.transaction().map_err(|e| wrong(WHAT, e))?;
    let (schema, data) = (inspect::schema(&snapshot)?, inspect::data(&snapshot, None)?);
    {
        let mut to = rusqlite::Connection::open(&file).map_err(|e| wrong(WHAT, e))?;
        let copying = rusqlite::backup::Backup::new(&snapshot, &mut to).map_err(|e| wrong(WHAT, e))?;
        copying.run_to_completion(i32::MAX, Duration::ZERO, None).map_err(|e| wrong(WHAT, e))?;
    }
    let copy = open(&file)?;
    let sound: String =
        copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(|e| wrong(WHAT, e))?;
    if sound != "ok" {
        return Err(Error::failed(format!("the backup is damaged: {sound}")));
    }
    drop(copy);
    let bytes = std::fs::metadata(&file).context(WHAT)?.len();
    let position = hash(&file)?;
    Ok(Backup {
        extra_tables: Vec::new(),
        id: id.to_owned(),
        method: BackupMethod::Physical,
        note: None,
        folder: folder.to_path_buf(),
        moment: Moment { name: None, position, exact: true, at: None },
        bytes,
        verified_by: "integrity_check".to_owned(),
        schema,
        data,
        server: format!("SQLite {}", rusqlite::version()),
    })
}

#[async_trait]
impl Provider for Files {
    async fn preflight(&self, database: &dyn Database) -> Result<Vec<Fact>> {
        let file = file_of(database);
        let bytes = std::fs::metadata(&file).context("the database's size cannot be read")?.len();
        Ok(vec![Fact::new(Finding::CopySize { bytes })])
    }

    async fn backup(&self, database: &dyn Database, folder: &Path, id: &str, _: Progress) -> Result<Backup> {
        let (source, folder, id) = (file_of(database), folder.to_path_buf(), id.to_owned());
        on_thread(move || back_up(&source, &folder, &id)).await
    }

    async fn holds(&self, backup: &Backup) -> Result<bool> {
        let file = backup.folder.join(BACKUP);
        Ok(file.is_file() && hash(&file)? == backup.moment.position)
    }

    async fn restore(
        &self,
        backup: &Backup,
        _: &dyn Database,
        folder: &Path,
        _: Progress,
    ) -> Result<Restored> {
        if !self.holds(backup).await? {
            return Err(Error::failed(format!("backup {} is not what it was", backup.id)));
        }
        emptied(folder)?;
        let file = folder.join(CLONE);
        std::fs::copy(backup.folder.join(BACKUP), &file).context("the backup cannot be restored")?;
        Ok(Restored { endpoint: endpoint(&file), isolation: Isolation::default() })
    }

    async fn scratch(
        &self,
        database: &dyn Database,
        folder: &Path,
        _: Progress,
    ) -> Result<Option<Arc<dyn Scratch>>> {
        let (source, folder) = (file_of(database), folder.to_path_buf());
        let scratch = on_thread(move || {
            emptied(&folder)?;
            let template = folder.join(TEMPLATE);
            without_rows(&source, &template)?;
            Ok(SchemaOnly { template: endpoint(&template), isolation: Isolation::default(), folder })
        })
        .await?;
        Ok(Some(Arc::new(scratch)))
    }

    /// No server runs.
    async fn rest(&self, _folder: &Path) -> Result<()> {
        Ok(())
    }

    async fn discard(&self, folder: &Path) -> Result<()> {
        removed(folder)
    }

    async fn revive(&self, folder: &Path) -> Result<Option<Endpoint>> {
        let files = [CLONE, TEMPLATE].map(|name| folder.join(name));
        Ok(files.iter().find(|file| file.is_file()).map(|file| endpoint(file)))
    }
}

/// Makes a database with the schema and Liquibase's tables of another.
fn without_rows(source: &Path, target: &Path) -> Result<()> {
    const WHAT: &str = "the scratch database cannot be made";
    let from = open(source)?;
    let to = create(target)?;
    let made = "SELECT sql, name FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                ORDER BY type = 'trigger', type = 'view', type = 'index', rowid";
    let objects = inspect::read(&from, made, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for (sql, _) in &objects {
        to.execute_batch(sql).map_err(|e| wrong(WHAT, e))?;
    }
    to.execute("ATTACH ?1 AS source", [source.display().to_string()]).map_err(|e| wrong(WHAT, e))?;
    for (_, name) in objects.iter().filter(|(_, name)| is_history(name)) {
        let table = quoted(name);
        let sql = format!("INSERT INTO main.{table} SELECT * FROM source.{table}");
        to.execute_batch(&sql).map_err(|e| wrong(WHAT, e))?;
    }
    to.execute_batch("DETACH source").map_err(|e| wrong(WHAT, e))
}

struct SchemaOnly {
    template: Endpoint,
    /// A file starts nothing.
    isolation: Isolation,
    folder: PathBuf,
}

#[async_trait]
impl Scratch for SchemaOnly {
    fn template(&self) -> &Endpoint {
        &self.template
    }

    fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    async fn copy(&self, of: &Endpoint, name: &str) -> Result<Endpoint> {
        let (source, target) = (PathBuf::from(&of.database), self.folder.join(format!("{name}.db")));
        on_thread(move || {
            for file in ["", "-wal", "-shm"].map(|end| format!("{}{end}", target.display())) {
                let _ = std::fs::remove_file(file);
            }
            without_rows(&source, &target)?;
            Ok(endpoint(&target))
        })
        .await
    }

    async fn clear(&self) -> Result<bool> {
        // A file has nothing in common with another.
        Ok(false)
    }

    async fn sample_rows(
        &self,
        _: &dyn Database,
        _: &Catalog,
        _: &BTreeSet<String>,
        _: Progress,
    ) -> Result<Option<SampleData>> {
        Ok(None)
    }
}
