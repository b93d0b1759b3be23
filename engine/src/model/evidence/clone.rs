//! Evidence of `clone`: proof that the copy equals its source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::isolation::Isolation;

/// Evidence of `clone`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CloneProof {
    pub endpoint: String,
    pub restore_seconds: f64,
    pub equal: bool,
    /// Why the comparison is not exact, if it is not.
    pub note: Option<String>,
    pub tables: u64,
    pub rows: u64,
    pub objects: u64,
    pub differences: Vec<String>,
    #[serde(flatten)]
    pub isolation: Isolation,
}
