//! Rows that are in no log, and so in no physical copy: those of unlogged tables are dumped in addition, at the same moment.

use std::collections::BTreeMap;
use std::path::Path;

use tokio_postgres::Client;

use crate::error::{Error, Result};
use crate::model::endpoint::Endpoint;
use crate::model::relation_name::qualified;
use crate::product::Database;
use crate::product::postgres::local::backup::{Job, Manifest};
use crate::product::postgres::local::logical::{LOCK_WAIT, checksums};
use crate::product::postgres::local::tools::{Tools, libpq};
use crate::product::postgres::{ServerContext, quoted};
use crate::watcher::Progress;

const FOLDER: &str = "unlogged";
const FILE: &str = "rows.dump";

/// What was dumped.
#[derive(Default)]
pub struct Dumped {
    /// `schema.table`.
    pub tables: Vec<String>,
    /// SHA-256 by file.
    pub files: BTreeMap<String, String>,
}

/// Dumps the rows of unlogged tables, and where unlogged sequences stand. `session` holds the snapshot and is not used by anybody
/// else.
pub async fn dump(job: &Job<'_>, session: &Client, snapshot: &str) -> Result<Dumped> {
    const WHAT: &str = "cannot find the unlogged tables";
    let sql = "SELECT n.nspname::text, c.relname::text, c.relkind = 'r' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relpersistence = 'u' AND c.relkind IN ('r', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY 1, 2";
    let (mut tables, mut patterns) = (Vec::new(), Vec::new());
    for row in session.query(sql, &[]).await.server_context(WHAT)? {
        let schema: String = row.try_get(0).server_context(WHAT)?;
        let name: String = row.try_get(1).server_context(WHAT)?;
        // What stands in quotes is no pattern.
        patterns.push(format!("--table={}.{}", quoted(&schema), quoted(&name)));
        if row.try_get(2).server_context(WHAT)? {
            tables.push(qualified(&schema, &name));
        }
    }
    if patterns.is_empty() {
        return Ok(Dumped::default());
    }
    (job.progress)("dump of the unlogged tables", None);
    let folder = job.folder.join(FOLDER);
    job.tools.folder(&folder)?;
    let flags = ["--data-only", "--format=custom", "--no-password", LOCK_WAIT].map(str::to_owned);
    let place = [format!("--snapshot={snapshot}"), format!("--file={}", folder.join(FILE).display())];
    let arguments: Vec<String> = flags.into_iter().chain(place).chain(patterns).collect();
    job.tools.output("pg_dump", &arguments, &libpq(job.database.endpoint())).await?;
    Ok(Dumped { tables, files: checksums(&folder)? })
}

/// Fills the unlogged tables of a copy, which recovery has emptied. No trigger of the copy sees the rows.
pub async fn restore(
    tools: &Tools,
    manifest: &Manifest,
    admin: &Endpoint,
    progress: &Progress,
) -> Result<()> {
    if manifest.files.is_empty() {
        return Ok(());
    }
    let folder: &Path = &manifest.backup.folder.join(FOLDER);
    if checksums(folder)? != manifest.files {
        return Err(Error::failed(format!(
            "the backup in {} was changed or damaged since it was taken",
            manifest.backup.folder.display()
        )));
    }
    progress("restoring the unlogged tables", None);
    let mut env = libpq(admin);
    env.retain(|(name, _)| name != "PGOPTIONS");
    env.push(("PGOPTIONS".to_owned(), "-c session_replication_role=replica".to_owned()));
    let database = format!("--dbname={}", admin.database);
    let file = folder.join(FILE).to_string_lossy().into_owned();
    let arguments =
        ["--data-only", "--exit-on-error", "--single-transaction", "--no-password", &database, &file];
    tools.output("pg_restore", &arguments, &env).await.map(drop)
}
