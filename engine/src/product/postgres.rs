//! PostgreSQL, 13 and later.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::change::{Change, Reference};
use crate::model::changeset::{Backfill, Statement};
use crate::model::column_type::ColumnType;
use crate::model::data_at_risk::{AtRisk, Taken};
use crate::model::difference::DefinitionChange;
use crate::model::endpoint::{ClientSettings, Endpoint, JdbcTarget, Limits, UNIX_SOCKET_FACTORY};
use crate::model::error_class::ErrorClass;
use crate::model::history::OtherHistory;
use crate::model::kept::{Kept, PutBack};
use crate::model::preflight::{Fact, Finding, ServerDisk};
use crate::model::query::{Reads, ResultFacts, Usage};
use crate::model::query_syntax::{ArraySearch, QuerySyntax};
use crate::model::resolved::{Resolved, RoutineNames};
use crate::model::row_writer::RowWriter;
use crate::model::schema::{DataFingerprint, SchemaFingerprint, SchemaSnapshot, WriteMark};
use crate::model::server::{Footprint, LogPosition, ServerInfo};
use crate::model::session::{Activity, LiquibaseLock, Wait};
use crate::model::session_defaults::SessionDefaults;
use crate::model::statement_stats::StatementStats;
use crate::model::value::Value;
use crate::product::{
    self, Analyze, Batch, Capabilities, Claim, Client, Database, Dialect, Execute, FaultInjection, Harvest,
    Inspect, Keep, KeepOptions, LockWatch, Provider, PutBackOptions, Renewed, Resolve, ScratchKind, Sessions,
    ToKeep, Trial,
};
use diff::objects::Spelled;
use diff::{beside, definition_change, fingerprint, objects};
use hazards::analyse;
use queries::{column_types, parameters, reads, references, uses, value_texts};
use server::connect::{INSPECT, KEEP, NAMES, WATCH};
use server::connection::Connection;
use server::known_schema::KnownSchema;
use server::relations::Relations;
use server::resolve::Listener;
use server::routine_names::Bodies;
use server::session::{self, LockWait};
use server::{
    activity, batch, catalog, choice, claim, client, connect, data_at_risk, error_codes, facts, keep, pooler,
    preflight, routine_names, row_writers, session_defaults, statement_stats, tls, trial, url,
};

pub(crate) use diff::fingerprint::begin;
use server::batch::Droppable;
pub(crate) use server::batch::text_rows;
pub(crate) use server::client::copy_row;
pub(crate) use server::connect::{ServerContext, literal, quoted, quoted_relation};

/// SQL that gives the name of a relation or type as `model::relation_name` has it.
macro_rules! qualified_sql {
    ($schema:literal, $name:literal) => {
        concat!(
            "(CASE WHEN ",
            $schema,
            " ~ '[.\"]' THEN quote_ident(",
            $schema,
            ") ELSE ",
            $schema,
            "::text END || '.' || ",
            "CASE WHEN ",
            $name,
            " ~ '[.\"]' THEN quote_ident(",
            $name,
            ") ELSE ",
            $name,
            "::text END)"
        )
    };
}

/// SQL that holds for schemas of users. It leaves out the server's own, and the one of what is kept aside (`server/keep.rs`): no
/// comparison of schemas or rows may see that.
macro_rules! users_sql {
    ($schema:literal) => {
        concat!($schema, " !~ '^(pg_|drydock_kept$)' AND ", $schema, " <> 'information_schema'")
    };
}

#[macro_use]
mod liquibase_tables;
mod diff;
mod grammar;
mod hazards;
pub mod local;
mod queries;
mod server;

/// The oldest version we know.
const OLDEST: u32 = 13;
/// SQL that makes what follows in a transaction be done as another role.
const ROLE_SWITCH: &str =
    r"\bset\s+(local\s+)?(role|session\s+authorization)\b|\bset_config\s*\(\s*'(role|session_authorization)'";
