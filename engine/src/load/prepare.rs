//! Before the traffic: every query is planned and tried once, and existing values are found for its parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};

use crate::contract::role_sessions;
use crate::contract::{Contract, Query, Version};
use crate::error::{Error, Result};
use crate::load::generator::Generator;
use crate::load::sessions::Sessions;
use crate::load::source::Source;
use crate::load::types::Moment;
use crate::load::value_pattern::Form;
use crate::load::values::{self, Maker, Samples};
use crate::load::{Prepared, TrafficOptions};
use crate::model::catalog::Catalog;
use crate::model::endpoint::ClientSettings;
use crate::model::evidence::SkippedQuery;
use crate::model::query::{Ending, QueryError, QueryShape, Usage};
use crate::model::query_tag;

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
    /// What the sessions of each kind are set to.
    pub sessions: Vec<ClientSettings>,
}

/// A query of a service's version, and the kind of session that it is asked in.
struct Asked<'a> {
    contract: &'a Contract,
    version: &'a Version,
    query: &'a Query,
    kind: usize,
}

struct Described<'a> {
    asked: Asked<'a>,
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
    let known = source.sessions(&role_sessions::roles(contracts)).await?;
    let mut sessions = Sessions::new(source, APPLICATION, known);
    let (described, mut skipped) = describe(source, &mut sessions, catalog, contracts, options).await?;
    let samples = sample(source, catalog, &described).await?;
    let mut trial = Trial { source, sessions, seed: options.seed };
    let mut ready =
        Ready { queries: Vec::new(), makers: Vec::new(), skipped: Vec::new(), sessions: Vec::new() };
    let dialect = source.dialect();
    for Described { asked, sql, shape, usage } in described {
        let candidates = Form::ALL.map(|form| {
            let Usage { roles, writes, .. } = &usage;
            values::makers(&shape, roles, writes, catalog, &samples, form, dialect.as_ref())
        });
        match trial.choose(asked.kind, &sql, &shape, candidates).await? {
            Err(error) => skipped.push(skip(&asked, error)),
            Ok(makers) => {
                let Asked { contract, version, query, kind } = asked;
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
                    session: kind,
                });
            }
        }
    }
    ready.sessions = trial.sessions.settings();
    ready.skipped = skipped;
    Ok(ready)
}

/// Tells the server's statistics whose the query is: the service's where the traffic stands for it, or else nobody's but ours.
fn tagged(Asked { contract, version, query, .. }: &Asked<'_>, ending: Ending) -> String {
    let comment = match ending {
        Ending::Commit => {
            query_tag::comment(&[("service", &contract.service), ("version", &version.version)])
        }
        Ending::Rollback => query_tag::comment(&[("application", query_tag::OURS)]),
    };
    format!("{} {comment}", query.sql)
}

fn skip(Asked { contract, version, query, .. }: &Asked<'_>, error: QueryError) -> SkippedQuery {
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
    sessions: &mut Sessions<'_>,
    catalog: &Catalog,
    contracts: &'a [Contract],
    options: &TrafficOptions,
) -> Result<(Vec<Described<'a>>, Vec<SkippedQuery>)> {
    let mut asked: BTreeMap<usize, Vec<Asked<'a>>> = BTreeMap::new();
    for (contract, version) in contracts.iter().flat_map(|c| c.versions.iter().map(move |v| (c, v))) {
        let kind = sessions.kind(contract.role.as_deref());
        let queries = version.queries.iter().map(|query| Asked { contract, version, query, kind });
        asked.entry(kind).or_default().extend(queries);
    }
    let mut found = Vec::new();
    let mut skipped = Vec::new();
    for (kind, queries) in asked {
        let texts: Vec<&str> = queries.iter().map(|asked| asked.query.sql.as_str()).collect();
        let usages = source.usages(&texts, &sessions.catalog(kind, catalog)).await;
        for (asked, usage) in queries.into_iter().zip(usages) {
            // The server may take what the grammar does not: its values are made by type.
            let usage = usage.unwrap_or_default();
            if options.only_reads && !usage.only_reads {
                continue;
            }
            // The server keeps the text that it sees first, and that is this one.
            let sql = tagged(&asked, options.ending);
            let client = sessions.client(kind).await?;
            match client.describe(&sql).await {
                Ok(shape) => found.push(Described { asked, sql, shape, usage }),
                Err(error) if !client.alive() => return Err(lost(error)),
                Err(error) => skipped.push(skip(&asked, error)),
            }
        }
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
    sessions: Sessions<'a>,
    seed: u64,
}

impl Trial<'_> {
    /// The first makers whose values the database takes, or its reason not to take those of the first.
    async fn choose(
        &mut self,
        kind: usize,
        sql: &str,
        shape: &QueryShape,
        candidates: [Vec<Maker>; 3],
    ) -> Result<std::result::Result<Vec<Maker>, QueryError>> {
        let guesses = candidates.iter().flatten().any(Maker::guesses);
        let [alike, word, prefixed] = candidates;
        let Some(reason) = self.run(kind, sql, shape, &alike, guesses).await? else { return Ok(Ok(alike)) };
        if guesses {
            for makers in [word, prefixed] {
                if self.run(kind, sql, shape, &makers, guesses).await?.is_none() {
                    return Ok(Ok(makers));
                }
            }
        }
        Ok(Err(reason))
    }

    /// A guess has to be right each time; other values may meet a bad moment, and once is enough.
    async fn run(
        &mut self,
        kind: usize,
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
            let client = self.sessions.client(kind).await?;
            let run = client.run(sql, shape, &parameters, Ending::Rollback);
            failed = match tokio::time::timeout(PATIENCE, run).await {
                Ok(answer) => answer.err(),
                Err(_) => {
                    self.sessions.drop_client(kind);
                    return Ok(None);
                }
            };
            if let Some(error) = failed.as_ref().filter(|_| !client.alive()) {
                return Err(lost(error.clone()));
            }
            if failed.is_some() == guesses {
                break;
            }
        }
        Ok(failed)
    }
}
