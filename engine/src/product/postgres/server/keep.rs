//! What inverses take, kept aside: tables of ours in a schema of ours, one for each thing, and one that describes them.

mod file;
mod put_back;
mod schema;
mod source;

use std::time::Instant;

use jiff::Timestamp;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use crate::error::{Context, Error, Result};
use crate::model::changeset::ChangesetId;
use crate::model::kept::{Kept, KeptPlace};
use crate::product::postgres::server::connect::{ServerContext, literal, quoted, quoted_relation};
use crate::product::{KeepOptions, Renewed, ToKeep};
pub use put_back::put_back;
use schema::{SCHEMA, set_local, takes_tables, withdraw_table};
use source::Source;

const KEEPING: &str = "cannot keep what an inverse takes";
const READING: &str = "cannot read what is kept";

/// Copies what a statement takes. After an error a transaction may be open.
pub async fn keep(client: &Client, thing: ToKeep<'_>, options: KeepOptions<'_>) -> Result<Kept> {
    let takes_tables = takes_tables(client).await?;
    client.batch_execute(&begin(options)).await.server_context(KEEPING)?;
    let source = source::read(client, thing).await?;
    let (mark, as_of) = moment(client).await?;
    let mut kept = Kept {
        run: thing.run.to_owned(),
        key: thing.key.clone(),
        statement: thing.number,
        taken: thing.taken.clone(),
        place: KeptPlace::File { file: String::new() },
        key_columns: source.key_columns.clone(),
        columns: source.columns.clone(),
        rows: 0,
        as_of,
        complete: false,
        until: options.until,
        put_back_at: None,
    };
    if takes_tables {
        copy(client, &mut kept, &source, &mark).await?;
    } else {
        let file = file::next_name(options.folder)?;
        kept.rows = file::write(client, &source.select, options.folder, &file).await?;
        kept.place = KeptPlace::File { file };
    }
    client.batch_execute("COMMIT").await.server_context(KEEPING)?;
    Ok(kept)
}

fn begin(options: KeepOptions<'_>) -> String {
    format!("BEGIN; {}SET LOCAL statement_timeout = {}", set_local(), options.statement.as_millis().max(1))
}

/// The oldest transaction that runs now: none that is older will write any more. And what the server's clock says.
async fn moment(client: &Client) -> Result<(String, Timestamp)> {
    let sql = "SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text, (extract(epoch FROM clock_timestamp()) * 1000000)::int8";
    let row = client.query_typed_one(sql, &[]).await.server_context(KEEPING)?;
    Ok((row.try_get(0).server_context(KEEPING)?, timestamp(&row, 1)?.unwrap_or_default()))
}

fn timestamp(row: &Row, at: usize) -> Result<Option<Timestamp>> {
    let micros: Option<i64> = row.try_get(at).server_context(READING)?;
    micros.map(Timestamp::from_microsecond).transpose().context(READING)
}

