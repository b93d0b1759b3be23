//! What a restore of production from the backup of a run takes, and what came of it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::BeforeAfter;
use super::schema::{DataFingerprint, TableFingerprint};

/// Why a backup cannot take the place of production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "hindrance")]
pub enum Hindrance {
    /// The user may not make databases on the server.
    MayNotCreate { user: String },
    /// It does not own the database.
    DoesNotOwn { user: String, owner: String },
    /// The backup has nothing of these schemas, which the user may not look into.
    ClosedSchemas { schemas: Vec<String> },
    /// They belong to this database, and would stay with the old one.
    Subscriptions { names: Vec<String> },
    /// Whoever reads the log through them reads that of the old one.
    ReplicationSlots { names: Vec<String> },
    /// Transactions that a coordinator has prepared keep the database from being renamed.
    PreparedTransactions { count: u64 },
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MayNotCreate { user } => write!(f, "the user {user} may not create databases"),
            Self::DoesNotOwn { user, owner } => {
                write!(f, "the database belongs to {owner}, of which {user} is no member")
            }
            Self::ClosedSchemas { schemas } => {
                write!(f, "the backup has nothing of the schemas {}", schemas.join(", "))
            }
            Self::Subscriptions { names } => {
                write!(f, "the database has the subscriptions {}, which cannot move", names.join(", "))
            }
            Self::ReplicationSlots { names } => {
                write!(f, "the database has the replication slots {}, which cannot move", names.join(", "))
            }
            Self::PreparedTransactions { count } => write!(f, "there are {count} prepared transactions"),
        }
    }
}

/// A table whose rows are not those of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WritesSince {
    /// `schema.table`.
    pub table: String,
    /// Rows in the backup; `None`: it is not there.
    pub then: Option<u64>,
    /// Rows now; `None`: it is not there.
    pub now: Option<u64>,
}

impl WritesSince {
    /// Every table that differs.
    pub fn between(then: &DataFingerprint, now: &DataFingerprint) -> Vec<Self> {
        let names =
            then.tables.keys().chain(now.tables.keys().filter(|name| !then.tables.contains_key(*name)));
        let differs = |name: &String| {
            let (was, is) = (then.tables.get(name), now.tables.get(name));
            let rows = |table: Option<&TableFingerprint>| table.map(|t| (t.rows, t.hash.clone()));
            (rows(was) != rows(is)).then(|| Self {
                table: name.clone(),
                then: was.map(|table| table.rows),
                now: is.map(|table| table.rows),
            })
        };
        names.filter_map(differs).collect()
    }
}

impl fmt::Display for WritesSince {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.then, self.now) {
            (Some(then), Some(now)) if then == now => {
                write!(f, "{}: rows were changed ({now} rows then and now)", self.table)
            }
            (Some(then), Some(now)) => write!(f, "{}: {now} rows, {then} in the backup", self.table),
            (Some(then), None) => write!(f, "{}: is gone, {then} rows in the backup", self.table),
            (None, now) => write!(f, "{}: {} rows, not in the backup", self.table, now.unwrap_or_default()),
        }
    }
}

/// Name of the evidence.
pub const RESTORED: &str = "restored";

/// What `drydock restore-production` prints as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RestoredProduction {
    pub run: String,
    pub backup: String,
    /// Objects that differed from those of the backup: `+ object`, `- object`, `~ object: before -> after`.
    pub schema: Vec<String>,
    /// Tables whose rows differed. What production had is in `aside` now.
    pub writes: Vec<WritesSince>,
    /// Name of the database that was production until then.
    pub aside: String,
    pub objects: u64,
    pub tables: u64,
    pub rows: u64,
    /// The schema before the run, and as it was restored.
    pub fingerprint: BeforeAfter,
    /// How long services could only read, or not connect.
    pub outage_seconds: f64,
}
