//! The database of a URL.

use std::sync::Arc;

use async_trait::async_trait;

use super::later::not_yet;
use super::{Oracle, jdbc};
use crate::error::Result;
use crate::model::endpoint::{ClientSettings, Endpoint, JdbcTarget};
use crate::product::oracle::Product;
use crate::product::{self, Client, Database};

#[async_trait]
impl Database for Oracle {
    fn product(&self) -> Arc<dyn product::Product> {
        Arc::new(Product)
    }
    /// A copy of which only the dictionary is there has its own way.
    fn at(&self, endpoint: Endpoint) -> Arc<dyn Database> {
        crate::product::oracle::at(endpoint)
    }
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
    fn jdbc(&self) -> JdbcTarget {
        jdbc::target(&self.endpoint)
    }
    async fn client_with(&self, _application: &str, _settings: &ClientSettings) -> Result<Box<dyn Client>> {
        Err(not_yet("run queries"))
    }
}
