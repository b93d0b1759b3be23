//! A product's SQL as text: nothing here asks a server.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::change::Reference;
use crate::model::changeset::Statement;
use crate::model::column_type::ColumnType;
use crate::model::difference::DefinitionChange;
use crate::model::error_class::ErrorClass;
use crate::model::value::Value;

pub trait Dialect: Send + Sync {
    /// Parses the SQL of one changeset in order, each text one or several statements, with the product's grammar.
    ///
    /// # Errors
    /// `Input` for a statement that the grammar does not take.
    fn statements(&self, sql: &[String], catalog: &Catalog) -> Result<Vec<Statement>>;
    /// What can be said of one statement that the grammar does not take, in case that the server does: a server may be newer than the
    /// grammar. `None`: the grammar is the server's own, and what it does not take is no statement.
    fn unread_statement(&self, _sql: &str, _catalog: &Catalog) -> Option<Statement> {
        None
    }
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
    /// The parameter with this number, as queries write it.
    fn placeholder(&self, number: usize) -> String;
    /// The type that the product's text names, as the catalog and the shapes of queries hold it.
    fn column_type(&self, text: &str) -> ColumnType;
    /// A value in the text form that the product reads, and that it gives when values are asked for as text.
    fn value_text(&self, value: &Value) -> String;
    /// What it comes to that an object of the schema's fingerprint has another definition.
    fn definition_change(&self, object: &str, before: &str, after: &str) -> DefinitionChange;
    /// What an error with this code is about.
    fn error_class(&self, code: &str) -> ErrorClass;
}
