//! The products, and which of them a URL names.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::endpoint::Endpoint;
use crate::model::preflight::Finding;
use crate::product::oracle::Product as OracleProduct;
pub use crate::product::postgres::local::Local as EmbeddedServer;
use crate::product::postgres::{Postgres, Product as PostgresProduct};
use crate::product::{Database, Product};

/// The products that a process knows.
#[derive(Clone)]
pub struct Products(Vec<Arc<dyn Product>>);

impl Default for Products {
    /// Those that come with the engine; the first is the embedded default.
    fn default() -> Self {
        Self(vec![Arc::new(PostgresProduct), Arc::new(OracleProduct)])
    }
}

impl std::fmt::Debug for Products {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|p| p.name())).finish()
    }
}

impl Products {
    /// One more product.
    #[must_use]
    pub fn with(mut self, product: Arc<dyn Product>) -> Self {
        self.0.push(product);
        self
    }

    /// The product that a URL names.
    ///
    /// # Errors
    /// `Input` when it names none that is supported. The URL is never repeated whole: it may carry a password.
    pub fn of(&self, url: &str) -> Result<&Arc<dyn Product>> {
        let example = self.0.first().map(|p| p.example()).unwrap_or_default();
        let hint = format!("use {example}");
        let Some((scheme, _)) = url.split_once(':') else {
            return Err(Error::input("a database is named by a URL").hint(hint));
        };
        let found = self.0.iter().find(|p| p.schemes().contains(&scheme));
        found.ok_or_else(|| Error::input(format!("no database product answers to \"{scheme}:\"")).hint(hint))
    }

    /// Opens (does not yet reach) the database that a URL names.
    ///
    /// # Errors
    /// As of `of`, and `Input` when the URL cannot be read.
    pub fn open(&self, url: &str) -> Result<Arc<dyn Database>> {
        self.of(url)?.open(url)
    }

    /// Opens the database that a URL names; see `Product::reach`.
    ///
    /// # Errors
    /// As of `of` and of `Product::reach`.
    pub async fn reach(&self, url: &str) -> Result<(Arc<dyn Database>, Option<Finding>)> {
        self.of(url)?.reach(url).await
    }
}

/// The embedded default product.
pub fn embedded_product() -> Arc<dyn Product> {
    Arc::new(PostgresProduct)
}

/// The embedded default product at an endpoint that this machine made.
pub fn embedded(endpoint: Endpoint) -> Arc<dyn Database> {
    Arc::new(Postgres::from_endpoint(endpoint))
}

/// The embedded default's dialect, for tests of what stands on it.
#[cfg(test)]
pub(crate) fn test_dialect() -> Arc<dyn crate::product::Dialect> {
    let (host, database, user) = (String::new(), String::new(), String::new());
    let options = std::collections::BTreeMap::new();
    embedded(Endpoint { host, port: 0, database, user, password: None, options })
}
