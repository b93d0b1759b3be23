//! What tells contracts and the database apart: who asks without a contract, what no contract has, what nobody asks.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::harvest::{harvest, without_comments};
use crate::contract::{Contract, Query};
use crate::error::{Context, Result};
use crate::model::statement_stats::StatementStats;
use crate::product::Database;

/// What `drydock contracts drift` prints as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContractDrift {
    /// Services that have a contract.
    pub services: u64,
    /// Since when the database has been looking, in its own words.
    pub since: Option<String>,
    /// Services that were seen and have no contract.
    pub unknown_services: Vec<UnknownService>,
    /// Queries that were seen and are in no contract, of services that have one.
    pub unknown_queries: Vec<UnknownQuery>,
    /// Queries of contracts that nobody was seen to ask.
    pub unseen: Vec<UnseenQuery>,
    /// Texts that the database has cut off or lost.
    pub unreadable: u64,
    /// That the database had no room for all that ran, in its words.
    pub forgotten: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnknownService {
    pub service: String,
    pub role: Option<String>,
    pub queries: u64,
    pub calls: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnknownQuery {
    pub service: String,
    pub sql: String,
    pub calls: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnseenQuery {
    pub service: String,
    pub versions: Vec<String>,
    /// Its name, without the variant.
    pub query: String,
    pub file: String,
    pub line: u64,
}

impl ContractDrift {
    pub fn is_empty(&self) -> bool {
        self.unknown_services.is_empty() && self.unknown_queries.is_empty() && self.unseen.is_empty()
    }
}

/// Compares queries by their form. One that several services ask counts as known and as seen for all of them: a role that
/// services share does not say which of them it was.
///
/// # Errors
/// `Input` for a query of a contract that the grammar does not take.
pub fn drift(
    contracts: &[Contract],
    seen: &StatementStats,
    database: &dyn Database,
) -> Result<ContractDrift> {
    let syntax = database.product().query_syntax();
    let mut known = BTreeSet::new();
    // By service, name and place: versions that have the query, and whether any of its variants was seen.
    type Place<'a> = (&'a str, &'a str, String, u64);
    let mut written: BTreeMap<Place<'_>, (Vec<String>, bool)> = BTreeMap::new();
    let asked: BTreeSet<&str> = seen.queries.iter().map(|q| q.fingerprint.as_str()).collect();
    for contract in contracts {
        for version in &contract.versions {
            for query in &version.queries {
                let print = database.query_fingerprint(&query.sql).context(place(query))?;
                let file = query.file.display().to_string();
                let name = query.name.split('[').next().unwrap_or(&query.name);
                let entry = written.entry((&contract.service, name, file, query.line)).or_default();
                entry.1 |= asked.contains(print.as_str());
                if !entry.0.contains(&version.version) {
                    entry.0.push(version.version.clone());
                }
                known.insert(print);
            }
        }
    }
    let mut drift = ContractDrift {
        services: u64::try_from(contracts.len()).unwrap_or(u64::MAX),
        forgotten: seen.forgotten.clone(),
        since: seen.since.clone(),
        unreadable: u64::try_from(seen.unreadable.len()).unwrap_or(u64::MAX),
        ..ContractDrift::default()
    };
    for harvested in harvest(&seen.queries, contracts, syntax) {
        let unknown: Vec<_> = harvested.queries.iter().filter(|q| !known.contains(&q.fingerprint)).collect();
        if contracts.iter().any(|c| c.service == harvested.service) {
            drift.unknown_queries.extend(unknown.iter().map(|q| UnknownQuery {
                service: harvested.service.clone(),
                sql: one_line(&without_comments(syntax, &q.sql)),
                calls: q.calls,
            }));
        } else if harvested.named || !unknown.is_empty() {
            drift.unknown_services.push(UnknownService {
                service: harvested.service,
                role: harvested.role,
                queries: u64::try_from(unknown.len()).unwrap_or(u64::MAX),
                calls: unknown.iter().map(|q| q.calls).sum(),
            });
        }
    }
    let unseen = written.into_iter().filter(|(_, (_, seen))| !seen);
    drift.unseen = unseen
        .map(|((service, query, file, line), (versions, _))| UnseenQuery {
            service: service.to_owned(),
            versions,
            query: query.to_owned(),
            file,
            line,
        })
        .collect();
    Ok(drift)
}

fn place(query: &Query) -> String {
    format!("{}:{}: {}", query.file.display(), query.line, query.name)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One line each, and a sentence when there is nothing to say.
pub fn text(drift: &ContractDrift) -> String {
    let mut out = String::new();
    if drift.services == 0 {
        out.push_str("no service is known: there is no contract, so nothing was compared with what the database has seen; drydock contracts harvest writes contracts of it\n");
    }
    for s in &drift.unknown_services {
        let role = s.role.as_deref().map(|r| format!(" (role {r})")).unwrap_or_default();
        out.push_str(&format!(
            "no contract   {}{role}: {} queries that no contract has, {} calls; drydock contracts harvest --service {}\n",
            s.service, s.queries, s.calls, s.service
        ));
    }
    for q in &drift.unknown_queries {
        out.push_str(&format!("not written   {}: {} ({} calls)\n", q.service, q.sql, q.calls));
    }
    for q in &drift.unseen {
        out.push_str(&format!(
            "never seen    {}:{}: {} of {} {}\n",
            q.file,
            q.line,
            q.query,
            q.service,
            q.versions.join(", ")
        ));
    }
    if drift.is_empty() && drift.services > 0 {
        out.push_str("contracts and what the database has seen agree\n");
    }
    if drift.unreadable > 0 {
        out.push_str(&format!(
            "unreadable    {} query texts were cut off or lost by the database\n",
            drift.unreadable
        ));
    }
    if let Some(forgotten) = &drift.forgotten {
        out.push_str(&format!("missing       queries may be: {forgotten}\n"));
    }
    if let Some(since) = &drift.since {
        out.push_str(&format!("seen since    {since}\n"));
    }
    out
}
