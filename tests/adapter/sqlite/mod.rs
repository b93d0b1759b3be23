//! SQLite behind the traits of a product: no server, no transactional DDL, no copies of databases, no lock wait under a second.
//!
//! SQLite itself could roll DDL back. Its connections commit each statement here, so that a product that cannot is tried too.

mod analyze;
mod client;
mod dialect;
mod diff;
mod execute;
mod inspect;
mod provider;
mod sessions;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use drydock::error::{Error, Result};
use drydock::model::endpoint::{ClientSettings, Endpoint, JdbcTarget};
use drydock::model::query_syntax::QuerySyntax;
use drydock::product::{Capabilities, Client, Database, Product, Provider, ScratchKind};
use rusqlite::{Connection, OpenFlags};

/// SQLite's name for the schema of the file that is opened.
pub const SCHEMA: &str = "main";
/// How long connections of ours wait for a lock.
const PATIENCE: Duration = Duration::from_secs(5);

const SYNTAX: QuerySyntax = QuerySyntax {
    parameter: '?',
    dollar_quotes: false,
    escape_strings: false,
    nested_comments: false,
    operators_before_at: &[],
    array_slices: false,
    capitals: false,
    code_blocks: false,
    array_search: None,
};

#[derive(Debug, Clone, Copy)]
pub struct Sqlite;

#[async_trait]
impl Product for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["sqlite"]
    }

    fn example(&self) -> &'static str {
        "sqlite:///folder/file.db"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            transactional_ddl: false,
            scratch: ScratchKind::SchemaOnly,
            sample_rows: false,
            // A build without `usleep` waits in whole seconds, and nothing tells which build another process has.
            shortest_lock_wait: Duration::from_secs(1),
            concurrent_index: false,
            plan_costs: false,
            shows_sessions: false,
            prepared_results: false,
            statement_limit: false,
        }
    }

    fn query_syntax(&self) -> &'static QuerySyntax {
        &SYNTAX
    }

    fn open(&self, url: &str) -> Result<Arc<dyn Database>> {
        let path = url.strip_prefix("sqlite://").filter(|path| path.starts_with('/'));
        let path = path
            .ok_or_else(|| Error::input("the URL names no file").hint(format!("use {}", self.example())))?;
        Ok(Arc::new(SqliteFile { endpoint: endpoint(Path::new(path)) }))
    }

    async fn provider(&self) -> Result<Arc<dyn Provider>> {
        Ok(Arc::new(provider::Files))
    }
}

/// One database file.
#[derive(Debug, Clone)]
pub struct SqliteFile {
    endpoint: Endpoint,
}

pub fn endpoint(path: &Path) -> Endpoint {
    Endpoint {
        host: String::new(),
        port: 0,
        database: path.display().to_string(),
        user: String::new(),
        password: None,
        options: Default::default(),
    }
}

impl SqliteFile {
    fn path(&self) -> PathBuf {
        PathBuf::from(&self.endpoint.database)
    }

    /// Works on a connection of its own, where waiting hurts nobody.
    async fn on_connection<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = self.path();
        on_thread(move || work(&mut open(&path)?)).await
    }
}

async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => Err(Error::failed(format!("the work on a database file broke off: {e}"))),
    }
}

/// Opens a database that is there.
fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|e| wrong("the database cannot be opened", e))?;
    connection.busy_timeout(PATIENCE).map_err(|e| wrong("the database cannot be opened", e))?;
    Ok(connection)
}

/// Makes an empty database in which readers and a writer do not wait for one another.
pub fn create(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(|e| wrong("the database cannot be made", e))?;
    connection
        .query_row("PRAGMA journal_mode = wal", [], |row| row.get::<_, String>(0))
        .map_err(|e| wrong("the database cannot be made", e))?;
    Ok(connection)
}

/// SQLite's code of an error, as text.
fn code(error: &rusqlite::Error) -> Option<String> {
    error.sqlite_error().map(|e| e.extended_code.to_string())
}

fn wrong(what: &str, error: rusqlite::Error) -> Error {
    let code = code(&error);
    let wrong = Error::failed(what).because(error);
    match code {
        Some(code) => wrong.code(code),
        None => wrong,
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `main.name` as SQL.
fn quoted_relation(name: &str) -> String {
    quoted(bare(name))
}

/// A name without the schema.
fn bare(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn qualified(name: &str) -> String {
    format!("{SCHEMA}.{name}")
}

#[async_trait]
impl Database for SqliteFile {
    fn product(&self) -> Arc<dyn Product> {
        Arc::new(Sqlite)
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn at(&self, endpoint: Endpoint) -> Arc<dyn Database> {
        Arc::new(Self { endpoint })
    }

    fn jdbc(&self) -> JdbcTarget {
        JdbcTarget {
            url: format!("jdbc:sqlite:{}", self.endpoint.database),
            user: String::new(),
            password: None,
            properties: Default::default(),
            application_property: None,
            transactional_ddl: false,
            role_switch: None,
            message_prefixes: &[],
            message_ends: &[],
            value_states: &[],
            session: Vec::new(),
        }
    }

    async fn client_with(&self, application: &str, settings: &ClientSettings) -> Result<Box<dyn Client>> {
        let (path, wait) = (self.path(), settings.lock_wait);
        let connection = on_thread(move || {
            let connection = open(&path)?;
            if let Some(wait) = wait {
                connection.busy_timeout(wait).map_err(|e| wrong("the database cannot be opened", e))?;
            }
            Ok(connection)
        })
        .await?;
        Ok(Box::new(client::Service::new(&self.path(), application, connection, settings.statement)))
    }
}
