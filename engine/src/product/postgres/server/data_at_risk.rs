//! What inverses would take, counted on the server without changing anything.

use std::collections::BTreeSet;
use std::time::Duration;

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, RangeVar, UpdateStmt};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use crate::error::Error;
use crate::model::changeset::Statement;
use crate::model::data_at_risk::{AtRisk, Taken};
use crate::model::error_class::ErrorClass;
use crate::model::schema_action::{RowChange, SchemaAction};
use crate::product::postgres::grammar::sql;
use crate::product::postgres::hazards::dml;
use crate::product::postgres::server::connect::{literal, quoted_relation};
use crate::product::postgres::server::{batch, error_codes};

/// What each statement takes, given the ones before it. What cannot be read within the limit has no count.
pub async fn read(client: &Client, statements: &[&Statement], limit: Duration) -> Vec<Vec<AtRisk>> {
    // What the inverses themselves make holds nothing that anybody wrote.
    let mut made: BTreeSet<(String, Option<String>)> = BTreeSet::new();
    let mut all = Vec::new();
    for statement in statements {
        let mut risks = Vec::new();
        for action in &statement.actions {
            let taken = match action {
                SchemaAction::CreateTable { table } => {
                    made.insert((table.clone(), None));
                    continue;
                }
                SchemaAction::AddColumn { table, column, .. } => {
                    made.insert((table.clone(), Some(column.clone())));
                    continue;
                }
                SchemaAction::DropTable { table } | SchemaAction::TruncateTable { table } => {
                    Taken::Table { table: table.clone() }
                }
                SchemaAction::DropColumn { table, column } => {
                    Taken::Column { table: table.clone(), column: column.clone() }
                }
                SchemaAction::MoveRows { kind: RowChange::Insert | RowChange::Copy, .. } => continue,
                SchemaAction::MoveRows { table, .. } => moved(table, statement),
                SchemaAction::RunsCode if leaves_rows(&statement.sql) => continue,
                SchemaAction::RunsCode => unknown(statement),
                _ => continue,
            };
            let is_new = match &taken {
                Taken::Table { table } | Taken::Rows { table } => made.contains(&(table.clone(), None)),
                Taken::Column { table, column } => is_made(&made, table, column),
                Taken::Values { table, columns } => {
                    columns.iter().all(|column| is_made(&made, table, column))
                }
                Taken::Unknown { .. } => false,
            };
            if !is_new {
                risks.push(count(client, taken, statement, limit).await);
            }
        }
        all.push(risks);
    }
    all
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
            Taken::Values { table: table.to_owned(), columns: assigned(&update) }
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
        Taken::Rows { .. } | Taken::Values { .. } => moved_query(&statement.sql),
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
    format!(
        "SELECT count(*), sum(hashtextextended(({value})::text, 0)::numeric)::text FROM {from}{predicate}"
    )
}

/// Values that equal a constant default were not written by anybody. A generated column has none of its own.
async fn column_query(client: &Client, table: &str, column: &str) -> Option<String> {
    let facts = "SELECT a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid)
         FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND NOT a.attisdropped";
    let relation = quoted_relation(table);
    let asked = [(&relation as &(dyn ToSql + Sync), Type::TEXT), (&column, Type::TEXT)];
    let Some(row) = client.query_typed_opt(facts, &asked).await.ok()? else {
        return Some("SELECT 0, NULL".to_owned());
    };
    let generated: bool = row.try_get(0).ok()?;
    let default: Option<String> = row.try_get(1).ok()?;
    let value = sql::quote(column);
    let mut predicate = if generated { "false".to_owned() } else { format!("{value} IS NOT NULL") };
    if let Some(default) = default.filter(|text| is_constant(text)) {
        predicate = format!("{predicate} AND {value} IS DISTINCT FROM ({default})");
    }
    Some(counting(&value, &relation, Some(&predicate)))
}

fn is_constant(expression: &str) -> bool {
    matches!(sql::parse_one(&format!("SELECT {expression}")), Ok(Some(tree)) if sql::functions(&tree).is_empty())
}

/// A query for the rows that an UPDATE or DELETE finds.
fn moved_query(text: &str) -> Option<String> {
    let (relation, more, predicate, columns) = match sql::parse_one(text).ok()?? {
        NodeEnum::UpdateStmt(update) => {
            let columns = assigned(&update);
            (update.relation?, update.from_clause, update.where_clause, Some(columns))
        }
        NodeEnum::DeleteStmt(delete) => (delete.relation?, delete.using_clause, delete.where_clause, None),
        _ => return None,
    };
    let name = sql::quote(called(&relation));
    let value = match columns {
        Some(columns) => {
            let all: Vec<String> = columns.iter().map(|c| format!("{name}.{}", sql::quote(c))).collect();
            format!("ROW({})", all.join(", "))
        }
        None => name,
    };
    let NodeEnum::SelectStmt(mut select) = sql::parse_one(&counting(&value, "x", None)).ok()?? else {
        return None;
    };
    select.from_clause = vec![Node { node: Some(NodeEnum::RangeVar(relation)) }];
    select.from_clause.extend(more);
    select.where_clause = predicate;
    sql::unparse(NodeEnum::SelectStmt(select))
}

/// The columns that an UPDATE sets.
fn assigned(update: &UpdateStmt) -> Vec<String> {
    let targets = update.target_list.iter().filter_map(|target| match target.node.as_ref()? {
        NodeEnum::ResTarget(target) => Some(target.name.clone()),
        _ => None,
    });
    targets.collect()
}

fn called(range: &RangeVar) -> &str {
    range.alias.as_ref().map_or(&range.relname, |alias| &alias.aliasname)
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
            assert_eq!(moved_query(statement).as_deref(), query, "{statement}");
        }
    }
}