/// <https://www.postgresql.org/docs/current/sql-syntax-lexical.html>. Operators are those with an `@` inside or at the end; none of
/// them ends with `=`, `>` or `|` in front of it.
const QUERY_SYNTAX: QuerySyntax = QuerySyntax {
    parameter: '$',
    dollar_quotes: true,
    escape_strings: true,
    nested_comments: true,
    operators_before_at: &["<", "@", "&", "!", "?", "#", "^", "@-"],
    array_slices: true,
    capitals: false,
    code_blocks: false,
    array_search: Some(ArraySearch { any: "= ANY (", none: "<> ALL (" }),
};
/// The host in URLs of sockets, which JDBC insists on. Nobody can have it (RFC 6761).
const NO_ADDRESS: &str = "socket.invalid";
const READ: &str = "cannot read the schema";
/// How long a server may take to start once it listens.
const STARTING: Duration = Duration::from_secs(60);

/// PostgreSQL as a product.
#[derive(Debug, Clone, Copy)]
pub struct Product;

#[async_trait]
impl product::Product for Product {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["postgres", "postgresql"]
    }

    fn example(&self) -> &'static str {
        "postgresql://user@host:5432/database"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            transactional_ddl: true,
            scratch: ScratchKind::Copies,
            sample_rows: true,
            shortest_lock_wait: Duration::from_millis(1),
            concurrent_index: true,
            plan_costs: true,
            shows_sessions: true,
            prepared_results: true,
            statement_limit: true,
        }
    }

    fn query_syntax(&self) -> &'static QuerySyntax {
        &QUERY_SYNTAX
    }

    fn open(&self, url: &str) -> Result<Arc<dyn Database>> {
        Ok(Arc::new(Postgres::from_url(url)?))
    }

    async fn reach(&self, url: &str) -> Result<(Arc<dyn Database>, Option<Finding>)> {
        let servers = url::parse_servers(url)?;
        if servers.len() < 2 {
            return Ok((self.open(url)?, None));
        }
        let (server, finding) = choice::choose(&servers, STARTING).await?;
        Ok((Arc::new(Postgres::from_endpoint(server)), Some(finding)))
    }

    async fn provider(&self) -> Result<Arc<dyn Provider>> {
        Ok(Arc::new(local::Local::find().await?))
    }
}

/// A server, a database in it, and the connections we keep there.
#[derive(Clone)]
pub struct Postgres {
    endpoint: Endpoint,
    /// The server is one of ours: a copy, a clone.
    ours: bool,
    shared: Arc<Shared>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// What copies of one `Postgres` have in common.
#[derive(Default)]
pub(crate) struct Shared {
    /// Idle connections by application name. One is taken out while it is used, and does not come back when its user was
    /// cancelled half-way: it may be inside a transaction.
    idle: Mutex<HashMap<String, Vec<Connection>>>,
    spelled: Spelled,
    /// What the last look at the schema has read.
    known: Mutex<Option<KnownSchema>>,
    /// A session that shows how the server reads queries, while nobody uses it.
    listener: Mutex<Option<Listener>>,
    /// The names in the bodies of routines.
    bodies: Bodies,
}

impl Postgres {
    /// Reads a URL; nothing is reached yet.
    ///
    /// # Errors
    /// `Input` when it cannot be read.
    pub fn from_url(url: &str) -> Result<Self> {
        Ok(Self::from_endpoint(url::parse_url(url)?))
    }

