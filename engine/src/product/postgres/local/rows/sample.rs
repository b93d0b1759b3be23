//! Which of production's rows are taken: some of each table, and whatever their foreign keys point to.
//!
//! Read by key and by blocks, never by a scan.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::{StreamExt, pin_mut, stream};

use crate::error::Result;
use crate::model::catalog::{Catalog, Table};
use crate::model::query_tag;
use crate::model::sample::Rows;
use crate::product::postgres::local::rows::APPLICATION;
use crate::product::postgres::queries::column_types::column_type;
use crate::product::postgres::{Postgres, literal, quoted, quoted_relation, text_rows};
use crate::watcher::Progress;

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
/// Before rows are read.
const LOOKING: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '1s';
    SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1;
    SET LOCAL bytea_output = 'hex'; SET LOCAL timezone = 'UTC'";

type Row = Vec<Option<String>>;

/// Rows of these tables and of those that they refer to.
pub async fn read(
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
    let rows = part.rows.iter().map(|row| places.iter().map(|at| row.get(*at).cloned().flatten()).collect());
    add(all, rows);
}

/// Rows that are not there yet.
fn add(to: &mut Rows, rows: impl IntoIterator<Item = Row>) {
    let mut held: HashSet<Row> = to.rows.iter().cloned().collect();
    to.rows.extend(rows.into_iter().filter(|row| held.insert(row.clone())));
}

/// Columns that are made of others, and cannot be laid in.
async fn generated(production: &Postgres) -> Result<HashSet<(String, String)>> {
    let sql = concat!("SELECT ", qualified_sql!("n.nspname", "c.relname"), ", a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
               JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attgenerated <> '' AND NOT a.attisdropped");
    let rows = ask(production, sql).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.first()?.clone()?, row.get(1)?.clone()?))).collect())
}

fn columns(name: &str, table: &Table, made: &HashSet<(String, String)>) -> Vec<String> {
    let names = table.columns.iter().map(|c| c.name.clone());
    names.filter(|column| !made.contains(&(name.to_owned(), column.clone()))).collect()
}

pub fn list(columns: &[String]) -> String {
    columns.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(", ")
}

/// A table without those that inherit from it, whose rows are laid into themselves. A partitioned table has its rows in others only.
fn own(name: &str, table: &Table) -> String {
    format!("{}{}", if table.partitioned { "" } else { "ONLY " }, quoted_relation(name))
}

/// The first and the last rows by key, and some from between.
fn pool(name: &str, table: &Table, columns: &[String]) -> String {
    let (relation, list) = (own(name, table), list(columns));
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
pub async fn ask(production: &Postgres, sql: &str) -> Result<Vec<Row>> {
    let client = production.take(APPLICATION).await?;
    // Nobody is to take it for a service's.
    let ours = query_tag::comment(&[("application", query_tag::OURS)]);
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
    let numeric = |name: &String| {
        table.columns.iter().any(|c| c.name == *name && column_type(&c.sql_type).is_numeric())
    };
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
            let table = catalog.tables.get(&parent)?;
            let (columns, relation) = (columns(&parent, table, made), own(&parent, table));
            Some((parent, relation, theirs, columns, keys))
        });
        let asked = known.flat_map(|(parent, relation, theirs, columns, keys)| {
            let query = |some: &[Vec<String>]| by_key(&relation, &columns, &theirs, some);
            let queries: Vec<String> = keys.chunks(KEYS).map(query).collect();
            queries.into_iter().map(move |sql| (parent.clone(), columns.clone(), sql))
        });
        let answers = stream::iter(asked.collect::<Vec<_>>())
            .map(|(parent, columns, sql)| async move { (parent, columns, ask(production, &sql).await) })
            .buffered(AT_ONCE);
        pin_mut!(answers);
        while let Some((parent, columns, fetched)) = answers.next().await {
            let entry = all.entry(parent).or_insert_with(|| Rows { columns, rows: Vec::new() });
            add(entry, fetched.unwrap_or_default());
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

fn by_key(relation: &str, columns: &[String], key: &[String], values: &[Vec<String>]) -> String {
    let row = |values: &Vec<String>| {
        let values: Vec<String> = values.iter().map(|v| literal(v)).collect();
        format!("({})", values.join(", "))
    };
    let names: Vec<String> = key.iter().map(|c| format!("t.{}", quoted(c))).collect();
    let values: Vec<String> = values.iter().map(row).collect();
    format!(
        "SELECT {} FROM {relation} t WHERE ({}) IN ({})",
        list(columns),
        names.join(", "),
        values.join(", ")
    )
}
