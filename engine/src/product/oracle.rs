//! Oracle Database.
//!
//! Its SQL is read by a grammar of our own keeping (`grammar/`), and what a changeset means for queries is told from the dictionary
//! (`dictionary/`): there are no scratch databases, so nothing is tried out before the clone.

pub mod cloud;
mod dictionary;
mod error_codes;
mod grammar;
mod hazards;
mod offline;
mod queries;
mod server;
pub(crate) mod session;
pub(crate) mod url;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::change::Reference;
use crate::model::changeset::Statement;
use crate::model::column_type::ColumnType;
use crate::model::difference::DefinitionChange;
use crate::model::endpoint::Endpoint;
use crate::model::error_class::ErrorClass;
use crate::model::query::{ResultFacts, Usage};
use crate::model::query_syntax::QuerySyntax;
use crate::model::value::Value;
use crate::product::{self, Analyze, Capabilities, Database, Dialect, Provider, ScratchKind};
use dictionary::Version;
use grammar::facts::Piece;
use offline::Offline;
pub use offline::write as write_dictionary;
use server::Oracle;

const QUERY_SYNTAX: QuerySyntax = QuerySyntax {
    parameter: ':',
    dollar_quotes: false,
    escape_strings: false,
    nested_comments: false,
    operators_before_at: &[],
    array_slices: false,
    capitals: true,
    code_blocks: true,
    array_search: None,
};

/// Oracle as a product.
#[derive(Debug, Clone, Copy)]
pub struct Product;

#[async_trait]
impl product::Product for Product {
    fn name(&self) -> &'static str {
        "Oracle"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["oracle", "oracles", offline::SCHEME]
    }

    fn example(&self) -> &'static str {
        "oracle://user@host:1521/service"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // Oracle commits before and after each DDL statement.
            transactional_ddl: false,
            scratch: ScratchKind::Dictionary,
            sample_rows: false,
            // DDL_LOCK_TIMEOUT is in seconds.
            shortest_lock_wait: Duration::from_secs(1),
            concurrent_index: true,
            plan_costs: false,
            // Where the user may see them: see `Database::capabilities`.
            shows_sessions: true,
            prepared_results: false,
            statement_limit: false,
        }
    }

    fn query_syntax(&self) -> &'static QuerySyntax {
        &QUERY_SYNTAX
    }

    fn open(&self, url: &str) -> Result<Arc<dyn Database>> {
        match url.strip_prefix(offline::SCHEME).and_then(|rest| rest.strip_prefix("://")) {
            Some(path) => Ok(Arc::new(Offline::at(offline::endpoint(std::path::Path::new(path))))),
            None => Ok(Arc::new(Oracle::at(url::parse_url(url)?))),
        }
    }

    fn grants(&self, endpoint: &Endpoint) -> Option<String> {
        Some(server::grants(endpoint))
    }

    async fn provider(&self) -> Result<Arc<dyn Provider>> {
        Ok(Arc::new(server::ScratchOnly))
    }
}

/// The database at an endpoint that this product has made: one without a user is a dictionary in a file.
fn at(endpoint: Endpoint) -> Arc<dyn Database> {
    if endpoint.user.is_empty() { Arc::new(Offline::at(endpoint)) } else { Arc::new(Oracle::at(endpoint)) }
}

/// What Oracle's SQL says, for a database of this version.
trait Speaks: Send + Sync {
    fn version(&self) -> Version;
}

impl<T: Speaks> Dialect for T {
    fn statements(&self, sql: &[String], catalog: &Catalog) -> Result<Vec<Statement>> {
        let context = grammar::Context::new(self.version().name(), catalog);
        grammar::stand_alone(sql, &context)?;
        hazards::analyse(sql, catalog, self.version())
    }

    fn pending_indexes(&self, sql: &[String], catalog: &Catalog) -> BTreeMap<String, Vec<Vec<String>>> {
        hazards::pending_indexes(sql, catalog, self.version())
    }

    fn hazards(&self) -> BTreeSet<String> {
        hazards::names()
    }

