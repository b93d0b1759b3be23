//! Some of production's rows in a scratch database: few enough to be quick, and such that they refer to one another.
//!
//! Read by key and by blocks, never by a scan; whatever a foreign key of a row points to comes with it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Instant;

use bytes::Bytes;
use futures::{SinkExt, StreamExt, pin_mut, stream};
use tokio_postgres::Client;

use super::cluster::{Cluster, random_password};
use super::scratch;
use crate::contract::tags;
use crate::database::postgres::{Postgres, Told, copy_row, literal, quoted, quoted_relation, text_rows};
use crate::database::{Catalog, Database, Secret, Table};
use crate::error::{Error, Result};
use crate::provider::{Lent, Progress, Rows};
use crate::traffic::is_numeric;

/// The database that holds the rows, a template as the one without them.
const NAME: &str = "drydock_rows";
/// Who tries things out there: no superuser, owner of nothing.
pub const TRIER: &str = "drydock_trial";
/// Rows looked at for each table, and those of them that are taken.
const POOL: u64 = 300;
const TAKEN: usize = 60;
/// A longer row is left out: nobody reads megabytes out of production for a check.
const LONGEST: u32 = 32 * 1024;
/// Foreign keys are followed this often; longer chains of a table into itself are cut.
const ROUNDS: u32 = 20;
/// Rows fetched by one query.
const KEYS: usize = 200;
const AT_ONCE: usize = 3;
const APPLICATION: &str = "sample (drydock)";
/// Before rows are read.
const LOOKING: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '1s';
    SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1;
    SET LOCAL bytea_output = 'hex'; SET LOCAL timezone = 'UTC'";

type Row = Vec<Option<String>>;

/// A copy of the template with rows of these tables, and of those that they refer to.
pub async fn lend(
    cluster: &Cluster<'_>,
    production: &Postgres,
    catalog: &Catalog,
    wanted: &BTreeSet<String>,
    progress: &Progress,
) -> Result<Lent> {
    let begun = Instant::now();
    let template = cluster.near();
    let tables = read(production, catalog, wanted, progress).await?;
    let read = begun.elapsed();
    // One of an earlier call goes.
    let again = format!("ALTER DATABASE {} IS_TEMPLATE false", quoted(NAME));
    let _ = Postgres::from_endpoint(cluster.admin("template1")).execute_script(&again).await;
    let endpoint = scratch::fresh(&template, NAME).await?;
    let copied = begun.elapsed();
    let admin = Postgres::from_endpoint(cluster.admin(NAME));
    progress("laying rows in", None);
    let client = admin.connect(APPLICATION).await?;
    client.batch_execute("SET session_replication_role = replica").await.told("cannot lay rows in")?;
    let mut lent = BTreeMap::new();
    for (name, rows) in tables {
        if catalog.root(&name).is_some_and(|root| root != name) {
            lent.insert(name, rows);
            continue;
        }
        match lay_in(&client, &name, &rows).await {
            Ok(()) => {
                lent.insert(name, rows);
            }
            // What is tried without them says less, and nothing wrong.
            Err(error) => tracing::debug!(%name, error = %error.chain(), "rows left out"),
        }
    }
    count_on(&client, production).await?;
    let password = random_password();
    client.batch_execute(&trier(&password, &template.user)).await.told("cannot make the role of trials")?;
    client
        .batch_execute(&format!("ALTER DATABASE {} IS_TEMPLATE true", quoted(NAME)))
        .await
        .told("cannot lay rows in")?;
    let roles = "SELECT rolname::text FROM pg_roles WHERE pg_has_role($1::text::name, oid, 'MEMBER') AND rolname !~ '^pg_'";
    let roles = client.query(roles, &[&TRIER]).await.told("cannot make the role of trials")?;
    let roles = roles.iter().filter_map(|row| row.try_get(0).ok()).collect();
    drop(client);
    scratch::populate_all(&admin).await;
    tracing::debug!(tables = lent.len(), ?read, ?copied, laid = ?begun.elapsed(), "rows lent");
    let password = Secret::new(password);
    Ok(Lent { template: endpoint, user: TRIER.to_owned(), password, roles, tables: lent })
}

/// It may read and write everything and is nobody: rights are looked at by themselves, and queries of a service whose role
/// is known are run as that role.
fn trier(password: &str, user: &str) -> String {
    format!(
        "SET log_statement = 'none';
         DO $$ DECLARE r text; BEGIN
           IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) THEN CREATE ROLE {TRIER}; END IF;
           ALTER ROLE {TRIER} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS PASSWORD {password};
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
        password = literal(password),
    )
}

