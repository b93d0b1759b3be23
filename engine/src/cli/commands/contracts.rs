//! `drydock contracts`: as they are read, as they are seen, and what tells the two apart.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::args::TargetArgs;
use crate::cli::commands::Out;
use crate::config::{self, Environment};
use crate::contract::files::{self, FromFiles};
use crate::contract::harvest::{self, Harvested};
use crate::contract::write::{self, LeftOut};
use crate::contract::{self, Contract, drift};
use crate::error::{Error, Result};
use crate::product::Database;
use crate::run::target;

pub(super) fn show(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve(&target.selection()?)?;
    let contracts = contract::load(&environment.contracts)?;
    out.give(&contracts, |_| {
        let mut lines = Vec::new();
        for contract in &contracts {
            for version in &contract.versions {
                lines.push(format!(
                    "{:<22} {:<9} {:>4} queries {:>4} API fields  {}",
                    contract.service,
                    version.version,
                    version.queries.len(),
                    version.api.len(),
                    contract.owner.as_deref().unwrap_or("")
                ));
            }
        }
        lines.join("\n")
    })?;
    Ok(0)
}

/// What the command line asks of a harvest.
pub(super) struct Wish {
    pub output: Option<PathBuf>,
    pub service: Option<String>,
    pub from: Option<PathBuf>,
}

/// What `drydock contracts harvest` prints as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Harvest {
    written: Vec<Written>,
    /// Services that were seen and have a contract already.
    have_contracts: Vec<String>,
    left_out: Vec<Left>,
    /// Texts that the database has cut off or lost.
    unreadable: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Written {
    service: String,
    versions: Vec<String>,
    queries: u64,
    file: PathBuf,
}

/// A query that cannot be checked as it was seen; it is in the queries file as a comment.
#[derive(Debug, Serialize, JsonSchema)]
struct Left {
    service: String,
    sql: String,
    reason: String,
}

pub(super) async fn harvest(target: &TargetArgs, wish: Wish, out: &Out) -> Result<u8> {
    let selection = target.selection()?;
    // A harvest of files needs no database, and so no environment.
    let environment = match &wish.from {
        Some(_) if selection.env.is_none() && selection.database.is_none() => None,
        _ => Some(config::resolve_record(&selection)?),
    };
    let folder = wish
        .output
        .clone()
        .or_else(|| target.contracts.clone())
        .or_else(|| environment.as_ref().map(|e| e.contracts.clone()))
        .ok_or_else(|| Error::input("it is not said where the contract goes").hint("give --output DIR"))?;
    let contracts = match &environment {
        Some(environment) => known(environment)?,
        None => Vec::new(),
    };
    let mut done = Harvest { written: vec![], have_contracts: vec![], left_out: vec![], unreadable: 0 };
    let found = match (&wish.from, &wish.service, &environment) {
        (Some(from), Some(service), environment) => {
            vec![of_files(files::harvest(from, service)?, environment.as_ref(), out).await?]
        }
        (_, _, Some(environment)) => seen(environment, &contracts, &wish, &mut done, out).await?,
        _ => return Err(Error::input("--from goes with --service").hint("give --service NAME")),
    };
    for (harvested, left_out) in found {
        // Two contracts of one service would each be right for the other's queries.
        let path = write::contract_path(&folder, &harvested.service);
        if let (Some(environment), Some(contract)) =
            (&environment, contracts.iter().find(|c| c.service == harvested.service))
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
    out.give(&done, |_| harvest_text(&done))?;
    Ok(0)
}

fn inside(folder: &Path, of: &Path) -> bool {
    match (folder.canonicalize(), of.canonicalize()) {
        (Ok(folder), Ok(of)) => folder.starts_with(of),
        _ => false,
    }
}

fn known(environment: &Environment) -> Result<Vec<Contract>> {
    if environment.contracts.is_dir() { contract::load(&environment.contracts) } else { Ok(Vec::new()) }
}

/// Services of the database, with queries that the database plans as they are written, and the others.
async fn seen(
    environment: &Environment,
    contracts: &[Contract],
    wish: &Wish,
    done: &mut Harvest,
    out: &Out,
) -> Result<Vec<(Harvested, Vec<LeftOut>)>> {
    let database = target::open(environment, &out.watcher()).await?;
    let seen = database.statement_stats().await?;
    done.unreadable = u64::try_from(seen.unreadable.len()).unwrap_or(u64::MAX);
    let mut found = Vec::new();
    for harvested in harvest::harvest(&seen.queries, contracts) {
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
    files: FromFiles,
    environment: Option<&Environment>,
    out: &Out,
) -> Result<(Harvested, Vec<LeftOut>)> {
    let FromFiles { mut harvested, mut left_out, spelled_out } = files;
    let stars = spelled_out && harvested.queries.iter().any(|q| q.sql.contains('*'));
    let Some(environment) = environment else {
        if stars {
            out.watcher().note(
                "`*` stays as it is, and a column that is added will count as a break: with --database it is written out, as sqlc does",
            );
        }
        return Ok((harvested, left_out));
    };
    let database = target::open(environment, &out.watcher()).await?;
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

/// A constant that was taken out may leave a statement whose types nobody can tell. Such a one cannot be checked.
async fn planned(mut harvested: Harvested, database: &dyn Database) -> Result<(Harvested, Vec<LeftOut>)> {
    let mut client = database.client("drydock harvest").await?;
    let mut left_out = Vec::new();
    let mut kept = Vec::new();
    for query in harvested.queries {
        let written = write::statements(&query);
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

fn harvest_text(done: &Harvest) -> String {
    let mut out = String::new();
    for w in &done.written {
        out.push_str(&format!(
            "{:<22} {:>4} queries, versions {}: {}\n",
            w.service,
            w.queries,
            w.versions.join(", "),
            w.file.display()
        ));
    }
    for left in &done.left_out {
        out.push_str(&format!(
            "left out  {}: {} ({})\n",
            left.service,
            left.sql.split_whitespace().collect::<Vec<_>>().join(" "),
            left.reason
        ));
    }
    if !done.have_contracts.is_empty() {
        out.push_str(&format!(
            "{} services have a contract; --service NAME writes one anew\n",
            done.have_contracts.len()
        ));
    }
    if done.unreadable > 0 {
        out.push_str(&format!("{} texts were cut off or lost by the database\n", done.unreadable));
    }
    if out.is_empty() {
        out.push_str("the database has seen no service yet\n");
    }
    out
}

pub(super) async fn drift(target: &TargetArgs, out: &Out) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let contracts = known(&environment)?;
    let database = target::open(&environment, &out.watcher()).await?;
    let seen = database.statement_stats().await?;
    let drift = drift::drift(&contracts, &seen, database.as_ref())?;
    out.give(&drift, |_| drift::text(&drift))?;
    Ok(0)
}
