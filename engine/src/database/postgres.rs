//! PostgreSQL.

mod alter;
pub mod analyse;
pub mod backfill;
mod columns;
mod constraints;
mod create;
mod dml;
mod drops;
mod extinguish;
pub mod hazards;
mod names;
mod operands;
pub mod parameters;
pub mod relations;
mod scope;
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
