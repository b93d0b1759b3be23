//! What inverses would take, counted on the server without changing anything.

mod cascade;
pub mod conversion;

use std::collections::BTreeSet;
use std::time::Duration;

use pg_query::NodeEnum;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use crate::error::{Error, Result};
use crate::model::changeset::Statement;
use crate::model::data_at_risk::{AtRisk, Taken};
use crate::model::error_class::ErrorClass;
use crate::model::relation_name;
use crate::model::schema_action::{RowChange, SchemaAction};
use crate::product::postgres::grammar::sql;
use crate::product::postgres::hazards::dml;
use crate::product::postgres::server::connect::{ServerContext, literal, quoted_relation};
use crate::product::postgres::server::moved_rows::{assigned, moved_query};
use crate::product::postgres::server::{batch, error_codes};

/// What each statement takes, given the ones before it. What cannot be read within the limit has no count.
pub async fn read(client: &Client, statements: &[&Statement], limit: Duration) -> Vec<Vec<AtRisk>> {
    // What the inverses themselves make holds nothing that anybody wrote.
    let mut made: BTreeSet<(String, Option<String>)> = BTreeSet::new();
    let mut all = Vec::new();
    for statement in statements {
        let mut risks = Vec::new();
        for action in &statement.actions {
            match action {
                SchemaAction::CreateTable { table } => {
                    made.insert((table.clone(), None));
                }
                SchemaAction::AddColumn { table, column, .. } => {
                    made.insert((table.clone(), Some(column.clone())));
                }
                _ => {}
            }
            for taken in taken_in(client, action, statement).await {
                if !is_new(&made, &taken) && risks.iter().all(|risk: &AtRisk| risk.taken != taken) {
                    risks.push(count(client, taken, statement, limit).await);
                }
            }
        }
        all.push(risks);
    }
    all
}

/// What a statement takes, whatever comes before it.
pub async fn takes(client: &Client, statement: &Statement) -> Vec<Taken> {
    let mut all = Vec::new();
    for action in &statement.actions {
        all.extend(taken_in(client, action, statement).await);
    }
    all
}

/// What is taken by one of the things that a statement does. What cannot be told may be anything.
async fn taken_in(client: &Client, action: &SchemaAction, statement: &Statement) -> Vec<Taken> {
    match action {
        SchemaAction::DropObject { kind, name } => {
            let taken = cascade::taken_with(client, *kind, name).await;
            taken.unwrap_or_else(|_| vec![unknown(statement)])
        }
        _ => taken_by(action, statement).into_iter().collect(),
    }
}

fn is_new(made: &BTreeSet<(String, Option<String>)>, taken: &Taken) -> bool {
    match taken {
        Taken::Table { table } | Taken::Rows { table } => made.contains(&(table.clone(), None)),
        Taken::Column { table, column } | Taken::Converted { table, column } => is_made(made, table, column),
        Taken::Values { table, columns } => columns.iter().all(|column| is_made(made, table, column)),
        Taken::Unknown { .. } => false,
    }
}

fn taken_by(action: &SchemaAction, statement: &Statement) -> Option<Taken> {
    Some(match action {
        SchemaAction::DropTable { table } | SchemaAction::TruncateTable { table } => {
            Taken::Table { table: table.clone() }
        }
        SchemaAction::DropColumn { table, column } => {
            Taken::Column { table: table.clone(), column: column.clone() }
        }
        SchemaAction::ChangeColumnType { table, column } => {
            Taken::Converted { table: table.clone(), column: column.clone() }
        }
        SchemaAction::MoveRows { kind: RowChange::Insert | RowChange::Copy, .. } => return None,
        SchemaAction::MoveRows { table, .. } => moved(table, statement),
        SchemaAction::RunsCode if leaves_rows(&statement.sql) => return None,
        SchemaAction::RunsCode => unknown(statement),
        _ => return None,
    })
}

fn is_made(made: &BTreeSet<(String, Option<String>)>, table: &str, column: &str) -> bool {
    made.contains(&(table.to_owned(), None)) || made.contains(&(table.to_owned(), Some(column.to_owned())))
}