    pub fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint, ours: false, shared: Arc::default() }
    }

    /// A new connection. Application names that do not begin as those of a run are not ended with it.
    pub(crate) async fn connect(&self, application: &str) -> Result<tokio_postgres::Client> {
        connect::connect(&self.endpoint, application, LockWait::Short).await
    }

    /// A server that listens and is starting up, or recovering from a crash, is waited for.
    async fn started(&self) -> Result<()> {
        let begun = std::time::Instant::now();
        let starting_up = |code: &str| error_codes::class(code) == ErrorClass::StartingUp;
        loop {
            match connect::connect_only(&self.endpoint, INSPECT, LockWait::Short).await {
                Err(e) if e.code.as_deref().is_some_and(starting_up) && begun.elapsed() < STARTING => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(e) if pooler::is_refusal(&e) => return Ok(()),
                reached => return reached.map(|_| ()),
            }
        }
    }

    /// An idle connection of this name, or a new one.
    pub(crate) async fn take(&self, application: &str) -> Result<Connection> {
        loop {
            let idle = {
                let mut all = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner);
                all.get_mut(application).and_then(Vec::pop)
            };
            match idle {
                Some(client) if client.is_closed() => {}
                Some(client) => return Ok(client),
                None => return Ok(Connection::new(self.connect(application).await?, self.ours)),
            }
        }
    }

    /// For the next one to take: no transaction may be open in it.
    pub(crate) fn give_back(&self, application: &str, client: Connection) {
        if !client.is_closed() {
            let mut all = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(application.to_owned()).or_default().push(client);
        }
    }

    pub(crate) async fn major(client: &tokio_postgres::Client) -> Result<u32> {
        let row =
            client.query_typed_one("SELECT current_setting('server_version_num')::int4 / 10000", &[]).await;
        let major: i32 =
            row.and_then(|r| r.try_get(0)).server_context("cannot ask for the server's version")?;
        Ok(u32::try_from(major).unwrap_or(0))
    }

    /// The schema's fingerprint, and the open transaction that it was taken in.
    async fn fingerprint(&self) -> Result<(SchemaFingerprint, Connection)> {
        let client = self.take(INSPECT).await?;
        let major = Self::major(&client).await?;
        fingerprint::begin(&client, None).await?;
        Ok((self.schema(&client, major).await?, client))
    }

    /// The schema's fingerprint in the open transaction.
    async fn schema(&self, client: &Connection, major: u32) -> Result<SchemaFingerprint> {
        let lines = objects::lines(client, major, &self.shared.spelled, &Relations::All, true).await?;
        let beside = beside::read(client).await?;
        Ok(SchemaFingerprint { beside, ..objects::fingerprint_of(lines) })
    }

    async fn put_back(&self, client: Connection) -> Result<()> {
        client.batch_execute("ROLLBACK").await.server_context(READ)?;
        self.give_back(INSPECT, client);
        Ok(())
    }

    async fn data(&self, scope: fingerprint::Scope<'_>) -> Result<DataFingerprint> {
        let (a, b) = futures::try_join!(self.connect(INSPECT), self.connect(INSPECT))?;
        let major = Self::major(&a).await?;
        fingerprint::begin(&a, None).await?;
        let snapshot = fingerprint::export(&a).await?;
        fingerprint::begin(&b, Some(&snapshot)).await?;
        fingerprint::data((&a, &b), major, scope).await
    }

    /// Both fingerprints under an exported snapshot, which stays the caller's to hold.
    ///
    /// # Errors
    /// As of `data_fingerprint`.
    pub(crate) async fn fingerprints_at(
        &self,
        snapshot: &str,
    ) -> Result<(SchemaFingerprint, DataFingerprint)> {
        let (a, b) = futures::try_join!(self.take(INSPECT), self.connect(INSPECT))?;
        let major = Self::major(&a).await?;
        fingerprint::begin(&a, Some(snapshot)).await?;
        fingerprint::begin(&b, Some(snapshot)).await?;
        Ok((
            self.schema(&a, major).await?,
            fingerprint::data((&a, &b), major, fingerprint::Scope::default()).await?,
        ))
    }
}

