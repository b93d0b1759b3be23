//! What a query takes, gives, reads and writes, and what running it answers.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error_class::ErrorClass;
use super::session_defaults::SessionDefaults;

/// Columns that the answer of a query depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Their bare names; others may be among them.
    pub names: BTreeSet<String>,
    /// All that its relations have.
    pub all: bool,
}

/// What the answer of a query depends on, and where its columns come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultFacts {
    pub reads: Reads,
    pub sources: ResultSources,
}

/// A column of a query's result, by name, and the columns of tables (`schema.table`, column) that its values are.
pub type ResultSources = Vec<(String, Vec<(String, String)>)>;

/// What a query takes and gives: types as the engine writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueryShape {
    pub parameters: Vec<String>,
    /// Result columns: name and type.
    pub columns: Vec<(String, String)>,
}

/// How the database means to run a query, whatever its values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlanShape {
    /// By the planner's estimate, in its own unit: good for comparing.
    pub cost: f64,
    /// Tables and partitions that it reads from end to end, as `schema.name`.
    pub whole: BTreeSet<String>,
}

/// What a query comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Relations and routines, as `schema.name`: those it names, views, partitions, what it calls, what triggers call, and
    /// what these name.
    pub uses: BTreeSet<String>,
    pub writes: Vec<Write>,
    /// One per parameter, `$1` first.
    pub roles: Vec<ParameterRole>,
    /// It leaves no trace and takes no row lock. What is not sure to, does not count.
    pub only_reads: bool,
    /// It asks for an order of rows, if only in a part of it.
    pub ordered: bool,
    /// Only running it shows whether it works: it is no query that is planned, it comes to run SQL that is made of strings, or its text
    /// cannot be read.
    pub run_only: bool,
    /// It may use anything: SQL that is made of strings names nothing there.
    pub runs_opaque: bool,
}

/// A table that a query writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// `schema.table`
    pub table: String,
    /// Columns it gives values to; empty for an INSERT without a column list and for a DELETE.
    pub columns: Vec<String>,
    pub inserts: bool,
    /// An INSERT that says what happens to a row that is there already.
    pub handles_conflicts: bool,
}

/// Why the database did not take a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct QueryError {
    /// The product's own code, for people; `connection` when the connection broke.
    pub code: String,
    pub class: ErrorClass,
    pub message: String,
    pub column: Option<String>,
    pub table: Option<String>,
    /// Boxed: an error is given back by value, and most results are none.
    pub constraint: Option<Box<str>>,
}

/// What stands behind a parameter of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterRole {
    /// Compared with this column, or assigned to it by an UPDATE.
    Column { table: String, column: String },
    /// Written into this column by an INSERT.
    Insert { table: String, column: String },
    /// A row count (LIMIT, OFFSET).
    Count,
    /// Anything of its type.
    Free,
}

/// How a query of the traffic ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Its effects stay.
    Commit,
    /// Everything is taken back at once: same locks, same work, no trace.
    Rollback,
}

/// What a query gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryResult {
    pub rows: u64,
    /// The first column of the first row as text, if there is one.
    pub first: Option<String>,
}

/// All that a query gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// As text, in the order they came; the first thousand.
    pub rows: Vec<Vec<Option<String>>>,
    /// Rows given or changed.
    pub count: u64,
}

/// As whom a query is run.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    pub role: &'a str,
    /// What sessions of the role begin with; `None`: with what they begin with now.
    pub session: Option<&'a SessionDefaults>,
}

/// One time that a query is run to see what it answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// Parameters as text.
    pub values: &'a [Option<String>],
    /// A row that is taken away first, by its table and key: what is inserted may be just that one.
    pub without: Option<(&'a str, &'a [(String, String)])>,
}
