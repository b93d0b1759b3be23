//! What queries read, write and take.

use async_trait::async_trait;

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::query::{ResultFacts, Usage};

/// Many queries in one call: a product may read them with its grammar or ask its server, in one round trip. `catalog` is that of
/// this database as it is now.
#[async_trait]
pub trait Analyze: Send + Sync {
    /// All that each query comes to use and to write, and what stands behind its parameters; in their order. `Input` for a
    /// query that is not taken; a product that asks its server takes none that the schema does not fit.
    async fn queries(&self, sql: &[&str], catalog: &Catalog) -> Vec<Result<Usage>>;
    /// What the answer of each query depends on and where its columns come from; in their order. `Input` for a query that is
    /// not taken.
    async fn results(&self, sql: &[&str], catalog: &Catalog) -> Vec<Result<ResultFacts>>;
}
