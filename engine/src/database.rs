//! What stages ask of a database. Products live in `database/`, and nothing else knows one by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::changeset::{Backfill, Statement};
use crate::error::Result;

pub mod postgres;
mod registry;

pub use registry::{embedded, open};

/// A password or token. It prints as `***`, and serialises so too.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }
    /// The value itself: only for handing to a driver or a child's environment, never its arguments.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where a database is and as whom to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A host name, an address, or a folder with a socket (starts with `/`).
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    pub password: Option<Secret>,
    /// Other parameters of the URL.
    pub options: BTreeMap<String, String>,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}/{}", self.user, self.host, self.port, self.database)
    }
}

/// What JDBC needs; the password goes over the driver's standard input only.
#[derive(Debug, Clone)]
pub struct JdbcTarget {
    pub url: String,
    pub user: String,
    pub password: Option<Secret>,
    pub properties: BTreeMap<String, String>,
    /// The property that names the application to the server, where there is one.
    pub application_property: Option<&'static str>,
    /// Whether DDL is part of a transaction, so that a changeset and its record can be one.
    pub transactional_ddl: bool,
    /// A regular expression, as Java writes it, for SQL that switches the role for the rest of a transaction: a record in
    /// the same transaction would be written as that role.
    pub role_switch: Option<&'static str>,
    /// What the JDBC driver puts in front of the server's messages.
    pub message_prefixes: &'static [&'static str],
}

/// Limits under which one changeset runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// How long a statement may wait for a lock, and so how long it may hold up those behind it. `None`: no limit
    /// (patient statements, which hold nobody up while they wait).
    pub lock_wait: Option<Duration>,
    /// How long one statement may run. `None`: no limit.
    pub statement: Option<Duration>,
}

/// Who the server is and what we may do there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerInfo {
    /// Product and version for people, e.g. `PostgreSQL 15.18`.
    pub version: String,
    pub major: u32,
    /// The identity of the cluster, the same for its physical copies.
    pub system_id: Option<String>,
    pub user: String,
    pub superuser: bool,
    /// May take a physical base backup.
    pub replication: bool,
    /// May see what other sessions do.
    pub sees_activity: bool,
    pub database_bytes: u64,
}

/// What exists, with sizes: enough to weigh hazards and to find fitting values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// By `schema.name`.
    pub tables: BTreeMap<String, Table>,
    /// Index `schema.name` -> table `schema.name`.
    pub indexes: BTreeMap<String, String>,
    /// View or materialised view `schema.name` -> relations it reads.
    pub views: BTreeMap<String, Vec<String>>,
    /// Enum type `schema.name` -> labels.
    pub enums: BTreeMap<String, Vec<String>>,
    /// Schemas searched for bare names, in order.
    pub search_path: Vec<String>,
    /// Table -> columns of the indexes that pending changesets make.
    #[serde(default)]
    pub coming: BTreeMap<String, Vec<Vec<String>>>,
    /// Function or procedure `schema.name` -> words of its body that may be names.
    #[serde(default)]
    pub routines: BTreeMap<String, BTreeSet<String>>,
    /// Table -> routines that its triggers call, and when.
    #[serde(default)]
    pub triggers: BTreeMap<String, Vec<(String, Events)>>,
    /// Table -> tables whose rows go with its own, or are set free: the columns that are emptied then.
    #[serde(default)]
    pub follow: BTreeMap<String, Vec<(String, Vec<String>)>>,
}

impl Catalog {
    /// The table that a partition is of in the end; a table that is no partition is its own.
    pub fn root<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut at = name;
        let mut table = self.tables.get(name)?;
        while let Some(parent) = &table.parent {
            at = parent;
            table = self.tables.get(parent)?;
        }
        Some(at)
    }
}

/// A table or partitioned table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub rows: u64,
    pub bytes: u64,
    pub partitioned: bool,
    /// The partitioned table that this one is a partition of.
    pub parent: Option<String>,
    pub columns: Vec<Column>,
    pub primary_key: Vec<String>,
    /// Column sets of unique indexes, the primary key included.
    pub unique: Vec<Vec<String>>,
    /// Columns of all valid indexes over the whole table, in order.
    #[serde(default)]
    pub indexed: Vec<Vec<String>>,
    /// Foreign keys: own columns, referenced table, referenced columns.
    pub foreign_keys: Vec<(Vec<String>, String, Vec<String>)>,
}

