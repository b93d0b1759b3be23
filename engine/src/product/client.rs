//! A connection as a service would hold it.

use async_trait::async_trait;

use crate::error::Result;
use crate::model::query::{Answer, Asker, Call, Ending, PlanShape, QueryError, QueryResult, QueryShape};

/// One connection as a service would hold it. It plans each query anew and retries nothing.
#[async_trait]
pub trait Client: Send {
    /// Plans a query without running it.
    async fn describe(&mut self, sql: &str) -> Result<QueryShape, QueryError>;
    /// The same for many, in their order, without waiting for one before asking for the next.
    async fn describe_all(&mut self, queries: &[&str]) -> Vec<Result<QueryShape, QueryError>>;
    /// Plans each to the end, for whatever values, and runs nothing: what a conflict is told by, what a view passes on, is found
    /// only then. `shape` comes from `describe`. `None`: what is not planned at all.
    async fn plan_all(
        &mut self,
        queries: &[(&str, &QueryShape)],
    ) -> Vec<Result<Option<PlanShape>, QueryError>>;
    /// Runs it with parameters as text. `shape` comes from `describe`.
    async fn run(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        parameters: &[Option<String>],
        ending: Ending,
    ) -> Result<QueryResult, QueryError>;
    /// Runs it, takes it back, and gives all that it answered; for each call in its order, without waiting for one answer
    /// before the next call. `asker`: as whom; `None`: as the connection's own.
    async fn answers(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        asker: Option<Asker<'_>>,
        calls: &[Call<'_>],
    ) -> Vec<Result<Answer, QueryError>>;
    /// Whether the connection still stands.
    fn alive(&self) -> bool;
}
