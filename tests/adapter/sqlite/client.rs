//! A connection as a service would hold it.

use std::path::Path;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use drydock::model::error_class::ErrorClass;
use drydock::model::query::{
    Answer, Asker, Call, Ending, ParameterRole, PlanShape, QueryError, QueryResult, QueryShape,
};
use drydock::product::Client;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Statement};

use super::dialect::class_of;
use super::sessions::{Shared, locked, share};
use super::{analyze, code, inspect, quoted, quoted_relation};

/// Rows that are kept of one answer.
const MOST: usize = 1_000;

/// `limit`: how long one call may take.
pub struct Service {
    connection: Shared,
    limit: Option<Duration>,
}

type Outcome<T> = Result<T, QueryError>;

impl Service {
    pub fn new(path: &Path, application: &str, connection: Connection, limit: Option<Duration>) -> Self {
        Self { connection: share(path, application, connection), limit }
    }

    /// Works on the connection, on a thread where waiting hurts nobody.
    async fn on<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let (shared, limit) = (self.connection.clone(), self.limit);
        let task = tokio::task::spawn_blocking(move || match locked(&shared).as_mut() {
            Some(connection) => {
                let begun = Instant::now();
                let over = limit.map(|limit| move || begun.elapsed() > limit);
                connection.progress_handler(1_000, over).map_err(refused)?;
                work(connection)
            }
            None => Err(ended("the connection was ended")),
        });
        task.await.unwrap_or_else(|e| Err(ended(&e.to_string())))
    }
}

fn ended(message: &str) -> QueryError {
    error("connection".to_owned(), message.to_owned())
}

fn error(code: String, message: String) -> QueryError {
    let after = |what: &str| {
        message.split_once(what).map(|(_, name)| name.split(' ').next().unwrap_or(name).to_owned())
    };
    let column = after("no such column: ").map(|name| name.rsplit('.').next().unwrap_or(&name).to_owned());
    let of = after("no such column: ").and_then(|name| Some(name.split_once('.')?.0.to_owned()));
    let table = after("no such table: ").or(of);
    let constraint = after("constraint failed: ").map(String::into_boxed_str);
    let class = match class_of(&code) {
        ErrorClass::Other if column.is_some() => ErrorClass::UndefinedColumn,
        ErrorClass::Other if table.is_some() => ErrorClass::UndefinedObject,
        ErrorClass::Other if message.contains("syntax error") => ErrorClass::SyntaxError,
        class => class,
    };
    QueryError { column, table, constraint, class, code, message }
}

fn refused(e: rusqlite::Error) -> QueryError {
    let code = code(&e).unwrap_or_else(|| "sqlite".to_owned());
    error(code, e.to_string())
}

/// What a query takes and gives. Parameters have no type in SQLite: they get that of the column behind them.
fn describe(connection: &mut Connection, sql: &str) -> Outcome<QueryShape> {
    // A step reads the schema again where another connection changed it; a prepare alone does not.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(refused)?;
    let catalog = inspect::catalog(connection).map_err(|e| error("catalog".to_owned(), e.chain()))?;
    let statement = connection.prepare(sql).map_err(refused)?;
    let columns = statement
        .columns()
        .map(|c| (c.name().to_owned(), c.decl_type().map(str::to_lowercase).unwrap_or_default()))
        .collect();
    let names: Vec<String> = (1..=statement.parameter_count())
        .filter_map(|at| statement.parameter_name(at).map(str::to_owned))
        .collect();
    let count =
        names.iter().filter_map(|name| name.strip_prefix('?')?.parse::<usize>().ok()).max().unwrap_or(0);
    let roles = analyze::roles(sql, &catalog);
    let of_role = |role: Option<&ParameterRole>| match role {
        Some(ParameterRole::Column { table, column } | ParameterRole::Insert { table, column }) => catalog
            .tables
            .get(table)
            .and_then(|t| t.columns.iter().find(|c| c.name == *column))
            .map_or_else(|| "text".to_owned(), |c| c.sql_type.clone()),
        Some(ParameterRole::Count) => "integer".to_owned(),
        Some(ParameterRole::Free) | None => "text".to_owned(),
    };
    let parameters = (0..count).map(|at| of_role(roles.get(at))).collect();
    Ok(QueryShape { parameters, columns })
}

fn bind(statement: &mut Statement<'_>, shape: &QueryShape, values: &[Option<String>]) -> Outcome<()> {
    for (at, value) in values.iter().enumerate() {
        let number =
            shape.parameters.get(at).is_some_and(|t| ["int", "real", "num"].iter().any(|n| t.contains(n)));
        let value = match value {
            None => Value::Null,
            Some(text) if number => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(whole), _) => Value::Integer(whole),
                (_, Ok(real)) => Value::Real(real),
                _ => Value::Text(text.clone()),
            },
            Some(text) => Value::Text(text.clone()),
        };
        if let Some(place) = statement.parameter_index(&format!("?{}", at + 1)).map_err(refused)? {
            statement.raw_bind_parameter(place, value).map_err(refused)?;
        }
    }
    Ok(())
}

