//! A connection as a service would hold it.

mod binds;
mod errors;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use drydock_oracle_protocol::{Execute, Query, first_word, is_query_or_dml};

use super::Oracle;
use super::known::Known;
use crate::error::Error;
use crate::model::endpoint::ClientSettings;
use crate::model::error_class::ErrorClass;
use crate::model::query::{Answer, Asker, Call, Ending, PlanShape, QueryError, QueryResult, QueryShape};
use crate::product::Client;
use crate::product::oracle::error_codes::unread;
use crate::product::oracle::grammar;
use crate::product::oracle::queries;
use crate::product::oracle::session::Session;
pub use binds::bind_type;
use binds::binds;
use errors::told;

/// How long a call may take where nothing else is said.
const LIMIT: Duration = Duration::from_secs(3_600);
/// Rows that are counted of one answer, and those that are kept.
const COUNTED: u64 = 100_000;
const KEPT: u64 = 1_000;

type Outcome<T> = Result<T, QueryError>;

pub struct Service {
    database: Oracle,
    session: Session,
    limit: Duration,
    alive: bool,
}

impl Service {
    /// Locks of rows are waited for as long as the statement may run: Oracle has no limit of their own.
    pub fn new(database: Oracle, session: Session, settings: &ClientSettings) -> Self {
        Self { database, session, limit: settings.statement.unwrap_or(LIMIT), alive: true }
    }

    fn failed(&mut self, sql: &str, error: &Error) -> QueryError {
        let told = told(sql, error);
        self.alive &= told.class != ErrorClass::ConnectionLost;
        told
    }

    /// What the dictionary has to say of a query: what its parameters are; of a block or call, all. It is looked at once for queries that
    /// are asked for together.
    async fn by_dictionary(&self, sql: &str, looked: &mut Option<Arc<Known>>) -> Outcome<QueryShape> {
        let known = match looked {
            Some(known) => known,
            None => looked.insert(self.database.known().await.map_err(|e| told(sql, &e))?),
        };
        let pieces = grammar::pieces(sql, &known.context).map_err(|e| unread(&e.chain()))?;
        match pieces.as_slice() {
            [one] => match &one.read {
                Some(read) => queries::describe(read, &known.dictionary),
                None => Err(unread("nothing is read of it")),
            },
            _ => Err(unread("it is not one statement")),
        }
    }

    async fn shape(&mut self, sql: &str, looked: &mut Option<Arc<Known>>) -> Outcome<QueryShape> {
        if !is_query_or_dml(sql) {
            return self.by_dictionary(sql, looked).await;
        }
        let columns = match self.session.describe(sql, self.limit).await {
            Ok(columns) => columns,
            Err(e) => return Err(self.failed(sql, &e)),
        };
        let columns = columns.into_iter().map(|column| (column.name, column.type_name)).collect();
        // The server does not say what parameters are.
        let parameters = match binds::names(sql).is_empty() {
            true => Vec::new(),
            false => {
                let told = self.by_dictionary(sql, looked).await;
                told.map_or_else(|_| binds::texts(sql), |shape| shape.parameters)
            }
        };
        Ok(QueryShape { parameters, columns })
    }

    /// Runs and ends nothing.
    async fn call(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        values: &[Option<String>],
        most: u64,
    ) -> Outcome<Answer> {
        let word = first_word(sql).to_ascii_lowercase();
        let given = binds(sql, shape, values);
        let answered = if matches!(word.as_str(), "select" | "with") {
            let query = Query { sql: sql.to_owned(), binds: given, max_rows: most, lobs: true };
            let rows = self.session.query(query, self.limit).await;
            rows.map(|rows| Answer {
                count: u64::try_from(rows.rows.len()).unwrap_or(u64::MAX),
                rows: rows.rows,
            })
        } else if is_query_or_dml(sql) || matches!(word.as_str(), "begin" | "declare" | "call" | "lock") {
            let rows = if given.is_empty() { Vec::new() } else { vec![given] };
            let executed = self.session.execute(Execute { sql: sql.to_owned(), rows }, self.limit).await;
            executed.map(|executed| Answer { count: executed.count, rows: Vec::new() })
        } else {
            // DDL commits what is under way, and could not be taken back.
            return Err(unread("it is no query, no change of rows and no block of code"));
        };
        answered.map_err(|e| self.failed(sql, &e))
    }

