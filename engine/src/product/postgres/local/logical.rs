//! A parallel dump of one exported snapshot: for servers that give no replication rights.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Context, Result};
use crate::model::server::Moment;
use crate::product::Database;
use crate::product::postgres::local::backup::{Job, Taken};
use crate::product::postgres::local::source::Source;
use crate::product::postgres::local::tools::{Tools, libpq};
use crate::product::postgres::{Postgres, ServerContext, begin};

/// How long the dump waits for a lock that a running change holds.
pub const LOCK_WAIT: &str = "--lock-wait-timeout=15000";

pub async fn take(job: &Job<'_>) -> Result<Taken> {
    const WHAT: &str = "cannot fix the moment of the backup";
    // This session holds the snapshot until everything is read.
    let session = job.database.connect("backup (drydock)").await?;
    begin(&session, None).await?;
    let row = session
        .query_one("SELECT pg_current_snapshot()::text, pg_export_snapshot()", &[])
        .await
        .server_context(WHAT)?;
    let (position, exported): (String, String) =
        (row.try_get(0).server_context(WHAT)?, row.try_get(1).server_context(WHAT)?);
    let dump = job.folder.join("dump");
    let mut arguments =
        vec!["--format=directory".to_owned(), "--jobs=2".into(), format!("--snapshot={exported}")];
    arguments.push(format!("--file={}", dump.display()));
    arguments.extend(common(job.source));
    (job.progress)("dump", None);
    let env = libpq(job.database.endpoint());
    job.tools.output("pg_dump", &arguments, &env).await?;
    roles(job.tools, job.database, &job.folder.join("roles.sql")).await?;
    (job.progress)("fingerprint of the source", None);
    let (schema, data) = job.database.fingerprints_at(&exported).await?;
    (job.progress)("verifying the backup", None);
    job.tools.output("pg_restore", &["--list".into(), dump.as_os_str().to_owned()], &[]).await?;
    let files = checksums(&dump)?;
    let moment = Moment { name: None, position, exact: true, at: None };
    let verified_by = "pg_restore --list and SHA-256".into();
    Ok(Taken { moment, verified_by, schema, data, files, extra_tables: Vec::new() })
}

/// What every dump of ours has in common.
pub fn common(source: &Source) -> Vec<String> {
    let flags = ["--no-password", "--no-tablespaces", "--no-subscriptions", LOCK_WAIT];
    let closed =
        source.closed_schemas.iter().map(|s| format!("--exclude-schema=\"{}\"", s.replace('"', "\"\"")));
    flags.map(str::to_owned).into_iter().chain(closed).collect()
}

/// Roles without passwords, as far as we may see them.
pub async fn roles(tools: &Tools, database: &Postgres, file: &Path) -> Result<()> {
    let name = format!("--database={}", database.endpoint().database);
    let arguments = ["--roles-only", "--no-role-passwords", "--no-password", name.as_str()];
    match tools.output("pg_dumpall", &arguments, &libpq(database.endpoint())).await {
        Ok(text) => tools.write(file, &text),
        Err(error) => {
            tracing::warn!(error = %error.chain(), "the roles cannot be dumped");
            tools.write(file, "")
        }
    }
}

/// SHA-256 of each file in a folder.
pub fn checksums(folder: &Path) -> Result<BTreeMap<String, String>> {
    let what = format!("{} cannot be read", folder.display());
    let mut sums = BTreeMap::new();
    for entry in std::fs::read_dir(folder).context(&what)? {
        let entry = entry.context(&what)?;
        let mut digest = Sha256::new();
        let mut file = std::fs::File::open(entry.path()).context(&what)?;
        std::io::copy(&mut file, &mut digest).context(&what)?;
        let sum = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
        sums.insert(entry.file_name().to_string_lossy().into_owned(), sum);
    }
    Ok(sums)
}
