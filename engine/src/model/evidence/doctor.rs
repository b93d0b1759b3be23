//! What `doctor` gives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Drift;
use crate::model::preflight::Fact;

/// Everything that is known of a database before a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Doctor {
    /// User, host, port and database.
    pub database: String,
    pub facts: Vec<Fact>,
    /// What does not agree between changelog, history and catalog. Empty where there is no changelog, too.
    pub drift: Vec<Drift>,
}
