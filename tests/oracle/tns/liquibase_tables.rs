//! The one thing that is kept as rows: Liquibase's own two tables. Liquibase writes them and reads back what it wrote, which no
//! fixture could answer. The statements are those of Liquibase 4.33.0, as `liquibase update` and `status` send them; what is not
//! known of them, and all that is about other tables, goes to other answers.

use std::collections::BTreeMap;

use super::answers::{Answers, Outcome};
use super::column::{Column, Kind};
use super::liquibase_catalog as catalog;
use super::moment::Moment;
use super::session::Session;
use super::value::Value;

const TABLES: [&str; 2] = ["DATABASECHANGELOG", "DATABASECHANGELOGLOCK"];
/// What stands for SYSTIMESTAMP.
const NOW: &str = "2026-11-25 10:00:00";

#[derive(Default)]
struct Table {
    columns: Vec<Column>,
    rows: Vec<BTreeMap<String, Value>>,
}

pub struct LiquibaseTables<A> {
    others: A,
    tables: BTreeMap<&'static str, Table>,
}

impl<A: Answers> LiquibaseTables<A> {
    pub fn before(others: A) -> Self {
        LiquibaseTables { others, tables: BTreeMap::new() }
    }

    fn answer(&mut self, session: &Session, sql: &str, binds: &[Value]) -> Option<Outcome> {
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let upper = sql.to_uppercase();
        let text = |text: &str| Value::from(text);
        if upper.starts_with("BEGIN DBMS_UTILITY.DB_VERSION(") {
            return Some(Outcome::Out(vec![(0, text("19.0.0.0.0")), (1, text("19.0.0"))]));
        }
        if upper.starts_with("SELECT SYS_CONTEXT( 'USERENV', 'CURRENT_SCHEMA' )") {
            return Some(Outcome::rows(&["X VARCHAR2(256)"], vec![vec![text(&session.current_schema)]]));
        }
        if upper.starts_with("SELECT USERNAME AS TABLE_SCHEM") {
            let row = vec![text(&session.user), Value::Null];
            return Some(Outcome::rows(
                &["TABLE_SCHEM VARCHAR2(128)", "TABLE_CATALOG VARCHAR2(1)"],
                vec![row],
            ));
        }
        // What `DatabaseMetaData.getTables` of ojdbc asks.
        if upper.starts_with("SELECT NULL AS TABLE_CAT, O.OWNER AS TABLE_SCHEM") {
            let known = self.tables.keys().filter(|name| match binds.get(1) {
                Some(Value::Text(named)) => named.replace('/', "") == **name || named == "%",
                _ => false,
            });
            return Some(catalog::objects(&session.current_schema, known));
        }
        if upper.starts_with("SELECT NULL AS TABLE_CAT, ") {
            let tables = self.tables.iter().map(|(name, table)| (*name, table.columns.as_slice())).collect();
            return catalog::answer(&upper, &session.current_schema, &tables);
        }
        let name = *TABLES.iter().find(|name| names(&upper, name))?;
        self.statement(name, &sql, &upper)
    }