    fn foreign_keys(&self, sql: &str, catalog: &Catalog) -> Result<Vec<Reference>> {
        let context = grammar::Context::new(self.version().name(), catalog);
        let pieces = grammar::pieces(sql, &context)?;
        let read = pieces.iter().filter_map(|piece| piece.read.as_ref()).filter(|r| r.kind == "alter_table");
        let keys = read.flat_map(|read| {
            let table = hazards::table(read).unwrap_or_default();
            read.facts.constraints.iter().filter_map(move |constraint| {
                let parent = constraint.references.clone()?;
                Some(Reference {
                    table: table.clone(),
                    columns: constraint.columns.clone(),
                    theirs: constraint.references_columns.clone(),
                    parent,
                })
            })
        });
        Ok(keys.collect())
    }

    fn spell_out(&self, sql: &str, _catalog: &Catalog) -> Result<String> {
        Ok(sql.to_owned())
    }

    fn query_fingerprint(&self, sql: &str) -> Result<String> {
        Ok(queries::words::fingerprint(sql))
    }

    fn placeholder(&self, number: usize) -> String {
        QUERY_SYNTAX.placeholder(number)
    }

    fn column_type(&self, text: &str) -> ColumnType {
        dictionary::column_type(text)
    }

    fn value_text(&self, value: &Value) -> String {
        queries::value_text(value)
    }

    fn definition_change(&self, object: &str, before: &str, after: &str) -> DefinitionChange {
        dictionary::definition_change(object, before, after)
    }

    fn error_class(&self, code: &str) -> ErrorClass {
        error_codes::class(code)
    }
}

#[async_trait]
impl<T: Speaks> Analyze for T {
    async fn queries(&self, sql: &[&str], catalog: &Catalog) -> Vec<Result<Usage>> {
        let context = grammar::Context::new(self.version().name(), catalog);
        each(sql, &context, |sql, piece| Ok(queries::usage(sql, read_of(piece)?, catalog)))
    }

    async fn results(&self, sql: &[&str], catalog: &Catalog) -> Vec<Result<ResultFacts>> {
        let context = grammar::Context::new(self.version().name(), catalog);
        each(sql, &context, |_, piece| {
            let query = read_of(piece)?.query.as_ref();
            Ok(query.map_or_else(queries::unread_result, queries::facts))
        })
    }
}

/// What was read of a statement.
fn read_of(piece: &Piece) -> Result<&grammar::Read> {
    match (&piece.error, &piece.read) {
        (Some(complaint), _) => Err(complaint.error()),
        (None, Some(read)) => Ok(read),
        (None, None) => Err(Error::failed("the reader of Oracle's SQL says nothing of a statement")),
    }
}

/// Reads queries, each of one statement, in one go.
fn each<R>(
    sql: &[&str],
    context: &grammar::Context,
    mut of: impl FnMut(&str, &Piece) -> Result<R>,
) -> Vec<Result<R>> {
    let texts = match grammar::read(sql, context) {
        Ok(texts) => texts,
        Err(e) => return sql.iter().map(|_| Err(Error::new(e.kind, e.chain()))).collect(),
    };
    sql.iter()
        .zip(texts)
        .map(|(sql, text)| match text.statements.as_slice() {
            [one] => of(sql, one),
            [] => Err(Error::input("there is no statement")),
            _ => Err(Error::input("there is more than one statement")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Nineteen;

    impl Speaks for Nineteen {
        fn version(&self) -> Version {
            Version::V19
        }
    }

    #[test]
    fn a_foreign_key_belongs_to_the_table_that_is_altered() {
        let catalog = Catalog { search_path: vec!["SHOP".into()], ..Catalog::default() };
        let sql = "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (customer_id) REFERENCES customers (id)";
        let keys = Nineteen.foreign_keys(sql, &catalog).unwrap();
        let shown: Vec<(&str, &str)> = keys.iter().map(|k| (k.table.as_str(), k.parent.as_str())).collect();
        assert_eq!(shown, [("SHOP.ORDERS", "SHOP.CUSTOMERS")]);
    }
}
