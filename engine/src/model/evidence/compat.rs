//! Evidence of `compat`: verdicts on the pending changesets, and what waits for whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::changeset::ChangesetId;
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

/// Evidence of `compat`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Compat {
    /// Everything that is not `compatible`.
    pub verdicts: Vec<Verdict>,
    pub held: Vec<Held>,
    /// What goes on, in order.
    pub accepted: Vec<ChangesetId>,
    pub checked: Checked,
    /// All service versions, for the matrix: `(service, version)`.
    pub services: Vec<(String, String)>,
}
