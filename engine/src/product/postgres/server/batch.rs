//! What changes data outside Liquibase: key ranges of a backfill, left-over invalid indexes, scripts.

use std::time::Duration;

use tokio_postgres::error::ErrorPosition;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::error::{Error, Result};
use crate::model::changeset::Backfill;
use crate::product::Batch;
use crate::product::postgres::hazards::backfill::bound_sql;
use crate::product::postgres::server::connect::{ServerContext, failed, literal, quoted_relation};

/// One key range in one transaction. `None`: no key is left.
///
/// # Errors
/// `Busy` with the SQLSTATE when a lock was not to be had in time; nothing of the range was done then.
pub async fn run(
    client: &Client,
    backfill: &Backfill,
    after: Option<&str>,
    size: u32,
    lock_wait: Duration,
) -> Result<Option<Batch>> {
    let what = format!("a batch over {} failed", backfill.table);
    let limit = literal(&format!("{}ms", lock_wait.as_millis().max(1)));
    // Whatever the role or the database says: a generic plan cannot begin at a bound that may be NULL, and would walk all that is done.
    let begin =
        format!("BEGIN; SET LOCAL lock_timeout = {limit}; SET LOCAL plan_cache_mode = force_custom_plan");
    client.batch_execute(&begin).await.server_context(&what)?;
    let size = i64::from(size.max(1));
    let bound = client
        .query_typed(&bound_sql(backfill), &[(&after, Type::TEXT), (&size, Type::INT8)])
        .await
        .server_context(&what)?;
    let last: Option<String> =
        bound.first().map(|row| row.try_get(0)).transpose().server_context(&what)?.flatten();
    let Some(last) = last else {
        client.batch_execute("ROLLBACK").await.server_context(&what)?;
        return Ok(None);
    };
    let changed = client
        .execute_typed(&backfill.batch_sql, &[(&after, Type::TEXT), (&last, Type::TEXT)])
        .await
        .server_context(&what)?;
    client.batch_execute("COMMIT").await.server_context(&what)?;
    Ok(Some(Batch { last_key: last, changed }))
}

pub async fn has_index(client: &Client, index: &str) -> Result<bool> {
    let sql = "SELECT FROM pg_index WHERE indexrelid = to_regclass($1)";
    let relation = quoted_relation(index);
    let found = client.query_typed_opt(sql, &[(&relation, Type::TEXT)]).await;
    Ok(found.server_context(&format!("cannot look for the index {index}"))?.is_some())
}

/// Which index may be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Droppable {
    /// One that a failed build left.
    Invalid,
    Any,
}

/// Drops an index that nobody is building just now.
pub async fn drop_index(client: &Client, index: &str, droppable: Droppable) -> Result<bool> {
    let what = match droppable {
        Droppable::Invalid => format!("cannot drop the invalid index {index}"),
        Droppable::Any => format!("cannot drop the index {index}"),
    };
    let sql = "SELECT c.relkind = 'I', EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid)
         FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid WHERE c.oid = to_regclass($1) AND (NOT i.indisvalid OR $2)";
    let valid_too = droppable == Droppable::Any;
    let relation = quoted_relation(index);
    let mut patience = 40;
    let partitioned: bool = loop {
        let found = client
            .query_typed_opt(sql, &[(&relation, Type::TEXT), (&valid_too, Type::BOOL)])
            .await
            .server_context(&what)?;
        let Some(row) = found else { return Ok(false) };
        if !row.try_get::<_, bool>(1).server_context(&what)? {
            break row.try_get(0).server_context(&what)?;
        }
        // A build that failed is told to its client before it has cleared away.
        patience -= 1;
        if patience == 0 {
            return Err(Error::busy(format!("{what}: another session is building it")).code("55006"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let concurrently = if partitioned { "" } else { "CONCURRENTLY" };
    client
        .batch_execute(&format!("DROP INDEX {concurrently} IF EXISTS {relation}"))
        .await
        .server_context(&what)?;
    Ok(true)
}

/// Columns of what a query gives, and all values as text.
pub type TextRows = (Vec<String>, Vec<Vec<Option<String>>>);

/// # Errors
/// `Failed` when the server refuses.
pub async fn text_rows(client: &Client, sql: &str) -> Result<TextRows> {
    let (mut columns, mut rows) = (Vec::new(), Vec::new());
    for message in client.simple_query(sql).await.server_context("cannot read rows")? {
        match message {
            SimpleQueryMessage::RowDescription(described) => {
                columns = described.iter().map(|c| c.name().to_owned()).collect();
            }
            SimpleQueryMessage::Row(row) => {
                let cell = |n| row.try_get(n).ok().flatten().map(str::to_owned);
                rows.push((0..row.len()).map(cell).collect());
            }
            _ => {}
        }
    }
    Ok((columns, rows))
}

/// How many of these values the column holds, looked up through its index where it has one: the values are cast to the
/// column's type, not the column to text.
pub async fn count_present(client: &Client, table: &str, column: &str, values: &[String]) -> Result<u64> {
    let what = format!("cannot look acknowledged writes up in {table}");
    let relation = quoted_relation(table);
    let sql = "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2";
    let row = client
        .query_typed_opt(sql, &[(&relation, Type::TEXT), (&column, Type::TEXT)])
        .await
        .server_context(&what)?;
    let Some(row) = row else { return Err(Error::failed(format!("{what}: there is no column {column}"))) };
    let sql_type: String = row.try_get(0).server_context(&what)?;
    let quoted = format!("\"{}\"", column.replace('"', "\"\""));
    let sql = format!("SELECT count(*) FROM {relation} WHERE {quoted} = ANY ($1::text[]::{sql_type}[])");
    let mut present = 0;
    for some in values.chunks(5_000) {
        let row = client.query_typed_one(&sql, &[(&some, Type::TEXT_ARRAY)]).await.server_context(&what)?;
        let count: i64 = row.try_get(0).server_context(&what)?;
        present += u64::try_from(count).unwrap_or(0);
    }
    Ok(present)
}

/// Runs a script as one simple query: one transaction unless it says otherwise.
pub async fn script(client: &Client, sql: &str) -> Result<()> {
    client.batch_execute(sql).await.map_err(|error| {
        let line = error.as_db_error().and_then(|db| match db.position() {
            Some(ErrorPosition::Original(at)) => {
                let before = sql.chars().take(usize::try_from(*at).unwrap_or(1).saturating_sub(1));
                Some(1 + before.filter(|c| *c == '\n').count())
            }
            _ => None,
        });
        match line {
            Some(line) => failed(&format!("the script failed at line {line}"), &error),
            None => failed("the script failed", &error),
        }
    })
}
