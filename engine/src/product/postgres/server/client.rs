//! One connection as a service would hold it.

mod answers;
mod copying;
mod errors;
pub mod settings;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures::future::join_all;
use futures::{TryStreamExt, pin_mut};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Column, Row, RowStream};

use crate::model::query::{Answer, Asker, Call, Ending, PlanShape, QueryError, QueryResult, QueryShape};
use crate::product;
use crate::product::postgres::grammar::relations::CopyShape;
use crate::product::postgres::server::connect::{quoted, quoted_relation};
use crate::product::postgres::server::plans;
use crate::product::postgres::server::text::{AsText, Text, builtin};
use copying::copy;
pub(crate) use copying::copy_row;
pub(in crate::product::postgres) use errors::query_error;
use errors::without_values;

/// Queries that are asked about before the first is answered.
const AHEAD: usize = 64;
/// OIDs below this are the product's own and keep their meaning.
const FIRST_USER_OID: u32 = 16384;

pub struct Service {
    client: Client,
    /// Names of built-in types by OID and modifier.
    names: Mutex<HashMap<(u32, i32), String>>,
    /// Whether a row may be taken away that others refer to (`session_replication_role`); unknown until it is asked for.
    over_keys: Option<bool>,
}

impl Service {
    pub(in crate::product::postgres) fn new(client: Client) -> Self {
        Self { client, names: Mutex::default(), over_keys: None }
    }

    /// Names of types with modifiers.
    async fn type_names(&self, wanted: &[(u32, i32)]) -> Result<HashMap<(u32, i32), String>, QueryError> {
        let mut known = HashMap::new();
        let mut unknown: Vec<(u32, i32)> = Vec::new();
        {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            for key in wanted {
                match names.get(key) {
                    Some(name) => drop(known.insert(*key, name.clone())),
                    None => unknown.push(*key),
                }
            }
        }
        if unknown.is_empty() {
            return Ok(known);
        }
        unknown.sort_unstable();
        unknown.dedup();
        let (oids, mods): (Vec<u32>, Vec<i32>) = unknown.iter().copied().unzip();
        let sql =
            "SELECT format_type(o, nullif(m, -1)) FROM unnest($1, $2) WITH ORDINALITY u(o, m, n) ORDER BY n";
        let rows = self.client.query_typed(sql, &[(&oids, Type::OID_ARRAY), (&mods, Type::INT4_ARRAY)]).await;
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, row) in unknown.into_iter().zip(rows.map_err(query_error)?) {
            let name = row.try_get::<_, Option<String>>(0).map_err(query_error)?.unwrap_or_default();
            // Types of users may be renamed or dropped under us.
            if key.0 < FIRST_USER_OID {
                names.insert(key, name.clone());
            }
            known.insert(key, name);
        }
        Ok(known)
    }

    async fn plan(&self, sql: &str) -> Result<QueryShape, QueryError> {
        let statement = self.client.prepare(sql).await.map_err(query_error)?;
        let parameter = |t: &Type| (t.oid(), -1);
        let column = |c: &Column| (c.type_().oid(), c.type_modifier());
        let wanted: Vec<_> =
            statement.params().iter().map(parameter).chain(statement.columns().iter().map(column)).collect();
        let names = self.type_names(&wanted).await?;
        let name = |key| names.get(&key).cloned().unwrap_or_default();
        let parameters = statement.params().iter().map(|t| name(parameter(t))).collect();
        let columns = statement.columns().iter().map(|c| (c.name().to_owned(), name(column(c)))).collect();
        Ok(QueryShape { parameters, columns })
    }

    async fn shape(&self, sql: &str) -> Result<QueryShape, QueryError> {
        match copy(sql) {
            Some(CopyShape::In { table, columns }) => {
                let columns = if columns.is_empty() { self.copy_columns(&table).await? } else { columns };
                let names: Vec<String> = columns.iter().map(|c| quoted(c)).collect();
                let marks: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
                let (relation, names, marks) = (quoted_relation(&table), names.join(", "), marks.join(", "));
                self.plan(&format!("INSERT INTO {relation} ({names}) VALUES ({marks})")).await
            }
            Some(CopyShape::Out { query }) => self.plan(&query).await,
            None => self.plan(sql).await,
        }
    }

    /// Asks what the types of users in an answer are, before there is one: the driver asks in the same session while nobody reads the answer
    /// yet, and of a large one the server sends no more until somebody does. Preparing leaves the types known to the driver.
    async fn know_types(&self, sql: &str, shape: &QueryShape) {
        let plain = |name: &String| match name.split_once('(') {
            Some((family, rest)) => {
                let rest = rest.split_once(')').map_or("", |(_, rest)| rest);
                builtin(&format!("{family}{rest}")).is_some()
            }
            None => builtin(name).is_some(),
        };
        if !shape.columns.iter().all(|(_, name)| plain(name)) {
            // Whatever is wrong with it, running it says so too.
            let _ = self.client.prepare(sql).await;
        }
    }

    async fn stream(
        &self,
        sql: &str,
        shape: &QueryShape,
        parameters: &[Option<String>],
    ) -> Result<RowStream, QueryError> {
        // The service's driver has these types fixed, as `describe` found them before any changeset ran. A type of a user
        // is left to the server.
        let values = parameters.iter().enumerate().map(|(i, value)| {
            let known = shape.parameters.get(i).and_then(|name| builtin(name));
            (AsText(value.as_deref()), known.unwrap_or(Type::UNKNOWN))
        });
        self.client.query_typed_raw(sql, values).await.map_err(query_error)
    }

    /// One statement, planned anew, in the implicit transaction or the one that is open.
    async fn query(
        &self,
        sql: &str,
        shape: &QueryShape,
        parameters: &[Option<String>],
    ) -> Result<QueryResult, QueryError> {
        let stream = self.stream(sql, shape, parameters).await?;
        pin_mut!(stream);
        let mut result = QueryResult::default();
        let mut returned = 0;
        while let Some(row) = stream.try_next().await.map_err(query_error)? {
            if returned == 0 {
                result.first = first(&row);
            }
            returned += 1;
        }
        result.rows = stream.rows_affected().unwrap_or(returned);
        Ok(result)
    }

    async fn one(
        &self,
        sql: &str,
        shape: &QueryShape,
        parameters: &[Option<String>],
    ) -> Result<QueryResult, QueryError> {
        match copy(sql) {
            Some(CopyShape::In { table, columns }) => {
                let rows = self.copy_in(&table, columns, parameters).await?;
                Ok(QueryResult { rows, first: None })
            }
            Some(CopyShape::Out { .. }) => {
                let rows = self.copy_out(sql, shape.columns.len()).await?.count;
                Ok(QueryResult { rows, first: None })
            }
            None => self.query(sql, shape, parameters).await,
        }
    }
}

