//! A second product proves the seam. `suite` has what any product must keep to, and runs on each of `rigs`; `stages` leads the
//! second product through a whole run, and `failures` through runs that fail half-way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod failures;
mod rigs;
mod shop;
mod sqlite;
mod stages;
mod suite;

use std::path::Path;
use std::sync::Arc;

use drydock::config::{
    BackupSettings, CompatSettings, Environment, GateSettings, LimitSettings, RollbackSettings,
    ShadowSettings, Target, TrafficKind, TrafficSettings,
};
use drydock::model::endpoint::Secret;
use drydock::product::Database;
use rigs::{PostgresRig, SqliteRig};

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_to_the_suite() {
    suite::run(Arc::new(SqliteRig::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_keeps_to_the_suite() {
    suite::run(Arc::new(PostgresRig::new().await)).await;
}

/// An environment whose changelog is `changes.sql` in a folder, beside the contracts.
fn environment(folder: &Path, url: &str) -> Environment {
    Environment {
        name: "adapter".to_owned(),
        target: Target::Url(Secret::new(url)),
        liquibase: Default::default(),
        changelog_root: folder.to_path_buf(),
        changelog_file: "changes.sql".to_owned(),
        contracts: folder.to_path_buf(),
        contexts: String::new(),
        labels: String::new(),
        keep_backups: 2,
        backup: BackupSettings::default(),
        limits: LimitSettings::default(),
        // A machine that is busy with other tests is slow, and that is no breach.
        gates: GateSettings { settle_seconds: 0.6, p99_ms: 20_000.0, ..GateSettings::default() },
        rollback: RollbackSettings::default(),
        compat: CompatSettings::default(),
        shadow: ShadowSettings::default(),
        traffic: TrafficSettings { rate: 40.0, connections: 3, kind: TrafficKind::Rehearse, seed: 7 },
        home: folder.join("home"),
        journal: None,
    }
}

/// The name of a table with its schema, whatever the product calls that.
async fn named(database: &dyn Database, table: &str) -> String {
    let catalog = database.catalog().await.unwrap();
    let end = format!(".{table}");
    catalog.tables.keys().find(|name| name.ends_with(&end)).unwrap_or_else(|| panic!("no {table}")).clone()
}
