//! COPY in both directions.

use bytes::Bytes;
use futures::{SinkExt, StreamExt, pin_mut};
use tokio_postgres::types::Type;

use crate::model::query::{Answer, QueryError};
use crate::product::postgres::grammar::relations::{CopyShape, copy_shape};
use crate::product::postgres::server::client::answers::MOST_ROWS;
use crate::product::postgres::server::client::{Service, query_error};
use crate::product::postgres::server::connect::{quoted, quoted_relation};

impl Service {
    /// The columns a COPY without a column list takes.
    pub(super) async fn copy_columns(&self, table: &str) -> Result<Vec<String>, QueryError> {
        let sql = "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0
                   AND NOT attisdropped AND attgenerated = '' ORDER BY attnum";
        let relation = quoted_relation(table);
        let rows = self.client.query_typed(sql, &[(&relation, Type::TEXT)]).await.map_err(query_error)?;
        rows.iter().map(|row| row.try_get(0).map_err(query_error)).collect()
    }

    pub(super) async fn copy_in(
        &self,
        table: &str,
        columns: Vec<String>,
        values: &[Option<String>],
    ) -> Result<u64, QueryError> {
        let columns = if columns.is_empty() { self.copy_columns(table).await? } else { columns };
        let sink = self.client.copy_in::<_, Bytes>(&copy_sql(table, &columns)).await.map_err(query_error)?;
        pin_mut!(sink);
        sink.send(copy_row(values)).await.map_err(query_error)?;
        sink.finish().await.map_err(query_error)
    }

    /// A line for each row, in its cells where it is seen which they are.
    pub(super) async fn copy_out(&self, sql: &str, columns: usize) -> Result<Answer, QueryError> {
        let stream = self.client.copy_out(sql).await.map_err(query_error)?;
        pin_mut!(stream);
        let mut answer = Answer::default();
        while let Some(line) = stream.next().await {
            let line = line.map_err(query_error)?;
            answer.count += 1;
            if answer.rows.len() < MOST_ROWS {
                let line = String::from_utf8_lossy(&line);
                let line = line.trim_end_matches('\n');
                let cells: Vec<_> = line.split('\t').map(|cell| Some(cell.to_owned())).collect();
                let known = cells.len() == columns;
                answer.rows.push(if known { cells } else { vec![Some(line.to_owned())] });
            }
        }
        Ok(answer)
    }
}

/// Asked for every query of the traffic, so the grammar is only asked where it could be one.
pub(in crate::product::postgres) fn copy(sql: &str) -> Option<CopyShape> {
    let named = sql.as_bytes().windows(4).any(|word| word.eq_ignore_ascii_case(b"copy"));
    if named { copy_shape(sql) } else { None }
}

fn copy_sql(table: &str, columns: &[String]) -> String {
    let names: Vec<String> = columns.iter().map(|c| quoted(c)).collect();
    format!("COPY {} ({}) FROM STDIN", quoted_relation(table), names.join(", "))
}

/// One row in COPY's text format (<https://www.postgresql.org/docs/current/sql-copy.html>).
pub(crate) fn copy_row(values: &[Option<String>]) -> Bytes {
    let fields: Vec<String> = values
        .iter()
        .map(|value| match value {
            None => "\\N".to_owned(),
            Some(v) => v.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r"),
        })
        .collect();
    Bytes::from(format!("{}\n", fields.join("\t")))
}
