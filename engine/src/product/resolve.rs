//! What names mean in the session of a role.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::resolved::{Resolved, RoutineNames};
use crate::model::session_defaults::SessionDefaults;

/// Of a product whose server tells which objects it finds for the names in a query. Nothing is run.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// What a new session of each of these roles begins with; roles that are not there are left out.
    async fn session_defaults(&self, roles: &[&str]) -> Result<BTreeMap<String, SessionDefaults>>;
    /// What the names of each query mean, in their order. `session`: that of a role; `None`: one of our own. `None` for a query
    /// that does not plan or that has no plan.
    async fn names(&self, sql: &[&str], session: Option<&SessionDefaults>) -> Result<Vec<Option<Resolved>>>;
    /// What the bodies of routines mean, by `schema.name`: of those whose bodies are kept as text and get their meaning when they
    /// run, under their own settings where they have some.
    async fn routine_names(
        &self,
        routines: &[&str],
        session: Option<&SessionDefaults>,
    ) -> Result<BTreeMap<String, RoutineNames>>;
}
