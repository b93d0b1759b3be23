//! What stages ask of a database. Products live in `database/`, and nothing else knows one by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::change::{Change, Reference};
use crate::model::changeset::{Backfill, Statement};
use crate::model::endpoint::{Endpoint, JdbcTarget, Limits};
use crate::model::query::{
    Answer, Call, Ending, ParameterRole, PlanShape, QueryError, QueryResult, QueryShape, Reads,
    ResultSources, Usage, Write,
};
use crate::model::schema::{DataFingerprint, SchemaFingerprint, SchemaSnapshot};
use crate::model::server::{Footprint, ServerInfo};
use crate::model::session::{Activity, HeldLock};
use crate::model::statement_stats::StatementStats;

pub mod postgres;
mod provider;
mod registry;

pub use postgres::local::Local;
pub use provider::Provider;
pub use registry::{embedded, local_provider, open};

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
    /// before the next call. `role`: as whom; `None`: as the connection's own.
    async fn answers(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        role: Option<&str>,
        calls: &[Call<'_>],
    ) -> Vec<Result<Answer, QueryError>>;
    /// Whether the connection still stands.
    fn alive(&self) -> bool;
}

/// A named exclusive claim that ends with its session.
#[async_trait]
pub trait Claim: Send + Sync {
    /// Whether the session that holds it still stands.
    async fn held(&self) -> bool;
    async fn release(self: Box<Self>);
}

/// A database product at one endpoint.
#[async_trait]
pub trait Database: Send + Sync {
    /// The product's name for people.
    fn product(&self) -> &'static str;
    fn endpoint(&self) -> &Endpoint;
    /// The same product elsewhere: a clone, a scratch database.
    fn at(&self, endpoint: Endpoint) -> Arc<dyn Database>;
    fn jdbc(&self) -> JdbcTarget;
    /// Statements that set the limits and the application name on Liquibase's session.
    fn session_limits(&self, limits: &Limits, application: &str) -> Vec<String>;
    /// Whether this code says that a limit was reached and a later try may succeed.
    fn is_busy(&self, code: &str) -> bool;

    /// Reaches the server and checks its version.
    async fn server(&self) -> Result<ServerInfo>;
    async fn catalog(&self) -> Result<Catalog>;
    async fn schema_fingerprint(&self) -> Result<SchemaFingerprint>;
    /// Of the named tables (absent ones are left out) or of all, partitions within their parents.
    async fn data_fingerprint(&self, tables: Option<&[String]>) -> Result<DataFingerprint>;

    /// Parses the SQL of one changeset in order, each text one or several statements, with the product's grammar. Statements
    /// the grammar does not take are an `Input` error.
    fn analyse(&self, sql: &[String], catalog: &Catalog) -> Result<Vec<Statement>>;
    /// Table -> columns of the indexes that these texts make; what cannot be read makes none.
    fn pending_indexes(&self, sql: &[String], catalog: &Catalog) -> BTreeMap<String, Vec<Vec<String>>>;
    /// The names of all hazards that `analyse` may find.
    fn hazards(&self) -> BTreeSet<String>;
    /// One role per parameter, `$1` first.
    fn parameter_roles(&self, sql: &str, catalog: &Catalog) -> Result<Vec<ParameterRole>>;
    /// All that a query comes to use and to write, and what stands behind its parameters, in one look at it.
    fn usage(&self, sql: &str, catalog: &Catalog) -> Result<Usage>;
    /// Foreign keys that a script adds to tables that are there.
    fn references(&self, sql: &str, catalog: &Catalog) -> Result<Vec<Reference>>;
    /// The schema at this moment, with what tells a renamed object from a new one.
    async fn snapshot(&self) -> Result<SchemaSnapshot>;
    /// What two looks at a schema tell apart, as far as somebody may feel it though his queries plan.
    fn changes(&self, before: &SchemaSnapshot, after: &SchemaSnapshot) -> Vec<Change>;
    /// Which columns the answer of a query depends on.
    fn reads(&self, sql: &str) -> Result<Reads>;
    /// The statement with each `*` of a result written out as the columns that it stands for now, as far as they are known.
    fn spell_out(&self, sql: &str, catalog: &Catalog) -> Result<String>;
    /// Where the columns of a query's result have their values from; none for what is computed otherwise.
    fn result_sources(&self, sql: &str, catalog: &Catalog) -> Result<ResultSources>;
    /// What a query writes; nothing for one that only reads.
    fn writes(&self, sql: &str, catalog: &Catalog) -> Result<Vec<Write>>;
    /// Equal for queries that differ in constants, layout, comments and the length of lists only. A query the grammar does
    /// not take is an `Input` error.
    fn query_fingerprint(&self, sql: &str) -> Result<String>;
    /// What services have run here, by the server's own statistics: nothing on catalogs, of Liquibase or of ourselves.
    /// `Input` where it keeps none or does not show them.
    async fn statement_stats(&self) -> Result<StatementStats>;
    /// Up to `most` rows of a small table: columns, and all values as text.
    async fn rows(&self, table: &str, most: u32) -> Result<(Vec<String>, Vec<Vec<Option<String>>>)>;
    /// Up to `most` existing values of a column as text, the same for the same data.
    async fn samples(&self, table: &str, column: &str, most: u32) -> Result<Vec<String>>;

