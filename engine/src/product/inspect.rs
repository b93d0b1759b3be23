//! What a database is and holds. Nothing here changes it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::change::Change;
use crate::model::changeset::Statement;
use crate::model::data_at_risk::AtRisk;
use crate::model::history::OtherHistory;
use crate::model::preflight::{Fact, ServerDisk};
use crate::model::row_writer::RowWriter;
use crate::model::schema::{DataFingerprint, SchemaFingerprint, SchemaSnapshot, WriteMark};
use crate::model::server::{Footprint, LogPosition, ServerInfo};

#[async_trait]
pub trait Inspect: Send + Sync {
    /// What is to be known before anything is done. Nothing is set on a session that others may get.
    ///
    /// # Errors
    /// `Failed` when the server cannot be reached or asked.
    async fn preflight(&self) -> Result<Vec<Fact>>;
    /// Reaches the server and checks its version.
    async fn server(&self) -> Result<ServerInfo>;
    async fn catalog(&self) -> Result<Catalog>;
    async fn schema_fingerprint(&self) -> Result<SchemaFingerprint>;
    /// Of the named tables (absent ones are left out) or of all, partitions within their parents.
    async fn data_fingerprint(&self, tables: Option<&[String]>) -> Result<DataFingerprint>;
    /// Every history of Liquibase's in this database that the user may read, whatever its schema and name.
    async fn histories(&self) -> Result<Vec<OtherHistory>>;
    /// This moment, to tell rows that are written after it; `None` where the product does not show when a row was written.
    async fn write_mark(&self) -> Result<Option<WriteMark>>;
    /// Of these tables, those rows only that nobody has written since the mark.
    async fn untouched_since(&self, tables: &[String], mark: &WriteMark) -> Result<DataFingerprint>;
    /// What in the schema writes rows by itself, as far as its code is seen to.
    async fn row_writers(&self) -> Result<Vec<RowWriter>>;
    /// The schema at this moment, with what tells a renamed object from a new one.
    async fn snapshot(&self) -> Result<SchemaSnapshot>;
    /// The catalog and a snapshot, of a copy that is looked at again and again: a product may read only what has changed. How much a
    /// table holds may be what an earlier look has seen.
    async fn catalog_and_snapshot(&self) -> Result<(Arc<Catalog>, Arc<SchemaSnapshot>)> {
        let (catalog, snapshot) = futures::try_join!(self.catalog(), self.snapshot())?;
        Ok((Arc::new(catalog), Arc::new(snapshot)))
    }
    /// What differs between two snapshots, as far as it may affect somebody whose queries still plan.
    fn diff(&self, before: &SchemaSnapshot, after: &SchemaSnapshot) -> Vec<Change>;
    /// Up to `most` rows of a small table: columns, and all values as text.
    async fn rows(&self, table: &str, most: u32) -> Result<(Vec<String>, Vec<Vec<Option<String>>>)>;
    /// Up to `most` existing values of a column as text, the same for the same data.
    async fn samples(&self, table: &str, column: &str, most: u32) -> Result<Vec<String>>;
    /// How many of these values (as text) the column holds.
    async fn count_present(&self, table: &str, column: &str, values: &[String]) -> Result<u64>;
    /// What statements, run in this order, would take from rows that are there; a list for each statement. What cannot be counted
    /// within `limit` is told as such.
    async fn data_at_risk(&self, statements: &[&Statement], limit: Duration) -> Result<Vec<Vec<AtRisk>>>;
    async fn footprint(&self) -> Result<Footprint>;
    /// Where the log of the server stands now. `None` where the product has no log that a recovery could end in, or does not show it.
    async fn log_position(&self) -> Result<Option<LogPosition>> {
        Ok(None)
    }
    /// The disk that the server has its data on. `None` where no server stands between, so that there is nothing to add to what is
    /// known of this machine.
    async fn disk(&self) -> Result<Option<ServerDisk>> {
        Ok(None)
    }
}
