//! Which product a URL names.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::endpoint::Endpoint;
use crate::product::postgres::Postgres;
use crate::product::postgres::local::Local;
use crate::product::{Database, Provider};

/// Opens (does not yet reach) the database that a URL names.
///
/// # Errors
/// `Input` when the URL cannot be read or names a product that is not supported. The URL is never repeated whole: it may
/// carry a password.
pub fn open(url: &str) -> Result<Arc<dyn Database>> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => Ok(Arc::new(Postgres::from_url(url)?)),
        Some(other) => Err(Error::input(format!("no database product answers to \"{other}:\""))
            .hint("use postgresql://user@host:5432/database")),
        None => {
            Err(Error::input("a database is named by a URL").hint("use postgresql://user@host:5432/database"))
        }
    }
}

/// The embedded default product at an endpoint that this machine made.
pub fn embedded(endpoint: Endpoint) -> Arc<dyn Database> {
    Arc::new(Postgres::from_endpoint(endpoint))
}

/// The provider of databases on this machine.
///
/// # Errors
/// `Input` when the programs it needs are missing.
pub async fn local_provider() -> Result<Arc<dyn Provider>> {
    Ok(Arc::new(Local::find().await?))
}
