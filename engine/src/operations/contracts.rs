//! Contracts from what services have run, and what tells contracts and the database apart.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::Operations;
use crate::config::Environment;
use crate::contract::drift::{self, ContractDrift};
use crate::contract::files::{self, FromFiles};
use crate::contract::harvest::{self, Harvested};
use crate::contract::role_sessions::{self, RoleSessions};
use crate::contract::write::{self, LeftOut};
use crate::contract::{self, Contract};
use crate::error::{Error, Result};
use crate::model::statement_stats::StatementStats;
use crate::product::{Database, embedded_product};
use crate::run::target;

/// What a harvest is asked for.
#[derive(Debug, Clone, Default)]
pub struct HarvestOptions {
    /// The folder of the contract; else that of the environment's contracts.
    pub output: Option<PathBuf>,
    /// Only this one, also when it has a contract.
    pub service: Option<String>,
    /// A folder of the service's own files instead of the database.
    pub from: Option<PathBuf>,
}

/// What `drydock contracts harvest` prints as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Harvest {
    pub written: Vec<Written>,
    /// Services that were seen and have a contract already.
    pub have_contracts: Vec<String>,
    pub left_out: Vec<Left>,
    /// Texts that the database has cut off or lost.
    pub unreadable: u64,
    /// That the database had no room for all that ran, in its words.
    pub forgotten: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Written {
    pub service: String,
    pub versions: Vec<String>,
    pub queries: u64,
    pub file: PathBuf,
}

/// A query that cannot be checked as it was seen; it is in the queries file as a comment.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Left {
    pub service: String,
    pub sql: String,
    pub reason: String,
}

impl Operations {
    /// Writes contracts of what services have run, or of their own files. A harvest of files needs no environment.
    ///
    /// # Errors
    /// `Input` when no folder for the contract is given, or the service has one elsewhere.
    pub async fn harvest(&self, environment: Option<&Environment>, wish: HarvestOptions) -> Result<Harvest> {
        let folder =
            wish.output.clone().or_else(|| environment.map(|e| e.contracts.clone())).ok_or_else(|| {
                Error::input("no folder for the contract is given").hint("give --output DIR")
            })?;
        let contracts = match environment {
            Some(environment) => self.known(environment)?,
            None => Vec::new(),
        };
        let syntax = match environment {
            Some(environment) => target::query_syntax(environment, &self.products)?,
            None => embedded_product().query_syntax(),
        };
        let mut done = Harvest {
            written: vec![],
            have_contracts: vec![],
            left_out: vec![],
            unreadable: 0,
            forgotten: None,
        };
        let found = match (&wish.from, &wish.service, environment) {
            (Some(from), Some(service), environment) => {
                vec![self.of_files(files::harvest(from, service, syntax)?, environment).await?]
            }
            (_, _, Some(environment)) => self.seen(environment, &contracts, &wish, &mut done).await?,
            _ => return Err(Error::input("--from needs --service").hint("give --service NAME")),
        };
        for (harvested, left_out) in found {
            // Two contracts of one service would each be right for the other's queries.
            let path = write::contract_path(&folder, &harvested.service);
            if let (Some(environment), Some(contract)) =
                (environment, contracts.iter().find(|c| c.service == harvested.service))
                && inside(&folder, &environment.contracts)
                && environment.contracts.join(&contract.file) != path
            {
                return Err(Error::input(format!(
                    "{} has a contract already, at {}",
                    harvested.service,
                    contract.file.display()
                ))
                .hint("give --output DIR outside the folder of contracts, and compare"));
            }
            let file = write::write(&folder, &harvested, &left_out)?;
            let service = harvested.service;
            done.left_out.extend(left_out.into_iter().map(|LeftOut { sql, reason }| Left {
                service: service.clone(),
                sql,
                reason,
            }));
            done.written.push(Written {
                service,
                versions: harvested.versions.into_iter().collect(),
                queries: u64::try_from(harvested.queries.len()).unwrap_or(u64::MAX),
                file,
            });
        }
        Ok(done)
    }

    /// Services of the database, with queries that the database plans as they are written, and the others.
    async fn seen(
        &self,
        environment: &Environment,
        contracts: &[Contract],
        wish: &HarvestOptions,
        done: &mut Harvest,
    ) -> Result<Vec<(Harvested, Vec<LeftOut>)>> {
        let database = self.target(environment).await?;
        let seen = statement_stats(database.as_ref()).await?;
        done.unreadable = u64::try_from(seen.unreadable.len()).unwrap_or(u64::MAX);
        done.forgotten.clone_from(&seen.forgotten);
        let mut found = Vec::new();
        for harvested in harvest::harvest(&seen.queries, contracts, database.product().query_syntax()) {
            let wanted = match &wish.service {
                Some(service) => *service == harvested.service,
                None => true,
            };
            if !wanted {
                continue;
            }
            if wish.service.is_none() && contracts.iter().any(|c| c.service == harvested.service) {
                done.have_contracts.push(harvested.service);
                continue;
            }
            found.push(planned(harvested, database.as_ref()).await?);
        }
        if let (Some(service), true) = (&wish.service, found.is_empty()) {
            return Err(Error::input(format!("the database has seen nothing of {service}")).hint(
                "services are known by /*service='…'*/ in their queries, or by the role they log in with; \
             `drydock contracts drift` lists who was seen",
            ));
        }
        Ok(found)
    }

