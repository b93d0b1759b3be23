//! `doctor`: all that would be looked at before a run, and nothing is refused for it.

use crate::config::Environment;
use crate::error::Result;
use crate::liquibase::Liquibase;
use crate::model::catalog::Catalog;
use crate::model::evidence::Doctor;
use crate::model::preflight::{Fact, Finding, Weight};
use crate::operations::{Operations, reading};
use crate::product::Database;
use crate::run::target::Opened;
use crate::run::{preflight, target};
use crate::stages::plan;

/// What sessions of ours are called: none of them is the Liquibase that holds its lock.
const OURS: &str = "drydock";

impl Operations {
    /// Facts about the server, the session, the disk and Liquibase. Changes nothing. A changelog that is not there is left out.
    ///
    /// # Errors
    /// `Input` when the database cannot be reached, or the changelog not be read.
    pub async fn doctor(&self, environment: &Environment) -> Result<Doctor> {
        let Opened { database, mut facts } = target::look(environment, &self.products, &self.watcher).await?;
        let mut drift = Vec::new();
        // Behind a pooler, and on a replica, the rest cannot be asked without harm or means nothing.
        if facts.iter().all(|fact| fact.weight < Weight::StopsPlans) {
            let provider = database.product().provider().await?;
            facts.extend(preflight::copies(database.as_ref(), provider.as_ref(), &environment.home).await?);
            facts.extend(preflight::server_disk(database.as_ref(), &[], &Catalog::default()).await?);
            if environment.changelog_root.join(&environment.changelog_file).is_file() {
                let mut liquibase = reading(environment, database.as_ref(), "drydock doctor").await?;
                facts.extend(lock(database.as_ref(), &mut liquibase).await?);
                let status = liquibase.status().await?;
                drift = plan::differences(environment, database.as_ref(), &status).await?;
                liquibase.close().await;
            }
        }
        Ok(Doctor { database: database.endpoint().to_string(), facts, drift })
    }
}

/// Liquibase's lock, where it is held.
async fn lock(database: &dyn Database, liquibase: &mut Liquibase) -> Result<Option<Fact>> {
    let Some(lock) = liquibase.lock_holder().await? else { return Ok(None) };
    let alive = database.liquibase_alive(&lock, OURS).await?;
    let fact = Fact::new(Finding::LiquibaseLock { by: lock.by, since: lock.since, alive });
    Ok(Some(match alive {
        true => {
            fact.remedy("wait for it; if nobody migrates, release the lock with `liquibase release-locks`")
        }
        false => fact.remedy("the next run releases it"),
    }))
}
