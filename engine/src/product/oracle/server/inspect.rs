//! What the database is and holds.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::dictionary::read;
use super::later::not_yet;
use super::{Oracle, at_risk, data, histories, preflight, rows};
use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::change::Change;
use crate::model::changeset::Statement;
use crate::model::data_at_risk::AtRisk;
use crate::model::history::OtherHistory;
use crate::model::preflight::{Fact, ServerDisk};
use crate::model::row_writer::RowWriter;
use crate::model::schema::{DataFingerprint, SchemaFingerprint, SchemaSnapshot, WriteMark};
use crate::model::server::{Footprint, ServerInfo};
use crate::product::Inspect;
use crate::product::oracle::Speaks;
use crate::product::oracle::dictionary::{self, Dictionary};

impl Oracle {
    /// The dictionary as it is now.
    ///
    /// # Errors
    /// As of `connect`, and as the server has it.
    pub(super) async fn dictionary(&self) -> Result<Dictionary> {
        let mut session = self.looking().await?;
        let dictionary = read(&mut session, self.version()).await?;
        self.give_back(session).await;
        Ok(dictionary)
    }
}

#[async_trait]
impl Inspect for Oracle {
    async fn preflight(&self) -> Result<Vec<Fact>> {
        let mut session = self.looking().await?;
        let facts = preflight::read(&mut session, &self.endpoint).await?;
        self.give_back(session).await;
        Ok(facts)
    }
    async fn server(&self) -> Result<ServerInfo> {
        let mut session = self.looking().await?;
        let server = preflight::server(&mut session).await?;
        let _ = self.shared.sees_sessions.set(server.sees_activity);
        self.give_back(session).await;
        Ok(server)
    }
    async fn catalog(&self) -> Result<Catalog> {
        Ok(self.dictionary().await?.catalog())
    }
    async fn schema_fingerprint(&self) -> Result<SchemaFingerprint> {
        Ok(self.dictionary().await?.fingerprint())
    }
    async fn data_fingerprint(&self, tables: Option<&[String]>) -> Result<DataFingerprint> {
        let mut session = self.looking().await?;
        let dictionary = read(&mut session, self.version()).await?;
        let fingerprint = data::fingerprint(&mut session, &dictionary, tables).await?;
        self.give_back(session).await;
        Ok(fingerprint)
    }
    async fn histories(&self) -> Result<Vec<OtherHistory>> {
        let mut session = self.looking().await?;
        let histories = histories::read(&mut session).await?;
        self.give_back(session).await;
        Ok(histories)
    }
    /// ORA_ROWSCN tells the block's last change, not the row's.
    async fn write_mark(&self) -> Result<Option<WriteMark>> {
        Ok(None)
    }
    async fn untouched_since(&self, _tables: &[String], _mark: &WriteMark) -> Result<DataFingerprint> {
        Err(not_yet("tell when a row was written"))
    }
    async fn row_writers(&self) -> Result<Vec<RowWriter>> {
        Ok(Vec::new())
    }
    async fn snapshot(&self) -> Result<SchemaSnapshot> {
        Ok(self.dictionary().await?.snapshot())
    }
    async fn catalog_and_snapshot(&self) -> Result<(Arc<Catalog>, Arc<SchemaSnapshot>)> {
        let dictionary = self.dictionary().await?;
        Ok((Arc::new(dictionary.catalog()), Arc::new(dictionary.snapshot())))
    }
    fn diff(&self, before: &SchemaSnapshot, after: &SchemaSnapshot) -> Vec<Change> {
        dictionary::between(before, after)
    }
    async fn rows(&self, table: &str, most: u32) -> Result<(Vec<String>, Vec<Vec<Option<String>>>)> {
        let mut session = self.looking().await?;
        let rows = rows::rows(&mut session, table, most).await?;
        self.give_back(session).await;
        Ok(rows)
    }
    async fn samples(&self, table: &str, column: &str, most: u32) -> Result<Vec<String>> {
        let mut session = self.looking().await?;
        let samples = rows::samples(&mut session, table, column, most).await?;
        self.give_back(session).await;
        Ok(samples)
    }
    async fn count_present(&self, table: &str, column: &str, values: &[String]) -> Result<u64> {
        let mut session = self.looking().await?;
        let count = rows::count_present(&mut session, table, column, values).await?;
        self.give_back(session).await;
        Ok(count)
    }
    async fn data_at_risk(&self, statements: &[&Statement], limit: Duration) -> Result<Vec<Vec<AtRisk>>> {
        let catalog = self.known().await?.dictionary.catalog();
        let mut session = self.looking().await?;
        let risks = at_risk::read(&mut session, statements, &catalog, self.version(), limit).await;
        self.give_back(session).await;
        Ok(risks)
    }
    async fn footprint(&self) -> Result<Footprint> {
        Ok(Footprint::default())
    }
    /// Where the server has its data is not seen from here.
    async fn disk(&self) -> Result<Option<ServerDisk>> {
        Ok(Some(ServerDisk::Hidden))
    }
}
