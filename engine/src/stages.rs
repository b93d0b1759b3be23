//! One room a stage.

pub mod backup;
mod behind;
pub mod clone;
pub mod compat;
pub mod plan;
pub mod rollback;
pub mod rollout;
pub mod shadow;
mod watched;

use crate::saga::ActOutcome;

/// What a stage gives the saga: the outcome it decides by, the evidence's SHA-256, one line for people.
pub type StageDone = (ActOutcome, String, String);
