//! A backup becomes a database beside production, on production's own server, and takes its name.
//!
//! Renaming is part of a transaction (<https://www.postgresql.org/docs/current/sql-alterdatabase.html>), so that both databases
//! have their new names or neither has. It locks both against new sessions first, and waits for the sessions that are there to end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Client;

use crate::error::{Context, Error, Result};
use crate::model::backup::{Backup, BackupMethod};
use crate::model::endpoint::Endpoint;
use crate::model::restored_production::{Hindrance, RestorePoint};
use crate::product::postgres::local::backup::manifest;
use crate::product::postgres::local::cluster::{self, Cluster};
use crate::product::postgres::local::physical::Label;
use crate::product::postgres::local::recovery::{self, Archived, Goal};
use crate::product::postgres::local::restore::{self, Reach, alter, error_of_both};
use crate::product::postgres::local::source::Source;
use crate::product::postgres::local::tools::{Tools, libpq};
use crate::product::postgres::local::{Local, absolute, dump};
use crate::product::postgres::{Postgres, ServerContext, literal, quoted};
use crate::product::{Database, InPlace, Origin};
use crate::watcher::Progress;

const APPLICATION: &str = "restore (drydock)";
/// Databases to come from while production is renamed.
const ASIDE_FROM: [&str; 2] = ["postgres", "template1"];
/// What sessions begin with while the database is closed.
const CLOSED: &str = "default_transaction_read_only";
const TRIES: u32 = 3;

/// As the database is, whatever the version knows of locales.
const CREATE: &str = "SELECT format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L', $1::text,
         pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype)
       || CASE j ->> 'datlocprovider'
            WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(j ->> 'datlocale', j ->> 'daticulocale'))
            WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', j ->> 'datlocale') ELSE '' END
       || CASE WHEN t.spcname <> 'pg_default' THEN format(' TABLESPACE %I', t.spcname) ELSE '' END
       || format(' CONNECTION LIMIT %s', d.datconnlimit)
     FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace, to_jsonb(d) j WHERE d.datname = $2::text";

/// A database of this server that nobody is about to rename.
async fn aside(database: &dyn Database) -> Result<Client> {
    let mut last = None;
    for name in ASIDE_FROM.into_iter().filter(|name| *name != database.endpoint().database) {
        let endpoint = Endpoint { database: name.to_owned(), ..database.endpoint().clone() };
        match Postgres::from_endpoint(endpoint).connect(APPLICATION).await {
            Ok(client) => return Ok(client),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| Error::failed("there is no other database on the server")))
}

/// Ends sessions in these databases, as far as the user may. `older_than`: only those of services that began before; of those of others
/// not everybody may see when they began (<https://www.postgresql.org/docs/current/monitoring-stats.html>): they count.
async fn end_sessions(client: &Client, databases: &[&str], older_than: Option<&str>) -> Result<()> {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = ANY ($1) AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend'
           AND ($2::text IS NULL OR coalesce(application_name, '') NOT LIKE '%drydock%'
             AND coalesce(backend_start < $2::text::timestamptz, true))
           AND (current_setting('is_superuser') = 'on' OR pg_has_role(usesysid, 'MEMBER')
             OR pg_has_role('pg_signal_backend', 'MEMBER') AND NOT (SELECT rolsuper FROM pg_roles r WHERE r.oid = usesysid))";
    client
        .query(sql, &[&databases, &older_than])
        .await
        .server_context("cannot end the sessions of services")?;
    Ok(())
}

