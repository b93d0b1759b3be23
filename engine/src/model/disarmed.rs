//! What is taken out of a copy so that nothing in it reaches the systems that its source works with.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something of the source that a copy must not go on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Disarmed {
    /// It leads nowhere now: queries plan, and fail when they read or write.
    ForeignServer { name: String, wrapper: String },
    /// It can no longer be used at all: how to point its servers elsewhere is not known.
    ForeignDataWrapper { name: String },
    /// Its functions connect to nothing now, and fail when they are called.
    Extension { name: String },
    /// It was rolled back: nobody would ever end it in the copy, and it holds its locks.
    PreparedTransaction { name: String },
}

impl fmt::Display for Disarmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignServer { name, wrapper } => {
                write!(f, "foreign server {name} ({wrapper}) leads nowhere")
            }
            Self::ForeignDataWrapper { name } => write!(f, "foreign-data wrapper {name} cannot be used"),
            Self::Extension { name } => write!(f, "the functions of extension {name} connect to nothing"),
            Self::PreparedTransaction { name } => write!(f, "prepared transaction {name} was rolled back"),
        }
    }
}
