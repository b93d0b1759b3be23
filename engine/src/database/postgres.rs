//! PostgreSQL.

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
