//! The database of an environment.

use std::sync::Arc;

use crate::config::{Environment, Target};
use crate::demo;
use crate::error::{ErrorKind, Result};
use crate::model::preflight::{Fact, Weight};
use crate::model::query_syntax::QuerySyntax;
use crate::product::{Database, Products, embedded_product};
use crate::run::preflight;
use crate::watcher::Watcher;

/// A database that was looked at before anything else was done with it.
pub struct Opened {
    pub database: Arc<dyn Database>,
    pub facts: Vec<Fact>,
}

/// Opens the target of an environment, making the demo's production at first use.
///
/// # Errors
/// `Input` when it cannot be named or reached, or when nothing can be done with it.
pub async fn open(
    environment: &Environment,
    products: &Products,
    watcher: &Arc<dyn Watcher>,
) -> Result<Opened> {
    let opened = look(environment, products, watcher).await?;
    preflight::refuse(&opened.facts, Weight::StopsAll)?;
    // Sets something on sessions, so that it comes second.
    opened.database.server().await.map_err(|e| e.kind(ErrorKind::Input))?;
    Ok(opened)
}

/// The same, and whatever is found refuses nothing.
///
/// # Errors
/// `Input` when it cannot be named or reached.
pub async fn look(
    environment: &Environment,
    products: &Products,
    watcher: &Arc<dyn Watcher>,
) -> Result<Opened> {
    let database = match &environment.target {
        Target::Url(url) | Target::Served(url) => products.open(url.expose())?,
        Target::Demo { scale } => demo::production(environment, *scale, watcher).await?,
    };
    // A database that was named and cannot be reached is a matter of what was named.
    let facts = database.preflight().await.map_err(|e| e.kind(ErrorKind::Input))?;
    Ok(Opened { database, facts })
}

/// Says which files of Liquibase and Spring Boot have a part in how the changelog is read.
pub fn tell_settings(environment: &Environment, watcher: &Arc<dyn Watcher>) {
    for file in &environment.liquibase.read_from {
        watcher.note(&format!("settings of Liquibase are read from {}", file.display()));
    }
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
