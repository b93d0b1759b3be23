//! PostgreSQL.

mod alter;
pub mod analyse;
pub mod backfill;
mod columns;
mod constraints;
mod create;
mod dml;
mod drops;
pub mod hazards;
mod names;
pub mod parameters;
pub mod relations;
mod sketch;
pub mod sql;
mod types;

use crate::database::Endpoint;
use crate::error::Result;

#[derive(Debug, Clone)]
pub struct Postgres {
    endpoint: Endpoint,
}
impl Postgres {
    pub fn from_url(_url: &str) -> Result<Self> {
        todo!()
    }
}