#[async_trait]
impl Database for Postgres {
    fn product(&self) -> Arc<dyn product::Product> {
        Arc::new(Product)
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn at(&self, endpoint: Endpoint) -> Arc<dyn Database> {
        Arc::new(Self { ours: true, ..Self::from_endpoint(endpoint) })
    }

    fn jdbc(&self) -> JdbcTarget {
        let e = &self.endpoint;
        let host = match e.host.as_str() {
            h if h.starts_with('/') => NO_ADDRESS.to_owned(),
            h if h.contains(':') => format!("[{h}]"),
            h => h.to_owned(),
        };
        let database = utf8_percent_encode(&e.database, NON_ALPHANUMERIC);
        let option = |name: &str| e.options.get(name).cloned();
        let mut properties: BTreeMap<String, String> = [(
            "options".to_owned(),
            session::options(e.options.get("options").map(String::as_str), LockWait::Short),
        )]
        .into();
        for (ours, theirs) in [
            ("sslmode", "sslmode"),
            ("sslrootcert", "sslrootcert"),
            ("sslcert", "sslcert"),
            ("sslkey", "sslkey"),
            ("channel_binding", "channelBinding"),
            ("connect_timeout", "connectTimeout"),
        ] {
            properties.extend(option(ours).map(|value| (theirs.to_owned(), value)));
        }
        let kind = match option(choice::ATTRIBUTES).as_deref() {
            Some("read-write" | "primary") => Some("primary"),
            Some("read-only" | "standby") => Some("secondary"),
            _ => None,
        };
        properties.extend(kind.map(|kind| ("targetServerType".to_owned(), kind.to_owned())));
        if let Some(key) = e.options.get("sslkey") {
            let algorithm = tls::key_algorithm(std::path::Path::new(key));
            properties.insert("pemKeyAlgorithm".to_owned(), algorithm.to_owned());
        }
        // The server's details quote values of rows.
        properties.insert("logServerErrorDetail".to_owned(), "false".to_owned());
        let mut url = format!("jdbc:postgresql://{host}:{}/{database}", e.port);
        if e.host.starts_with('/') {
            // In the URL, where changes of the changelog's authors find it: they must not come to another server by it.
            let path = format!("{}/.s.PGSQL.{}", e.host, e.port);
            let path = utf8_percent_encode(&path, NON_ALPHANUMERIC);
            url.push_str(&format!("?socketFactory={UNIX_SOCKET_FACTORY}&socketFactoryArg={path}"));
            // libpq does not ask for encryption on a socket either.
            properties.insert("sslmode".to_owned(), "disable".to_owned());
        }
        JdbcTarget {
            url,
            user: e.user.clone(),
            password: e.password.clone(),
            properties,
            application_property: Some("ApplicationName"),
            transactional_ddl: true,
            role_switch: Some(ROLE_SWITCH),
            message_prefixes: &["ERROR: "],
            message_ends: &[],
            value_states: &["22"],
            session: vec![session::LATER_LIMITS.to_owned()],
        }
    }

    async fn client_with(&self, application: &str, settings: &ClientSettings) -> Result<Box<dyn Client>> {
        let client = connect::connect(&self.endpoint, application, LockWait::Unlimited).await?;
        client::settings::set_own(&client, &settings.settings).await;
        let settings = client::settings::statements(settings);
        if !settings.is_empty() {
            client.batch_execute(&settings).await.server_context("cannot set up the session")?;
        }
        Ok(Box::new(client::Service::new(client)))
    }

    fn harvest(&self) -> Option<&dyn Harvest> {
        Some(self)
    }

    fn faults(&self) -> Option<&dyn FaultInjection> {
        Some(self)
    }

    fn keep(&self) -> Option<&dyn Keep> {
        Some(self)
    }

    fn resolve(&self) -> Option<&dyn Resolve> {
        Some(self)
    }
}

impl Dialect for Postgres {
    fn statements(&self, sql: &[String], catalog: &Catalog) -> Result<Vec<Statement>> {
        analyse::analyse(sql, catalog)
    }

    fn unread_statement(&self, sql: &str, catalog: &Catalog) -> Option<Statement> {
        Some(analyse::unread(sql, catalog))
    }

    fn pending_indexes(&self, sql: &[String], catalog: &Catalog) -> BTreeMap<String, Vec<Vec<String>>> {
        analyse::pending_indexes(sql, catalog)
    }

    fn hazards(&self) -> BTreeSet<String> {
        hazards::names()
    }

