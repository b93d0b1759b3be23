//! What a product can do. A stage asks here, and says to the person what cannot be done.

use std::time::Duration;

/// What a product can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// DDL is part of a transaction: a changeset and its record in the history are done both or not at all.
    pub transactional_ddl: bool,
    pub scratch: ScratchKind,
    /// Scratch databases can hold sample rows from production, so that queries are run before and after a changeset.
    pub sample_rows: bool,
    /// The shortest limit on a lock wait that the server takes.
    pub shortest_lock_wait: Duration,
    /// Indexes are built while others write.
    pub concurrent_index: bool,
    /// Estimated costs of plans can be compared before and after a changeset.
    pub plan_costs: bool,
    /// The server shows its sessions, who waits for whom and which locks are held. Where it does not, `Sessions::activity`,
    /// `Sessions::waits` and `Sessions::watch_locks` are not asked, and a session of another process is not ended.
    pub shows_sessions: bool,
    /// A statement that a session has prepared fails once after the type of a column that it gives has changed, if only in its length.
    pub prepared_results: bool,
    /// The server ends a statement that runs for too long.
    pub statement_limit: bool,
}

impl Capabilities {
    /// How long a statement may wait for a lock where `budget` is wanted.
    pub fn lock_wait(&self, budget: Duration) -> Duration {
        budget.max(self.shortest_lock_wait)
    }
}

/// What scratch databases are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScratchKind {
    /// Any scratch database can be copied in well under a second, with what was changed in it.
    Copies,
    /// A scratch database is made of production's schema, each time anew.
    SchemaOnly,
    /// A scratch database is a dictionary of production's schema and no more: changesets are applied to it from their statements, by
    /// `Execute::execute_script`, and queries are described by it. Nothing runs.
    Dictionary,
    /// There are none.
    None,
}