/// A column as the catalog shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// e.g. `character varying(40)`.
    pub sql_type: String,
    pub not_null: bool,
    pub has_default: bool,
    /// Identity ALWAYS or generated: must not be written.
    pub generated: bool,
    /// Greatest length in characters, where the type has one.
    pub max_length: Option<u32>,
}

/// One line per schema object: identity -> definition, ordered; equal maps mean equal schemas.
/// Column position, statistics, sizes and Liquibase's own tables are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SchemaFingerprint {
    pub objects: BTreeMap<String, String>,
    /// SHA-256 over all of it, hexadecimal.
    pub digest: String,
}

impl SchemaFingerprint {
    /// What differs, as `+ object`, `- object`, `~ object: before -> after`, at most `most` lines.
    pub fn differences(&self, after: &Self, most: usize) -> Vec<String> {
        let removed = self
            .objects
            .iter()
            .filter(|(k, _)| !after.objects.contains_key(*k))
            .map(|(k, _)| format!("- {k}"));
        let added = after.objects.keys().filter(|k| !self.objects.contains_key(*k)).map(|k| format!("+ {k}"));
        let changed = self.objects.iter().filter_map(|(k, before)| match after.objects.get(k) {
            Some(now) if now != before => {
                let (before, now) = where_they_part(before, now);
                Some(format!("~ {k}: {before} -> {now}"))
            }
            _ => None,
        });
        removed.chain(added).chain(changed).take(most).collect()
    }
}

/// One look at a schema, and which object each of its lines is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    pub schema: SchemaFingerprint,
    /// By identity, as in the fingerprint.
    pub objects: BTreeMap<String, Inside>,
}

/// What an object is, whatever it is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inside {
    /// The same as long as it is not made anew.
    pub number: String,
    /// Over what it is made of, without names; empty where the fingerprint says it.
    pub digest: String,
}

/// Columns that the answer of a query depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Their bare names; others may be among them.
    pub names: BTreeSet<String>,
    /// All that its relations have.
    pub all: bool,
}

/// A column of a query's result, by name, and the columns of tables (`schema.table`, column) that its values are.
pub type ResultSources = Vec<(String, Vec<(String, String)>)>;

/// Two long texts from a little before the place where they part.
fn where_they_part(one: &str, other: &str) -> (String, String) {
    const BEFORE: usize = 24;
    const MOST: usize = 120;
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let from =
        if one.chars().count().max(other.chars().count()) > MOST { same.saturating_sub(BEFORE) } else { 0 };
    let cut = |text: &str| {
        let mut rest = text.chars().skip(from);
        let shown: String = rest.by_ref().take(MOST).collect();
        let (start, end) = (if from > 0 { "…" } else { "" }, if rest.next().is_some() { "…" } else { "" });
        format!("{start}{shown}{end}")
    };
    (cut(one), cut(other))
}

/// Content of tables: `schema.table` -> rows and an order-independent hash over named columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataFingerprint {
    pub tables: BTreeMap<String, TableFingerprint>,
    pub digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableFingerprint {
    pub rows: u64,
    pub hash: String,
}

impl DataFingerprint {
    /// Tables present in both with other content, and those present in one only, at most `most` lines.
    pub fn differences(&self, after: &Self, most: usize) -> Vec<String> {
        let mut names: Vec<&String> = self.tables.keys().chain(after.tables.keys()).collect();
        names.sort();
        names.dedup();
        names
            .into_iter()
            .filter_map(|name| match (self.tables.get(name), after.tables.get(name)) {
                (Some(a), Some(b)) if a == b => None,
                (Some(a), Some(b)) if a.rows != b.rows => {
                    Some(format!("{name}: {} rows -> {}", a.rows, b.rows))
                }
                (Some(_), Some(_)) => Some(format!("{name}: content differs")),
                (Some(_), None) => Some(format!("{name}: gone")),
                _ => Some(format!("{name}: new")),
            })
            .take(most)
            .collect()
    }
}

