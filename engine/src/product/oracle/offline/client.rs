//! A client that describes queries by a dictionary and runs none.

use std::sync::Arc;

use async_trait::async_trait;

use super::Offline;
use crate::model::error_class::ErrorClass;
use crate::model::query::{Answer, Asker, Call, Ending, PlanShape, QueryError, QueryResult, QueryShape};
use crate::product::Client;
use crate::product::oracle::error_codes::unread;
use crate::product::oracle::grammar::{self, Context};
use crate::product::oracle::queries;

pub struct Describer(Offline);

type Outcome<T> = Result<T, QueryError>;

impl Describer {
    pub fn new(database: Offline) -> Self {
        Self(database)
    }

    fn describe(&self, queries: &[&str]) -> Vec<Outcome<QueryShape>> {
        let failed = |e: &crate::error::Error| queries.iter().map(|_| Err(unread(&e.chain()))).collect();
        let dictionary = match self.0.dictionary() {
            Ok(dictionary) => dictionary,
            Err(e) => return failed(&e),
        };
        let context = Context::new(dictionary.version.name(), &dictionary.catalog());
        let texts = match grammar::read(queries, &context) {
            Ok(texts) => texts,
            Err(e) => return failed(&e),
        };
        let of = |text: Arc<grammar::facts::Text>| match text.statements.as_slice() {
            [one] => match (&one.error, &one.read) {
                (None, Some(read)) => queries::describe(read, &dictionary),
                (Some(complaint), _) => Err(syntax(&complaint.error().chain())),
                (None, None) => Err(syntax("nothing is read of it")),
            },
            _ => Err(syntax("it is not one statement")),
        };
        texts.into_iter().map(of).collect()
    }
}

fn syntax(message: &str) -> QueryError {
    QueryError { class: ErrorClass::SyntaxError, ..unread(message) }
}

fn no_rows() -> QueryError {
    unread("a dictionary runs no query")
}

#[async_trait]
impl Client for Describer {
    async fn describe(&mut self, sql: &str) -> Outcome<QueryShape> {
        Self::describe(self, &[sql]).pop().unwrap_or_else(|| Err(no_rows()))
    }
    async fn describe_all(&mut self, queries: &[&str]) -> Vec<Outcome<QueryShape>> {
        Self::describe(self, queries)
    }
    /// There are no plans.
    async fn plan_all(&mut self, queries: &[(&str, &QueryShape)]) -> Vec<Outcome<Option<PlanShape>>> {
        queries.iter().map(|_| Ok(None)).collect()
    }
    async fn run(
        &mut self,
        _sql: &str,
        _shape: &QueryShape,
        _parameters: &[Option<String>],
        _ending: Ending,
    ) -> Outcome<QueryResult> {
        Err(no_rows())
    }
    async fn answers(
        &mut self,
        _sql: &str,
        _shape: &QueryShape,
        _asker: Option<Asker<'_>>,
        calls: &[Call<'_>],
    ) -> Vec<Outcome<Answer>> {
        calls.iter().map(|_| Err(no_rows())).collect()
    }
    fn alive(&self) -> bool {
        true
    }
}
