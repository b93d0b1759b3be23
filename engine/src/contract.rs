//! What services need of the database: deployed versions, their queries, their API fields.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod data_direction;
pub mod drift;
pub mod files;
pub mod harvest;
mod load;
pub(crate) mod openapi;
mod placeholders;
mod queries;
pub mod role_sessions;
mod variants;

pub mod write;

pub use load::load;
pub use queries::parse as parse_queries;

/// How queries of the embedded default product are written.
#[cfg(test)]
fn test_syntax() -> &'static crate::model::query_syntax::QuerySyntax {
    crate::product::embedded_product().query_syntax()
}

/// What one service needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Contract {
    pub service: String,
    pub owner: Option<String>,
    pub role: Option<String>,
    pub versions: Vec<Version>,
    /// The contract's own file.
    pub file: PathBuf,
}

/// One deployed version of a service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    pub version: String,
    pub queries: Vec<Query>,
    pub api: Vec<ApiField>,
}

/// How many rows a caller expects (sqlc's annotations).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Arity {
    One,
    Many,
    Exec,
    ExecRows,
    CopyFrom,
}

/// One query of a service version, with where it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Query {
    pub name: String,
    pub arity: Arity,
    /// One statement with numbered parameters, without the closing semicolon.
    pub sql: String,
    pub file: PathBuf,
    pub line: u64,
    /// Table and column whose value the first result column of an acknowledged write is (`-- ack: table.column`).
    #[serde(default)]
    pub ack: Option<(String, String)>,
}

/// A field of an API that shows or takes a column (`x-column`), or shows a column of a query's result (`x-query`).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ApiField {
    /// e.g. `GET /shipments/{id} 200 Shipment.status` or `Shipment.status`.
    pub field: String,
    /// Empty where a query stands between.
    pub table: String,
    pub column: String,
    /// The query of the same version whose result column it is.
    #[serde(default)]
    pub query: Option<String>,
    pub json_type: Option<String>,
    pub format: Option<String>,
    pub nullable: bool,
    pub max_length: Option<u64>,
    #[serde(default)]
    pub maximum: Option<f64>,
    pub labels: Vec<String>,
    /// It is shown to clients.
    #[serde(default)]
    pub response: bool,
    /// Clients give it, and it is written.
    #[serde(default)]
    pub request: bool,
    /// Clients give it, and it is compared.
    #[serde(default)]
    pub parameter: bool,
    /// A request may leave it out, and nothing else is written then.
    #[serde(default)]
    pub optional: bool,
    pub file: PathBuf,
    pub line: u64,
}

impl ApiField {
    /// Whether it shows what this query gives; all variants of it are meant.
    pub fn is_fed_by(&self, name: &str) -> bool {
        let own = self.query.as_deref();
        own.is_some_and(|q| name.strip_prefix(q).is_some_and(|rest| rest.is_empty() || rest.starts_with('[')))
    }
}