/// What a query takes and gives: types as the engine writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueryShape {
    pub parameters: Vec<String>,
    /// Result columns: name and type.
    pub columns: Vec<(String, String)>,
}

/// How the database means to run a query, whatever its values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlanShape {
    /// By the planner's estimate, in its own unit: good for comparing.
    pub cost: f64,
    /// Tables and partitions that it reads from end to end, as `schema.name`.
    pub whole: BTreeSet<String>,
}

/// What a query comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Relations and routines, as `schema.name`: those it names, views, partitions, what it calls, what triggers call, and
    /// what these name.
    pub uses: BTreeSet<String>,
    pub writes: Vec<Write>,
    /// One per parameter, `$1` first.
    pub roles: Vec<ParameterRole>,
}

/// What the difference of one object between two looks at a schema means for those who use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The relation or routine, as `schema.name`.
    pub subject: String,
    /// Only these columns; empty: all of it.
    pub columns: Vec<String>,
    /// Only when this is done to it.
    pub on: Events,
    pub effect: Effect,
    /// For people: a sentence, or what goes on after the subject.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
}

impl Events {
    pub const ALL: Self = Self { insert: true, update: true, delete: true };

    pub fn of(write: &Write) -> Self {
        let delete = !write.inserts && write.columns.is_empty();
        Self { insert: write.inserts, update: !write.inserts && !delete, delete }
    }
    pub fn meet(self, other: Self) -> bool {
        self.insert && other.insert || self.update && other.update || self.delete && other.delete
    }
}

/// Who may feel a change, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Who writes these columns: what was taken may be refused.
    Refuses,
    /// Who inserts and leaves these columns out: they get another value.
    Default,
    /// Who writes: something else happens besides, or it is refused.
    Writes,
    /// Who deletes, or updates what others refer to: others keep it, or are left behind.
    Keeps,
    /// Who reads: the answer may be another.
    Reads,
    /// Who shows or compares these columns: they may hold what they did not.
    Shows,
    /// Who counts on one row, or on a conflict.
    Key,
    /// Who looks rows up by this column.
    Slower,
    /// Who gives these columns a value: it is refused.
    Generated,
    /// A column came or went: who joins by whatever columns there are.
    Column,
    /// Who calls it, or writes where a trigger does.
    Routine,
    /// It is not there any more: who calls what names it.
    Gone,
    /// Whoever had the right.
    Privilege,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `schema.table`, and its columns.
    pub table: String,
    pub columns: Vec<String>,
    /// What it points to.
    pub parent: String,
    pub theirs: Vec<String>,
}

/// A table that a query writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// `schema.table`
    pub table: String,
    /// Columns it gives values to; empty for an INSERT without a column list and for a DELETE.
    pub columns: Vec<String>,
    pub inserts: bool,
}

/// What the database has seen of its services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub queries: Vec<SeenQuery>,
    /// Texts that were cut off or lost.
    pub unreadable: Vec<String>,
    /// Since when it has been looking, in the engine's words.
    pub since: Option<String>,
}

/// A query that was run, its constants taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenQuery {
    /// One statement with its comments, parameters as `$1`, `$2`, ….
    pub sql: String,
    pub role: String,
    pub calls: u64,
    /// See `query_fingerprint`.
    pub fingerprint: String,
    pub kind: SeenKind,
    pub returns_rows: bool,
    /// The first table of users that it names, without its schema.
    pub table: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenKind {
    Select,
    Insert,
    Update,
    Delete,
    Merge,
    Copy,
}

/// Why the database did not take a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message} ({code})")]
pub struct QueryError {
    /// SQLSTATE or ORA number; `connection` when the connection broke.
    pub code: String,
    pub message: String,
    pub column: Option<String>,
    pub table: Option<String>,
    pub constraint: Option<String>,
}

/// What stands behind a parameter of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterRole {
    /// Compared with this column, or assigned to it by an UPDATE.
    Column { table: String, column: String },
    /// Written into this column by an INSERT.
    Insert { table: String, column: String },
    /// A row count (LIMIT, OFFSET).
    Count,
    /// Anything of its type.
    Free,
}