/// Ends the sessions of services that are there, and not those that they begin anew. Gives those that do not end: their users, with what
/// they call themselves.
async fn end_services(client: &Client, database: &str) -> Result<Vec<String>> {
    const WHAT: &str = "cannot list the sessions of services";
    let sql = "SELECT DISTINCT concat_ws(' ', usename, '(' || nullif(application_name, '') || ')') FROM pg_stat_activity
         WHERE datname = $1 AND coalesce(backend_type, 'client backend') = 'client backend'
           AND coalesce(backend_start < $2::text::timestamptz, true)
           AND coalesce(application_name, '') NOT LIKE '%drydock%' AND pid <> pg_backend_pid()";
    let row = client.query_one("SELECT clock_timestamp()::text", &[]).await;
    let closed: String = row.and_then(|row| row.try_get(0)).server_context(WHAT)?;
    let mut left = Vec::new();
    for _ in 0..30 {
        // Again and again: one that was just beginning is seen later.
        end_sessions(client, &[database], Some(&closed)).await?;
        let rows = client.query(sql, &[&database, &closed]).await.server_context(WHAT)?;
        left = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(left)
}

#[async_trait]
impl InPlace for Local {
    async fn hindrances(&self, backup: &Backup, database: &dyn Database) -> Result<Vec<Hindrance>> {
        const WHAT: &str = "cannot ask whether the database can be replaced";
        let client = Postgres::from_endpoint(database.endpoint().clone()).connect(APPLICATION).await?;
        let sql = "SELECT r.rolcreatedb OR r.rolsuper, pg_has_role(d.datdba, 'MEMBER'), pg_get_userbyid(d.datdba)::text,
               coalesce((SELECT array_agg(slot_name::text) FROM pg_replication_slots WHERE database = current_database()), '{}'),
               (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database())
             FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user";
        let row = client.query_one(sql, &[]).await.server_context(WHAT)?;
        let user = database.endpoint().user.clone();
        let mut found = Vec::new();
        if !row.try_get::<_, bool>(0).server_context(WHAT)? {
            found.push(Hindrance::MayNotCreate { user: user.clone() });
        }
        if !row.try_get::<_, bool>(1).server_context(WHAT)? {
            found.push(Hindrance::DoesNotOwn { user, owner: row.try_get(2).server_context(WHAT)? });
        }
        let schemas = manifest(&backup.folder)?.source.closed_schemas;
        if backup.method == BackupMethod::Logical && !schemas.is_empty() {
            found.push(Hindrance::ClosedSchemas { schemas });
        }
        // Not everybody may read all of the table.
        let subscriptions = "SELECT subname::text FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let rows = client.query(subscriptions, &[]).await.server_context(WHAT)?;
        let names: Vec<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
        if !names.is_empty() {
            found.push(Hindrance::Subscriptions { names });
        }
        let names: Vec<String> = row.try_get(3).server_context(WHAT)?;
        if !names.is_empty() {
            found.push(Hindrance::ReplicationSlots { names });
        }
        let count: i64 = row.try_get(4).server_context(WHAT)?;
        if count > 0 {
            found.push(Hindrance::PreparedTransactions { count: u64::try_from(count).unwrap_or(0) });
        }
        Ok(found)
    }

    async fn close(&self, database: &dyn Database) -> Result<()> {
        let (client, name) = (aside(database).await?, &database.endpoint().database);
        let sql = format!("ALTER DATABASE {} SET {CLOSED} TO on", quoted(name));
        client.batch_execute(&sql).await.server_context("cannot make the database read only")?;
        let left = end_services(&client, name).await?;
        if left.is_empty() {
            return Ok(());
        }
        let user = &database.endpoint().user;
        Err(Error::refused(format!("{user} may not end the sessions of {}", left.join(", ")))
            .hint("have them ended, or run it as a user who may"))
    }

    async fn reopen(&self, database: &dyn Database) -> Result<()> {
        let (client, name) = (aside(database).await?, quoted(&database.endpoint().database));
        let sql = format!("ALTER DATABASE {name} RESET {CLOSED}");
        client.batch_execute(&sql).await.server_context("cannot open the database for writes again")?;
        end_services(&client, &database.endpoint().database).await.map(drop)
    }

    async fn is_closed(&self, database: &dyn Database) -> Result<bool> {
        let client = aside(database).await?;
        let sql =
            "SELECT EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
             WHERE d.datname = $1 AND s.setrole = 0 AND $2 = ANY (s.setconfig))";
        let row = client.query_one(sql, &[&database.endpoint().database, &format!("{CLOSED}=on")]).await;
        row.and_then(|row| row.try_get(0)).server_context("cannot ask whether the database is read only")
    }

    async fn recover(
        &self,
        backup: &Backup,
        database: &dyn Database,
        point: &RestorePoint,
        fetch: &str,
        folder: &Path,
        progress: Progress,
    ) -> Result<Arc<dyn Database>> {
        clear(&self.tools, folder).await?;
        let manifest = restore::checked(backup)?;
        // A position is one of its own timeline. A time is meant as production knows it, which may have failed over since the backup.
        let log = match point {
            RestorePoint::BeforeRollout { log } => Some(log.clone()),
            RestorePoint::Time { .. } => database.log_position().await?,
        };
        let of_backup = Label::read(&backup.folder.join("base"))?.timeline;
        let timeline = log.map(|log| log.timeline).filter(|timeline| *timeline != of_backup);
        let archived = Archived { point, timeline, fetch };
        let (folder, origin) = (absolute(folder)?, database.endpoint());
        let goal = Goal::Archived(archived);
        let restored =
            restore::physical(&self.tools, &manifest, origin, &folder, Reach::Kept, goal, &progress).await;
        match restored {
            Ok(restored) => Ok(database.at(restored.endpoint)),
            Err(error) => {
                let log = std::fs::read(folder.join(cluster::LOG)).unwrap_or_default();
                Err(recovery::explain(error, &String::from_utf8_lossy(&log), &archived))
            }
        }
    }

    async fn lay_beside(
        &self,
        origin: Origin<'_>,
        database: &dyn Database,
        name: &str,
        folder: &Path,
        progress: Progress,
    ) -> Result<Arc<dyn Database>> {
        let (dump, source) = match origin {
            Origin::Recovered => {
                let inside = Postgres::from_endpoint(self.copy(folder)?.endpoint());
                let source = Source::read(&inside.connect(APPLICATION).await?).await?;
                (self.dump_copy(database, folder, &progress).await?, source)
            }
            Origin::Backup(backup) => {
                clear(&self.tools, folder).await?;
                let source = restore::checked(backup)?.source;
                let dump = match backup.method {
                    BackupMethod::Logical => backup.folder.join("dump"),
                    BackupMethod::Physical => {
                        restore::restore(&self.tools, backup, database, folder, Reach::Kept, &progress)
                            .await?;
                        self.dump_copy(database, folder, &progress).await?
                    }
                };
                (dump, source)
            }
        };
        let to = Endpoint { database: name.to_owned(), ..database.endpoint().clone() };
        create(database, name, &source).await?;
        progress("restoring beside production", None);
        let into = format!("--dbname={name}");
        let path = dump.to_string_lossy().into_owned();
        let arguments = ["--exit-on-error", "--jobs=2", "--no-password", "--no-subscriptions", &into, &path];
        if let Err(error) = self.tools.output("pg_restore", &arguments, &libpq(&to)).await {
            create(database, name, &source).await?;
            self.tools.folder(folder)?;
            dump::restore(&self.tools, &dump, &[], &source.search_path, &absolute(folder)?, &to)
                .await
                .map_err(|second| error_of_both(&error, &second))?;
        }
        let laid = Postgres::from_endpoint(to);
        laid.connect(APPLICATION)
            .await?
            .batch_execute("ANALYZE")
            .await
            .server_context("cannot gather statistics")?;
        clear(&self.tools, folder).await?;
        Ok(Arc::new(laid))
    }

    async fn discard_beside(&self, database: &dyn Database, name: &str, folder: &Path) -> Result<()> {
        clear(&self.tools, folder).await?;
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name));
        let client = aside(database).await?;
        client.batch_execute(&sql).await.server_context("cannot drop the database beside production")
    }

    async fn exchange(&self, database: &dyn Database, restored: &dyn Database, aside_as: &str) -> Result<()> {
        const WHAT: &str = "cannot put the restored database in the place of production";
        let (name, other) = (&database.endpoint().database, &restored.endpoint().database);
        let (renaming, ending) = (aside(database).await?, aside(database).await?);
        let sql = format!(
            "BEGIN; ALTER DATABASE {old} RENAME TO {aside}; ALTER DATABASE {new} RENAME TO {old}; COMMIT",
            old = quoted(name),
            aside = quoted(aside_as),
            new = quoted(other),
        );
        let mut last = None;
        for _ in 0..TRIES {
            // The first rename keeps new sessions out and waits five seconds for the others, which are ended meanwhile.
            let ended = async {
                for _ in 0..20 {
                    end_sessions(&ending, &[name, other], None).await?;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Ok::<(), Error>(())
            };
            let renamed = renaming.batch_execute(&sql);
            tokio::pin!(renamed, ended);
            let done = tokio::select! {
                done = &mut renamed => done,
                ended = &mut ended => { ended?; renamed.await }
            };
            match done {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let _ = renaming.batch_execute("ROLLBACK").await;
                    let in_use = error.code().is_some_and(|code| code.code() == "55006");
                    last = Some(Err(error).server_context(WHAT));
                    if !in_use {
                        break;
                    }
                }
            }
        }
        last.unwrap_or_else(|| Err(Error::failed(WHAT)))
    }

    async fn has(&self, database: &dyn Database, name: &str) -> Result<bool> {
        let client = aside(database).await?;
        let row =
            client.query_one("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", &[&name]).await;
        row.and_then(|row| row.try_get(0)).server_context("cannot list the databases of the server")
    }
}

