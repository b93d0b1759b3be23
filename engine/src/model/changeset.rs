//! What Liquibase is about to do: changesets, their statements, phases, hazards and reverses.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::difference::DifferenceClass;
use super::schema_action::{Outside, SchemaAction};
use super::verdict::VerdictClass;

/// Liquibase's identity of a changeset: id, author and the path of its file in the changelog.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ChangesetId {
    pub id: String,
    pub author: String,
    pub path: String,
}

impl ChangesetId {
    /// The name of its file: the same however the changelog is found.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
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
    /// Queries may wait or fail: watch it in the shadow stage.
    Warning,
    /// Queries will wait or fail on a table of this size.
    Danger,
}

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

/// A hazard, verdict or difference that the author of a changeset accepts, and why: `drydock: allow NAME because REASON`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppression {
    /// The name of a hazard, the class of a verdict, or what allows a class of differences.
    pub what: String,
    /// Of a class of verdicts: only for this `SERVICE`, or this `SERVICE/QUERY` of it. Of a class of differences: only for this
    /// object.
    pub of: Option<String>,
    pub reason: String,
    /// Nothing in the changeset has this hazard (any more).
    #[serde(default, rename = "idle", alias = "unused")]
    pub unused: bool,
}

impl Suppression {
    /// The class of verdicts that it is about; `None` for a hazard or a difference.
    pub fn class(&self) -> Option<VerdictClass> {
        VerdictClass::from_name(&self.what)
    }
    /// Only the rehearsal can tell whether it is of any use.
    pub fn is_of_rehearsal(&self) -> bool {
        self.difference().is_some_and(|class| class != DifferenceClass::LabelKept)
    }
    /// The class of differences that it allows. One name is that of a hazard too.
    pub fn difference(&self) -> Option<DifferenceClass> {
        DifferenceClass::from_allowance(&self.what)
    }
}

/// What the engine's grammar says of one statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    pub sql: String,
    /// The kind in the engine's words, e.g. `ALTER TABLE`, `CREATE INDEX CONCURRENTLY`, `UPDATE`.
    pub kind: String,
    pub phase: Phase,
    /// What it does: at least one. Empty where an older version, which did not know of them, wrote it down.
    #[serde(default)]
    pub actions: Vec<SchemaAction>,
    pub hazards: Vec<Hazard>,
    /// Relations (`schema.name`) that it changes or locks, sorted; also the table behind an index, trigger or constraint.
    pub touches: Vec<String>,
    /// Tables that it writes anew as a whole, beside what is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrites: Vec<String>,
    /// It may wait long for others without holding them up, and must not run under a short lock timeout
    /// (`CREATE INDEX CONCURRENTLY`).
    #[serde(alias = "patient")]
    pub waits_without_blocking: bool,
    /// The index such a statement builds, as `schema.name`: a failed attempt leaves it invalid.
    pub builds_index: Option<String>,
    /// It commits by itself, and what was open before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub commits: bool,
    /// A data change that can be done in key ranges before Liquibase runs it and finds nothing left.
    pub backfill: Option<Backfill>,
}

/// An UPDATE or INSERT whose own predicate turns false for the rows that are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Backfill {
    /// `schema.table` whose key is walked.
    pub table: String,
    /// The leading column of the unique key that is walked.
    pub key: String,
    /// The SQL type of that column, as the engine writes it.
    pub key_type: String,
    /// The other columns of the key. Older versions walked the leading one only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_key: Vec<KeyColumn>,
    /// The statement with `$1 < key <= $2` added to its predicate; both parameters are text, cast inside. A key of several columns is
    /// one text.
    pub batch_sql: String,
    /// Rows in the table by the engine's estimate.
    pub rows: u64,
}

/// A column of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyColumn {
    pub name: String,
    /// As the engine writes it.
    pub sql_type: String,
}

/// A change that runs code, so that what it does cannot be seen without doing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeChange {
    /// As a changelog names it, e.g. `customChange`, `executeCommand`.
    pub change: String,
    /// The Java class that runs.
    pub class: String,
}

impl fmt::Display for CodeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.change, self.class)
    }
}

/// A precondition whose answer may depend on rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowPrecondition {
    /// As a changelog names it, e.g. `sqlCheck`.
    pub name: String,
    /// What it asks; `None`: it runs code.
    pub sql: Option<String>,
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
    /// What of it runs code. Its statements are then not all that it does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<CodeChange>,
    /// Those of its preconditions that may depend on rows, in the order of the changelog.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preconditions: Vec<RowPrecondition>,
    pub statements: Vec<Statement>,
    pub reverse: Reverse,
    /// Why there is no inverse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_inverse: Option<String>,
    /// The statements of the inverse, analysed the same way.
    pub inverse: Vec<Statement>,
    /// What its author accepts.
    #[serde(default, rename = "allowed")]
    pub suppressions: Vec<Suppression>,
}

impl Statement {
    /// It changes what all databases of a server have in common, as roles are: once is enough for all of them.
    pub fn is_instance_wide(&self) -> bool {
        self.actions.contains(&SchemaAction::Server)
    }
    /// The tables whose rows it changes.
    pub fn moved_tables(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().filter_map(|action| match action {
            SchemaAction::MoveRows { table, .. } => Some(table.as_str()),
            _ => None,
        })
    }
    /// The tables that it makes.
    pub fn created_tables(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().filter_map(|action| match action {
            SchemaAction::CreateTable { table } => Some(table.as_str()),
            _ => None,
        })
    }
    /// What it reaches outside of the database.
    pub fn reaches_out(&self) -> Option<Outside> {
        self.actions.iter().find_map(|action| match action {
            SchemaAction::ReachesOut { to } => Some(*to),
            _ => None,
        })
    }
    /// It changes rows, or runs code that may.
    pub fn moves_rows(&self) -> bool {
        self.actions.iter().any(|a| matches!(a, SchemaAction::MoveRows { .. } | SchemaAction::RunsCode))
    }
}

impl Changeset {
    /// One of which nothing else is known; it has no inverse.
    pub fn of_statements(key: ChangesetId, phase: Phase, statements: Vec<Statement>) -> Self {
        Self {
            key,
            line: None,
            comment: None,
            checksum: None,
            phase,
            in_transaction: true,
            code: Vec::new(),
            preconditions: Vec::new(),
            statements,
            reverse: Reverse::None,
            no_inverse: None,
            inverse: Vec::new(),
            suppressions: Vec::new(),
        }
    }

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use serde_json::json;

    #[test]
    fn statements_of_older_versions_are_read() {
        let old = json!({
            "sql": "CREATE INDEX CONCURRENTLY i ON t (a)", "kind": "CREATE INDEX CONCURRENTLY", "phase": "expand",
            "hazards": [], "touches": ["public.t"], "patient": true, "builds_index": "public.i", "backfill": null,
        });
        let statement: Statement = serde_json::from_value(old).unwrap();
        assert!(statement.waits_without_blocking);
        assert_eq!(statement.actions, []);
        let new = serde_json::to_value(statement).unwrap();
        assert_eq!((&new["waits_without_blocking"], new.get("patient")), (&json!(true), None));
        let line = json!({ "what": "gets-slow", "of": null, "reason": "at night", "idle": true });
        let suppression: Suppression = serde_json::from_value(line.clone()).unwrap();
        assert!(suppression.unused && suppression.class() == Some(VerdictClass::GetsSlow));
        assert_eq!(serde_json::to_value(suppression).unwrap(), line);
    }
}
