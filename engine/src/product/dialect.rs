//! A product's SQL as text: nothing here asks a server.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::change::Reference;
use crate::model::changeset::Statement;

pub trait Dialect: Send + Sync {
    /// Parses the SQL of one changeset in order, each text one or several statements, with the product's grammar.
    ///
    /// # Errors
    /// `Input` for a statement that the grammar does not take.
    fn statements(&self, sql: &[String], catalog: &Catalog) -> Result<Vec<Statement>>;
    /// Table -> columns of the indexes that these texts make; what cannot be read makes none.
    fn pending_indexes(&self, sql: &[String], catalog: &Catalog) -> BTreeMap<String, Vec<Vec<String>>>;
    /// The names of all hazards that `statements` may find.
    fn hazards(&self) -> BTreeSet<String>;
    /// Foreign keys that a script adds to tables that are there.
    ///
    /// # Errors
    /// `Input` when the grammar does not take the script.
    fn foreign_keys(&self, sql: &str, catalog: &Catalog) -> Result<Vec<Reference>>;
    /// The statement with each `*` of a result written out as the columns that it stands for now, as far as they are known.
    ///
    /// # Errors
    /// `Input` when the grammar does not take the query.
    fn spell_out(&self, sql: &str, catalog: &Catalog) -> Result<String>;
    /// Equal for queries that differ in constants, layout, comments and the length of lists only.
    ///
    /// # Errors
    /// `Input` when the grammar does not take the query.
    fn query_fingerprint(&self, sql: &str) -> Result<String>;
    /// Whether this code says that a limit was reached and a later try may succeed.
    fn is_busy(&self, code: &str) -> bool;
}
