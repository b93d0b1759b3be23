//! The objects of a dictionary. Names are `SCHEMA.NAME`, as Oracle keeps them: capitals unless they were quoted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::uses::Uses;
use crate::model::change::Events;
use crate::product::oracle::grammar::facts::Signature;

/// What exists in a database.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dictionary {
    pub version: Version,
    /// The schema of bare names.
    pub schema: String,
    /// A length of text that is written without a word is one in characters (`NLS_LENGTH_SEMANTICS`).
    pub lengths_in_characters: bool,
    pub tables: BTreeMap<String, Table>,
    pub views: BTreeMap<String, View>,
    pub indexes: BTreeMap<String, Index>,
    pub sequences: BTreeMap<String, Sequence>,
    /// What a name stands for. Those for everybody begin with `PUBLIC.`.
    pub synonyms: BTreeMap<String, String>,
    pub code: BTreeMap<String, Code>,
    pub triggers: BTreeMap<String, Trigger>,
    /// Object -> grantee -> privileges.
    pub grants: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// The number that the next object gets, where statements are applied without a server.
    pub next: u64,
}

/// Versions that differ in what they do. Older ones are not supported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Version {
    #[default]
    #[serde(rename = "19c")]
    V19,
    #[serde(rename = "21c")]
    V21,
    #[serde(rename = "23ai")]
    V23,
}

impl Version {
    /// By the first part of the server's number, e.g. 19. `None`: it is older than what is supported.
    pub fn of(major: u32) -> Option<Self> {
        match major {
            0..19 => None,
            19..21 => Some(Self::V19),
            21..23 => Some(Self::V21),
            _ => Some(Self::V23),
        }
    }
    /// As it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::V19 => "19c",
            Self::V21 => "21c",
            Self::V23 => "23ai",
        }
    }
}

/// Objects keep their number while they live: one that was dropped and made anew is another.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    pub number: u64,
    /// By the statistics.
    pub rows: u64,
    pub bytes: u64,
    pub columns: Vec<Column>,
    pub constraints: Vec<Constraint>,
    pub partitioned: bool,
    /// Sessions have rows of their own.
    pub temporary: bool,
    pub index_organized: bool,
    pub external: bool,
    pub read_only: bool,
    /// Columns of changed rows are logged for others (GoldenGate, Debezium).
    pub supplemental_logging: bool,
    pub comment: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    pub name: String,
    /// In Oracle's words, e.g. `VARCHAR2(40 CHAR)`.
    pub sql_type: String,
    pub not_null: bool,
    /// The name of the constraint that says so, where people gave it one.
    pub not_null_name: Option<String>,
    /// Rows that were there before are not known to keep it.
    pub not_null_unvalidated: bool,
    pub default: Option<String>,
    /// The default also stands in for a NULL that is given.
    pub on_null: bool,
    pub identity: Option<Identity>,
    /// Computed from others.
    #[serde(rename = "virtual")]
    pub is_virtual: bool,
    /// A `*` leaves it out.
    pub invisible: bool,
    pub encrypted: bool,
    pub comment: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    Always,
    ByDefault,
    ByDefaultOnNull,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConstraintKind {
    PrimaryKey,
    Unique,
    ForeignKey,
    Check,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    pub name: String,
    pub kind: ConstraintKind,
    #[serde(default)]
    pub columns: Vec<String>,
    /// What a check says.
    #[serde(default)]
    pub condition: Option<String>,
    /// The table that a foreign key refers to, and its columns there.
    #[serde(default)]
    pub references: Option<(String, Vec<String>)>,
    /// What becomes of rows that refer to one that goes: `cascade`, `set_null`.
    #[serde(default)]
    pub on_delete: Option<String>,
    /// New rows are held to it.
    pub enabled: bool,
    /// All rows are known to keep it.
    pub validated: bool,
    #[serde(default)]
    pub deferrable: bool,
    /// The server made the name up.
    #[serde(default)]
    pub generated_name: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Index {
    pub number: u64,
    pub table: String,
    /// Columns, or expressions as they are written.
    pub columns: Vec<String>,
    pub unique: bool,
    pub bitmap: bool,
    pub invisible: bool,
    pub unusable: bool,
    pub local: bool,
    /// It came with a constraint, and goes with it.
    pub of_constraint: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    pub number: u64,
    pub columns: Vec<Column>,
    /// What it is made of, as it is written.
    pub text: String,
    pub uses: Uses,
    pub materialized: bool,
    pub read_only: bool,
    pub editioning: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sequence {
    pub number: u64,
    pub increment: String,
    /// Numbers that a session takes at once; `None`: none.
    pub cache: Option<String>,
    pub cycle: bool,
    pub ordered: bool,
    pub maximum: Option<String>,
    pub minimum: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    Procedure,
    Function,
    Package,
    Type,
}

/// A routine, package or type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Code {
    pub number: u64,
    pub kind: CodeKind,
    /// What others see of it: a package's specification, a routine.
    pub text: String,
    /// The body of a package or type.
    #[serde(default)]
    pub body: Option<String>,
    /// How many arguments its routines take, by their full names.
    #[serde(default)]
    pub signatures: Vec<Signature>,
    /// The same as the body has them.
    #[serde(default)]
    pub body_signatures: Vec<Signature>,
    #[serde(default)]
    pub uses: Uses,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    pub number: u64,
    pub table: String,
    pub events: Events,
    /// Of an update: only of these columns.
    #[serde(default)]
    pub columns: Vec<String>,
    pub enabled: bool,
    /// It runs in the place of what was asked for.
    #[serde(default)]
    pub instead: bool,
    pub text: String,
    #[serde(default)]
    pub uses: Uses,
}

impl Dictionary {
    /// A number for an object that is made.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The columns of a table or view.
    pub fn columns(&self, relation: &str) -> Option<&[Column]> {
        let table = self.tables.get(relation).map(|table| table.columns.as_slice());
        table.or_else(|| self.views.get(relation).map(|view| view.columns.as_slice()))
    }

    pub fn column(&self, relation: &str, column: &str) -> Option<&Column> {
        self.columns(relation)?.iter().find(|known| known.name == column)
    }

    /// The schemas that something is known of.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        let named = self.tables.keys().chain(self.views.keys()).chain(self.code.keys());
        std::iter::once(self.schema.as_str()).chain(named.map(|name| split(name).0))
    }

    /// Whether a name of a schema is taken: tables, views, sequences, synonyms and code share their names.
    pub fn has_name(&self, name: &str) -> bool {
        self.tables.contains_key(name)
            || self.views.contains_key(name)
            || self.sequences.contains_key(name)
            || self.synonyms.contains_key(name)
            || self.code.contains_key(name)
    }
}

/// The schema of a name, and what follows it.
pub fn split(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or(("", name))
}