    fn statement(&mut self, name: &'static str, sql: &str, upper: &str) -> Option<Outcome> {
        if upper.starts_with("CREATE TABLE ") {
            let declared = sql.get(sql.find('(')? + 1..sql.rfind(')')?)?;
            let columns = split(declared)
                .iter()
                .filter(|part| !part.to_uppercase().starts_with("CONSTRAINT "))
                .map(|part| Column::parse(part))
                .collect::<Option<Vec<_>>>()?;
            self.tables.insert(name, Table { columns, rows: Vec::new() });
            return Some(Outcome::Done);
        }
        let Some(table) = self.tables.get_mut(name) else {
            return Some(Outcome::error(942, "table or view does not exist"));
        };
        if upper.starts_with("MERGE INTO ") {
            // What `tag` sends: the tag of the changeset that ran last.
            let tag = literal(sql.get(upper.find(" SET A.TAG=")? + " SET A.TAG=".len()..)?);
            let last = table.rows.iter_mut().max_by_key(|row| order(row))?;
            last.insert("TAG".into(), tag);
            return Some(Outcome::Changed(1));
        }
        let (head, condition) = match upper.find(" WHERE ") {
            Some(at) => (sql.get(..at)?, sql.get(at + " WHERE ".len()..)?),
            None => (sql, ""),
        };
        let condition = condition.split(" ORDER BY ").next()?.trim_end_matches(" FOR UPDATE");
        let wanted = conditions(condition)?;
        if upper.starts_with("INSERT INTO ") {
            let (columns, values) = sql.split_once(" VALUES ")?;
            let columns = columns.get(columns.find('(')? + 1..columns.rfind(')')?)?;
            let values = values.trim().strip_prefix('(')?.strip_suffix(')')?;
            let row = split(columns).into_iter().zip(split(values).into_iter().map(|value| literal(&value)));
            table.rows.push(row.map(|(column, value)| (column.to_uppercase(), value)).collect());
            return Some(Outcome::Changed(1));
        }
        if upper.starts_with("DELETE FROM ") {
            let before = table.rows.len();
            table.rows.retain(|row| !meets(row, &wanted));
            return Some(Outcome::Changed((before - table.rows.len()) as u64));
        }
        if upper.starts_with("UPDATE ") {
            let set = head.get(upper.find(" SET ")? + " SET ".len()..)?;
            let mut changed = 0;
            for row in table.rows.iter_mut().filter(|row| meets(row, &wanted)) {
                for part in split(set) {
                    let (column, value) = part.split_once('=')?;
                    row.insert(column.trim().to_uppercase(), literal(value));
                }
                changed += 1;
            }
            return Some(Outcome::Changed(changed));
        }
        let list = head.get("SELECT ".len()..upper.find(" FROM ")?)?;
        let rows: Vec<&BTreeMap<String, Value>> =
            table.rows.iter().filter(|row| meets(row, &wanted)).collect();
        let number = |name: &str, value: Value| Outcome::Rows {
            columns: vec![Column { name: name.into(), kind: Kind::Number(None), nullable: true }],
            rows: vec![vec![value]],
        };
        match list.to_uppercase().as_str() {
            "COUNT(*)" => return Some(number("COUNT(*)", Value::number(rows.len()))),
            "MAX(ORDEREXECUTED)" => {
                return Some(number(
                    "MAX(ORDEREXECUTED)",
                    rows.iter().filter_map(|row| order(row)).max().into(),
                ));
            }
            _ => {}
        }
        let columns: Vec<Column> = match list {
            "*" => table.columns.clone(),
            _ => {
                let column =
                    |name: &String| table.columns.iter().find(|known| known.name.eq_ignore_ascii_case(name));
                split(list).iter().map(|name| column(name).cloned()).collect::<Option<_>>()?
            }
        };
        let value = |row: &BTreeMap<String, Value>, column: &Column| {
            row.get(&column.name).cloned().unwrap_or(Value::Null)
        };
        let rows = rows.iter().map(|row| columns.iter().map(|column| value(row, column)).collect()).collect();
        Some(Outcome::Rows { columns, rows })
    }
}

impl<A: Answers> Answers for LiquibaseTables<A> {
    fn execute(&mut self, session: &Session, sql: &str, binds: &[Value]) -> Outcome {
        self.answer(session, sql, binds).unwrap_or_else(|| self.others.execute(session, sql, binds))
    }

    fn ended(&mut self, session: &Session, committed: bool) {
        self.others.ended(session, committed);
    }
}

fn order(row: &BTreeMap<String, Value>) -> Option<i64> {
    match row.get("ORDEREXECUTED") {
        Some(Value::Number(text)) => text.parse().ok(),
        _ => None,
    }
}

/// Whether the statement is about this table and not about one whose name is longer.
fn names(upper: &str, table: &str) -> bool {
    upper.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == table)
}

/// Parts between commas that are in no literal and in no parentheses.
fn split(list: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth, mut quoted) = (Vec::new(), String::new(), 0, false);
    for letter in list.chars() {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                continue;
            }
            _ => {}
        }
        part.push(letter);
    }
    parts.push(part.trim().to_owned());
    parts
}

fn literal(text: &str) -> Value {
    let text = text.trim();
    match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some("") => Value::Null,
        Some(quoted) => Value::Text(quoted.replace("''", "'")),
        None if text.eq_ignore_ascii_case("NULL") => Value::Null,
        None if super::number::encode(text).is_some() => Value::number(text),
        None => Moment::parse(NOW).map_or(Value::Null, Value::Moment),
    }
}

enum Test {
    Is(Value),
    IsNot(Value),
    /// NOT LIKE with a pattern that ends in its only `%`.
    BeginsOtherwise(String),
}

/// Columns and what must hold of them. `None` for a condition of another kind.
fn conditions(condition: &str) -> Option<Vec<(String, Test)>> {
    let parts = condition.split(" AND ").map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (column, test) = if let Some((column, pattern)) = part.split_once(" NOT LIKE ") {
                let prefix = pattern.trim().strip_prefix('\'')?.strip_suffix("%'")?;
                (column, Test::BeginsOtherwise(prefix.into()))
            } else if let Some(column) = part.strip_suffix(" IS NOT NULL") {
                (column, Test::IsNot(Value::Null))
            } else if let Some(column) = part.strip_suffix(" IS NULL") {
                (column, Test::Is(Value::Null))
            } else {
                let (column, value) = part.split_once('=')?;
                (column, Test::Is(literal(value)))
            };
            Some((column.trim().to_uppercase(), test))
        })
        .collect()
}

fn meets(row: &BTreeMap<String, Value>, wanted: &[(String, Test)]) -> bool {
    wanted.iter().all(|(column, test)| {
        let value = row.get(column).unwrap_or(&Value::Null);
        match test {
            Test::Is(other) => value == other,
            Test::IsNot(other) => value != other,
            Test::BeginsOtherwise(prefix) => !matches!(value, Value::Text(text) if text.starts_with(prefix)),
        }
    })
}
