//! A cluster with the source's schema and Liquibase's history and no data; copies of its database come in milliseconds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::Client;

use crate::error::{Error, Result};
use crate::model::endpoint::Endpoint;
use crate::product::postgres::local::absolute;
use crate::product::postgres::local::cluster::Cluster;
use crate::product::postgres::local::disarm::{disarm, isolation};
use crate::product::postgres::local::dump;
use crate::product::postgres::local::logical::{common, roles};
use crate::product::postgres::local::restore::{alter, create, empty, error_of_both};
use crate::product::postgres::local::rows::{TRIER, count_on};
use crate::product::postgres::local::server_state;
use crate::product::postgres::local::source::Source;
use crate::product::postgres::local::tools::{Tools, libpq};
use crate::product::postgres::{Postgres, ServerContext, literal, quoted, quoted_relation};
use crate::product::{Database, Execute, Restored};
use crate::watcher::Progress;

/// The name of sessions that make and clear copies.
const SCRATCH: &str = "scratch (drydock)";

pub async fn make(
    tools: &Tools,
    database: &dyn Database,
    folder: &Path,
    progress: &Progress,
) -> Result<Restored> {
    let folder = absolute(folder)?;
    tools.folder(&folder)?;
    let origin = database.endpoint();
    let postgres = Postgres::from_endpoint(origin.clone());
    let source = Source::read(&postgres.connect("backup (drydock)").await?).await?;
    progress("dump of the schema", None);
    let (schema, history, who) =
        (folder.join("schema.dump"), folder.join("history.dump"), folder.join("roles.sql"));
    let mut arguments =
        vec!["--schema-only".to_owned(), "--format=custom".into(), format!("--file={}", schema.display())];
    arguments.extend(common(&source));
    let libpq_of_origin = libpq(origin);
    let of_schema = tools.output("pg_dump", &arguments, &libpq_of_origin);
    let of_history = async {
        if source.history.is_empty() {
            return Ok(());
        }
        let mut arguments =
            vec!["--data-only".to_owned(), "--format=custom".into(), format!("--file={}", history.display())];
        arguments.extend(source.history.iter().map(|table| format!("--table={}", quoted_relation(table))));
        arguments.extend(common(&source));
        tools.output("pg_dump", &arguments, &libpq_of_origin).await.map(|_| ())
    };
    // Neither waits for the other; what has begun is finished, so that no server is left half started.
    let beside = async {
        roles(tools, &postgres, &who).await?;
        empty(tools, &source, &who, origin, &folder, true, progress).await
    };
    let (of_schema, of_history, cluster) = futures::join!(of_schema, of_history, beside);
    let mut cluster = cluster?;
    of_schema?;
    of_history?;
    progress("restoring the schema", None);
    let dumps: Vec<PathBuf> = [schema, history].into_iter().filter(|d| d.exists()).collect();
    let mut refused = None;
    for file in &dumps {
        let arguments = [
            "--exit-on-error",
            "--no-password",
            "--no-subscriptions",
            &format!("--dbname={}", origin.database),
            &file.to_string_lossy(),
        ]
        .map(str::to_owned);
        let restored = tools.output("pg_restore", &arguments, &libpq(&cluster.admin(&origin.database))).await;
        refused = restored.err();
        if refused.is_some() {
            break;
        }
    }
    if let Some(error) = refused {
        tracing::debug!(error = %error.chain(), "the schema is restored with the database's own search path");
        create(&cluster, &source, origin).await?;
        for file in &dumps {
            let to = cluster.admin(&origin.database);
            dump::restore(tools, file, &[], &source.search_path, &folder, &to)
                .await
                .map_err(|second| error_of_both(&error, &second))?;
        }
    }
    let inside = Postgres::from_endpoint(cluster.admin(&origin.database));
    let disarmed = disarm(&inside).await?;
    let isolation = isolation(&cluster, &inside, disarmed).await?;
    populate(&inside, source.populated).await;
    // That a changeset sets a sequence back shows where it stands as production's does.
    if let Err(error) = count_on(&inside.connect(SCRATCH).await?, &postgres).await {
        tracing::debug!(error = %error.chain(), "sequences stand at their beginnings");
    }
    // The user makes and drops copies of the template, so that nobody needs more than the endpoint for it.
    let admin = Postgres::from_endpoint(cluster.admin("template1"));
    let user = quoted(&origin.user);
    admin.execute_script(&format!("ALTER ROLE {user} CREATEDB")).await?;
    // Since 15 only a superuser sets what the server does not know (https://www.postgresql.org/docs/current/sql-alterdatabase.html).
    if tools.major >= 15 {
        admin.execute_script(&format!("GRANT SET ON PARAMETER {COPY_OF} TO {user}")).await?;
    }
    admin.execute_script(&format!("ALTER DATABASE {} IS_TEMPLATE true", quoted(&origin.database))).await?;
    let client = admin.connect(SCRATCH).await?;
    server_state::keep(&client, &origin.database, tools, &folder).await?;
    cluster.finish()?;
    Ok(Restored { endpoint: cluster.endpoint(), isolation })
}

