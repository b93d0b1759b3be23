//! The stages, in their order.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stage turns configuration and the evidence before it into its own evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Plan,
    Backup,
    Compat,
    Clone,
    Shadow,
    Rollout,
    Rollback,
}

impl Stage {
    /// All of them, in the order a run goes through them; `rollback` only when it has to.
    pub const ALL: [Stage; 7] = [
        Stage::Plan,
        Stage::Backup,
        Stage::Compat,
        Stage::Clone,
        Stage::Shadow,
        Stage::Rollout,
        Stage::Rollback,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Stage::Plan => "plan",
            Stage::Backup => "backup",
            Stage::Compat => "compat",
            Stage::Clone => "clone",
            Stage::Shadow => "shadow",
            Stage::Rollout => "rollout",
            Stage::Rollback => "rollback",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
