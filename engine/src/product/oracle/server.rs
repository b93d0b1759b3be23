//! A running Oracle database.

mod at_risk;
mod claim;
mod client;
mod connect;
mod data;
mod database;
mod dictionary;
mod execute;
mod grants;
mod histories;
mod inspect;
mod jdbc;
mod known;
mod later;
mod preflight;
mod provider;
mod rows;
mod sessions;
mod sql;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use tokio::sync::Mutex;

use super::Speaks;
use super::dictionary::Version;
use super::session::Session;
use crate::model::endpoint::Endpoint;
pub use grants::script as grants;
pub use provider::ScratchOnly;

/// A database of which a server is running somewhere. Sessions begin when something is asked.
#[derive(Clone)]
pub struct Oracle {
    endpoint: Endpoint,
    shared: Arc<Shared>,
}

/// What all that stand for the same database have in common.
#[derive(Default)]
struct Shared {
    /// Known once a session has begun.
    version: OnceLock<Version>,
    /// The session that looks at things, while nobody does.
    idle: Mutex<Option<Session>>,
    last: Mutex<known::Last>,
    /// Whether the user may see the sessions of others, once that was asked.
    sees_sessions: OnceLock<bool>,
}

impl Oracle {
    pub fn at(endpoint: Endpoint) -> Self {
        Self { endpoint, shared: Arc::default() }
    }
}

impl Speaks for Oracle {
    /// Before a session has begun, the oldest: what it takes, all take.
    fn version(&self) -> Version {
        self.shared.version.get().copied().unwrap_or_default()
    }
}