/// Fills all materialised views from what is there now.
pub async fn populate_all(admin: &Postgres) {
    let sql = "SELECT format('%I.%I', schemaname, matviewname) FROM pg_matviews";
    let Ok(client) = admin.connect(SCRATCH).await else { return };
    let views = client.query(sql, &[]).await.unwrap_or_default();
    populate(admin, views.iter().filter_map(|row| row.try_get(0).ok()).collect()).await;
}

/// Fills materialised views, which read one another: again and again while it helps.
async fn populate(admin: &Postgres, mut views: Vec<String>) {
    let mut before = usize::MAX;
    while views.len() < before {
        before = views.len();
        let mut left = Vec::new();
        for view in views {
            if let Err(error) = admin.execute_script(&format!("REFRESH MATERIALIZED VIEW {view}")).await {
                tracing::debug!(%view, error = %error.chain(), "not filled yet");
                left.push(view);
            }
        }
        views = left;
    }
}

pub fn open<'a>(tools: &'a Tools, folder: &Path) -> Result<Cluster<'a>> {
    Cluster::open(tools, folder)?
        .ok_or_else(|| Error::failed(format!("there is no scratch database in {}", folder.display())))
}

/// Gives roles back the settings and memberships that they had; drops the roles that are younger than the template and so came by
/// changesets, and all copies. Whether there was anything of either.
pub async fn clear(cluster: &Cluster<'_>, folder: &Path) -> Result<bool> {
    const WHAT: &str = "cannot clear the scratch server";
    let client = Postgres::from_endpoint(cluster.admin("postgres")).connect(SCRATCH).await?;
    let template = cluster.endpoint().database;
    let restored = server_state::restore(&client, &template, &absolute(folder)?, &[TRIER]).await?;
    // Numbers are given in order, and those of a server this young have not begun anew.
    let younger = "SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname <> $1
        AND oid > (SELECT oid FROM pg_database WHERE datname = $2)";
    let roles = client.query(younger, &[&TRIER, &template]).await.server_context(WHAT)?;
    if roles.is_empty() {
        return Ok(restored);
    }
    // Rights in a database keep a role from being dropped.
    let copies = "SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
        WHERE NOT datistemplate AND datname <> 'postgres'";
    let copies = client.query(copies, &[]).await.server_context(WHAT)?;
    for row in copies.iter().chain(&roles) {
        let sql: String = row.try_get(0).server_context(WHAT)?;
        client.batch_execute(&sql).await.server_context(WHAT)?;
    }
    Ok(true)
}

/// What a copy's sessions are told the name of the database by, which changesets may say.
const COPY_OF: &str = "drydock.copy_of";

/// Where copies of the template are made from: nobody may be in it meanwhile.
pub fn aside(template: &Endpoint) -> Endpoint {
    Endpoint { database: "postgres".into(), ..template.clone() }
}

/// A copy of the template under another name. The session aside stays for the next one.
pub async fn fresh(aside: &Postgres, template: &Endpoint, name: &str) -> Result<Endpoint> {
    let client = aside.take(SCRATCH).await?;
    let copy = copy(&client, template, name).await;
    aside.give_back(SCRATCH, client);
    copy
}

async fn copy(client: &Client, template: &Endpoint, name: &str) -> Result<Endpoint> {
    let what = format!("cannot make the scratch database {name}");
    if name == template.database {
        return Err(Error::failed(format!("{what}: the template has this name")));
    }
    client
        .batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name)))
        .await
        .server_context(&what)?;
    // Since 15 a copy goes through the log by default, which is twice as slow where nothing waits for the disk.
    let how = if Postgres::major(client).await? >= 15 { "STRATEGY FILE_COPY" } else { "" };
    let create = format!("CREATE DATABASE {} TEMPLATE {} {how}", quoted(name), quoted(&template.database));
    for attempt in 1.. {
        match client.batch_execute(&create).await {
            Ok(()) => break,
            // Somebody looks at the template just now, and a template must be alone.
            Err(e) if attempt < 20 && e.code().is_some_and(|c| c.code() == "55006") => {
                let sql = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {} AND usename = current_user",
                    literal(&template.database)
                );
                client.batch_execute(&sql).await.server_context(&what)?;
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            Err(e) => return Err(e).server_context(&what),
        }
    }
    // Settings of a database are not copied with it.
    let settings = "SELECT (SELECT rolname::text FROM pg_roles r WHERE r.oid = s.setrole), unnest(s.setconfig) FROM pg_db_role_setting s
         JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = $1";
    let mut of_copy = false;
    for row in client.query(settings, &[&template.database]).await.server_context(&what)? {
        let role: Option<String> = row.try_get(0).server_context(&what)?;
        let setting: String = row.try_get(1).server_context(&what)?;
        if let Some(sql) = alter(name, role.as_deref(), &setting) {
            let _ = client.batch_execute(&sql).await;
        }
        of_copy |= setting.starts_with(COPY_OF);
    }
    if !of_copy {
        let sql = format!("ALTER DATABASE {} SET {COPY_OF} TO {}", quoted(name), literal(&template.database));
        client.batch_execute(&sql).await.server_context(&what)?;
    }
    Ok(Endpoint { database: name.to_owned(), ..template.clone() })
}