async fn read(
    production: &Postgres,
    catalog: &Catalog,
    wanted: &BTreeSet<String>,
    progress: &Progress,
) -> Result<BTreeMap<String, Rows>> {
    let made = generated(production).await?;
    let known = wanted.iter().filter_map(|name| Some((name, catalog.tables.get(name)?)));
    let asked: Vec<(String, Vec<String>, String)> = known
        .map(|(name, table)| {
            let columns = columns(name, table, &made);
            let sql = pool(name, table, &columns);
            (name.clone(), columns, sql)
        })
        .collect();
    let total = u64::try_from(asked.len()).unwrap_or(u64::MAX);
    let answers = stream::iter(asked)
        .map(|(name, columns, sql)| async move { (name, columns, ask(production, &sql).await) })
        .buffered(AT_ONCE);
    pin_mut!(answers);
    let mut sampled = BTreeMap::new();
    while let Some((name, columns, rows)) = answers.next().await {
        let done = u64::try_from(sampled.len()).unwrap_or(u64::MAX);
        progress("reading some of production's rows", Some((done, total)));
        let rows = rows.unwrap_or_else(|error| {
            tracing::debug!(%name, error = %error.chain(), "rows left out");
            Vec::new()
        });
        let table = catalog.tables.get(&name);
        let rows = table.map(|table| pick(&columns, table, rows)).unwrap_or_default();
        sampled.insert(name, Rows { columns, rows });
    }
    for name in wanted {
        into_root(name, catalog, &mut sampled);
    }
    close(production, catalog, &made, sampled).await
}

/// Rows of a partition are among those of its root, too.
fn into_root(name: &str, catalog: &Catalog, sampled: &mut BTreeMap<String, Rows>) {
    let Some(root) = catalog.root(name).filter(|root| *root != name) else { return };
    let Some(part) = sampled.get(name).cloned() else { return };
    let Some(all) = sampled.get_mut(root) else { return };
    let places: Option<Vec<usize>> = all.columns.iter().map(|c| part.place(c)).collect();
    let Some(places) = places else { return };
    let mut held: HashSet<Row> = all.rows.iter().cloned().collect();
    let rows = part.rows.iter().map(|row| places.iter().map(|at| row.get(*at).cloned().flatten()).collect());
    all.rows.extend(rows.filter(|row: &Row| held.insert(row.clone())));
}

/// Columns that are made of others, and cannot be laid in.
async fn generated(production: &Postgres) -> Result<HashSet<(String, String)>> {
    let sql = "SELECT n.nspname || '.' || c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
               JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attgenerated <> '' AND NOT a.attisdropped";
    let rows = ask(production, sql).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.first()?.clone()?, row.get(1)?.clone()?))).collect())
}

fn columns(name: &str, table: &Table, made: &HashSet<(String, String)>) -> Vec<String> {
    let names = table.columns.iter().map(|c| c.name.clone());
    names.filter(|column| !made.contains(&(name.to_owned(), column.clone()))).collect()
}

fn list(columns: &[String]) -> String {
    columns.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(", ")
}

/// The first and the last rows by key, and some from between.
fn pool(name: &str, table: &Table, columns: &[String]) -> String {
    let (relation, list) = (quoted_relation(name), list(columns));
    let short = format!("pg_column_size(t.*) < {LONGEST}");
    let mut parts = Vec::new();
    if table.primary_key.is_empty() {
        parts.push(format!("(SELECT {list} FROM {relation} t WHERE {short} LIMIT {POOL})"));
    } else {
        for direction in ["ASC", "DESC"] {
            let keys: Vec<_> =
                table.primary_key.iter().map(|c| format!("{} {direction}", quoted(c))).collect();
            let third = POOL / 3;
            parts.push(format!(
                "(SELECT {list} FROM {relation} t WHERE {short} ORDER BY {} LIMIT {third})",
                keys.join(", ")
            ));
        }
    }
    if table.rows > 2 * POOL {
        // Whole blocks: about as many rows as wanted, more when they are small.
        let percent = (POOL as f64 * 100.0 / table.rows as f64).clamp(0.000_1, 100.0);
        parts.push(format!(
            "(SELECT {list} FROM {relation} t TABLESAMPLE SYSTEM ({percent}) REPEATABLE (1) WHERE {short} LIMIT {POOL})"
        ));
    }
    parts.join(" UNION ALL ")
}

/// All values as text. A table that may not be read, or takes too long, gives none.
async fn ask(production: &Postgres, sql: &str) -> Result<Vec<Row>> {
    let client = production.take(APPLICATION).await?;
    // Nobody is to take it for a service's.
    let ours = tags::comment(&[("application", tags::OURS)]);
    let told = text_rows(&client, &format!("{LOOKING}; {ours} {sql}")).await;
    if client.batch_execute("ROLLBACK").await.is_ok() {
        production.give_back(APPLICATION, client);
    }
    told.map(|(_, rows)| rows)
}

