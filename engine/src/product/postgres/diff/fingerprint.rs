//! Content of tables as numbers that can be compared.
//!
//! A row's hash is over its text form with the columns in the order of their names, since undoing a changeset may put a
//! column back at another place. A table's is the count and the sum of its rows' hashes: the order of rows does not matter,
//! and ranges of blocks can be read side by side.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tokio_postgres::Client;

use crate::error::{Error, Result};
use crate::model::hex;
use crate::model::schema::{DataFingerprint, TableFingerprint, TriggerColumns, WriteMark};
use crate::product::postgres::server::connect::{ServerContext, literal, quoted, quoted_relation};
use crate::product::postgres::server::row_writers;

const READ: &str = "cannot take the fingerprint of the data";
/// Tables are read in pieces of this many blocks, so that one large table does not end up on one connection.
const PIECE: i64 = 1 << 14;

/// What makes text forms the same everywhere, for one transaction. `search_path` is empty so that names come out with their schema.
const FIXED: &str = "SET LOCAL search_path = ''; SET LOCAL extra_float_digits = 1; SET LOCAL datestyle = 'ISO, YMD';
    SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = 'UTC'; SET LOCAL bytea_output = 'hex'; SET LOCAL xmlbinary = 'base64';
    SET LOCAL row_security = off; SET LOCAL quote_all_identifiers = off; SET LOCAL max_parallel_workers_per_gather = 0;
    SET LOCAL jit = off; SET LOCAL lc_monetary = 'C'";

/// Opens a repeatable-read transaction, on an exported snapshot if one is given.
pub async fn begin(client: &Client, snapshot: Option<&str>) -> Result<()> {
    // The snapshot comes before anything that takes one of its own; `SET` does not.
    let at = snapshot.map(|id| format!("SET TRANSACTION SNAPSHOT {};", literal(id))).unwrap_or_default();
    let sql = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {at} {FIXED}");
    client.batch_execute(&sql).await.server_context("cannot open a snapshot")
}

/// Exports the snapshot of the open transaction.
pub async fn export(client: &Client) -> Result<String> {
    let row = client.query_one("SELECT pg_export_snapshot()", &[]).await;
    row.and_then(|r| r.try_get(0)).server_context("cannot export a snapshot")
}

/// Between the lists of columns whose hashes are summed up.
const AND_OF: &str = ")::text COLLATE \"C\", 0)), 0)::text, coalesce(sum(hashtextextended(ROW(";

/// Which rows count.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope<'a> {
    /// Of these tables only.
    pub tables: Option<&'a [String]>,
    /// Those only that nobody has written since.
    pub untouched_since: Option<&'a WriteMark>,
}

/// A range of blocks of one table or leaf partition.
struct Piece {
    table: String,
    sql: String,
    blocks: i64,
}

/// What is known of a table: rows, and sums of the hashes of what `Reading::hashed` lists.
#[derive(Default)]
struct Sums {
    rows: u64,
    sums: Vec<i128>,
    /// Set by triggers, sorted.
    columns: Vec<String>,
}

impl Sums {
    fn fingerprint(self) -> TableFingerprint {
        let mut hashes = self.sums.iter().map(|sum| format!("{sum:032x}"));
        let hash = hashes.next().unwrap_or_else(|| format!("{:032x}", 0));
        let trigger_columns = hashes
            .next()
            .map(|others| TriggerColumns { columns: self.columns.into_iter().zip(hashes).collect(), others });
        TableFingerprint { rows: self.rows, hash, trigger_columns }
    }
}

/// Reads on both connections, which must be in transactions on the same snapshot.
pub async fn data(pair: (&Client, &Client), major: u32, scope: Scope<'_>) -> Result<DataFingerprint> {
    let (names, mut pieces) = plan(pair.0, major, scope).await?;
    pieces.sort_by_key(|p| std::cmp::Reverse(p.blocks));
    let queue = Arc::new(Mutex::new(VecDeque::from(pieces)));
    let (a, b) = futures::try_join!(drain(pair.0, &queue), drain(pair.1, &queue))?;
    let mut all: BTreeMap<String, Sums> =
        names.into_iter().map(|(name, columns)| (name, Sums { columns, ..Sums::default() })).collect();
    for (table, rows, sums) in a.into_iter().chain(b) {
        let entry = all.entry(table).or_default();
        entry.rows += rows;
        entry.sums.resize(entry.sums.len().max(sums.len()), 0);
        for (sum, more) in entry.sums.iter_mut().zip(sums) {
            *sum = sum.wrapping_add(more);
        }
    }
    let mut digest = Sha256::new();
    let mut tables = BTreeMap::new();
    for (name, sums) in all {
        let (rows, sum) = (sums.rows, sums.sums.first().copied().unwrap_or_default());
        digest.update(format!("{name}\0{rows}\0{sum}\n"));
        tables.insert(name, sums.fingerprint());
    }
    Ok(DataFingerprint { tables, digest: hex(&digest.finalize()) })
}

async fn drain(client: &Client, queue: &Mutex<VecDeque<Piece>>) -> Result<Vec<(String, u64, Vec<i128>)>> {
    let mut done = Vec::new();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(piece) = next else { return Ok(done) };
        let row = client
            .query_typed_one(&piece.sql, &[])
            .await
            .server_context(&format!("{READ} in {}", piece.table))?;
        let rows: i64 = row.try_get(0).server_context(READ)?;
        let sums: Vec<String> = row.try_get(1).server_context(READ)?;
        let overflowed = |_| Error::failed(format!("{READ} in {}: a sum overflowed", piece.table));
        let sums = sums.iter().map(|sum| sum.parse().map_err(overflowed)).collect::<Result<_>>()?;
        done.push((piece.table, u64::try_from(rows).unwrap_or(0), sums));
    }
}