    /// What the database plans of it, with `*` written out where the tool does so. Without a database, all of it as it stands.
    async fn of_files(
        &self,
        files: FromFiles,
        environment: Option<&Environment>,
    ) -> Result<(Harvested, Vec<LeftOut>)> {
        let FromFiles { mut harvested, mut left_out, spelled_out } = files;
        let stars = spelled_out && harvested.queries.iter().any(|q| q.sql.contains('*'));
        let Some(environment) = environment else {
            if stars {
                self.watcher.note(
                "`*` stays as it is, and a column that is added will count as a break: with --database it is written out, as sqlc does",
            );
            }
            return Ok((harvested, left_out));
        };
        let database = self.target(environment).await?;
        if stars {
            let catalog = database.catalog().await?;
            let mut client = database.client("drydock harvest").await?;
            for query in &mut harvested.queries {
                let Ok(spelled) = database.spell_out(&query.sql, &catalog) else { continue };
                // Only what comes to the very same.
                if spelled != query.sql
                    && let (Ok(was), Ok(is)) =
                        (client.describe(&query.sql).await, client.describe(&spelled).await)
                    && was == is
                {
                    query.sql = spelled;
                }
            }
        }
        let (harvested, unplanned) = planned(harvested, database.as_ref()).await?;
        left_out.extend(unplanned);
        Ok((harvested, left_out))
    }

    /// What contracts and the database do not agree on.
    ///
    /// # Errors
    /// `Input` where the product keeps no statistics or does not show them.
    pub async fn contract_drift(&self, environment: &Environment) -> Result<ContractDrift> {
        let contracts = self.known(environment)?;
        let database = self.target(environment).await?;
        let seen = statement_stats(database.as_ref()).await?;
        drift::drift(&contracts, &seen, database.as_ref())
    }

    /// All contracts of an environment.
    ///
    /// # Errors
    /// `Input` with file and line for what cannot be read, is named twice or is missing.
    pub fn contracts(&self, environment: &Environment) -> Result<Vec<Contract>> {
        contract::load(&environment.contracts, target::query_syntax(environment, &self.products)?)
    }

    /// The same; none where there is no folder of contracts yet.
    fn known(&self, environment: &Environment) -> Result<Vec<Contract>> {
        if environment.contracts.is_dir() { self.contracts(environment) } else { Ok(Vec::new()) }
    }
}

fn inside(folder: &Path, of: &Path) -> bool {
    match (folder.canonicalize(), of.canonicalize()) {
        (Ok(folder), Ok(of)) => folder.starts_with(of),
        _ => false,
    }
}

/// What services have run, where the product keeps statistics of it.
async fn statement_stats(database: &dyn Database) -> Result<StatementStats> {
    let product = database.product().name();
    let harvest = database.harvest().ok_or_else(|| {
        Error::input(format!("{product} keeps no statistics of what services run"))
            .hint("write the contract by hand, or harvest it from the service's files with --from")
    })?;
    harvest.statement_stats().await
}

/// A constant that was taken out may leave a statement whose types nobody can tell. Such a one cannot be checked.
async fn planned(mut harvested: Harvested, database: &dyn Database) -> Result<(Harvested, Vec<LeftOut>)> {
    let role = harvested.role.clone();
    let sessions = RoleSessions::read(database, &role.iter().cloned().collect()).await?;
    // Bare names are found as the service finds them.
    let settings = role_sessions::settings(sessions.of(role.as_deref()));
    let mut client = database.client_with("drydock harvest", &settings).await?;
    let syntax = database.product().query_syntax();
    let mut left_out = Vec::new();
    let mut kept = Vec::new();
    for query in harvested.queries {
        let written = write::statements(&query, syntax);
        let mut reason = written.as_ref().err().map(Error::chain);
        for sql in written.unwrap_or_default() {
            match client.describe(&sql).await {
                Ok(_) => {}
                Err(e) if !client.alive() => return Err(Error::failed("the connection broke").because(e)),
                Err(e) => reason = Some(e.to_string()),
            }
        }
        match reason {
            None => kept.push(query),
            Some(reason) => left_out.push(LeftOut { sql: query.sql, reason }),
        }
    }
    harvested.queries = kept;
    Ok((harvested, left_out))
}