/// Rows at the edges of each column, those with NULL, the longest texts; and some more.
fn pick(columns: &[String], table: &Table, pool: Vec<Row>) -> Vec<Row> {
    let mut seen = HashSet::new();
    let rows = pool.into_iter().filter(|row| seen.insert(row.clone())).collect();
    let pool = Rows { columns: columns.to_vec(), rows };
    let numeric = |name: &String| table.columns.iter().any(|c| c.name == *name && is_numeric(&c.sql_type));
    let telling = |name: &String| [pool.edges(name, numeric(name)), pool.kinds(name)].concat();
    let mut taken: BTreeSet<usize> = columns.iter().flat_map(telling).collect();
    taken.extend(pool.some(TAKEN));
    pool.rows.into_iter().enumerate().filter(|(at, _)| taken.contains(at)).map(|(_, row)| row).collect()
}

/// Fetches what foreign keys point to until nothing is missing.
async fn close(
    production: &Postgres,
    catalog: &Catalog,
    made: &HashSet<(String, String)>,
    mut all: BTreeMap<String, Rows>,
) -> Result<BTreeMap<String, Rows>> {
    let mut asked: HashSet<(String, Vec<String>, Vec<String>)> = HashSet::new();
    for _ in 0..ROUNDS {
        let mut missing: BTreeMap<(String, Vec<String>), Vec<Vec<String>>> = BTreeMap::new();
        for (name, rows) in &all {
            for (own, parent, theirs) in catalog.tables.get(name).map_or(&[][..], |t| &t.foreign_keys) {
                let there = all.get(parent).map(|p| keys(p, theirs).collect::<HashSet<_>>());
                for key in keys(rows, own) {
                    let known = there.as_ref().is_some_and(|t| t.contains(&key));
                    if !known && asked.insert((parent.clone(), theirs.clone(), key.clone())) {
                        missing.entry((parent.clone(), theirs.clone())).or_default().push(key);
                    }
                }
            }
        }
        if missing.is_empty() {
            break;
        }
        let known = missing.into_iter().filter_map(|((parent, theirs), keys)| {
            let columns = columns(&parent, catalog.tables.get(&parent)?, made);
            Some((parent, theirs, columns, keys))
        });
        let asked = known.flat_map(|(parent, theirs, columns, keys)| {
            let query = |some: &[Vec<String>]| by_key(&parent, &columns, &theirs, some);
            let queries: Vec<String> = keys.chunks(KEYS).map(query).collect();
            queries.into_iter().map(move |sql| (parent.clone(), columns.clone(), sql))
        });
        let answers = stream::iter(asked.collect::<Vec<_>>())
            .map(|(parent, columns, sql)| async move { (parent, columns, ask(production, &sql).await) })
            .buffered(AT_ONCE);
        pin_mut!(answers);
        while let Some((parent, columns, fetched)) = answers.next().await {
            let entry = all.entry(parent).or_insert_with(|| Rows { columns, rows: Vec::new() });
            let mut held: HashSet<Row> = entry.rows.iter().cloned().collect();
            entry.rows.extend(fetched.unwrap_or_default().into_iter().filter(|row| held.insert(row.clone())));
        }
    }
    Ok(all)
}

/// Values of these columns in each row that has all of them.
fn keys<'a>(rows: &'a Rows, columns: &'a [String]) -> impl Iterator<Item = Vec<String>> + 'a {
    let places: Option<Vec<usize>> =
        columns.iter().map(|c| rows.columns.iter().position(|own| own == c)).collect();
    rows.rows.iter().filter_map(move |row| {
        places.as_ref()?.iter().map(|at| row.get(*at).cloned().flatten()).collect::<Option<Vec<_>>>()
    })
}

fn by_key(name: &str, columns: &[String], key: &[String], values: &[Vec<String>]) -> String {
    let row = |values: &Vec<String>| {
        let values: Vec<String> = values.iter().map(|v| literal(v)).collect();
        format!("({})", values.join(", "))
    };
    let names: Vec<String> = key.iter().map(|c| format!("t.{}", quoted(c))).collect();
    let values: Vec<String> = values.iter().map(row).collect();
    format!(
        "SELECT {} FROM {} t WHERE ({}) IN ({})",
        list(columns),
        quoted_relation(name),
        names.join(", "),
        values.join(", ")
    )
}

async fn lay_in(client: &Client, name: &str, rows: &Rows) -> Result<()> {
    let sql = format!("COPY {} ({}) FROM STDIN", quoted_relation(name), list(&rows.columns));
    let sink = client.copy_in::<_, Bytes>(&sql).await.told("cannot lay rows in")?;
    pin_mut!(sink);
    for row in &rows.rows {
        sink.send(copy_row(row)).await.told("cannot lay rows in")?;
    }
    sink.finish().await.told("cannot lay rows in")?;
    Ok(())
}

/// Sequences go on where production's are: a number drawn must be a new one.
async fn count_on(client: &Client, production: &Postgres) -> Result<()> {
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
