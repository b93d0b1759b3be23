//! Rows and values of tables.

use std::time::Duration;

use drydock_oracle_protocol::{Bind, Column, Query, Rows};

use super::client::bind_type;
use super::sql::{quoted, relation};
use crate::error::Result;
use crate::product::oracle::session::Session;

pub const LIMIT: Duration = Duration::from_secs(60);
/// Oracle takes a thousand values in a list.
const IN_A_LIST: usize = 500;

/// Types whose values the driver cannot read.
fn is_read(column: &Column) -> bool {
    let name = column.type_name.split(['(', ' ']).next().unwrap_or_default();
    matches!(
        name,
        "VARCHAR2"
            | "NVARCHAR2"
            | "CHAR"
            | "NCHAR"
            | "NUMBER"
            | "FLOAT"
            | "BINARY_FLOAT"
            | "BINARY_DOUBLE"
            | "DATE"
            | "TIMESTAMP"
            | "INTERVAL"
            | "RAW"
            | "CLOB"
            | "NCLOB"
            | "BLOB"
            | "LONG"
            | "BOOLEAN"
            | "ROWID"
    )
}

/// Columns of a table that a `*` shows.
pub async fn columns(session: &mut Session, table: &str) -> Result<Vec<Column>> {
    session.describe(&format!("SELECT * FROM {}", relation(table)), LIMIT).await
}

async fn query(session: &mut Session, sql: String, binds: Vec<Bind>, most: u64) -> Result<Rows> {
    session.query(Query { sql, binds, max_rows: most, lobs: true }, LIMIT).await
}

pub async fn rows(
    session: &mut Session,
    table: &str,
    most: u32,
) -> Result<(Vec<String>, Vec<Vec<Option<String>>>)> {
    let columns = columns(session, table).await?;
    let names: Vec<String> = columns.into_iter().filter(is_read).map(|column| column.name).collect();
    if names.is_empty() {
        return Ok((names, Vec::new()));
    }
    let list: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let sql = format!("SELECT {} FROM {} FETCH FIRST {most} ROWS ONLY", list.join(", "), relation(table));
    let rows = query(session, sql, Vec::new(), u64::from(most)).await?;
    Ok((names, rows.rows))
}

/// A LOB has no order and no equal.
fn is_lob(sql_type: &str) -> bool {
    ["CLOB", "NCLOB", "BLOB", "LONG"].iter().any(|lob| sql_type.starts_with(lob))
}

pub async fn samples(session: &mut Session, table: &str, column: &str, most: u32) -> Result<Vec<String>> {
    let known = columns(session, table).await?.into_iter().find(|known| known.name == column);
    if known.is_some_and(|known| !is_read(&known) || is_lob(&known.type_name)) {
        return Ok(Vec::new());
    }
    let (column, table) = (quoted(column), relation(table));
    let sql = format!(
        "SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1 FETCH FIRST {most} ROWS ONLY"
    );
    let rows = query(session, sql, Vec::new(), u64::from(most)).await?;
    Ok(rows.rows.into_iter().flatten().flatten().collect())
}

pub async fn count_present(
    session: &mut Session,
    table: &str,
    column: &str,
    values: &[String],
) -> Result<u64> {
    let known = columns(session, table).await?.into_iter().find(|known| known.name == column);
    let sql_type = known.map(|known| known.type_name).unwrap_or_default();
    // A text that is bound is not padded, and would not be found in a column that is.
    let padded = sql_type.starts_with("CHAR(") || sql_type.starts_with("NCHAR(");
    let mut found = 0;
    for values in values.chunks(IN_A_LIST) {
        let place = |at: usize| match padded {
            true => format!("CAST(:{at} AS {sql_type})"),
            false => format!(":{at}"),
        };
        let places: Vec<String> = (1..=values.len()).map(place).collect();
        let sql = format!(
            "SELECT COUNT(DISTINCT {column}) FROM {} WHERE {column} IN ({})",
            relation(table),
            places.join(", "),
            column = quoted(column)
        );
        let binds = values.iter().map(|value| Bind::new(bind_type(&sql_type), value.clone())).collect();
        let rows = query(session, sql, binds, 1).await?;
        let count =
            rows.rows.into_iter().flatten().flatten().next().and_then(|text| text.parse::<u64>().ok());
        found += count.unwrap_or(0);
    }
    Ok(found)
}
