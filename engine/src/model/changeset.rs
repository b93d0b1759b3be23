//! What Liquibase is about to do: changesets, their statements, phases, hazards and reverses.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Liquibase's identity of a changeset: id, author and the path of its file in the changelog.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ChangesetId {
    pub id: String,
    pub author: String,
    pub path: String,
}

impl fmt::Display for ChangesetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}::{}", self.path, self.id, self.author)
    }
}

/// What came of applying a changeset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplyState {
    Applied,
    /// It had been applied before.
    Already,
    /// Its precondition kept it from running, and it is recorded as if it had run.
    MarkedRan,
    /// It was left out and is not recorded: a filter, a precondition or an error it may end with says so.
    Filtered,
}

impl fmt::Display for ApplyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Applied => "applied",
            Self::Already => "already",
            Self::MarkedRan => "marked_ran",
            Self::Filtered => "filtered",
        })
    }
}

/// What came of undoing a changeset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UndoState {
    Undone,
    /// A precondition had kept it from running: only its record was taken away.
    Unmarked,
    NotApplied,
}

impl fmt::Display for UndoState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Undone => "undone",
            Self::Unmarked => "unmarked",
            Self::NotApplied => "not_applied",
        })
    }
}

/// What a changeset does to its readers. A changeset has the strongest phase of its statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nobody notices.
    Expand,
    /// Moves data.
    Migrate,
    /// Takes something away.
    Contract,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Phase::Expand => "expand",
            Phase::Migrate => "migrate",
            Phase::Contract => "contract",
        })
    }
}

/// How much a hazard weighs, table sizes taken into account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// May be felt: watch it in the shadow stage.
    Warning,
    /// Will be felt on a table of this size.
    Danger,
}

/// The hazard of a statement that reaches beyond its database, as adapters call it.
const INSTANCE_WIDE: &str = "instance-wide";

/// A way a statement can hurt on this engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hazard {
    /// A stable name in kebab-case, e.g. `table-rewrite`, `blocks-writes`, `full-scan`, `data-loss`.
    pub name: String,
    pub severity: Severity,
    /// The strongest lock the statement takes, in the engine's own words, e.g. `ACCESS EXCLUSIVE`.
    pub lock: Option<String>,
    /// The table it hurts, as `schema.table`.
    pub table: Option<String>,
    /// Rows in that table by the engine's estimate.
    pub rows: Option<u64>,
    /// One sentence: what happens, and the way around it.
    pub message: String,
    /// Why it may happen all the same, in the words of the changeset's author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

/// What the author of a changeset lets pass, and why: `drydock: allow NAME because REASON`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Allowed {
    /// The name of a hazard, or the class of a verdict.
    pub what: String,
    /// Of a class: only for this `SERVICE`, or this `SERVICE/QUERY` of it.
    pub of: Option<String>,
    pub reason: String,
    /// Nothing in the changeset has this hazard: the line says something that is not so (any more).
    #[serde(default)]
    pub idle: bool,
}

/// What the engine's grammar says of one statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    pub sql: String,
    /// The kind in the engine's words, e.g. `ALTER TABLE`, `CREATE INDEX CONCURRENTLY`, `UPDATE`.
    pub kind: String,
    pub phase: Phase,
    pub hazards: Vec<Hazard>,
    /// Relations (`schema.name`) that it changes or locks, sorted; also the table behind an index, trigger or constraint.
    pub touches: Vec<String>,
    /// It may wait long for others without holding them up, and must not run under a short lock timeout
    /// (`CREATE INDEX CONCURRENTLY`).
    pub patient: bool,
    /// The index such a statement builds, as `schema.name`: a failed attempt leaves it invalid.
    pub builds_index: Option<String>,
    /// A data change that can be done in key ranges before Liquibase runs it and finds nothing left.
    pub backfill: Option<Backfill>,
}

/// An UPDATE or INSERT whose own predicate turns false for the rows that are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Backfill {
    /// `schema.table` whose key is walked.
    pub table: String,
    /// The leading column of its primary key.
    pub key: String,
    /// The SQL type of that key, as the engine writes it.
    pub key_type: String,
    /// The statement with `$1 < key <= $2` added to its predicate; both parameters are text, cast inside.
    pub batch_sql: String,
    /// Rows in the table by the engine's estimate.
    pub rows: u64,
}

/// How a changeset is undone, fixed in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reverse {
    /// Liquibase's rollback of the changeset.
    Inverse,
    /// There is no way back.
    None,
}

/// A pending changeset with everything the plan found out about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changeset {
    #[serde(flatten)]
    pub key: ChangesetId,
    /// The line of the changeset in its file, where it is known.
    pub line: Option<u64>,
    pub comment: Option<String>,
    pub checksum: Option<String>,
    pub phase: Phase,
    pub in_transaction: bool,
    pub statements: Vec<Statement>,
    pub reverse: Reverse,
    /// The statements of the inverse, analysed the same way.
    pub inverse: Vec<Statement>,
    /// What its author lets pass.
    #[serde(default)]
    pub allowed: Vec<Allowed>,
}

impl Statement {
    /// It changes what all databases of a server have in common, as roles are: once is enough for all of them.
    pub fn is_instance_wide(&self) -> bool {
        self.hazards.iter().any(|h| h.name == INSTANCE_WIDE)
    }
}

impl Changeset {
    /// Relations its statements change or lock, sorted, each once.
    pub fn touches(&self) -> Vec<String> {
        let mut all: Vec<String> = self.statements.iter().flat_map(|s| s.touches.iter().cloned()).collect();
        all.sort();
        all.dedup();
        all
    }
    /// The file and line to show a person.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.key.path),
            None => self.key.path.clone(),
        }
    }
}