/// Functions that move sequences, as an inverse does that brings a table back.
const SEQUENCES: &[&str] = &["setval", "nextval", "currval", "lastval", "pg_get_serial_sequence"];

/// A query that calls nothing but what is known to leave all rows as they are.
fn leaves_rows(text: &str) -> bool {
    matches!(sql::parse_one(text), Ok(Some(tree @ NodeEnum::SelectStmt(_)))
        if sql::functions(&tree).iter().all(|f| SEQUENCES.contains(&f.as_str()) || dml::is_harmless(f)))
}

fn unknown(statement: &Statement) -> Taken {
    Taken::Unknown { statement: statement.sql.clone() }
}

/// What a statement that changes rows takes from one of its tables.
fn moved(table: &str, statement: &Statement) -> Taken {
    match sql::parse_one(&statement.sql) {
        Ok(Some(NodeEnum::DeleteStmt(delete))) if delete.with_clause.is_none() => {
            Taken::Rows { table: table.to_owned() }
        }
        Ok(Some(NodeEnum::UpdateStmt(update))) if update.with_clause.is_none() => {
            let columns = assigned(&update).into_iter().map(|(column, _)| column).collect();
            Taken::Values { table: table.to_owned(), columns }
        }
        _ => unknown(statement),
    }
}

async fn count(client: &Client, taken: Taken, statement: &Statement, limit: Duration) -> AtRisk {
    let nothing = AtRisk { taken, rows: None, digest: None };
    let query = match &nothing.taken {
        Taken::Table { table } => {
            Some(counting("taken", &format!("{} AS taken", quoted_relation(table)), None))
        }
        Taken::Column { table, column } => column_query(client, table, column).await,
        Taken::Rows { .. } | Taken::Values { .. } => counting_moved(&statement.sql),
        Taken::Converted { table, column } => counting_converted(client, &statement.sql, table, column).await,
        Taken::Unknown { .. } => None,
    };
    let Some(query) = query else { return nothing };
    let limit = literal(&format!("{}ms", limit.as_millis().max(1)));
    let script = format!(
        "BEGIN READ ONLY; SET LOCAL statement_timeout = {limit}; SET LOCAL lock_timeout = {limit}; {query}; ROLLBACK"
    );
    let rows = match batch::text_rows(client, &script).await {
        Ok((_, rows)) => rows,
        Err(error) => {
            let _ = client.batch_execute("ROLLBACK").await;
            return AtRisk { rows: is_gone(&error).then_some(0), ..nothing };
        }
    };
    let mut cells = rows.into_iter().next().unwrap_or_default().into_iter();
    let rows = cells.next().flatten().and_then(|rows| rows.parse().ok());
    AtRisk { rows, digest: cells.next().flatten(), ..nothing }
}

/// Nothing can be taken of what is not there any more.
fn is_gone(error: &Error) -> bool {
    let class = error.code.as_deref().map(error_codes::class);
    matches!(class, Some(ErrorClass::UndefinedObject | ErrorClass::UndefinedColumn))
}

fn counting(value: &str, from: &str, predicate: Option<&str>) -> String {
    let predicate = predicate.map(|p| format!(" WHERE {p}")).unwrap_or_default();
    format!("SELECT {} FROM {from}{predicate}", counted(value))
}

fn counted(value: &str) -> String {
    format!("count(*), sum(hashtextextended(({value})::text, 0)::numeric)::text")
}

async fn column_query(client: &Client, table: &str, column: &str) -> Option<String> {
    Some(match written_values(client, table, column).await.ok()? {
        Some(predicate) => counting(&sql::quote(column), &quoted_relation(table), Some(&predicate)),
        None => "SELECT 0, NULL".to_owned(),
    })
}

