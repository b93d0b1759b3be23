//! What services have run, by the server's own statistics.

/// What the database has seen of its services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatementStats {
    pub queries: Vec<StatementStat>,
    /// Texts that were cut off or lost.
    pub unreadable: Vec<String>,
    /// That it had no room for all of them, in the engine's words.
    pub forgotten: Option<String>,
    /// Since when it has been looking, in the engine's words.
    pub since: Option<String>,
}

/// A query that was run, its constants taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementStat {
    /// One statement with its comments, parameters as `$1`, `$2`, ….
    pub sql: String,
    pub role: String,
    pub calls: u64,
    /// See `query_fingerprint`.
    pub fingerprint: String,
    pub kind: StatementKind,
    pub returns_rows: bool,
    /// The first table of users that it names, without its schema.
    pub table: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    Select,
    Insert,
    Update,
    Delete,
    Merge,
    Copy,
}