    fn foreign_keys(&self, sql: &str, catalog: &Catalog) -> Result<Vec<Reference>> {
        references::added(sql, catalog)
    }

    fn spell_out(&self, sql: &str, catalog: &Catalog) -> Result<String> {
        parameters::spell_out(sql, catalog)
    }

    fn query_fingerprint(&self, sql: &str) -> Result<String> {
        statement_stats::fingerprint(sql)
    }

    fn placeholder(&self, number: usize) -> String {
        QUERY_SYNTAX.placeholder(number)
    }

    fn column_type(&self, text: &str) -> ColumnType {
        column_types::column_type(text)
    }

    fn value_text(&self, value: &Value) -> String {
        value_texts::text(value)
    }

    fn definition_change(&self, object: &str, before: &str, after: &str) -> DefinitionChange {
        definition_change::read(object, before, after)
    }

    fn error_class(&self, code: &str) -> ErrorClass {
        error_codes::class(code)
    }
}

#[async_trait]
impl Analyze for Postgres {
    async fn queries(&self, sql: &[&str], catalog: &Catalog) -> Vec<Result<Usage>> {
        beside(sql, catalog, uses::usage).await
    }

    async fn results(&self, sql: &[&str], catalog: &Catalog) -> Vec<Result<ResultFacts>> {
        beside(sql, catalog, |sql, catalog| {
            let Ok(reads) = reads::reads(sql) else { return Ok(unread_result()) };
            Ok(ResultFacts { reads, sources: parameters::result_sources(sql, catalog)? })
        })
        .await
    }
}

#[async_trait]
impl Resolve for Postgres {
    async fn session_defaults(&self, roles: &[&str]) -> Result<BTreeMap<String, SessionDefaults>> {
        let client = self.take(INSPECT).await?;
        let defaults = session_defaults::read(&client, roles).await?;
        self.give_back(INSPECT, client);
        Ok(defaults)
    }

    async fn names(&self, sql: &[&str], session: Option<&SessionDefaults>) -> Result<Vec<Option<Resolved>>> {
        let idle = self.shared.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut listener = match idle.filter(|listener| !listener.client.is_closed()) {
            Some(listener) => listener,
            None => {
                Listener::begin(connect::connect_hearing(&self.endpoint, NAMES, LockWait::Short).await?)
                    .await?
            }
        };
        let client = self.take(INSPECT).await?;
        let names = listener.names(sql, session, &client).await?;
        self.give_back(INSPECT, client);
        *self.shared.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
        Ok(names)
    }

    async fn routine_names(
        &self,
        routines: &[&str],
        session: Option<&SessionDefaults>,
    ) -> Result<BTreeMap<String, RoutineNames>> {
        let client = self.take(NAMES).await?;
        let names = routine_names::read(&client, routines, session, &self.shared.bodies).await?;
        self.give_back(NAMES, client);
        Ok(names)
    }
}

/// The answer of a query that the grammar does not take may depend on all that there is.
fn unread_result() -> ResultFacts {
    ResultFacts { reads: Reads { all: true, ..Reads::default() }, ..ResultFacts::default() }
}

/// Reads queries with the grammar, beside whatever else is waited for.
async fn beside<T: Send + 'static>(
    sql: &[&str],
    catalog: &Catalog,
    read: impl Fn(&str, &Catalog) -> Result<T> + Send + 'static,
) -> Vec<Result<T>> {
    let count = sql.len();
    let queries: Vec<String> = sql.iter().map(|sql| (*sql).to_owned()).collect();
    let catalog = catalog.clone();
    let task = tokio::task::spawn_blocking(move || queries.iter().map(|sql| read(sql, &catalog)).collect());
    match task.await {
        Ok(facts) => facts,
        Err(e) => (0..count).map(|_| Err(Error::failed(format!("queries cannot be read: {e}")))).collect(),
    }
}

#[async_trait]
impl Inspect for Postgres {
    async fn preflight(&self) -> Result<Vec<Fact>> {
        self.started().await?;
        preflight::read(&self.endpoint).await
    }