async fn copy(client: &Client, kept: &mut Kept, source: &Source, mark: &str) -> Result<()> {
    let run: String =
        kept.run.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let sql = "SELECT count(*) FROM drydock_kept.kept WHERE run = $1";
    let row = client.query_typed_one(sql, &[(&kept.run, Type::TEXT)]).await.server_context(KEEPING)?;
    let number: i64 = row.try_get(0).server_context(KEEPING)?;
    let table = format!("{SCHEMA}.run_{run}_{}", number + 1);
    let make = format!("CREATE TABLE {table} AS {}", source.select);
    kept.rows = client.execute(&make, &[]).await.server_context(KEEPING)?;
    if !source.key_columns.is_empty() {
        let key: Vec<String> = source.key_columns.iter().map(|column| quoted(column)).collect();
        let key = format!("ALTER TABLE {table} ADD PRIMARY KEY ({})", key.join(", "));
        client.batch_execute(&key).await.server_context(KEEPING)?;
    }
    client.batch_execute(&withdraw_table(&table)).await.server_context(KEEPING)?;
    let taken = serde_json::to_string(&kept.taken).context(KEEPING)?;
    let sql = "INSERT INTO drydock_kept.kept (relation, run, id, author, path, statement, taken, key_columns, columns, rows, as_of,
          complete, until, mark, renewal)
        VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8, $9, $10, to_timestamp($11::float8 / 1000000), false,
          to_timestamp($12::float8 / 1000000), $13, $14)";
    let statement = i32::try_from(kept.statement).unwrap_or(i32::MAX);
    let rows = i64::try_from(kept.rows).unwrap_or(i64::MAX);
    let (as_of, until) = (micros(kept.as_of), micros(kept.until));
    let ChangesetId { id, author, path } = &kept.key;
    client
        .execute_typed(
            sql,
            &[
                (&table, Type::TEXT),
                (&kept.run, Type::TEXT),
                (id, Type::TEXT),
                (author, Type::TEXT),
                (path, Type::TEXT),
                (&statement, Type::INT4),
                (&taken, Type::TEXT),
                (&kept.key_columns, Type::TEXT_ARRAY),
                (&kept.columns, Type::TEXT_ARRAY),
                (&rows, Type::INT8),
                (&as_of, Type::FLOAT8),
                (&until, Type::FLOAT8),
                (&mark, Type::TEXT),
                (&source.renewal(&table), Type::TEXT_ARRAY),
            ],
        )
        .await
        .server_context(KEEPING)?;
    kept.place = KeptPlace::Table { table };
    Ok(())
}

/// Exact to the microsecond for some centuries.
fn micros(at: Timestamp) -> f64 {
    at.as_microsecond() as f64
}

/// Brings a copy up to date. After an error a transaction may be open.
pub async fn renew(
    client: &Client,
    thing: ToKeep<'_>,
    kept: &Kept,
    options: KeepOptions<'_>,
) -> Result<Renewed> {
    client.batch_execute(&begin(options)).await.server_context(KEEPING)?;
    let begun = Instant::now();
    let table = match &kept.place {
        KeptPlace::File { file } => {
            let source = source::read(client, thing).await?;
            let (_, as_of) = moment(client).await?;
            let rows = file::write(client, &source.select, options.folder, file).await?;
            client.batch_execute("COMMIT").await.server_context(KEEPING)?;
            let (kept, took) = (Kept { rows, as_of, ..kept.clone() }, begun.elapsed());
            return Ok(Renewed { kept, took, within: Vec::new() });
        }
        KeptPlace::Table { table } => own(table)?,
    };
    let renew = format!("SELECT drydock_kept.renew('{table}', false)");
    client.batch_execute(&renew).await.server_context(KEEPING)?;
    client.batch_execute("COMMIT").await.server_context(KEEPING)?;
    let mut within = Vec::new();
    let took = begun.elapsed();
    if took <= options.wait {
        let source = source::read(client, thing).await?;
        within = within_inverse(table, &source, options.wait.as_millis().max(1));
    }
    let now = kept_of(client, Some(&kept.run)).await?.into_iter().find(|k| k.place == kept.place);
    Ok(Renewed { kept: now.unwrap_or_else(|| kept.clone()), took, within })
}

/// The lock is the one that the inverse takes. Where it takes none against everybody, a row that is written between this and the inverse
/// is not kept as it is then.
fn within_inverse(table: &str, source: &Source, limit: u128) -> Vec<String> {
    let own = "drydock.statement_timeout";
    let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", quoted_relation(&source.table));
    let rest = [
        format!(
            "SELECT set_config('{own}', current_setting('statement_timeout'), true), set_config('statement_timeout', '{limit}', true)"
        ),
        format!("SELECT drydock_kept.renew_if_quick('{table}', {})", source.may_lock),
        format!("SELECT set_config('statement_timeout', current_setting('{own}'), true)"),
    ];
    source.may_lock.then_some(lock).into_iter().chain(rest).collect()
}

