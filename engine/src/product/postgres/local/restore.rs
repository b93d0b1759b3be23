//! Makes a database out of a backup.
//!
//! The user that the source is reached as can log in to the copy with the same rights and a password of the copy's own: what
//! that user may not do in production fails here first.

use std::path::Path;

use crate::error::{Context, Error, Result};
use crate::model::backup::{Backup, BackupMethod};
use crate::model::endpoint::Endpoint;
use crate::product::Database;
use crate::product::postgres::local::backup::{Manifest, manifest};
use crate::product::postgres::local::cluster::{ADMIN, Cluster, Purpose};
use crate::product::postgres::local::disarm::{disarm, end_prepared, isolation};
use crate::product::postgres::local::logical::checksums;
use crate::product::postgres::local::recovery::{self, Goal};
use crate::product::postgres::local::source::Source;
use crate::product::postgres::local::tools::{Tools, libpq};
use crate::product::postgres::local::unlogged;
use crate::product::postgres::local::{START, absolute};
use crate::product::postgres::{Postgres, literal, quoted};
use crate::product::{Execute, Restored};
use crate::watcher::Progress;

/// Materialised views are filled with the rows.
const SECTIONS: [&[&str]; 2] = [&["--section=pre-data"], &["--section=data", "--section=post-data"]];
/// Whether what a copy would reach other systems through is taken out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    TakenOut,
    /// For a copy that is dumped and nothing else.
    Kept,
}

pub async fn restore(
    tools: &Tools,
    backup: &Backup,
    database: &dyn Database,
    folder: &Path,
    reach: Reach,
    progress: &Progress,
) -> Result<Restored> {
    let manifest = checked(backup)?;
    let folder = absolute(folder)?;
    match backup.method {
        BackupMethod::Physical => {
            let endpoint = database.endpoint();
            physical(tools, &manifest, endpoint, &folder, reach, Goal::Backup, progress).await
        }
        BackupMethod::Logical => logical(tools, &manifest, database.endpoint(), &folder, progress).await,
    }
}

/// What a backup says of itself, and is.
pub fn checked(backup: &Backup) -> Result<Manifest> {
    let manifest = manifest(&backup.folder)?;
    if manifest.backup.id == backup.id {
        return Ok(manifest);
    }
    let (folder, other) = (backup.folder.display(), &manifest.backup.id);
    Err(Error::failed(format!("{folder} holds backup {other}, not {}", backup.id)))
}

/// A cluster that is recovered from a base backup. `folder` is absolute.
pub async fn physical(
    tools: &Tools,
    manifest: &Manifest,
    origin: &Endpoint,
    folder: &Path,
    reach: Reach,
    goal: Goal<'_>,
    progress: &Progress,
) -> Result<Restored> {
    let superuser =
        manifest.source.superusers.first().ok_or_else(|| Error::failed("the backup names no superuser"))?;
    let mut cluster = Cluster::new(tools, Purpose::Copy, folder, superuser, &origin.database, &origin.user)?;
    progress("copying the backup", None);
    let base = manifest.backup.folder.join("base");
    let mut arguments = vec![std::ffi::OsString::from("-a")];
    if cfg!(target_os = "linux") {
        arguments.push("--reflink=auto".into());
    }
    arguments.extend([base.into_os_string(), cluster.data().into_os_string()]);
    tools.output("cp", &arguments, &[]).await?;
    // Left over from the source: another server's process, and its wish to follow a primary.
    for name in ["postmaster.pid", "postmaster.opts", "standby.signal"] {
        let _ = std::fs::remove_file(cluster.data().join(name));
    }
    let lasting = manifest.source.copy_settings(tools, false);
    cluster.configure(&recovery::settings(&lasting, manifest, goal))?;
    tools.write(&cluster.data().join("recovery.signal"), "")?;
    progress("recovering to the moment", None);
    match goal {
        Goal::Backup => cluster.start(recovery::patience(goal)).await?,
        Goal::Archived(_) => cluster.start_reaching(recovery::patience(goal)).await?,
    }
    recovery::ended(&cluster, progress).await?;
    cluster.configure(&lasting)?;
    if goal != Goal::Backup {
        cluster.stop("fast").await;
        cluster.start(START).await?;
    }
    login(&cluster, origin).await?;
    let admin = cluster.admin(&origin.database);
    let disarmed = match reach {
        Reach::TakenOut => disarm(&Postgres::from_endpoint(admin.clone())).await?,
        Reach::Kept => {
            let client = Postgres::from_endpoint(admin.clone()).connect("restore (drydock)").await?;
            end_prepared(&client).await?
        }
    };
    // No log has their rows. At another moment than the backup's they stay empty, as after a crash.
    if goal == Goal::Backup {
        unlogged::restore(tools, manifest, &admin, progress).await?;
    }
    let isolation = isolation(&cluster, &Postgres::from_endpoint(admin), disarmed).await?;
    cluster.finish()?;
    Ok(Restored { endpoint: cluster.endpoint(), isolation })
}

