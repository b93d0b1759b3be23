//! Who is at work in a database: claims, locks, waits.

use async_trait::async_trait;

use crate::error::Result;
use crate::model::session::{Activity, HeldLock, LiquibaseLock, Wait};

#[async_trait]
pub trait Sessions: Send + Sync {
    /// Claims the target for one owner, by name; `None` when another session holds it.
    async fn claim(&self, name: &str) -> Result<Option<Box<dyn Claim>>>;
    /// Ends sessions whose application name starts with this, and waits until they are gone.
    async fn end_sessions(&self, application_prefix: &str) -> Result<u64>;
    /// `ours`: prefix of our application names.
    async fn activity(&self, ours: &str) -> Result<Activity>;
    /// Sessions of Drydock's, of whatever run, that wait for somebody else.
    async fn waits(&self) -> Result<Vec<Wait>>;
    /// Breaks off the statements that sessions of this application name run; the sessions stay.
    async fn cancel(&self, application: &str) -> Result<()>;
    /// Watches locks held by sessions with this application name until it is stopped.
    async fn watch_locks(&self, application: &str) -> Result<Box<dyn LockWatch>>;
    /// Whether the Liquibase that holds its lock can still be alive: a session as old as the lock that comes from the holder's
    /// address, has written in a transaction that is still open, or is named as a JDBC driver is. `ours`: prefix of application
    /// names that cannot be it.
    async fn liquibase_alive(&self, lock: &LiquibaseLock, ours: &str) -> Result<bool>;
}

/// A named exclusive claim that ends with its session.
#[async_trait]
pub trait Claim: Send + Sync {
    /// Whether the session that holds it still stands.
    async fn held(&self) -> bool;
    async fn release(self: Box<Self>);
}

/// See `Sessions::watch_locks`.
#[async_trait]
pub trait LockWatch: Send {
    async fn stop(self: Box<Self>) -> Vec<HeldLock>;
}