pub fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(n) => Some(n.to_string()),
        ValueRef::Real(n) => Some(n.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Some(bytes.iter().map(|b| format!("{b:02x}")).collect()),
    }
}

fn answer(
    connection: &Connection,
    sql: &str,
    shape: &QueryShape,
    values: &[Option<String>],
) -> Outcome<Answer> {
    let mut statement = connection.prepare(sql).map_err(refused)?;
    bind(&mut statement, shape, values)?;
    let width = statement.column_count();
    let mut answer = Answer::default();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(refused)? {
        answer.count += 1;
        if answer.rows.len() < MOST {
            let values: rusqlite::Result<Vec<_>> = (0..width).map(|at| row.get_ref(at).map(text)).collect();
            answer.rows.push(values.map_err(refused)?);
        }
    }
    drop(rows);
    if width == 0 {
        answer.count = connection.changes();
    }
    Ok(answer)
}

/// Runs within a transaction of its own.
fn within<T>(
    connection: &mut Connection,
    ending: Ending,
    work: impl FnOnce(&Connection) -> Outcome<T>,
) -> Outcome<T> {
    let transaction = connection.transaction().map_err(refused)?;
    let done = work(&transaction)?;
    match ending {
        Ending::Commit => transaction.commit(),
        Ending::Rollback => transaction.rollback(),
    }
    .map_err(refused)?;
    Ok(done)
}

fn take_away(connection: &Connection, table: &str, key: &[(String, String)]) -> Outcome<()> {
    let condition: Vec<String> =
        key.iter().enumerate().map(|(at, (column, _))| format!("{} = ?{}", quoted(column), at + 1)).collect();
    let sql = format!("DELETE FROM {} WHERE {}", quoted_relation(table), condition.join(" AND "));
    let values = rusqlite::params_from_iter(key.iter().map(|(_, value)| value));
    match connection.execute(&sql, values) {
        Ok(_) => Ok(()),
        Err(e) => Err(QueryError { class: ErrorClass::RowStays, ..refused(e) }),
    }
}

#[async_trait]
impl Client for Service {
    async fn describe(&mut self, sql: &str) -> Outcome<QueryShape> {
        let sql = sql.to_owned();
        self.on(move |connection| describe(connection, &sql)).await
    }

    async fn describe_all(&mut self, queries: &[&str]) -> Vec<Outcome<QueryShape>> {
        let mut all = Vec::new();
        for sql in queries {
            all.push(self.describe(sql).await);
        }
        all
    }

    async fn plan_all(&mut self, queries: &[(&str, &QueryShape)]) -> Vec<Outcome<Option<PlanShape>>> {
        let mut all = Vec::new();
        for (sql, _) in queries {
            // A plan without costs cannot be compared with another.
            all.push(self.describe(sql).await.map(|_| None));
        }
        all
    }

    async fn run(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        parameters: &[Option<String>],
        ending: Ending,
    ) -> Outcome<QueryResult> {
        let (sql, shape, parameters) = (sql.to_owned(), shape.clone(), parameters.to_vec());
        self.on(move |connection| {
            let answer = within(connection, ending, |c| answer(c, &sql, &shape, &parameters))?;
            let first = answer.rows.first().and_then(|row| row.first().cloned().flatten());
            Ok(QueryResult { rows: answer.count, first })
        })
        .await
    }

    async fn answers(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        asker: Option<Asker<'_>>,
        calls: &[Call<'_>],
    ) -> Vec<Outcome<Answer>> {
        let mut all = Vec::new();
        for call in calls {
            if let Some(Asker { role, .. }) = asker {
                all.push(Err(error("role".to_owned(), format!("SQLite has no role \"{role}\""))));
                continue;
            }
            let (sql, shape, values) = (sql.to_owned(), shape.clone(), call.values.to_vec());
            let without = call.without.map(|(table, key)| (table.to_owned(), key.to_vec()));
            let answered = self.on(move |connection| {
                within(connection, Ending::Rollback, |c| {
                    if let Some((table, key)) = without {
                        take_away(c, &table, &key)?;
                    }
                    answer(c, &sql, &shape, &values)
                })
            });
            all.push(answered.await);
        }
        all
    }

    fn alive(&self) -> bool {
        // One that works is not ended.
        self.connection.try_lock().map_or(true, |connection| connection.is_some())
    }
}
