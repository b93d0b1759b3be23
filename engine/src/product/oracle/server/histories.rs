//! Histories of Liquibase's, whatever their schema and name.

use super::dictionary::{HISTORY_COLUMNS, Named, Row, query, table};
use crate::error::Result;
use crate::model::changeset::ChangesetId;
use crate::model::history::{OtherHistory, OtherHistoryRow};
use crate::product::oracle::session::Session;

/// Tables with the columns of a history. Views may show one a second time.
pub const HISTORIES: Named = Named::new(
    "histories",
    "SELECT c.owner, c.table_name, MAX(CASE WHEN c.column_name = 'DEPLOYMENT_ID' THEN 1 ELSE 0 END) AS deployments
     FROM all_tab_cols c JOIN all_tables t ON t.owner = c.owner AND t.table_name = c.table_name
     WHERE t.dropped = 'NO'
       AND c.column_name IN ('ID', 'AUTHOR', 'FILENAME', 'MD5SUM', 'DATEEXECUTED', 'EXECTYPE', 'DEPLOYMENT_ID')
     GROUP BY c.owner, c.table_name
     HAVING COUNT(CASE WHEN c.column_name <> 'DEPLOYMENT_ID' THEN 1 END) = 6 ORDER BY c.owner, c.table_name",
);

/// # Errors
/// As the server has it.
pub async fn read(session: &mut Session) -> Result<Vec<OtherHistory>> {
    let mut histories = Vec::new();
    for row in table(session, HISTORIES).await?.rows() {
        let (schema, name) = (row.text("OWNER")?.to_owned(), row.text("TABLE_NAME")?.to_owned());
        let deployment = if row.is("DEPLOYMENTS", "1")? { "DEPLOYMENT_ID" } else { "NULL" };
        let columns: Vec<&str> = HISTORY_COLUMNS.iter().copied().take(4).collect();
        let sql = format!(
            "/* drydock history */ SELECT {}, {deployment} AS DEPLOYMENT FROM \"{schema}\".\"{name}\"",
            columns.join(", ")
        );
        let rows = query(session, "history", sql).await?;
        let rows: Result<Vec<_>> = rows.rows().map(history_row).collect();
        histories.push(OtherHistory { schema, table: name, rows: rows? });
    }
    Ok(histories)
}

fn history_row(row: Row<'_>) -> Result<OtherHistoryRow> {
    // An empty text is NULL to Oracle.
    let text = |column: &str| Ok::<_, crate::error::Error>(row.maybe(column)?.unwrap_or_default().to_owned());
    Ok(OtherHistoryRow {
        key: ChangesetId { id: text("ID")?, author: text("AUTHOR")?, path: text("FILENAME")? },
        checksum: row.maybe("MD5SUM")?.map(str::to_owned),
        deployment: row.maybe("DEPLOYMENT")?.map(str::to_owned),
    })
}
