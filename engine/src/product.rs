//! What stages ask of a database product. A product is one folder here that implements these traits, and nothing above it
//! knows one by name.

mod analyze;
mod capabilities;
mod client;
mod dialect;
pub mod disk;
mod execute;
#[cfg(test)]
mod hazard_pages;
mod in_place;
mod inspect;
mod keep;
mod lock_watch;
mod optional;
pub mod oracle;
pub mod postgres;
mod provider;
mod registry;
mod resolve;
mod sessions;
mod weight;

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::endpoint::{ClientSettings, Endpoint, JdbcTarget};
use crate::model::preflight::Finding;
use crate::model::query_syntax::QuerySyntax;

pub use analyze::Analyze;
pub use capabilities::{Capabilities, ScratchKind};
pub use client::Client;
pub use dialect::Dialect;
pub use execute::{Batch, Execute, Trial};
pub use in_place::{InPlace, Origin};
pub use inspect::Inspect;
pub use keep::{Keep, KeepOptions, PutBackOptions, Renewed, ToKeep};
pub use optional::{FaultInjection, Harvest};
pub use provider::{Provider, Restored, Scratch};
#[cfg(test)]
pub(crate) use registry::test_dialect;
pub use registry::{EmbeddedServer, Products, embedded, embedded_product};
pub use resolve::Resolve;
pub use sessions::{Claim, LockWatch, Sessions};

/// A database product.
#[async_trait]
pub trait Product: Send + Sync {
    /// For people.
    fn name(&self) -> &'static str;
    /// Schemes of the URLs that name a database of this product.
    fn schemes(&self) -> &'static [&'static str];
    /// A URL to show as an example.
    fn example(&self) -> &'static str;
    fn capabilities(&self) -> Capabilities;
    /// How queries are written: contracts are read before a database is open.
    fn query_syntax(&self) -> &'static QuerySyntax;
    /// Reads a URL; nothing is reached yet.
    ///
    /// # Errors
    /// `Input` when it cannot be read. It is never repeated whole: it may carry a password.
    fn open(&self, url: &str) -> Result<Arc<dyn Database>>;
    /// The same where a URL may name several servers: they are asked which of them is meant, and everything is done there from then
    /// on. What was found comes with it.
    ///
    /// # Errors
    /// As of `open`, and `Input` when no server that is named can be worked with.
    async fn reach(&self, url: &str) -> Result<(Arc<dyn Database>, Option<Finding>)> {
        Ok((self.open(url)?, None))
    }
    /// A script by which an administrator grants the user of this endpoint what Drydock needs and no more; `None` where the product's page
    /// of the documentation says it.
    fn grants(&self, _endpoint: &Endpoint) -> Option<String> {
        None
    }
    /// The provider of this product's backups: a database and its provider come from one product.
    ///
    /// # Errors
    /// `Input` when the programs it needs are missing.
    async fn provider(&self) -> Result<Arc<dyn Provider>>;
}

/// A database of a product at one endpoint.
#[async_trait]
pub trait Database: Dialect + Analyze + Inspect + Sessions + Execute {
    fn product(&self) -> Arc<dyn Product>;
    fn endpoint(&self) -> &Endpoint;
    /// The same product elsewhere: a clone, a scratch database.
    fn at(&self, endpoint: Endpoint) -> Arc<dyn Database>;
    fn jdbc(&self) -> JdbcTarget;
    /// What the product can do at this database: less where the user may not see what the server shows. Asked after `Inspect::server`.
    fn capabilities(&self) -> Capabilities {
        self.product().capabilities()
    }
    /// A connection as a service would hold it.
    async fn client(&self, application: &str) -> Result<Box<dyn Client>> {
        self.client_with(application, &ClientSettings::default()).await
    }
    /// The same with settings of its session.
    async fn client_with(&self, application: &str, settings: &ClientSettings) -> Result<Box<dyn Client>>;
    /// Statistics of what services have run, where the product keeps them.
    fn harvest(&self) -> Option<&dyn Harvest> {
        None
    }
    /// Failures on demand, where the product can make them.
    fn faults(&self) -> Option<&dyn FaultInjection> {
        None
    }
    /// Keeps for a while what inverses take, where the product can.
    fn keep(&self) -> Option<&dyn Keep> {
        None
    }
    /// What names in queries mean, where the server tells.
    fn resolve(&self) -> Option<&dyn Resolve> {
        None
    }
}