/// Lets the origin's user in, with a password of this cluster's own.
pub async fn login(cluster: &Cluster<'_>, origin: &Endpoint) -> Result<()> {
    let endpoint = cluster.endpoint();
    let password = endpoint.password.as_ref().map(|p| p.expose().to_owned()).unwrap_or_default();
    let user = quoted(&origin.user);
    // Plain text goes over the socket of this machine only; the statement is kept out of the log.
    let sql = format!(
        "SET log_statement = 'none'; SET password_encryption = 'scram-sha-256'; SET synchronous_commit = local;
         DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) THEN CREATE ROLE {user}; END IF; END $$;
         ALTER ROLE {user} LOGIN PASSWORD {password} VALID UNTIL 'infinity' CONNECTION LIMIT -1",
        name = literal(&origin.user),
        password = literal(&password),
    );
    let made = Postgres::from_endpoint(cluster.admin("template1")).execute_script(&sql).await;
    made.context(format!("user {} cannot be let into the copy", origin.user))
}

async fn logical(
    tools: &Tools,
    manifest: &Manifest,
    origin: &Endpoint,
    folder: &Path,
    progress: &Progress,
) -> Result<Restored> {
    let dump = manifest.backup.folder.join("dump");
    if checksums(&dump)? != manifest.files {
        return Err(Error::failed(format!(
            "the backup in {} was changed or damaged since it was taken",
            manifest.backup.folder.display()
        )));
    }
    let mut cluster = empty(
        tools,
        &manifest.source,
        &manifest.backup.folder.join("roles.sql"),
        origin,
        folder,
        false,
        progress,
    )
    .await?;
    let mut arguments = vec![
        "--exit-on-error".to_owned(),
        "--jobs=2".into(),
        "--no-subscriptions".into(),
        "--no-password".into(),
    ];
    arguments.extend([format!("--dbname={}", origin.database), dump.to_string_lossy().into_owned()]);
    let admin = Postgres::from_endpoint(cluster.admin(&origin.database));
    progress("restoring the dump", None);
    // Materialised views are filled with the rows, and may read foreign tables.
    let mut disarmed = Vec::new();
    let mut refused = None;
    for sections in SECTIONS {
        let all: Vec<&str> = arguments.iter().map(String::as_str).chain(sections.iter().copied()).collect();
        let restored = tools.output("pg_restore", &all, &libpq(&cluster.admin(&origin.database))).await;
        refused = restored.err();
        if refused.is_some() {
            break;
        }
        disarmed.extend(disarm(&admin).await?);
    }
    if let Some(error) = refused {
        tracing::debug!(error = %error.chain(), "the dump is restored with the database's own search path");
        disarmed.clear();
        create(&cluster, &manifest.source, origin).await?;
        for sections in SECTIONS {
            let path = &manifest.source.search_path;
            let to = cluster.admin(&origin.database);
            // What the first try said is what was to be mended.
            super::dump::restore(tools, &dump, sections, path, folder, &to)
                .await
                .map_err(|second| error_of_both(&error, &second))?;
            disarmed.extend(disarm(&admin).await?);
        }
    }
    disarmed.dedup();
    progress("gathering statistics", None);
    admin.execute_script("ANALYZE").await?;
    let isolation = isolation(&cluster, &admin, disarmed).await?;
    cluster.finish()?;
    Ok(Restored { endpoint: cluster.endpoint(), isolation })
}

/// A new cluster with the source's roles, and an empty database of its name and settings.
pub async fn empty<'a>(
    tools: &'a Tools,
    source: &Source,
    roles: &Path,
    origin: &Endpoint,
    folder: &Path,
    tiny: bool,
    progress: &Progress,
) -> Result<Cluster<'a>> {
    let mut cluster = Cluster::new(tools, Purpose::Copy, folder, ADMIN, &origin.database, &origin.user)?;
    progress("initialising a cluster", None);
    let settings = source.copy_settings(tools, tiny);
    let kept = cluster.init_copy().await?;
    cluster.configure(&settings)?;
    if let Err(error) = cluster.start(START).await {
        if !kept {
            return Err(error);
        }
        tracing::debug!(error = %error.chain(), "the kept cluster does not start");
        cluster.init_copy_anew().await?;
        cluster.configure(&settings)?;
        cluster.start(START).await?;
    }
    let read = std::fs::read_to_string(roles).context(format!("{} cannot be read", roles.display()))?;
    let here = folder.join("roles-here.sql");
    tools.write(&here, &without_grantors(&read))?;
    // Roles that exist already, and rights that this server does not know, are no reason to stop.
    let file = format!("--file={}", here.display());
    tools
        .output(
            "psql",
            &["--no-psqlrc", "--quiet", "--no-password", &file],
            &libpq(&cluster.admin("postgres")),
        )
        .await?;
    login(&cluster, origin).await?;
    create(&cluster, source, origin).await?;
    Ok(cluster)
}

