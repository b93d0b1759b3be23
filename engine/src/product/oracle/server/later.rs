//! What is not wired yet.

use crate::error::Error;

/// What Drydock cannot do yet with a running Oracle database.
pub fn not_yet(what: &str) -> Error {
    Error::refused(format!("Drydock does not {what} on Oracle yet"))
        .hint("plan and compat work with Oracle databases; the other stages do not yet")
}