impl Local {
    fn copy(&self, folder: &Path) -> Result<Cluster<'_>> {
        Cluster::open(&self.tools, folder)?.ok_or_else(|| Error::failed("the copy of the backup is gone"))
    }

    /// Dumps the copy that runs in the folder, and ends it.
    async fn dump_copy(
        &self,
        database: &dyn Database,
        folder: &Path,
        progress: &Progress,
    ) -> Result<PathBuf> {
        let cluster = self.copy(folder)?;
        progress("dumping the copy of the backup", None);
        let admin = cluster.admin(&database.endpoint().database);
        let dump = absolute(folder)?.join("dump");
        let file = format!("--file={}", dump.display());
        let arguments = ["--format=directory", "--jobs=2", "--no-password", &file];
        self.tools.output("pg_dump", &arguments, &libpq(&admin)).await?;
        cluster.stop("fast").await;
        Ok(dump)
    }
}

/// Removes the copy of a backup and its dump, which hold rows.
async fn clear(tools: &Tools, folder: &Path) -> Result<()> {
    cluster::discard(tools, folder).await?;
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).context(format!("{} cannot be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

/// An empty database that is as `database`, with the settings and rights that it had when the backup was taken; an earlier one goes.
async fn create(database: &dyn Database, name: &str, source: &Source) -> Result<()> {
    const WHAT: &str = "cannot make a database beside production";
    let client = aside(database).await?;
    let row = client.query_one(CREATE, &[&name, &database.endpoint().database]).await;
    let create: String = row.and_then(|row| row.try_get(0)).server_context(WHAT)?;
    let quoted_name = quoted(name);
    client
        .batch_execute(&format!("DROP DATABASE IF EXISTS {quoted_name} WITH (FORCE)"))
        .await
        .server_context(WHAT)?;
    client.batch_execute(&create).await.server_context(WHAT)?;
    for (role, setting) in &source.database_settings {
        if let Some(sql) = alter(name, role.as_deref(), setting) {
            client.batch_execute(&sql).await.server_context(WHAT)?;
        }
    }
    // Backups of earlier versions do not know the rights; no others than those of now may come of that.
    let now;
    let rights = match &source.database_grants {
        Some(_) => source,
        None => {
            let inside = Postgres::from_endpoint(database.endpoint().clone());
            now = Source::read(&inside.connect(APPLICATION).await?).await?;
            &now
        }
    };
    for sql in restore::grants(rights, name) {
        client.batch_execute(&sql).await.server_context(WHAT)?;
    }
    let described = format!(
        "SELECT format('COMMENT ON DATABASE %I IS %L', {}, shobj_description(oid, 'pg_database')) FROM pg_database
         WHERE datname = $1 AND shobj_description(oid, 'pg_database') IS NOT NULL",
        literal(name)
    );
    if let Some(row) =
        client.query_opt(&described, &[&database.endpoint().database]).await.server_context(WHAT)?
    {
        let sql: String = row.try_get(0).server_context(WHAT)?;
        client.batch_execute(&sql).await.server_context(WHAT)?;
    }
    Ok(())
}