/// What pg_dumpall writes of roles, without who granted memberships. Since 16 a grantor must be allowed to, or be the superuser that the
/// cluster was made with, who has another name here (<https://www.postgresql.org/docs/current/sql-grant.html>).
fn without_grantors(roles: &str) -> String {
    let grant = regex::Regex::new(r#"(?m)^(GRANT .*) GRANTED BY ("([^"]|"")*"|[^ ";]+);$"#);
    grant.map_or_else(|_| roles.to_owned(), |grant| grant.replace_all(roles, "$1;").into_owned())
}

/// An empty database of the source's name and settings; an earlier one goes.
pub async fn create(cluster: &Cluster<'_>, source: &Source, origin: &Endpoint) -> Result<()> {
    let name = quoted(&origin.database);
    let admin = Postgres::from_endpoint(cluster.admin("template1"));
    admin.execute_script(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    let create = |locale: String| {
        format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING {} {locale}", literal(&source.encoding))
    };
    let same = format!("LC_COLLATE {} LC_CTYPE {}", literal(&source.collate), literal(&source.ctype));
    if admin.execute_script(&create(same)).await.is_err() {
        // The source's locale is not installed here: text sorts otherwise, and is the same.
        admin.execute_script(&create("LC_COLLATE 'C' LC_CTYPE 'C'".into())).await?;
    }
    admin.execute_script(&format!("ALTER DATABASE {name} OWNER TO {}", quoted(&origin.user))).await?;
    for sql in grants(source, &origin.database) {
        // A role that is not here.
        let _ = admin.execute_script(&sql).await;
    }
    for (role, setting) in &source.database_settings {
        if let Some(sql) = alter(&origin.database, role.as_deref(), setting) {
            // A setting of a library that is not here.
            let _ = admin.execute_script(&sql).await;
        }
    }
    Ok(())
}

/// A role, or everybody.
pub fn grantee(role: Option<&str>) -> String {
    role.map_or_else(|| "PUBLIC".to_owned(), quoted)
}

/// What gives a new database of this name the rights of the source.
pub fn grants(source: &Source, name: &str) -> Vec<String> {
    let Some(grants) = &source.database_grants else { return Vec::new() };
    let name = quoted(name);
    let grant = |(role, right): &(Option<String>, String)| {
        format!("GRANT {right} ON DATABASE {name} TO {}", grantee(role.as_deref()))
    };
    [format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC")]
        .into_iter()
        .chain(grants.iter().map(grant))
        .collect()
}

/// Why a dump goes in neither way.
pub fn error_of_both(first: &Error, second: &Error) -> Error {
    Error::failed(first.chain())
        .because(Error::failed(format!("with the database's own search path: {}", second.chain())))
}

/// `name=value` as a setting of a database, or of a role in it.
pub fn alter(database: &str, role: Option<&str>, setting: &str) -> Option<String> {
    let (name, value) = setting.split_once('=')?;
    // Lists of names are kept quoted as they have to be written; everything else is one value.
    let list = [
        "search_path",
        "datestyle",
        "temp_tablespaces",
        "session_preload_libraries",
        "local_preload_libraries",
    ];
    let value = if list.contains(&name.to_lowercase().as_str()) && !value.is_empty() {
        value.to_owned()
    } else {
        literal(value)
    };
    let whose = match role {
        Some(role) => format!("ROLE {} IN DATABASE {}", quoted(role), quoted(database)),
        None => format!("DATABASE {}", quoted(database)),
    };
    let name: Vec<String> = name.split('.').map(quoted).collect();
    Some(format!("ALTER {whose} SET {} TO {value}", name.join(".")))
}

#[cfg(test)]
mod tests {
    use super::without_grantors;

    #[test]
    fn memberships_are_granted_by_whoever_restores_them() {
        let dumped = "CREATE ROLE a;\nGRANT a TO b WITH INHERIT TRUE GRANTED BY postgres;\n\
            GRANT \"x GRANTED BY y;\" TO \"it's\" WITH ADMIN OPTION, INHERIT FALSE GRANTED BY \"the \"\"boss\"\"\";\n\
            GRANT a TO c;\nCOMMENT ON ROLE a IS 'made; GRANTED BY nobody';\n";
        let restored = "CREATE ROLE a;\nGRANT a TO b WITH INHERIT TRUE;\n\
            GRANT \"x GRANTED BY y;\" TO \"it's\" WITH ADMIN OPTION, INHERIT FALSE;\n\
            GRANT a TO c;\nCOMMENT ON ROLE a IS 'made; GRANTED BY nobody';\n";
        assert_eq!(without_grantors(dumped), restored);
    }
}
