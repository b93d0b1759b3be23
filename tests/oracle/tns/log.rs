//! What a server has received, for tests to look at.

use std::sync::{Arc, Mutex, MutexGuard};

use super::session::Session;
use super::value::Value;

#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    LogOn,
    /// Once for each row of binds.
    Execute {
        sql: String,
        binds: Vec<Value>,
    },
    Describe {
        sql: String,
    },
    Fetch,
    Commit,
    Rollback,
    Ping,
    /// The client broke a call off.
    Break,
    LogOff,
    /// Something that the stand-in does not read. It has ended the connection.
    NotUnderstood(String),
}

/// A call, and the session as it was then.
#[derive(Clone, Debug)]
pub struct Received {
    pub session: Session,
    pub call: Call,
}

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Received>>>);

impl Log {
    fn locked(&self) -> MutexGuard<'_, Vec<Received>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn add(&self, session: &Session, call: Call) {
        self.locked().push(Received { session: session.clone(), call });
    }

    pub fn all(&self) -> Vec<Received> {
        self.locked().clone()
    }

    /// The statements that ran, in order.
    pub fn statements(&self) -> Vec<String> {
        self.locked()
            .iter()
            .filter_map(|received| match &received.call {
                Call::Execute { sql, .. } => Some(sql.clone()),
                _ => None,
            })
            .collect()
    }

    pub fn count(&self, wanted: impl Fn(&Call) -> bool) -> usize {
        self.locked().iter().filter(|received| wanted(&received.call)).count()
    }
}
