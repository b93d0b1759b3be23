//! The schema that the last run left, by which drift is found.

use super::journal;
use super::session::Run;
use super::storage::Storage;
use crate::config::{Environment, LAST_SCHEMA};
use crate::error::{Context, Result};
use crate::model::schema::SchemaFingerprint;

impl Run {
    /// Keeps the schema as this run leaves it.
    ///
    /// # Errors
    /// `Failed` when the disk or the storage does not take it.
    pub async fn remember_schema(&self, schema: &SchemaFingerprint) -> Result<()> {
        write(&self.environment, self.storage(), schema).await
    }
}

/// Keeps a schema as the one that the last run left.
///
/// # Errors
/// `Failed` when the disk or the storage does not take it.
pub async fn write(
    environment: &Environment,
    storage: Option<&Storage>,
    schema: &SchemaFingerprint,
) -> Result<()> {
    let bytes = serde_json::to_vec(schema).context("the schema cannot be remembered")?;
    journal::write_whole(&environment.home, LAST_SCHEMA, &bytes)
        .context("the schema cannot be remembered")?;
    match storage {
        Some(storage) => storage.put(LAST_SCHEMA, &bytes).await,
        None => Ok(()),
    }
}

/// The schema that the last run left; `None` before the first one.
///
/// # Errors
/// `Failed` when it is there and cannot be read.
pub fn read(environment: &Environment) -> Result<Option<SchemaFingerprint>> {
    let Ok(bytes) = std::fs::read(environment.home.join(LAST_SCHEMA)) else { return Ok(None) };
    serde_json::from_slice(&bytes).context("the remembered schema cannot be read").map(Some)
}
