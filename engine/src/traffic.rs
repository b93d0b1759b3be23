//! stub
use std::sync::Arc;
use std::time::{Duration, Instant};
use crate::changeset::ChangesetId;
use crate::contract::Contract;
use crate::database::{Catalog, Database, Ending};
use crate::error::Result;
use crate::evidence::{TrafficFailure, TrafficSummary};
pub struct TrafficOptions { pub rate: f64, pub connections: usize, pub ending: Ending, pub only_reads: bool, pub seed: u64, pub application: String }
#[derive(Debug, Clone, Copy)]
pub struct Window { pub requests: u64, pub failed: u64, pub p50_ms: f64, pub p99_ms: f64, pub max_ms: f64 }
pub enum Period { Before, During, After }
pub struct Traffic;
impl Traffic {
    pub async fn start(_: Arc<dyn Database>, _: &Catalog, _: &[Contract], _: TrafficOptions) -> Result<Traffic> { todo!() }
    pub fn window(&self, _: Duration) -> Window { todo!() }
    pub fn mark(&self, _: Period) {}
    pub fn running(&self, _: Option<ChangesetId>) {}
    pub fn longest_since(&self, _: Instant) -> f64 { 0.0 }
    pub async fn stop(self) -> (TrafficSummary, Vec<TrafficFailure>) { todo!() }
}
