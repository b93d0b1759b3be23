//! Takes a backup, physical where the server lets us, and describes it in `backup.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Context, DISK_FULL, Error, ErrorKind, Result};
use crate::model::backup::{Backup, BackupMethod};
use crate::model::schema::{DataFingerprint, SchemaFingerprint};
use crate::model::server::{Moment, ServerInfo};
use crate::product::Database;
use crate::product::Inspect;
use crate::product::postgres::Postgres;
use crate::product::postgres::local::source::Source;
use crate::product::postgres::local::tools::{Tools, size};
use crate::product::postgres::local::{absolute, logical, physical};
use crate::watcher::Progress;

pub const MANIFEST: &str = "backup.json";

/// `backup.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub backup: Backup,
    pub source: Source,
    /// SHA-256 by file, of a dump; a base backup carries its own manifest.
    pub files: BTreeMap<String, String>,
}

/// What both methods give.
pub struct Taken {
    pub moment: Moment,
    pub verified_by: String,
    pub schema: SchemaFingerprint,
    pub data: DataFingerprint,
    pub files: BTreeMap<String, String>,
    /// Tables whose rows the method leaves out; they were dumped in addition.
    pub extra_tables: Vec<String>,
}

/// What both methods need.
pub struct Job<'a> {
    pub tools: &'a Tools,
    pub database: &'a Postgres,
    pub folder: &'a Path,
    pub id: &'a str,
    pub source: &'a Source,
    pub progress: &'a Progress,
}

pub async fn take(
    tools: &Tools,
    database: &dyn Database,
    folder: &Path,
    id: &str,
    progress: &Progress,
) -> Result<Backup> {
    let folder = absolute(folder)?;
    let postgres = Postgres::from_endpoint(database.endpoint().clone());
    let server = postgres.server().await?;
    if server.major > tools.major {
        return Err(Error::input(format!(
            "the server is {}, and the programs here are of PostgreSQL {}",
            server.version, tools.major
        ))
        .hint(format!("install PostgreSQL {} or newer here", server.major)));
    }
    let source = Source::read(&postgres.connect("backup (drydock)").await?).await?;
    let job = Job { tools, database: &postgres, folder: &folder, id, source: &source, progress };
    clear(&job)?;
    let (method, note, taken) = match why_not_physical(&server, tools, &source) {
        None => match physical::take(&job).await {
            Ok(taken) => (BackupMethod::Physical, None, taken),
            // A full disk, a missing right to read and a person who wants to stop would meet us again.
            Err(e)
                if matches!(e.kind, ErrorKind::Interrupted | ErrorKind::Input)
                    || e.hint_text() == Some(DISK_FULL) =>
            {
                return Err(e);
            }
            Err(e) => {
                let note = format!("logical, because a physical backup failed: {}", e.chain());
                clear(&job)?;
                (BackupMethod::Logical, Some(note), logical::take(&job).await?)
            }
        },
        Some(why) => {
            (BackupMethod::Logical, Some(format!("logical, because {why}")), logical::take(&job).await?)
        }
    };
    let backup = Backup {
        id: id.to_owned(),
        method,
        note,
        folder: folder.clone(),
        moment: taken.moment,
        bytes: size(&folder),
        verified_by: taken.verified_by,
        schema: taken.schema,
        data: taken.data,
        server: server.version,
        extra_tables: taken.extra_tables,
    };
    let manifest = Manifest { backup: backup.clone(), source, files: taken.files };
    let text = serde_json::to_string(&manifest).context("the backup cannot be described")?;
    tools.write(&folder.join(MANIFEST), &text)?;
    Ok(backup)
}

fn why_not_physical(server: &ServerInfo, tools: &Tools, source: &Source) -> Option<String> {
    if !server.replication {
        return Some(format!("user {} may not replicate", server.user));
    }
    if server.major != tools.major {
        return Some(format!(
            "the server is {}, and the programs here are of PostgreSQL {}",
            server.version, tools.major
        ));
    }
    if source.superusers.is_empty() {
        return Some("a physical copy would have no superuser that can log in".into());
    }
    (source.tablespaces > 0).then(|| "the server has tablespaces of its own".to_owned())
}

/// Removes what an earlier try left, and makes the folder.
fn clear(job: &Job<'_>) -> Result<()> {
    for name in ["base", "wal", "scan", "unlogged", "dump", "roles.sql", MANIFEST] {
        let path = job.folder.join(name);
        let gone = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match gone {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(e).context(format!("{} cannot be removed", path.display()));
            }
            _ => {}
        }
    }
    job.tools.folder(job.folder)
}

/// Reads `backup.json` of a backup.
pub fn manifest(folder: &Path) -> Result<Manifest> {
    let file = folder.join(MANIFEST);
    let text = std::fs::read_to_string(&file)
        .context(format!("the backup in {} is not complete", folder.display()))?;
    serde_json::from_str(&text).context(format!("{} is damaged", file.display()))
}
