//! Evidence of `compat`: verdicts on the pending changesets, and what waits for whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::changeset::ChangesetId;
use crate::model::isolation::Isolation;
use crate::model::verdict::{Held, Verdict};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// Service versions.
    pub services: u64,
    pub queries: u64,
    pub changesets: u64,
    /// Times a query was planned or run.
    pub checks: u64,
    pub seconds: f64,
    /// Why queries were not run, or for which changeset first: what is said there rests on planning them alone.
    #[serde(default)]
    pub untried: Option<String>,
    /// Roles that contracts name and the database does not have. What their sessions may do and begin with is not checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_roles: Vec<String>,
}

/// A changeset that `compat` could not try as production will run it. The rehearsal on the clone does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotTried {
    #[serde(flatten)]
    pub key: ChangesetId,
    pub why: NotTriedWhy,
    /// What the database said of it, or what cannot be told.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotTriedWhy {
    /// Whether its precondition holds depends on rows that only production will have: it was taken to hold.
    PreconditionUnknown,
    /// It fails without production's rows: what it does to them was left out.
    NeedsRows,
    /// The same, and what was left out may change the schema.
    NeedsRowsOpaque,
    /// It runs code, which only the clone does.
    RunsCode,
}

/// Evidence of `compat`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Compat {
    /// Everything that is not `compatible`.
    pub verdicts: Vec<Verdict>,
    pub held: Vec<Held>,
    /// What goes on, in order.
    pub accepted: Vec<ChangesetId>,
    /// What of it was not tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_tried: Vec<NotTried>,
    /// No service is known, and the configuration says to go on all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_contracts: bool,
    pub checked: Checked,
    /// What kept the scratch databases to themselves; `null` in evidence of earlier versions.
    #[serde(default)]
    pub scratch: Option<Isolation>,
    /// All service versions, for the matrix: `(service, version)`.
    pub services: Vec<(String, String)>,
}