#[async_trait]
impl product::Client for Service {
    async fn describe(&mut self, sql: &str) -> Result<QueryShape, QueryError> {
        self.shape(sql).await
    }

    async fn describe_all(&mut self, queries: &[&str]) -> Vec<Result<QueryShape, QueryError>> {
        let mut all = Vec::new();
        for some in queries.chunks(AHEAD) {
            let mut asked = Vec::new();
            for sql in some {
                asked.push(self.shape(sql));
            }
            all.extend(join_all(asked).await);
        }
        all
    }

    async fn plan_all(
        &mut self,
        queries: &[(&str, &QueryShape)],
    ) -> Vec<Result<Option<PlanShape>, QueryError>> {
        let mut all = Vec::new();
        for some in queries.chunks(AHEAD) {
            let names: Vec<String> = (0..some.len()).map(|n| format!("drydock_plan_{n}")).collect();
            let asked = some.iter().zip(&names);
            let asked = asked.map(|((sql, shape), name)| plans::plan(&self.client, name, sql, shape));
            all.extend(join_all(asked).await);
        }
        all
    }

    async fn run(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        parameters: &[Option<String>],
        ending: Ending,
    ) -> Result<QueryResult, QueryError> {
        self.know_types(sql, shape).await;
        let answer = match ending {
            Ending::Commit => self.one(sql, shape, parameters).await,
            // Sent at once, its rows would arrive after the ROLLBACK, and stay.
            Ending::Rollback if copy(sql).is_some() => {
                let call = Call { values: parameters, without: None };
                let answer = self.copied(sql, shape, "", &call).await;
                answer.map(|answer| QueryResult { rows: answer.count, first: None })
            }
            // Polled in this order these four go out at once, before anything is awaited: one round trip, and the ROLLBACK
            // is on its way even if this call is cancelled.
            Ending::Rollback => {
                let (begin, result, checked, end) = futures::join!(
                    self.client.batch_execute("BEGIN"),
                    self.query(sql, shape, parameters),
                    self.client.batch_execute(CHECK),
                    self.client.batch_execute("ROLLBACK"),
                );
                first_failure(begin, result, checked, end)
            }
        };
        answer.map_err(|error| without_values(error, sql))
    }

    async fn answers(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        asker: Option<Asker<'_>>,
        calls: &[Call<'_>],
    ) -> Vec<Result<Answer, QueryError>> {
        let answers = self.answer_all(sql, shape, asker, calls).await;
        answers.into_iter().map(|answer| answer.map_err(|error| without_values(error, sql))).collect()
    }

    fn alive(&self) -> bool {
        !self.client.is_closed()
    }
}

/// Deferred constraints are checked, so that a query which could not have been committed is not taken for a good one.
const CHECK: &str = "SET CONSTRAINTS ALL IMMEDIATE";

type Plain = Result<(), tokio_postgres::Error>;

fn first_failure<T>(
    begin: Plain,
    result: Result<T, QueryError>,
    checked: Plain,
    end: Plain,
) -> Result<T, QueryError> {
    begin.map_err(query_error)?;
    let result = result?;
    checked.map_err(query_error)?;
    end.map_err(query_error)?;
    Ok(result)
}

fn first(row: &Row) -> Option<String> {
    if row.is_empty() { None } else { row.try_get::<_, Option<Text>>(0).ok().flatten().map(|t| t.0) }
}