/// The name of a table as we give it: nothing else of what stands in the description gets into a statement.
fn own(table: &str) -> Result<&str> {
    let name = table.strip_prefix(SCHEMA).and_then(|rest| rest.strip_prefix(".run_"));
    let is_ours = name
        .is_some_and(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
    match is_ours {
        true => Ok(table),
        false => Err(Error::failed(format!("{READING}: {SCHEMA}.kept names a table that is not ours"))),
    }
}

/// What is kept in tables.
pub async fn kept_of(client: &Client, run: Option<&str>) -> Result<Vec<Kept>> {
    if !is_described(client).await? {
        return Ok(Vec::new());
    }
    let sql = "SELECT relation, run, id, author, path, statement, taken::text, key_columns, columns, rows,
          (extract(epoch FROM as_of) * 1000000)::int8, complete, (extract(epoch FROM until) * 1000000)::int8,
          (extract(epoch FROM put_back_at) * 1000000)::int8
        FROM drydock_kept.kept WHERE run = $1 OR $1 IS NULL ORDER BY run, length(relation), relation";
    let rows = client.query_typed(sql, &[(&run, Type::TEXT)]).await.server_context(READING)?;
    rows.iter().map(kept_in).collect()
}

/// Whether there is a description that the user may read.
async fn is_described(client: &Client) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'drydock_kept' AND c.relname = 'kept' AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))";
    let row = client.query_typed_one(sql, &[]).await.server_context(READING)?;
    row.try_get(0).server_context(READING)
}

fn kept_in(row: &Row) -> Result<Kept> {
    let text = |at: usize| row.try_get::<_, String>(at).server_context(READING);
    Ok(Kept {
        place: KeptPlace::Table { table: text(0)? },
        run: text(1)?,
        key: ChangesetId { id: text(2)?, author: text(3)?, path: text(4)? },
        statement: u32::try_from(row.try_get::<_, i32>(5).server_context(READING)?).unwrap_or(0),
        taken: serde_json::from_str(&text(6)?).context(READING)?,
        key_columns: row.try_get(7).server_context(READING)?,
        columns: row.try_get(8).server_context(READING)?,
        rows: u64::try_from(row.try_get::<_, i64>(9).server_context(READING)?).unwrap_or(0),
        as_of: timestamp(row, 10)?.unwrap_or_default(),
        complete: row.try_get(11).server_context(READING)?,
        until: timestamp(row, 12)?.unwrap_or_default(),
        put_back_at: timestamp(row, 13)?,
    })
}

/// Drops tables, and the schema once it is empty.
pub async fn drop_kept(client: &Client, kept: &[Kept]) -> Result<()> {
    const WHAT: &str = "cannot drop what is kept";
    for one in kept {
        let KeptPlace::Table { table } = &one.place else { continue };
        let table = own(table)?;
        let script = format!(
            "BEGIN; DROP TABLE IF EXISTS {table}; DELETE FROM drydock_kept.kept WHERE relation = {}; COMMIT",
            literal(table)
        );
        client.batch_execute(&script).await.server_context(WHAT)?;
    }
    if is_described(client).await? && kept_of(client, None).await?.is_empty() {
        let script = "BEGIN; DROP FUNCTION drydock_kept.renew_if_quick(text, boolean); DROP FUNCTION drydock_kept.renew(text, boolean);
            DROP TABLE drydock_kept.kept; DROP SCHEMA drydock_kept; COMMIT";
        client.batch_execute(script).await.server_context(WHAT)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn only_tables_that_we_named_get_into_a_statement() {
        assert!(own("drydock_kept.run_20261128t074100_0001_1").is_ok());
        for other in [
            "public.orders",
            "drydock_kept.kept",
            "drydock_kept.run_1; DROP TABLE orders",
            "drydock_kept.run_\"",
        ] {
            assert!(own(other).is_err(), "{other}");
        }
    }
}
