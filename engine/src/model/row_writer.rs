//! What in a schema writes rows by itself, when others write or when the schema changes.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What sets it off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "fires_on", rename_all = "snake_case")]
pub enum Occasion {
    /// Rows of a table are written.
    Rows { table: String },
    /// The schema changes.
    SchemaChange,
}

/// A trigger, by what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WriterId {
    pub name: String,
    #[serde(flatten)]
    pub occasion: Occasion,
}

impl fmt::Display for WriterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.occasion {
            Occasion::Rows { table } => write!(f, "trigger {} on {table}", self.name),
            Occasion::SchemaChange => write!(f, "event trigger {}", self.name),
        }
    }
}

/// A trigger, and what its code is seen to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowWriter {
    pub id: WriterId,
    /// Tables that it inserts rows into, itself or by what it calls.
    pub inserts: BTreeSet<String>,
    /// Columns that it sets in the row that is being written.
    pub sets: BTreeSet<String>,
}
