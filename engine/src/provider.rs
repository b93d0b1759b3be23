//! Where backups and clones come from. Kinds of provider live in `provider/`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::database::{Catalog, DataFingerprint, Database, Endpoint, Moment, SchemaFingerprint, Secret};
use crate::error::Result;

pub mod local;

/// Columns with more different values than this tell no kinds apart.
const KINDS: usize = 12;

/// The provider of databases on this machine.
///
/// # Errors
/// `Input` when the programs it needs are missing.
pub async fn embedded() -> Result<Arc<dyn Provider>> {
    Ok(Arc::new(local::Local::find().await?))
}

/// How a backup was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackupMethod {
    /// Physical base backup with its log and a named restore point.
    Physical,
    /// Parallel logical dump of one exported snapshot: the database gives no replication rights.
    Logical,
}

/// A backup that can be restored, with the source's fingerprints at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Backup {
    pub id: String,
    pub method: BackupMethod,
    /// Why it is not physical, for people.
    pub note: Option<String>,
    pub folder: PathBuf,
    pub moment: Moment,
    pub bytes: u64,
    /// What verified it: the name of a program or service.
    pub verified_by: String,
    /// Of the source at `moment`.
    pub schema: SchemaFingerprint,
    pub data: DataFingerprint,
    pub server: String,
}

/// A scratch database with some of production's rows, and who tries things out there.
#[derive(Debug, Clone)]
pub struct Lent {
    /// A template, as the owner of what is in it.
    pub template: Endpoint,
    /// May read and write rows, and nothing else.
    pub user: String,
    pub password: Secret,
    /// Roles it may run queries as: those of services that are known here.
    pub roles: BTreeSet<String>,
    /// By `schema.name`.
    pub tables: BTreeMap<String, Rows>,
}

/// Some rows of a table, all values as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|own| own == column)
    }

    /// One row of each kind, where a column tells few kinds apart.
    pub fn kinds(&self, column: &str) -> Vec<usize> {
        let Some(place) = self.place(column) else { return Vec::new() };
        let mut first: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            first.entry(row.get(place).and_then(Option::as_deref)).or_insert(at);
        }
        if first.len() > KINDS { Vec::new() } else { first.into_values().collect() }
    }

    /// Some rows, in no order that the data could have too.
    pub fn some(&self, most: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.rows.len()).collect();
        places.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
        places.truncate(most);
        places
    }

    /// Rows that hold the least, the greatest and the longest value of a column, and one that holds none.
    pub fn edges(&self, column: &str, numeric: bool) -> Vec<usize> {
        let Some(place) = self.place(column) else { return Vec::new() };
        let value = |row: &[Option<String>]| row.get(place).cloned().flatten();
        let held = || self.rows.iter().enumerate().filter_map(|(at, row)| Some((at, value(row)?)));
        let number = |text: &str| text.parse::<f64>().unwrap_or(0.0);
        let order = |a: &(usize, String), b: &(usize, String)| match numeric {
            true => number(&a.1).total_cmp(&number(&b.1)),
            false => a.1.cmp(&b.1),
        };
        let edges = [
            self.rows.iter().position(|row| value(row).is_none()),
            held().min_by(order).map(|h| h.0),
            held().max_by(order).map(|h| h.0),
            held().max_by_key(|h| h.1.len()).map(|h| h.0),
        ];
        edges.into_iter().flatten().collect()
    }
}

/// Progress of something long, shown to people: a label and, where known, done out of total.
pub type Progress = Arc<dyn Fn(&str, Option<(u64, u64)>) + Send + Sync>;

/// Takes backups and makes databases out of them. Everything it makes lies in the folder it is given, so that a later
/// process finds it; every call may be repeated.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Takes, verifies and describes a backup in `folder`. What an earlier, broken try left there is removed first.
    async fn backup(
        &self,
        database: &dyn Database,
        folder: &Path,
        id: &str,
        progress: Progress,
    ) -> Result<Backup>;
    /// Whether a backup is still where it was put.
    async fn holds(&self, backup: &Backup) -> Result<bool>;
    /// Restores a backup as a database of its own in `folder` and starts it. An earlier one there is replaced.
    async fn restore(
        &self,
        backup: &Backup,
        database: &dyn Database,
        folder: &Path,
        progress: Progress,
    ) -> Result<Endpoint>;
    /// An empty-of-data database with the schema and Liquibase's history of `database`, and its planner statistics where
    /// they can be had; a template from which `fresh_scratch` makes copies in well under a second.
    async fn scratch(&self, database: &dyn Database, folder: &Path, progress: Progress) -> Result<Endpoint>;
    /// A new copy of the scratch template with the given name (replaces an earlier one of that name).
    async fn fresh_scratch(&self, template: &Endpoint, name: &str) -> Result<Endpoint>;
    /// Takes away what changesets made for the whole server in `folder`, as roles are, and with it all copies; says whether there
    /// was anything.
    async fn clear_scratch(&self, folder: &Path) -> Result<bool>;
    /// A second template beside the one that `scratch` made in `folder`: with rows of these tables of production, and with
    /// the rows that they refer to. Reads little, by key, and never for long.
    async fn lend(
        &self,
        database: &dyn Database,
        catalog: &Catalog,
        folder: &Path,
        tables: &BTreeSet<String>,
        progress: Progress,
    ) -> Result<Lent>;
    /// Stops and removes whatever `restore` or `scratch` made in `folder`. Nothing there is no error.
    async fn discard(&self, folder: &Path) -> Result<()>;
    /// Whether the database that lies in `folder` answers; starts it when it is stopped.
    async fn revive(&self, folder: &Path) -> Result<Option<Endpoint>>;
}
