//! Some of production's rows in a scratch database: few enough to be quick, and such that they refer to one another.
//!
//! `rows/sample.rs` says which.

mod sample;

use std::collections::BTreeSet;
use std::time::Instant;

use bytes::Bytes;
use futures::{SinkExt, pin_mut};
use tokio_postgres::Client;

use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::endpoint::Secret;
use crate::model::sample::{Rows, SampleData};
use crate::product::Execute;
use crate::product::postgres::local::cluster::{Cluster, random_password};
use crate::product::postgres::local::scratch;
use crate::product::postgres::{Postgres, ServerContext, copy_row, literal, quoted, quoted_relation};
use crate::watcher::Progress;
use sample::{ask, list};

/// The database that holds the rows, a template as the one without them.
const NAME: &str = "drydock_rows";
/// Who tries things out there: no superuser, owner of nothing.
pub(super) const TRIER: &str = "drydock_trial";
const APPLICATION: &str = "sample (drydock)";

/// A copy of the template with rows of these tables, and of those that they refer to.
pub async fn sample_rows(
    cluster: &Cluster<'_>,
    production: &Postgres,
    catalog: &Catalog,
    wanted: &BTreeSet<String>,
    progress: &Progress,
) -> Result<SampleData> {
    let begun = Instant::now();
    let template = cluster.endpoint();
    let copy = async {
        // One of an earlier call goes.
        let again = format!("ALTER DATABASE {} IS_TEMPLATE false", quoted(NAME));
        let _ = Postgres::from_endpoint(cluster.admin("template1")).execute_script(&again).await;
        scratch::fresh(&Postgres::from_endpoint(scratch::aside(&template)), &template, NAME).await
    };
    let (mut tables, endpoint) =
        futures::try_join!(sample::read(production, catalog, wanted, progress), copy)?;
    let read = begun.elapsed();
    let admin = Postgres::from_endpoint(cluster.admin(NAME));
    progress("laying rows in", None);
    // What is in a partition is among the rows of its root.
    let own = |name: &String| catalog.root(name).is_none_or(|root| root == name);
    let laid = tables.iter().filter(|(name, _)| own(name)).collect::<Vec<_>>();
    let (one, other) = laid.split_at(laid.len() / 2);
    let left_out = futures::try_join!(lay_all(&admin, one), lay_all(&admin, other))?;
    for name in left_out.0.into_iter().chain(left_out.1) {
        tables.remove(&name);
    }
    let client = admin.connect(APPLICATION).await?;
    count_on(&client, production).await?;
    let password = random_password();
    client
        .batch_execute(&trier(&password, &template.user))
        .await
        .server_context("cannot make the role of trials")?;
    client
        .batch_execute(&format!("ALTER DATABASE {} IS_TEMPLATE true", quoted(NAME)))
        .await
        .server_context("cannot lay rows in")?;
    let roles = "SELECT rolname::text FROM pg_roles WHERE pg_has_role($1::text::name, oid, 'MEMBER') AND rolname !~ '^pg_'";
    let roles = client.query(roles, &[&TRIER]).await.server_context("cannot make the role of trials")?;
    let roles = roles.iter().filter_map(|row| row.try_get(0).ok()).collect();
    drop(client);
    scratch::populate_all(&admin).await;
    tracing::debug!(tables = tables.len(), ?read, all = ?begun.elapsed(), "sample rows");
    let password = Secret::new(password);
    Ok(SampleData { template: endpoint, user: TRIER.to_owned(), password, roles, tables })
}

/// It may read and write everything and is nobody: rights are looked at by themselves, and queries of a service whose role
/// is known are run as that role. Who makes copies may end its sessions, which keep a copy from being dropped.
fn trier(password: &str, user: &str) -> String {
    format!(
        "SET log_statement = 'none';
         DO $$ DECLARE r text; BEGIN
           IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) THEN CREATE ROLE {TRIER}; END IF;
           ALTER ROLE {TRIER} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS PASSWORD {password};
           GRANT pg_signal_backend TO {quoted};
           FOR r IN SELECT rolname FROM pg_roles WHERE rolname IN ('pg_read_all_data', 'pg_write_all_data')
             OR rolname !~ '^pg_' AND NOT rolsuper AND rolname NOT IN ({name}, {user}) LOOP
             EXECUTE format('GRANT %I TO {TRIER}', r);
           END LOOP;
           IF current_setting('server_version_num')::int >= 150000 THEN
             GRANT SET ON PARAMETER session_replication_role TO {TRIER};
           END IF;
           IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pg_write_all_data') THEN
             FOR r IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
               EXECUTE format('GRANT USAGE ON SCHEMA %I TO {TRIER}', r);
               EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %I TO {TRIER}', r);
               EXECUTE format('GRANT ALL ON ALL SEQUENCES IN SCHEMA %I TO {TRIER}', r);
             END LOOP;
           END IF;
         END $$;",
        name = literal(TRIER),
        user = literal(user),
        quoted = quoted(user),
        password = literal(password),
    )
}

/// Lays rows in, whatever triggers and keys say; gives the tables that take none.
async fn lay_all(admin: &Postgres, tables: &[(&String, &Rows)]) -> Result<Vec<String>> {
    let client = admin.connect(APPLICATION).await?;
    client
        .batch_execute("SET session_replication_role = replica")
        .await
        .server_context("cannot lay rows in")?;
    let mut left_out = Vec::new();
    for (name, rows) in tables {
        if let Err(error) = lay_in(&client, name, rows).await {
            // What is tried without them says less, and nothing wrong.
            tracing::debug!(%name, error = %error.chain(), "rows left out");
            left_out.push((*name).clone());
        }
    }
    Ok(left_out)
}

async fn lay_in(client: &Client, name: &str, rows: &Rows) -> Result<()> {
    let sql = format!("COPY {} ({}) FROM STDIN", quoted_relation(name), list(&rows.columns));
    let sink = client.copy_in::<_, Bytes>(&sql).await.server_context("cannot lay rows in")?;
    pin_mut!(sink);
    for row in &rows.rows {
        sink.send(copy_row(row)).await.server_context("cannot lay rows in")?;
    }
    sink.finish().await.server_context("cannot lay rows in")?;
    Ok(())
}

/// Sequences go on where production's are: a number drawn must be a new one.
pub(super) async fn count_on(client: &Client, production: &Postgres) -> Result<()> {
    let sql = "SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename), last_value::text FROM pg_sequences
               WHERE last_value IS NOT NULL";
    let sequences = ask(production, sql).await.unwrap_or_default();
    let mut script = String::new();
    for row in sequences {
        if let [Some(name), Some(value)] = row.as_slice() {
            script.push_str(&format!("SELECT setval(to_regclass({}), {value});", literal(name)));
        }
    }
    client.batch_execute(&script).await.map_err(|e| Error::failed("cannot set sequences").because(e))
}
