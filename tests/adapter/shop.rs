//! A shop on SQLite with services that use it, and runs of the real engine on it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use drydock::config::Environment;
use drydock::error::Result;
use drydock::model::evidence::Outcome;
use drydock::model::schema::{DataFingerprint, SchemaFingerprint};
use drydock::model::stage::Stage;
use drydock::operations::{Driven, Operations};
use drydock::product::{Database, Products};
use drydock::run::RunOptions;
use drydock::run::drive::Until;
use drydock::watcher::Watcher;

use super::environment;
use super::rigs::sqlite_file;
use super::sqlite::Sqlite;
use crate::support::Home;

const SCHEMA: &str = "
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, fax TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers (id), state TEXT NOT NULL DEFAULT 'new', total REAL);
INSERT INTO customers (id, name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) SELECT i, 'customer ' || i FROM n;
INSERT INTO orders (id, customer, state, total)
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
  SELECT i, 1 + i % 40, CASE i % 3 WHEN 0 THEN 'new' WHEN 1 THEN 'packed' ELSE 'sent' END, i / 4.0 FROM n;
";

/// A service that shows the fax numbers, and one that does not.
pub const NEEDS_FAX: &str = "-- name: Customer :one\nselect id, name, fax from customers where id = @id;\n";
pub const WITHOUT_FAX: &str = "-- name: Customer :one\nselect id, name from customers where id = @id;\n";
const SHIPPING: &str =
    "-- name: Open :many\nselect id, total from orders where state = @state order by id limit @most;
-- name: Take :one\ninsert into orders (id, customer, total) values (@id, @customer, @total) returning id;
-- name: Reprice :execrows\nupdate orders set total = @total where id = @id;\n";

pub struct Shop {
    pub home: Home,
    pub database: Arc<dyn Database>,
    pub environment: Environment,
    /// What was said to the person, in order.
    said: Arc<Said>,
}

/// Hears everything, and does something once the rehearsal is over.
#[derive(Default)]
struct Said {
    notes: Mutex<Vec<String>>,
    after_shadow: Mutex<Option<String>>,
    database: Mutex<String>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watcher for Said {
    fn stage_began(&self, _: Stage) {}
    fn stage_done(&self, stage: Stage, _: f64, text: &str) {
        locked(&self.notes).push(format!("{stage}: {text}"));
        if stage != Stage::Shadow {
            return;
        }
        if let Some(sql) = locked(&self.after_shadow).take() {
            let connection = rusqlite::Connection::open(&*locked(&self.database)).unwrap();
            connection.execute_batch(&sql).unwrap();
        }
    }
    fn stage_failed(&self, stage: Stage, _: f64, text: &str) {
        locked(&self.notes).push(format!("{stage}: {text}"));
    }
    fn progress(&self, _: &str, _: Option<(u64, u64)>) {}
    fn note(&self, text: &str) {
        locked(&self.notes).push(text.to_owned());
    }
}

/// The environment of a shop that lies in a folder.
pub fn environment_of(folder: &Path) -> Environment {
    environment(&folder.join("shop"), &format!("sqlite://{}", folder.join("shop.db").display()))
}

pub fn operations(watcher: Arc<dyn Watcher>) -> Operations {
    Operations { products: Products::default().with(Arc::new(Sqlite)), ..Operations::new(watcher) }
}

impl Shop {
    /// `changes`: changesets in Liquibase's SQL format, without its first line. `fax`: the queries of the service that may need it.
    pub async fn new(name: &str, changes: &str, fax: &str) -> Self {
        let home = Home::new(name);
        let environment = environment_of(&home.folder);
        let database = sqlite_file(home.folder.join("shop.db"), SCHEMA).await;
        let said =
            Arc::new(Said { database: Mutex::new(database.endpoint().database.clone()), ..Said::default() });
        let shop = Self { home, database, environment, said };
        shop.write("changes.sql", &format!("--liquibase formatted sql\n{changes}"));
        shop.write("web/queries.sql", fax);
        shop.write(
            "web/contract.yaml",
            "service: web\nversions:\n  - version: '1.0'\n    queries: [queries.sql]\n",
        );
        shop.write("shipping/queries.sql", SHIPPING);
        shop.write(
            "shipping/contract.yaml",
            "service: shipping\nversions:\n  - version: '2.1'\n    queries: [queries.sql]\n",
        );
        shop
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.environment.changelog_root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Has a script run on production by somebody else once the rehearsal is over.
    pub fn after_shadow(&self, sql: &str) {
        *locked(&self.said.after_shadow) = Some(sql.to_owned());
    }

    pub fn operations(&self) -> Operations {
        operations(self.said.clone())
    }

    pub async fn migrate(&self) -> Driven {
        self.operations().migrate(&self.environment, RunOptions::default(), None, Until::End).await.unwrap()
    }

    pub async fn roll_back(&self, run: Option<&str>) -> Result<Driven> {
        let options = RunOptions { run: run.map(str::to_owned), ..RunOptions::default() };
        self.operations().roll_back(&self.environment, options, None, "by hand".to_owned(), &|_| false).await
    }

    pub async fn execute(&self, sql: &str) {
        self.database.execute_script(sql).await.unwrap();
    }

    pub async fn fingerprints(&self) -> (SchemaFingerprint, DataFingerprint) {
        (
            self.database.schema_fingerprint().await.unwrap(),
            self.database.data_fingerprint(None).await.unwrap(),
        )
    }

    /// Whether the person was told a sentence with these words.
    #[track_caller]
    pub fn was_told(&self, words: &str) {
        let notes = locked(&self.said.notes);
        assert!(notes.iter().any(|note| note.contains(words)), "{words}: {notes:#?}");
    }
}

#[track_caller]
pub fn ended(driven: &Driven, outcome: Outcome) {
    let summary = &driven.record.summary;
    assert_eq!(driven.ended, Some(outcome), "{:?}: {:?}", summary.reason, summary.hint);
    assert!(driven.record.journal_intact);
}
