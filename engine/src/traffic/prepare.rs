//! Before the traffic: every query is planned and tried once, and existing values are found for its parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};

use super::Prepared;
use super::generator::Generator;
use super::source::Source;
use super::types::Moment;
use super::values::{self, Maker, Samples};
use crate::contract::{Contract, Query, Version};
use crate::database::{Catalog, Client, Ending, ParameterRole, QueryError, QueryShape};
use crate::error::{Error, Result};

/// How many different values of a column are used.
const SAMPLES: u32 = 200;
/// Columns sampled at the same time.
const AT_ONCE: usize = 3;
/// Draws of values after which a query that fails with each of them is left out.
const TRIES: u32 = 3;
/// A query that takes longer may be waiting for somebody, and is no failure.
const PATIENCE: Duration = Duration::from_secs(5);

const APPLICATION: &str = "drydock traffic";

/// Queries that will run, and those that were refused.
pub struct Ready {
    pub queries: Vec<Prepared>,
    pub makers: Vec<Vec<Maker>>,
    pub skipped: Vec<(String, QueryError)>,
}

struct Described<'a> {
    contract: &'a Contract,
    version: &'a Version,
    query: &'a Query,
    shape: QueryShape,
    roles: Vec<ParameterRole>,
}

/// Plans every query, finds values and tries it.
///
/// # Errors
/// `Failed` when the database cannot be reached.
pub async fn prepare(
    source: &dyn Source,
    catalog: &Catalog,
    contracts: &[Contract],
    only_reads: bool,
    seed: u64,
) -> Result<Ready> {
    let mut client = source.client(APPLICATION).await?;
    let (described, mut skipped) = describe(source, client.as_mut(), catalog, contracts, only_reads).await?;
    let samples = sample(source, catalog, &described).await?;
    let (mut queries, mut makers) = (Vec::new(), Vec::new());
    for Described { contract, version, query, shape, roles } in described {
        makers.push(values::makers(&query.sql, &shape, &roles, catalog, &samples));
        queries.push(Prepared {
            service: contract.service.clone(),
            version: version.version.clone(),
            name: query.name.clone(),
            file: query.file.display().to_string(),
            line: query.line,
            sql: query.sql.clone(),
            shape,
            ack: query.ack.clone(),
        });
    }
    let failed = try_each(source, client, &queries, &makers, seed).await?;
    let mut ready = Ready { queries: Vec::new(), makers: Vec::new(), skipped: Vec::new() };
    for ((query, makers), failed) in queries.into_iter().zip(makers).zip(failed) {
        match failed {
            Some(error) => skipped.push((format!("{} {} {}", query.service, query.version, query.name), error)),
            None => {
                ready.queries.push(query);
                ready.makers.push(makers);
            }
        }
    }
    ready.skipped = skipped;
    Ok(ready)
}

async fn describe<'a>(
    source: &dyn Source,
    client: &mut dyn Client,
    catalog: &Catalog,
    contracts: &'a [Contract],
    only_reads: bool,
) -> Result<(Vec<Described<'a>>, Vec<(String, QueryError)>)> {
    let mut found = Vec::new();
    let mut skipped = Vec::new();
    let versions = contracts.iter().flat_map(|c| c.versions.iter().map(move |v| (c, v)));
    for (contract, version, query) in versions.flat_map(|(c, v)| v.queries.iter().map(move |q| (c, v, q))) {
        if only_reads && !source.reads_only(&query.sql, catalog) {
            continue;
        }
        let refused = match client.describe(&query.sql).await {
            Ok(shape) => match source.roles(&query.sql, catalog) {
                Ok(roles) => {
                    found.push(Described { contract, version, query, shape, roles });
                    continue;
                }
                // The server takes what our grammar does not: its values are made by type.
                Err(_) => {
                    found.push(Described { contract, version, query, shape, roles: Vec::new() });
                    continue;
                }
            },
            Err(error) => error,
        };
        if !client.alive() {
            return Err(lost(refused));
        }
        skipped.push((format!("{} {} {}", contract.service, version.version, query.name), refused));
    }
    Ok((found, skipped))
}

fn lost(error: QueryError) -> Error {
    Error::failed("the connection broke while the traffic was prepared").because(error)
}

async fn sample(source: &dyn Source, catalog: &Catalog, described: &[Described<'_>]) -> Result<Samples> {
    let wanted: BTreeSet<(String, String)> = described.iter().flat_map(|d| values::wanted(&d.roles, catalog)).collect();
    stream::iter(wanted)
        .map(|(table, column)| async move {
            let values = source.samples(&table, &column, SAMPLES).await?;
            Ok::<_, Error>(((table, column), Arc::new(values)))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<BTreeMap<_, _>>()
        .await
}

/// Runs each query and takes it back. One that fails with every draw of values would fail in the traffic too, and say
/// nothing of the change.
async fn try_each(
    source: &dyn Source,
    mut client: Box<dyn Client>,
    queries: &[Prepared],
    makers: &[Vec<Maker>],
    seed: u64,
) -> Result<Vec<Option<QueryError>>> {
    let mut generator = Generator::new(makers.to_vec(), seed, Moment::now());
    let mut all = Vec::new();
    for (number, query) in queries.iter().enumerate() {
        let mut failed = None;
        for _ in 0..TRIES {
            let parameters = generator.parameters(number);
            let run = client.run(&query.sql, &query.shape, &parameters, Ending::Rollback);
            failed = match tokio::time::timeout(PATIENCE, run).await {
                Ok(answer) => answer.err(),
                Err(_) => {
                    client = source.client(APPLICATION).await?;
                    None
                }
            };
            match &failed {
                None => break,
                Some(error) if !client.alive() => return Err(lost(error.clone())),
                Some(_) => {}
            }
        }
        all.push(failed);
    }
    Ok(all)
}
