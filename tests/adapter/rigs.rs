//! What the suite needs of a product besides its traits: databases to look at.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use drydock::model::endpoint::Endpoint;
use drydock::product::{self, Database, EmbeddedServer, Product};

use super::sqlite::{Sqlite, create, endpoint};
use crate::support::Home;

#[async_trait]
pub trait Rig: Send + Sync {
    fn product(&self) -> Arc<dyn Product>;
    /// A folder of the test's own.
    fn folder(&self) -> &Path;
    /// A new database, made of a script that every product takes.
    async fn database(&self, name: &str, script: &str) -> Arc<dyn Database>;
    /// Keeps others from writing to a table until what is given is dropped.
    async fn hold(&self, database: &Arc<dyn Database>, table: &str) -> Box<dyn std::any::Any + Send>;
    /// Whether a snapshot tells a renamed object from one that was made anew.
    fn tells_renames(&self) -> bool;
    /// A URL that cannot be read, with a password in it.
    fn broken_url(&self) -> &'static str;
}

pub struct SqliteRig(Home);

impl SqliteRig {
    pub fn new() -> Self {
        Self(Home::new("sqlite"))
    }
}

/// A database file made of a script.
pub async fn sqlite_file(path: PathBuf, script: &str) -> Arc<dyn Database> {
    create(&path).unwrap();
    let database = Sqlite.open(&format!("sqlite://{}", endpoint(&path).database)).unwrap();
    database.execute_script(script).await.unwrap();
    database
}

#[async_trait]
impl Rig for SqliteRig {
    fn product(&self) -> Arc<dyn Product> {
        Arc::new(Sqlite)
    }

    fn folder(&self) -> &Path {
        &self.0.folder
    }

    async fn database(&self, name: &str, script: &str) -> Arc<dyn Database> {
        sqlite_file(self.0.folder.join(format!("{name}.db")), script).await
    }

    async fn hold(&self, database: &Arc<dyn Database>, _table: &str) -> Box<dyn std::any::Any + Send> {
        let connection = rusqlite::Connection::open(&database.endpoint().database).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        Box::new(connection)
    }

    fn tells_renames(&self) -> bool {
        false
    }

    fn broken_url(&self) -> &'static str {
        "sqlite://somebody:geheim@relative"
    }
}

pub struct PostgresRig {
    home: Home,
    endpoint: Endpoint,
}

impl PostgresRig {
    pub async fn new() -> Self {
        let home = Home::new("postgresql");
        let endpoint =
            EmbeddedServer::find().await.unwrap().production(&home.folder.join("production")).await.unwrap();
        Self { home, endpoint }
    }
}

/// Ends its task when it is dropped.
struct Ends(tokio::task::JoinHandle<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[async_trait]
impl Rig for PostgresRig {
    fn product(&self) -> Arc<dyn Product> {
        product::embedded(self.endpoint.clone()).product()
    }

    fn folder(&self) -> &Path {
        &self.home.folder
    }

    async fn database(&self, name: &str, script: &str) -> Arc<dyn Database> {
        let server = product::embedded(self.endpoint.clone());
        server.execute_script(&format!("CREATE DATABASE {name}")).await.unwrap();
        let database = server.at(Endpoint { database: name.to_owned(), ..self.endpoint.clone() });
        database.execute_script(script).await.unwrap();
        database
    }

    async fn hold(&self, database: &Arc<dyn Database>, table: &str) -> Box<dyn std::any::Any + Send> {
        let (holder, tables) = (Arc::clone(database), vec![table.to_owned()]);
        let held = tokio::spawn(async move {
            let time = std::time::Duration::from_secs(60);
            holder.faults().unwrap().lock_tables(&tables, time).await.unwrap();
        });
        let watch = || async { database.activity("nobody").await.unwrap().long_transactions };
        while !watch().await.iter().any(|t| t.holds.iter().any(|name| name == table)) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Box::new(Ends(held))
    }

    fn tells_renames(&self) -> bool {
        true
    }

    fn broken_url(&self) -> &'static str {
        "postgresql://somebody:geheim@host:port/database"
    }
}