/// How a query of the traffic ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Its effects stay.
    Commit,
    /// Everything is taken back at once: same locks, same work, no trace.
    Rollback,
}

/// What a query gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryResult {
    pub rows: u64,
    /// The first column of the first row as text, if there is one.
    pub first: Option<String>,
}

/// All that a query gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// As text, in the order they came; the first thousand.
    pub rows: Vec<Vec<Option<String>>>,
    /// Rows given or changed.
    pub count: u64,
}

/// Code of an error that comes of taking a row away first, not of the query.
pub const ROW_STAYS: &str = "row-stays";

/// One time that a query is run to see what it answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// Parameters as text.
    pub values: &'a [Option<String>],
    /// A row that is taken away first, by its table and key: what is inserted may be just that one.
    pub without: Option<(&'a str, &'a [(String, String)])>,
}

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

/// Sessions as seen at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// Sessions that wait for a lock.
    pub blocked: u64,
    /// How long the one that waits longest has waited.
    pub longest_wait: Duration,
    /// Sessions that wait for one of ours (by application name).
    pub blocked_by_us: u64,
    pub longest_wait_for_us: Duration,
    /// Transactions of others open for longer than a second, oldest first.
    pub long_transactions: Vec<LongTransaction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LongTransaction {
    pub pid: i64,
    pub application: String,
    pub seconds: u64,
    /// Relations it holds locks on.
    pub holds: Vec<String>,
}

/// A lock some session of ours holds, as seen while a changeset runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct HeldLock {
    /// `schema.name` of the relation.
    pub relation: String,
    /// The engine's word for the mode.
    pub mode: String,
    /// Whether it blocks readers, only writers, or nobody.
    pub blocks: Blocks,
    /// Milliseconds from first to last sight.
    pub held_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    Nobody,
    Writers,
    Everybody,
}

/// Physical facts from which rewrites and log volume are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Table -> identity of its storage; another one means that it was rewritten.
    pub storage: BTreeMap<String, String>,
    /// Position in the write-ahead (redo) log, bytes.
    pub log_bytes: u64,
}

/// A moment of the source that a copy can be held against: `position` is what `Provider` restores to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// Name of the restore point, where there is one.
    pub name: Option<String>,
    /// LSN or SCN.
    pub position: String,
    /// Whether no transaction ended between the fingerprint's snapshot and this point.
    pub exact: bool,
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
    fn coming_indexes(&self, sql: &[String], catalog: &Catalog) -> BTreeMap<String, Vec<Vec<String>>>;
    /// The names of all hazards that `analyse` may find.
    fn hazards(&self) -> BTreeSet<String>;
    /// One role per parameter, `$1` first.
    fn parameter_roles(&self, sql: &str, catalog: &Catalog) -> Result<Vec<ParameterRole>>;
    /// All that a query comes to use and to write, and what stands behind its parameters, in one look at it.
    fn usage(&self, sql: &str, catalog: &Catalog) -> Result<Usage>;
    /// Foreign keys that a script adds to tables that are there.
    fn references(&self, sql: &str, catalog: &Catalog) -> Result<Vec<Reference>>;
    /// The schema at this moment, with what tells a renamed object from a new one.
    async fn look(&self) -> Result<Look>;
    /// What two looks at a schema tell apart, as far as somebody may feel it though his queries plan.
    fn changes(&self, before: &Look, after: &Look) -> Vec<Change>;
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
    async fn seen_queries(&self) -> Result<Seen>;
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

#[cfg(test)]
mod tests {
    use super::where_they_part;

    #[test]
    fn long_definitions_are_shown_where_they_part() {
        let long = |end: &str| format!("{} {end}", "é".repeat(200));
        let (one, other) = where_they_part(&long("not null"), &long("null"));
        assert_eq!(one, format!("…{} not null", "é".repeat(22)));
        assert_eq!(other, format!("…{} null", "é".repeat(22)));
        assert_eq!(where_they_part("a b", "a c"), ("a b".to_owned(), "a c".to_owned()));
    }
}
