//! Before the traffic: every query is planned and tried once, and existing values are found for its parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};

use crate::contract::{Contract, Query, Version};
use crate::error::{Error, Result};
use crate::load::generator::Generator;
use crate::load::source::Source;
use crate::load::types::Moment;
use crate::load::value_pattern::Form;
use crate::load::values::{self, Maker, Samples};
use crate::load::{Prepared, TrafficOptions};
use crate::model::catalog::Catalog;
use crate::model::evidence::SkippedQuery;
use crate::model::query::{Ending, QueryError, QueryShape, Usage};
use crate::model::query_tag;
use crate::product::Client;

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
    pub skipped: Vec<SkippedQuery>,
}

struct Described<'a> {
    contract: &'a Contract,
    version: &'a Version,
    query: &'a Query,
    /// Its text with its tags.
    sql: String,
    shape: QueryShape,
    usage: Usage,
}

/// Plans every query, finds values and tries it.
///
/// # Errors
/// `Failed` when the database cannot be reached.
pub async fn prepare(
    source: &dyn Source,
    catalog: &Catalog,
    contracts: &[Contract],
    options: &TrafficOptions,
) -> Result<Ready> {
    let mut client = source.client(APPLICATION).await?;
    let (described, mut skipped) = describe(source, client.as_mut(), catalog, contracts, options).await?;
    let samples = sample(source, catalog, &described).await?;
    let mut trial = Trial { source, client, seed: options.seed };
    let mut ready = Ready { queries: Vec::new(), makers: Vec::new(), skipped: Vec::new() };
    let dialect = source.dialect();
    for Described { contract, version, query, sql, shape, usage } in described {
        let candidates = Form::ALL.map(|form| {
            let Usage { roles, writes, .. } = &usage;
            values::makers(&shape, roles, writes, catalog, &samples, form, dialect.as_ref())
        });
        match trial.choose(&sql, &shape, candidates).await? {
            Err(error) => skipped.push(skip(contract, version, query, error)),
            Ok(makers) => {
                ready.makers.push(makers);
                ready.queries.push(Prepared {
                    service: contract.service.clone(),
                    version: version.version.clone(),
                    name: query.name.clone(),
                    file: query.file.display().to_string(),
                    line: query.line,
                    sql,
                    shape,
                    ack: query.ack.clone(),
                });
            }
        }
    }
    ready.skipped = skipped;
    Ok(ready)
}

/// Tells the server's statistics whose the query is: the service's where the traffic stands for it, or else nobody's but ours.
fn tagged(contract: &Contract, version: &Version, query: &Query, ending: Ending) -> String {
    let comment = match ending {
        Ending::Commit => {
            query_tag::comment(&[("service", &contract.service), ("version", &version.version)])
        }
        Ending::Rollback => query_tag::comment(&[("application", query_tag::OURS)]),
    };
    format!("{} {comment}", query.sql)
}

fn skip(contract: &Contract, version: &Version, query: &Query, error: QueryError) -> SkippedQuery {
    SkippedQuery {
        service: contract.service.clone(),
        version: version.version.clone(),
        query: query.name.clone(),
        file: query.file.display().to_string(),
        line: query.line,
        code: error.code,
        message: error.message,
    }
}

async fn describe<'a>(
    source: &dyn Source,
    client: &mut dyn Client,
    catalog: &Catalog,
    contracts: &'a [Contract],
    options: &TrafficOptions,
) -> Result<(Vec<Described<'a>>, Vec<SkippedQuery>)> {
    let mut found = Vec::new();
    let mut skipped = Vec::new();
    let versions = contracts.iter().flat_map(|c| c.versions.iter().map(move |v| (c, v)));
    let queries: Vec<_> = versions.flat_map(|(c, v)| v.queries.iter().map(move |q| (c, v, q))).collect();
    let texts: Vec<&str> = queries.iter().map(|(.., query)| query.sql.as_str()).collect();
    let usages = source.usages(&texts, catalog).await;
    for ((contract, version, query), usage) in queries.into_iter().zip(usages) {
        // The server may take what the grammar does not: its values are made by type.
        let usage = usage.unwrap_or_default();
        if options.only_reads && !usage.only_reads {
            continue;
        }
        // The server keeps the text that it sees first, and that is this one.
        let sql = tagged(contract, version, query, options.ending);
        let refused = match client.describe(&sql).await {
            Ok(shape) => {
                found.push(Described { contract, version, query, sql, shape, usage });
                continue;
            }
            Err(error) => error,
        };
        if !client.alive() {
            return Err(lost(refused));
        }
        skipped.push(skip(contract, version, query, refused));
    }
    Ok((found, skipped))
}

fn lost(error: QueryError) -> Error {
    Error::failed("the connection broke while the traffic was prepared").because(error)
}

async fn sample(source: &dyn Source, catalog: &Catalog, described: &[Described<'_>]) -> Result<Samples> {
    let wanted: BTreeSet<(String, String)> =
        described.iter().flat_map(|d| values::wanted(&d.usage.roles, catalog)).collect();
    stream::iter(wanted)
        .map(|(table, column)| async move {
            let values = source.samples(&table, &column, SAMPLES).await?;
            Ok::<_, Error>(((table, column), Arc::new(values)))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<BTreeMap<_, _>>()
        .await
}

/// Runs queries and takes them back. One that fails with every draw of values would fail in the traffic too, and say
/// nothing of the change.
struct Trial<'a> {
    source: &'a dyn Source,
    client: Box<dyn Client>,
    seed: u64,
}

impl Trial<'_> {
    /// The first makers whose values the database takes, or its reason not to take those of the first.
    async fn choose(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        candidates: [Vec<Maker>; 3],
    ) -> Result<std::result::Result<Vec<Maker>, QueryError>> {
        let guesses = candidates.iter().flatten().any(Maker::guesses);
        let [alike, word, prefixed] = candidates;
        let Some(reason) = self.run(sql, shape, &alike, guesses).await? else { return Ok(Ok(alike)) };
        if guesses {
            for makers in [word, prefixed] {
                if self.run(sql, shape, &makers, guesses).await?.is_none() {
                    return Ok(Ok(makers));
                }
            }
        }
        Ok(Err(reason))
    }

    /// A guess has to be right each time; other values may meet a bad moment, and once is enough.
    async fn run(
        &mut self,
        sql: &str,
        shape: &QueryShape,
        makers: &[Maker],
        guesses: bool,
    ) -> Result<Option<QueryError>> {
        let mut generator =
            Generator::new(vec![makers.to_vec()], self.seed, Moment::now(), self.source.dialect());
        let mut failed = None;
        for _ in 0..TRIES {
            let parameters = generator.parameters(0);
            let run = self.client.run(sql, shape, &parameters, Ending::Rollback);
            failed = match tokio::time::timeout(PATIENCE, run).await {
                Ok(answer) => answer.err(),
                Err(_) => {
                    self.client = self.source.client(APPLICATION).await?;
                    return Ok(None);
                }
            };
            if let Some(error) = failed.as_ref().filter(|_| !self.client.alive()) {
                return Err(lost(error.clone()));
            }
            if failed.is_some() == guesses {
                break;
            }
        }
        Ok(failed)
    }
}