    async fn server(&self) -> Result<ServerInfo> {
        self.started().await?;
        let client = self.take(INSPECT).await?;
        let info = facts::read(&client, &self.endpoint).await?;
        self.give_back(INSPECT, client);
        if info.major < OLDEST {
            return Err(Error::input(format!("{} is too old", info.version))
                .hint(format!("PostgreSQL {OLDEST} is the oldest version that works")));
        }
        Ok(info)
    }

    async fn catalog(&self) -> Result<Catalog> {
        self.catalog_of(&Relations::All, true).await
    }

    async fn schema_fingerprint(&self) -> Result<SchemaFingerprint> {
        let (schema, client) = self.fingerprint().await?;
        self.put_back(client).await?;
        Ok(schema)
    }

    async fn data_fingerprint(&self, tables: Option<&[String]>) -> Result<DataFingerprint> {
        self.data(fingerprint::Scope { tables, untouched_since: None }).await
    }

    async fn write_mark(&self) -> Result<Option<WriteMark>> {
        let client = self.take(INSPECT).await?;
        let row = client.query_typed_one("SELECT pg_current_xact_id()::xid::text", &[]).await;
        let mark = row.and_then(|row| row.try_get(0)).server_context("cannot mark the moment")?;
        self.give_back(INSPECT, client);
        Ok(Some(WriteMark(mark)))
    }

    async fn untouched_since(&self, tables: &[String], mark: &WriteMark) -> Result<DataFingerprint> {
        self.data(fingerprint::Scope { tables: Some(tables), untouched_since: Some(mark) }).await
    }

    async fn row_writers(&self) -> Result<Vec<RowWriter>> {
        let client = self.take(INSPECT).await?;
        let writers = row_writers::read(&client).await?;
        self.give_back(INSPECT, client);
        Ok(writers)
    }

    async fn histories(&self) -> Result<Vec<OtherHistory>> {
        let client = self.take(INSPECT).await?;
        let histories = preflight::histories(&client).await?;
        self.give_back(INSPECT, client);
        Ok(histories)
    }

    async fn snapshot(&self) -> Result<SchemaSnapshot> {
        self.whole_snapshot().await
    }

    async fn catalog_and_snapshot(&self) -> Result<(Arc<Catalog>, Arc<SchemaSnapshot>)> {
        // A look that is cut off leaves nothing, and the next one reads everything.
        let last = self.shared.known.lock().unwrap_or_else(PoisonError::into_inner).take();
        let known = self.renewed(last).await?;
        let both = (Arc::clone(&known.catalog), Arc::clone(&known.snapshot));
        *self.shared.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(both)
    }

    fn diff(&self, before: &SchemaSnapshot, after: &SchemaSnapshot) -> Vec<Change> {
        diff::between(before, after)
    }

    async fn rows(&self, table: &str, most: u32) -> Result<(Vec<String>, Vec<Vec<Option<String>>>)> {
        let client = self.take(INSPECT).await?;
        let sql = format!("SELECT * FROM {} LIMIT {most}", quoted_relation(table));
        let rows = batch::text_rows(&client, &sql).await;
        self.give_back(INSPECT, client);
        rows
    }

    async fn samples(&self, table: &str, column: &str, most: u32) -> Result<Vec<String>> {
        let client = self.take(INSPECT).await?;
        let samples = catalog::samples(&client, table, column, most).await?;
        self.give_back(INSPECT, client);
        Ok(samples)
    }

    async fn count_present(&self, table: &str, column: &str, values: &[String]) -> Result<u64> {
        let client = self.take(INSPECT).await?;
        let present = batch::count_present(&client, table, column, values).await?;
        self.give_back(INSPECT, client);
        Ok(present)
    }

    async fn data_at_risk(&self, statements: &[&Statement], limit: Duration) -> Result<Vec<Vec<AtRisk>>> {
        let client = self.take(INSPECT).await?;
        let risks = data_at_risk::read(&client, statements, limit).await;
        self.give_back(INSPECT, client);
        Ok(risks)
    }

