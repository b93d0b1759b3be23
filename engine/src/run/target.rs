//! The database of an environment.

use std::sync::Arc;

use crate::config::{Environment, Target};
use crate::demo;
use crate::error::{ErrorKind, Result};
use crate::model::query_syntax::QuerySyntax;
use crate::product::{Database, Products, embedded_product};
use crate::watcher::Watcher;

/// Opens the target of an environment, making the demo's production at first use.
///
/// # Errors
/// `Input` when it cannot be named or reached.
pub async fn open(
    environment: &Environment,
    products: &Products,
    watcher: &Arc<dyn Watcher>,
) -> Result<Arc<dyn Database>> {
    let database = match &environment.target {
        Target::Url(url) | Target::Served(url) => products.open(url.expose())?,
        Target::Demo { scale } => demo::production(environment, *scale, watcher).await?,
    };
    // A database that was named and cannot be reached is a matter of what was named.
    database.server().await.map_err(|e| e.kind(ErrorKind::Input))?;
    Ok(database)
}

/// How queries are written for the target of an environment. Nothing is opened.
///
/// # Errors
/// `Input` when its URL names no product that is supported.
pub fn query_syntax(environment: &Environment, products: &Products) -> Result<&'static QuerySyntax> {
    Ok(match &environment.target {
        Target::Url(url) | Target::Served(url) => products.of(url.expose())?.query_syntax(),
        Target::Demo { .. } => embedded_product().query_syntax(),
    })
}
