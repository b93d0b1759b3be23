//! The database of a URL.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Oracle, client, jdbc};
use crate::error::Result;
use crate::model::endpoint::{ClientSettings, Endpoint, JdbcTarget};
use crate::product::oracle::{Product, url};
use crate::product::{self, Capabilities, Client, Database};

#[async_trait]
impl Database for Oracle {
    fn product(&self) -> Arc<dyn product::Product> {
        Arc::new(Product)
    }
    /// A copy of which only the dictionary is there has its own way.
    fn at(&self, endpoint: Endpoint) -> Arc<dyn Database> {
        if endpoint.user.is_empty() {
            return crate::product::oracle::at(endpoint);
        }
        // A copy has the same grants.
        let copy = Self::at(endpoint);
        if let Some(sees) = self.shared.sees_sessions.get() {
            let _ = copy.shared.sees_sessions.set(*sees);
        }
        Arc::new(copy)
    }
    fn capabilities(&self) -> Capabilities {
        let shows_sessions = self.shared.sees_sessions.get().copied().unwrap_or(false);
        Capabilities { shows_sessions, ..self.product().capabilities() }
    }
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
    fn jdbc(&self) -> JdbcTarget {
        jdbc::target(&self.endpoint)
    }
    async fn client_with(&self, application: &str, settings: &ClientSettings) -> Result<Box<dyn Client>> {
        // Bare names mean objects of one schema. What is known of another one is of no use there.
        let database = match settings.search_path.as_ref().and_then(|path| path.first()) {
            Some(schema) => {
                let mut endpoint = self.endpoint.clone();
                endpoint.options.insert(url::SCHEMA.to_owned(), format!("\"{schema}\""));
                Self::at(endpoint)
            }
            None => self.clone(),
        };
        let session = database.connect(application).await?;
        Ok(Box::new(client::Service::new(database, session, settings)))
    }
}