    async fn end(&mut self, ending: Ending) -> Outcome<()> {
        let ended = match ending {
            Ending::Commit => self.session.commit(self.limit).await,
            Ending::Rollback => self.session.rollback(self.limit).await,
        };
        ended.map_err(|e| self.failed("", &e))
    }

    /// Whether code may commit by itself.
    async fn commits_in_code(&mut self, may: bool) -> Outcome<()> {
        let how = if may { "ENABLE" } else { "DISABLE" };
        let sql = format!("ALTER SESSION {how} COMMIT IN PROCEDURE");
        let done = self.session.execute(Execute { sql, rows: Vec::new() }, self.limit).await;
        done.map(drop).map_err(|e| self.failed("", &e))
    }

    async fn within(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        call: Call<'_>,
        ending: Ending,
        most: u64,
    ) -> Outcome<Answer> {
        // What is to be taken back must not be committed on the way.
        if ending == Ending::Rollback {
            self.commits_in_code(false).await?;
        }
        let mut answer = match call.without {
            Some((table, key)) => self.take_away(table, key).await,
            None => Ok(()),
        }
        .map(|()| Answer::default());
        if answer.is_ok() {
            answer = self.call(sql, shape, call.values, most).await;
        }
        let ended = match self.alive {
            true => self.end(if answer.is_ok() { ending } else { Ending::Rollback }).await,
            false => Ok(()),
        };
        if ending == Ending::Rollback && self.alive {
            self.commits_in_code(true).await?;
        }
        let answer = answer?;
        ended?;
        Ok(answer)
    }

    async fn take_away(&mut self, table: &str, key: &[(String, String)]) -> Outcome<()> {
        let condition =
            (1..).zip(key).map(|(at, (column, _))| format!("{} = :{at}", super::sql::quoted(column)));
        let condition: Vec<String> = condition.collect();
        let sql = format!("DELETE FROM {} WHERE {}", super::sql::relation(table), condition.join(" AND "));
        let values: Vec<Option<String>> = key.iter().map(|(_, value)| Some(value.clone())).collect();
        let shape = self.shape(&sql, &mut None).await?;
        let gone = self.call(&sql, &shape, &values, 0).await;
        gone.map(drop).map_err(|e| QueryError { class: ErrorClass::RowStays, ..e })
    }
}

#[async_trait]
impl Client for Service {
    async fn describe(&mut self, sql: &str) -> Outcome<QueryShape> {
        self.shape(sql, &mut None).await
    }
    async fn describe_all(&mut self, queries: &[&str]) -> Vec<Outcome<QueryShape>> {
        let (mut all, mut looked) = (Vec::new(), None);
        for sql in queries {
            all.push(self.shape(sql, &mut looked).await);
        }
        all
    }
    /// A parse has found what a plan would: there are no costs to compare.
    async fn plan_all(&mut self, queries: &[(&str, &QueryShape)]) -> Vec<Outcome<Option<PlanShape>>> {
        queries.iter().map(|_| Ok(None)).collect()
    }
    async fn run(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        parameters: &[Option<String>],
        ending: Ending,
    ) -> Outcome<QueryResult> {
        let call = Call { values: parameters, without: None };
        let answer = self.within(sql, shape, call, ending, COUNTED).await?;
        let first = answer.rows.first().and_then(|row| row.first().cloned().flatten());
        Ok(QueryResult { rows: answer.count, first })
    }
    async fn answers(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        asker: Option<Asker<'_>>,
        calls: &[Call<'_>],
    ) -> Vec<Outcome<Answer>> {
        let user = &self.database.endpoint.user;
        if let Some(Asker { role, .. }) = asker.filter(|asker| !asker.role.eq_ignore_ascii_case(user)) {
            let refused = || unread(&format!("a session of {user} cannot run queries as {role}"));
            return calls.iter().map(|_| Err(refused())).collect();
        }
        let mut all = Vec::new();
        for call in calls {
            all.push(self.within(sql, shape, *call, Ending::Rollback, KEPT).await);
        }
        all
    }
    fn alive(&self) -> bool {
        self.alive
    }
}