/// Every table (partitions under their root) with the columns that triggers set there, and the queries that read them.
async fn plan(
    client: &Client,
    major: u32,
    scope: Scope<'_>,
) -> Result<(Vec<(String, Vec<String>)>, Vec<Piece>)> {
    let by_triggers = row_writers::columns(client).await?;
    let sql = concat!("WITH RECURSIVE tree AS (
           SELECT c.oid AS root, c.oid, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
             AND ", users_sql!("n.nspname"), " AND NOT ", liquibase_table_sql!("c"), " AND has_schema_privilege(n.oid, 'USAGE')
             AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
           UNION ALL
           SELECT t.root, c.oid, c.relkind FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
           JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition WHERE t.relkind = 'p')
         SELECT ", qualified_sql!("rn.nspname", "r.relname"), ", ", qualified_sql!("n.nspname", "c.relname"), ", c.relkind = 'r',
           CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) / current_setting('block_size')::int8 ELSE 0 END,
           has_table_privilege(r.oid, 'SELECT'), has_table_privilege(c.oid, 'SELECT'),
           coalesce((SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE \"C\") FROM pg_attribute a
             WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped), '{}')
         FROM tree t JOIN pg_class r ON r.oid = t.root JOIN pg_namespace rn ON rn.oid = r.relnamespace
         JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2");
    let (mut names, mut pieces, mut closed, mut through_root) =
        (Vec::<(String, Vec<String>)>::new(), Vec::new(), Vec::new(), Vec::new());
    for row in client.query_typed(sql, &[]).await.server_context(READ)? {
        let table: String = row.try_get(0).server_context(READ)?;
        let leaf: String = row.try_get(1).server_context(READ)?;
        if scope.tables.is_some_and(|w| !w.contains(&table)) {
            continue;
        }
        if names.last().is_none_or(|(last, _)| *last != table) {
            let columns: Vec<String> = row.try_get(6).server_context(READ)?;
            let set: Vec<String> = match by_triggers.get(&table) {
                Some(set) => columns.into_iter().filter(|c| set.contains(c)).collect(),
                None => Vec::new(),
            };
            names.push((table.clone(), set));
        }
        if !row.try_get::<_, bool>(4).server_context(READ)? {
            closed.push(table);
            continue;
        }
        if !row.try_get::<_, bool>(2).server_context(READ)? {
            continue;
        }
        let blocks: i64 = row.try_get::<_, Option<i64>>(3).server_context(READ)?.unwrap_or(0);
        // A partition that may be read through its root only is read so, with its siblings.
        if !row.try_get::<_, bool>(5).server_context(READ)? {
            through_root.push(table.clone());
        }
        let columns: Vec<String> = row.try_get(6).server_context(READ)?;
        let set: BTreeSet<String> =
            names.last().into_iter().flat_map(|(_, set)| set.iter().cloned()).collect();
        let from = format!("ONLY {}", quoted_relation(&leaf));
        let reading = Reading { table, from, columns, set, untouched_since: scope.untouched_since };
        // Ranges of ctid are scanned as such since 14; before, each piece would read everything.
        let last = if major >= 14 { blocks / PIECE } else { 0 };
        pieces.extend((0..=last).map(|n| reading.piece(n, last, blocks)));
        if through_root.last() == Some(&reading.table) {
            pieces.retain(|p: &Piece| p.table != reading.table);
            pieces.push(Reading { from: quoted_relation(&reading.table), ..reading }.piece(0, 0, blocks));
        }
    }
    closed.dedup();
    if !closed.is_empty() {
        return Err(Error::input(format!("{READ}: the user may not read {}", closed.join(", ")))
            .hint("grant SELECT on these tables, or use a user that may read them (pg_read_all_data)"));
    }
    Ok((names, pieces))
}

struct Reading<'a> {
    table: String,
    from: String,
    columns: Vec<String>,
    /// Those of the columns that triggers set.
    set: BTreeSet<String>,
    untouched_since: Option<&'a WriteMark>,
}

impl Reading<'_> {
    /// What is hashed of a row, as lists of columns: all of them and, where triggers set some, the others and each of these.
    fn hashed(&self) -> Vec<String> {
        let list = |columns: Vec<&String>| columns.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(", ");
        let mut lists = vec![list(self.columns.iter().collect())];
        if !self.set.is_empty() {
            let (set, others): (Vec<&String>, Vec<_>) =
                self.columns.iter().partition(|column| self.set.contains(*column));
            lists.push(list(others));
            lists.extend(set.into_iter().map(|column| list(vec![column])));
        }
        lists
    }

    fn piece(&self, n: i64, last: i64, blocks: i64) -> Piece {
        let mut range = Vec::new();
        if let Some(WriteMark(mark)) = self.untouched_since {
            // Ages are of the same moment throughout a transaction. That of a row from before the numbers began anew is nonsense, and
            // at worst counts as young: then rows are missing.
            range.push(format!("NOT age(xmin) BETWEEN 0 AND age({}::xid) - 1", literal(mark)));
        }
        if n > 0 {
            range.push(format!("ctid >= '({},0)'", n * PIECE));
        }
        if n < last {
            range.push(format!("ctid < '({},0)'", (n + 1) * PIECE));
        }
        let filter = if range.is_empty() { String::new() } else { format!("WHERE {}", range.join(" AND ")) };
        let sql = format!(
            "SELECT count(*), ARRAY[coalesce(sum(hashtextextended(ROW({})::text COLLATE \"C\", 0)), 0)::text] FROM {} {filter}",
            self.hashed().join(AND_OF),
            self.from,
        );
        Piece { table: self.table.clone(), sql, blocks: if last > 0 { PIECE } else { blocks } }
    }
}
