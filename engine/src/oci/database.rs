//! Autonomous Databases, their backups and wallets: <https://docs.oracle.com/en-us/iaas/api/#/en/database/20160918/>.

pub mod autonomous;
pub mod backups;
mod connection_strings;
mod states;
pub mod wallet;

use super::client::Answer;
use super::failure::Failure;

pub use connection_strings::{ConnectionProfile, ConnectionStrings};
pub use states::{BackupState, BackupType, DatabaseState, OpenMode, PermissionLevel, TlsAuthentication};

/// What came of taking something away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deleted {
    /// It is being done, by this work request if the service names one.
    Begun(Option<String>),
    /// There was nothing, or nothing that may be seen.
    Gone,
}

/// That there is nothing is what was wanted.
pub(super) fn deleted(answer: Result<Answer, Failure>) -> Result<Deleted, Failure> {
    match answer {
        Ok(answer) => Ok(Deleted::Begun(answer.work_request())),
        Err(e) if e.status() == Some(404) => Ok(Deleted::Gone),
        Err(e) => Err(e),
    }
}

fn path(collection: &str, id: Option<&str>, rest: &str) -> String {
    let id = id.map(|id| format!("/{}", super::client::part(id))).unwrap_or_default();
    format!("/20160918/{collection}{id}{rest}")
}

#[cfg(test)]
#[path = "database_tests.rs"]
mod tests;