/// `None` where it cannot be asked; nothing is taken of a column that is not there.
async fn counting_converted(client: &Client, text: &str, table: &str, column: &str) -> Option<String> {
    let sql = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped";
    let relation = quoted_relation(table);
    let asked = [(&relation as &(dyn ToSql + Sync), Type::TEXT), (&column, Type::TEXT)];
    let Some(row) = client.query_typed_opt(sql, &asked).await.ok()? else {
        return Some("SELECT 0, NULL".to_owned());
    };
    let sql_type: String = row.try_get(0).ok()?;
    let schema = relation_name::split(table).0;
    conversion::converted_query(text, column, &sql_type, schema.as_deref(), |name, _| {
        counted(&format!("{name}.{}", sql::quote(column)))
    })
}

/// A condition for rows whose value in a column somebody wrote; `None` where there is no such column. Values that equal a constant
/// default were not written by anybody, and a generated column has none of its own. Where there is no such default, NULL is what nobody
/// wrote.
///
/// # Errors
/// As the server gives them.
pub async fn written_values(client: &Client, table: &str, column: &str) -> Result<Option<String>> {
    const WHAT: &str = "cannot read the default of a column";
    let facts = "SELECT a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid)
         FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND NOT a.attisdropped";
    let relation = quoted_relation(table);
    let asked = [(&relation as &(dyn ToSql + Sync), Type::TEXT), (&column, Type::TEXT)];
    let Some(row) = client.query_typed_opt(facts, &asked).await.server_context(WHAT)? else {
        return Ok(None);
    };
    let generated: bool = row.try_get(0).server_context(WHAT)?;
    let default: Option<String> = row.try_get(1).server_context(WHAT)?;
    let value = sql::quote(column);
    let default = default.filter(|text| is_constant(text));
    Ok(Some(match default {
        _ if generated => "false".to_owned(),
        // NULL was written where the default is something else. Equality is not defined for all types.
        Some(default) => format!("{value}::text IS DISTINCT FROM ({default})::text"),
        None => format!("{value} IS NOT NULL"),
    }))
}

/// Whether an expression is the same whenever it is asked for.
pub fn is_constant(expression: &str) -> bool {
    matches!(sql::parse_one(&format!("SELECT {expression}")), Ok(Some(tree)) if sql::functions(&tree).is_empty())
}

/// A query that counts the rows that an UPDATE or DELETE finds.
fn counting_moved(text: &str) -> Option<String> {
    moved_query(text, None, |name, assigned| {
        let all: Vec<String> = assigned.iter().map(|(c, _)| format!("{name}.{}", sql::quote(c))).collect();
        counted(&if all.is_empty() { name.to_owned() } else { format!("ROW({})", all.join(", ")) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_leaves_rows_when_all_that_it_calls_does() {
        let moves = "SELECT setval(pg_get_serial_sequence('rates', 'id'), (SELECT max(id) FROM rates))";
        for (statement, leaves) in [
            (moves, true),
            ("SELECT 1", true),
            ("SELECT clear_rates()", false),
            ("DO $$ BEGIN END $$", false),
        ] {
            assert_eq!(leaves_rows(statement), leaves, "{statement}");
        }
    }

    #[test]
    fn rows_that_change_are_counted_by_a_query() {
        for (statement, query) in [
            (
                "DELETE FROM releases WHERE id = (SELECT max(id) FROM releases)",
                Some(
                    "SELECT count(*), sum(hashtextextended(releases::text, 0)::numeric)::text FROM releases \
                     WHERE id = (SELECT max(id) FROM releases)",
                ),
            ),
            (
                "UPDATE ONLY shop.jobs j SET region = NULL, \"At\" = now() FROM o WHERE o.id = j.id AND region = 'eu'",
                Some(
                    "SELECT count(*), sum(hashtextextended(ROW(j.region, j.\"At\")::text, 0)::numeric)::text \
                     FROM ONLY shop.jobs j, o WHERE o.id = j.id AND region = 'eu'",
                ),
            ),
            ("INSERT INTO t VALUES (1)", None),
        ] {
            assert_eq!(counting_moved(statement).as_deref(), query, "{statement}");
        }
    }
}
