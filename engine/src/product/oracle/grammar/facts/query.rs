//! What the reader says of what a statement reads and writes.

use serde::{Deserialize, Serialize};

/// What a query or code reads, writes, takes and gives.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    pub reads: Vec<ReadRelation>,
    pub writes: Vec<Write>,
    pub result: Vec<ResultColumn>,
    pub binds: Vec<Bind>,
    pub calls: Vec<String>,
    /// How many arguments calls give.
    pub arguments: Vec<Arguments>,
    /// Strings that are written as they stand.
    pub constants: Vec<Constant>,
    pub sequences: Vec<String>,
    pub links: Vec<String>,
    /// Names that stand for nothing that the catalog has.
    pub unresolved: Vec<String>,
    /// Names that several relations have.
    pub ambiguous: Vec<String>,
    pub ordered: bool,
    pub only_reads: bool,
    /// It runs SQL that is made of strings.
    pub opaque: bool,
    /// It ends the transaction that it runs in.
    pub commits: bool,
    /// It runs in a transaction of its own.
    pub autonomous: bool,
    /// Relations whose types code takes over (`%TYPE`, `%ROWTYPE`).
    pub types_of: Vec<String>,
    /// Routines that code defines within itself.
    pub defines: Vec<String>,
    /// How many arguments these take.
    pub signatures: Vec<Signature>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Arguments {
    pub routine: String,
    pub counts: Vec<usize>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Constant {
    pub table: String,
    pub column: String,
    /// In characters.
    pub length: u32,
}

/// A routine of that name; there may be several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub name: String,
    /// Arguments that have no default.
    pub least: usize,
    pub most: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ReadRelation {
    pub relation: String,
    pub columns: Vec<String>,
    /// Whatever columns there are.
    #[serde(default)]
    pub all: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Write {
    pub table: String,
    pub kind: String,
    pub columns: Vec<String>,
    pub inserts: bool,
    #[serde(default)]
    pub handles_conflicts: bool,
    #[serde(default, rename = "where")]
    pub has_where: bool,
    /// How many values each row is given, where that is told.
    pub values: Option<usize>,
}

/// A column of a result: its name, the columns that its values are made of, and whether it is just that column.
#[derive(Debug, Clone, Deserialize)]
pub struct ResultColumn(pub String, pub Vec<(String, String)>, #[serde(default)] pub bool);

#[derive(Debug, Clone, Deserialize)]
pub struct Bind {
    pub name: String,
    pub role: BindRole,
    pub table: Option<String>,
    pub column: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindRole {
    Free,
    Count,
    Column,
    Insert,
}
