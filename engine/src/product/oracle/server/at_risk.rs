//! What inverses would take, counted without changing anything.

use std::time::Duration;

use super::sql::quoted;
use super::{data, rows};
use crate::model::catalog::Catalog;
use crate::model::changeset::Statement;
use crate::model::data_at_risk::{AtRisk, Taken};
use crate::model::schema_action::{RowChange, SchemaAction};
use crate::product::oracle::dictionary::Version;
use crate::product::oracle::grammar::{self, Context};
use crate::product::oracle::queries::words;
use crate::product::oracle::session::Session;

/// A list for each statement. What cannot be counted within the limit has no count.
pub async fn read(
    session: &mut Session,
    statements: &[&Statement],
    catalog: &Catalog,
    version: Version,
    limit: Duration,
) -> Vec<Vec<AtRisk>> {
    let mut all = Vec::new();
    for statement in statements {
        let mut risks = Vec::new();
        for action in &statement.actions {
            if let Some((taken, condition)) = taken(action, statement, catalog, version) {
                risks.push(count(session, taken, condition, catalog, limit).await);
            }
        }
        all.push(risks);
    }
    all
}

/// What is taken, and of which rows; `None` in its place: nobody can tell.
fn taken(
    action: &SchemaAction,
    statement: &Statement,
    catalog: &Catalog,
    version: Version,
) -> Option<(Taken, Option<String>)> {
    Some(match action {
        SchemaAction::DropTable { table } | SchemaAction::TruncateTable { table } => {
            (Taken::Table { table: table.clone() }, Some(String::new()))
        }
        SchemaAction::DropColumn { table, column } => {
            let condition = format!("WHERE {} IS NOT NULL", quoted(column));
            (Taken::Column { table: table.clone(), column: column.clone() }, Some(condition))
        }
        // Which values would be others is not told beforehand.
        SchemaAction::ChangeColumnType { table, column } => {
            (Taken::Converted { table: table.clone(), column: column.clone() }, None)
        }
        SchemaAction::MoveRows { table, kind: RowChange::Delete } => {
            (Taken::Rows { table: table.clone() }, words::condition(&statement.sql))
        }
        SchemaAction::MoveRows { table, kind: RowChange::Update } => {
            let columns = written(&statement.sql, table, catalog, version);
            (Taken::Values { table: table.clone(), columns }, words::condition(&statement.sql))
        }
        SchemaAction::MoveRows { kind: RowChange::Merge, .. } | SchemaAction::RunsCode => {
            (Taken::Unknown { statement: statement.sql.clone() }, None)
        }
        _ => return None,
    })
}

/// The columns that an UPDATE gives values to.
fn written(sql: &str, table: &str, catalog: &Catalog, version: Version) -> Vec<String> {
    let pieces = grammar::pieces(sql, &Context::new(version.name(), catalog)).unwrap_or_default();
    let queries = pieces.into_iter().filter_map(|piece| piece.read?.query);
    let writes = queries.flat_map(|query| query.writes).filter(|write| write.table == table);
    writes.flat_map(|write| write.columns).collect()
}

async fn count(
    session: &mut Session,
    taken: Taken,
    condition: Option<String>,
    catalog: &Catalog,
    limit: Duration,
) -> AtRisk {
    let nothing = |rows| AtRisk { taken: taken.clone(), rows, digest: None };
    let Some(table) = taken.table().map(str::to_owned) else { return nothing(None) };
    let there = catalog.tables.get(&table);
    let column_is_there = |name: &String| there.is_some_and(|t| t.columns.iter().any(|c| c.name == *name));
    // What an earlier statement of the inverses makes holds nothing that anybody wrote.
    let made_later = match &taken {
        Taken::Column { column, .. } | Taken::Converted { column, .. } => !column_is_there(column),
        _ => there.is_none(),
    };
    if made_later {
        return nothing(Some(0));
    }
    let Some(condition) = condition else { return nothing(None) };
    let shown = rows::columns(session, &table).await.unwrap_or_default();
    let of_interest = |name: &String| match &taken {
        Taken::Column { column, .. } => name == column,
        Taken::Values { columns, .. } => columns.contains(name),
        _ => true,
    };
    let mut columns: Vec<(String, String)> =
        shown.into_iter().map(|c| (c.name, c.type_name)).filter(|(name, _)| of_interest(name)).collect();
    columns.sort();
    match data::sums(session, &table, &columns, &condition, limit).await {
        Ok((rows, digest)) => AtRisk { digest: Some(digest), ..nothing(Some(rows)) },
        Err(_) => nothing(None),
    }
}