    async fn disk(&self) -> Result<Option<ServerDisk>> {
        let client = self.take(INSPECT).await?;
        let disk = facts::disk(&client).await;
        self.give_back(INSPECT, client);
        Ok(Some(disk))
    }

    async fn log_position(&self) -> Result<Option<LogPosition>> {
        let client = self.take(INSPECT).await?;
        let position = facts::log_position(&client).await?;
        self.give_back(INSPECT, client);
        Ok(Some(position))
    }

    async fn footprint(&self) -> Result<Footprint> {
        let client = self.take(INSPECT).await?;
        let footprint = facts::footprint(&client).await?;
        self.give_back(INSPECT, client);
        Ok(footprint)
    }
}

#[async_trait]
impl Sessions for Postgres {
    async fn claim(&self, name: &str) -> Result<Option<Box<dyn Claim>>> {
        let claim = claim::Claim::take(self.connect(connect::CLAIM).await?, name).await?;
        Ok(claim.map(|c| Box::new(c) as Box<dyn Claim>))
    }

    async fn end_sessions(&self, application_prefix: &str) -> Result<u64> {
        let client = self.take(INSPECT).await?;
        let ended = claim::end_sessions(&client, application_prefix).await?;
        self.give_back(INSPECT, client);
        Ok(ended)
    }

    async fn activity(&self, ours: &str) -> Result<Activity> {
        let client = self.take(INSPECT).await?;
        let activity = activity::read(&client, ours).await?;
        self.give_back(INSPECT, client);
        Ok(activity)
    }

    async fn waits(&self) -> Result<Vec<Wait>> {
        let client = self.take(WATCH).await?;
        let waits = activity::waits(&client).await?;
        self.give_back(WATCH, client);
        Ok(waits)
    }

    async fn cancel(&self, application: &str) -> Result<()> {
        let client = self.take(WATCH).await?;
        activity::cancel(&client, application).await?;
        self.give_back(WATCH, client);
        Ok(())
    }

    async fn watch_locks(&self, application: &str) -> Result<Box<dyn LockWatch>> {
        activity::watch_locks(self.connect(INSPECT).await?, application.to_owned()).await
    }

    async fn liquibase_alive(&self, lock: &LiquibaseLock, ours: &str) -> Result<bool> {
        let client = self.take(INSPECT).await?;
        let alive = activity::liquibase_alive(&client, lock, ours).await?;
        self.give_back(INSPECT, client);
        Ok(alive)
    }
}

#[async_trait]
impl Execute for Postgres {
    fn session_setup(&self, limits: &Limits, application: &str) -> Vec<String> {
        let ms = |limit: Option<Duration>| limit.map_or(0, |d| d.as_millis().max(1));
        vec![
            "SET default_transaction_read_only = off".into(),
            format!("SET application_name = {}", literal(application)),
            format!("SET lock_timeout = {}", ms(limits.lock_wait)),
            format!("SET statement_timeout = {}", ms(limits.statement)),
            "SET idle_in_transaction_session_timeout = '60s'".into(),
            // When we die, a statement of ours must not go on for hours. Before 14 there is no such setting, and setting it
            // through the list of settings is no error then.
            "SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'".into(),
        ]
    }

    async fn before_retry(&self, index: &str) -> Result<bool> {
        let client = self.take(INSPECT).await?;
        let dropped = batch::drop_index(&client, index, Droppable::Invalid).await?;
        self.give_back(INSPECT, client);
        Ok(dropped)
    }

    async fn has_index(&self, index: &str) -> Result<bool> {
        let client = self.take(INSPECT).await?;
        let has = batch::has_index(&client, index).await?;
        self.give_back(INSPECT, client);
        Ok(has)
    }

    async fn drop_index(&self, index: &str) -> Result<()> {
        let client = self.take(INSPECT).await?;
        batch::drop_index(&client, index, Droppable::Any).await?;
        self.give_back(INSPECT, client);
        Ok(())
    }

