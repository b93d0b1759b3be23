//! What traffic asks of a database: little enough that a test can stand in for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use crate::contract::role_sessions::RoleSessions;
use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::endpoint::ClientSettings;
use crate::model::query::Usage;
use crate::product::{Client, Database, Dialect};

#[async_trait]
pub(super) trait Source: Send + Sync {
    fn dialect(&self) -> Arc<dyn Dialect>;
    /// A session with what else it is set to.
    async fn client(&self, application: &str, settings: &ClientSettings) -> Result<Box<dyn Client>>;
    async fn sessions(&self, roles: &BTreeSet<String>) -> Result<RoleSessions>;
    /// In their order.
    async fn usages(&self, sql: &[&str], catalog: &Catalog) -> Vec<Result<Usage>>;
    async fn samples(&self, table: &str, column: &str, most: u32) -> Result<Vec<String>>;
    async fn count_present(&self, table: &str, column: &str, values: &[String]) -> Result<u64>;
}

#[async_trait]
impl Source for Arc<dyn Database> {
    fn dialect(&self) -> Arc<dyn Dialect> {
        Arc::<dyn Database>::clone(self)
    }
    async fn client(&self, application: &str, settings: &ClientSettings) -> Result<Box<dyn Client>> {
        self.client_with(application, settings).await
    }
    async fn sessions(&self, roles: &BTreeSet<String>) -> Result<RoleSessions> {
        RoleSessions::read(self.as_ref(), roles).await
    }
    async fn usages(&self, sql: &[&str], catalog: &Catalog) -> Vec<Result<Usage>> {
        self.queries(sql, catalog).await
    }
    async fn samples(&self, table: &str, column: &str, most: u32) -> Result<Vec<String>> {
        self.as_ref().samples(table, column, most).await
    }
    async fn count_present(&self, table: &str, column: &str, values: &[String]) -> Result<u64> {
        self.as_ref().count_present(table, column, values).await
    }
}
