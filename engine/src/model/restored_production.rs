//! What a restore of production from the backup of a run takes, and what came of it.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::BeforeAfter;
use super::schema::{DataFingerprint, TableFingerprint};
use super::server::LogPosition;

/// The moment that somebody asks for, as they write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MomentAsked {
    BeforeRollout,
    Time(Timestamp),
}

const BEFORE_ROLLOUT: &str = "before-rollout";

impl std::str::FromStr for MomentAsked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == BEFORE_ROLLOUT {
            return Ok(Self::BeforeRollout);
        }
        let wanted = || {
            format!(
                "give a date and time with its zone, as 2026-11-28T08:12:30Z or 2026-11-28T09:12:30+01:00, or {BEFORE_ROLLOUT}"
            )
        };
        let at: Timestamp = text.parse().map_err(|_| wanted())?;
        // Servers know no finer times. What is committed within this microsecond is part of the moment.
        Timestamp::from_microsecond(at.as_microsecond()).map(Self::Time).map_err(|_| wanted())
    }
}

impl fmt::Display for MomentAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeRollout => f.write_str(BEFORE_ROLLOUT),
            Self::Time(at) => write!(f, "{at}"),
        }
    }
}

/// A moment after that of the backup, which its log is replayed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum RestorePoint {
    /// With everything that was committed up to then.
    Time { at: Timestamp },
    /// Just before the run changed production for the first time, where its log stood at this place.
    BeforeRollout { log: LogPosition },
}

impl fmt::Display for RestorePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time { at } => write!(f, "as of {at}"),
            Self::BeforeRollout { .. } => f.write_str("as it was just before the rollout"),
        }
    }
}

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

/// A table whose rows are not those of the moment that is restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WritesSince {
    /// `schema.table`.
    pub table: String,
    /// Rows then; `None`: it is not there.
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

impl WritesSince {
    /// For people. `point`: that is restored; `None`: the moment of the backup.
    pub fn line(&self, point: Option<&RestorePoint>) -> String {
        let (then, absent) = match point {
            None => ("in the backup", "not in the backup"),
            Some(_) => ("at that moment", "not there at that moment"),
        };
        let table = &self.table;
        match (self.then, self.now) {
            (Some(rows), Some(now)) if rows == now => {
                format!("{table}: rows were changed ({now} rows then and now)")
            }
            (Some(rows), Some(now)) => format!("{table}: {now} rows, {rows} {then}"),
            (Some(rows), None) => format!("{table}: is gone, {rows} rows {then}"),
            (None, now) => format!("{table}: {} rows, {absent}", now.unwrap_or_default()),
        }
    }
}

/// Name of the evidence.
pub const RESTORED: &str = "restored";

/// Name of the same as it was known just before production was exchanged.
pub const RESTORING: &str = "restoring";

/// What `drydock restore-production` prints as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RestoredProduction {
    pub run: String,
    pub backup: String,
    /// The moment that was restored; `null`: that of the backup.
    #[serde(default)]
    pub point: Option<RestorePoint>,
    /// Whether production has no changeset of the run any more, so that the run counts as rolled back. Otherwise it has all that it had.
    #[serde(default = "of_backup")]
    pub rolled_back: bool,
    /// Objects that differed from those of that moment: `+ object`, `- object`, `~ object: before -> after`.
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

/// A backup is older than the changes of its run. Older versions restored nothing else.
fn of_backup() -> bool {
    true
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_a_zone() {
        let at = |text: &str| text.parse::<MomentAsked>();
        let eight = MomentAsked::Time("2026-11-28T08:12:30Z".parse().unwrap());
        for text in ["2026-11-28T08:12:30Z", "2026-11-28T09:12:30+01:00", "2026-11-28 08:12:30.0000009Z"] {
            assert_eq!(at(text), Ok(eight), "{text}");
        }
        assert_eq!(at("before-rollout"), Ok(MomentAsked::BeforeRollout));
        for text in ["", "yesterday", "2026-11-28", "2026-11-28T08:12:30", "08:12:30Z", "before rollout"] {
            assert!(at(text).unwrap_err().contains("with its zone"), "{text}");
        }
    }
}