    async fn backfill_batch(
        &self,
        backfill: &Backfill,
        after: Option<&str>,
        size: u32,
        application: &str,
        lock_wait: Duration,
    ) -> Result<Option<Batch>> {
        let client = self.take(application).await?;
        let batch = batch::run(&client, backfill, after, size, lock_wait).await;
        // After an error the transaction is still open there, and the connection is let go with it.
        if batch.is_ok() {
            self.give_back(application, client);
        }
        batch
    }

    async fn try_out(&self, statements: &[&str], limit: Duration, application: &str) -> Result<Trial> {
        // A session as Liquibase has one: the settings of ours would give names another meaning.
        trial::run(&self.connect(application).await?, statements, limit).await
    }

    async fn refresh_statistics(&self, tables: &[String], rewritten: &[String]) -> Result<()> {
        let client = self.take(INSPECT).await?;
        let names = |all: &[String]| all.iter().map(|t| quoted_relation(t)).collect::<Vec<_>>().join(", ");
        // A rewritten table also lacks the map by which an index alone answers.
        for (verb, tables) in [("ANALYZE", tables), ("VACUUM (ANALYZE)", rewritten)] {
            if !tables.is_empty() {
                let sql = format!("{verb} {}", names(tables));
                client.batch_execute(&sql).await.server_context("cannot renew the planner's statistics")?;
            }
        }
        self.give_back(INSPECT, client);
        Ok(())
    }

    async fn execute_script(&self, sql: &str) -> Result<()> {
        batch::script(&self.connect(INSPECT).await?, sql).await
    }
}

#[async_trait]
impl Harvest for Postgres {
    async fn statement_stats(&self) -> Result<StatementStats> {
        let catalog = self.catalog().await?;
        let client = self.take(INSPECT).await?;
        let seen = statement_stats::read(&client, &catalog).await?;
        self.give_back(INSPECT, client);
        Ok(seen)
    }
}

/// Each act has a session of its own: an error leaves a transaction open in it.
#[async_trait]
impl Keep for Postgres {
    async fn takes(&self, statement: &Statement) -> Result<Vec<Taken>> {
        let client = self.take(INSPECT).await?;
        let taken = data_at_risk::takes(&client, statement).await;
        self.give_back(INSPECT, client);
        Ok(taken)
    }

    async fn kept(&self, run: Option<&str>) -> Result<Vec<Kept>> {
        let client = self.take(INSPECT).await?;
        let kept = keep::kept_of(&client, run).await?;
        self.give_back(INSPECT, client);
        Ok(kept)
    }

    async fn keep(&self, thing: ToKeep<'_>, options: KeepOptions<'_>) -> Result<Kept> {
        keep::keep(&self.connect(KEEP).await?, thing, options).await
    }

    async fn renew(&self, thing: ToKeep<'_>, kept: &Kept, options: KeepOptions<'_>) -> Result<Renewed> {
        keep::renew(&self.connect(KEEP).await?, thing, kept, options).await
    }

    async fn put_back(&self, kept: &[Kept], options: PutBackOptions<'_>) -> Result<Vec<PutBack>> {
        keep::put_back(&self.connect(options.application).await?, kept, options).await
    }

    async fn drop_kept(&self, kept: &[Kept]) -> Result<()> {
        keep::drop_kept(&self.connect(KEEP).await?, kept).await
    }
}

#[async_trait]
impl FaultInjection for Postgres {
    async fn lock_tables(&self, tables: &[String], time: Duration) -> Result<()> {
        let tables: Vec<String> = tables.iter().map(|t| connect::quoted_relation(t)).collect();
        let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", "));
        let sql = format!("BEGIN; {lock}; SELECT pg_sleep({}); COMMIT", time.as_secs_f64());
        batch::script(&self.connect("somebody else").await?, &sql).await
    }

    fn failing_session(&self) -> Vec<String> {
        // An error that no retry mends; the next `session_limits` takes it back.
        vec!["SET default_transaction_read_only = on".to_owned()]
    }
}