    /// How many of these values (as text) the column holds.
    async fn count_present(&self, table: &str, column: &str, values: &[String]) -> Result<u64>;

    async fn client(&self, application: &str) -> Result<Box<dyn Client>>;

    /// Claims the target for one owner, by name; `None` when another session holds it.
    async fn claim(&self, name: &str) -> Result<Option<Box<dyn Claim>>>;
    /// Ends sessions whose application name starts with this, and waits until they are gone.
    async fn end_sessions(&self, application_prefix: &str) -> Result<u64>;
    /// Whether a Liquibase that holds its lock since `since` (text as in the lock table) can still be alive:
    /// another JDBC session that is as old. `ours`: prefix of application names that cannot be it.
    async fn liquibase_alive(&self, since: &str, ours: &str) -> Result<bool>;
    /// `ours`: prefix of our application names.
    async fn activity(&self, ours: &str) -> Result<Activity>;
    /// Watches locks held by sessions with this application name until told to stop.
    async fn watch_locks(&self, application: &str) -> Result<Box<dyn LockWatch>>;
    async fn footprint(&self) -> Result<Footprint>;
    /// Brings what the planner knows of tables to where the server brings it by itself in time. Of those that were `rewritten`
    /// that is more than of those that only hold other values.
    async fn renew_statistics(&self, tables: &[String], rewritten: &[String]) -> Result<()>;
    /// Drops an index that a failed concurrent build left invalid. `true` when there was one.
    async fn drop_invalid_index(&self, index: &str) -> Result<bool>;

    /// Runs one key range after another, from `after` (text; `None`: the start). `size`: rows walked.
    /// Returns `None` when no key is left.
    async fn backfill_batch(
        &self,
        backfill: &Backfill,
        after: Option<&str>,
        size: u32,
        application: &str,
        lock_wait: Duration,
    ) -> Result<Option<Batch>>;

    /// Runs a script of several statements on a fresh session.
    async fn execute_script(&self, sql: &str) -> Result<()>;

    /// Locks tables against everybody for a while: what `--inject rollout-gate` does to the demo.
    async fn disturb(&self, tables: &[String], time: Duration) -> Result<()>;
    /// Session statements under which a changeset really fails: what `--inject rollout-error` does to the demo.
    fn sabotage(&self) -> Vec<String>;
}

/// One key range done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The last key of the range: where the next one starts.
    pub last_key: String,
    pub changed: u64,
}

/// See `Database::watch_locks`.
#[async_trait]
pub trait LockWatch: Send {
    async fn stop(self: Box<Self>) -> Vec<HeldLock>;
}
