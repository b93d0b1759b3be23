//! The services' traffic: the contracts' queries with fitting values, at a fixed rate whatever the answers do.
//!
//! The loop is open: request i is due at t0 + i/rate, latency is counted from that moment, and nothing is retried. A
//! database that stalls is asked all the same, as it would be by people (G. Tene: "How NOT to Measure Latency").

mod measure;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;

use crate::changeset::ChangesetId;
use crate::contract::Contract;
use crate::database::{
    Catalog, Client, Database, Ending, ParameterRole, QueryError, QueryResult, QueryShape,
};
use crate::error::{Error, Result};
use crate::evidence::{TrafficFailure, TrafficSummary};
use measure::{Measure, Outcome};
pub use measure::{Period, Window};
use values::{Maker, Samples};

/// How many different values of a column are used.
const SAMPLES: u32 = 200;

pub struct TrafficOptions {
    /// Requests a second over all services.
    pub rate: f64,
    pub connections: usize,
    pub ending: Ending,
    /// Leave out queries that write or lock.
    pub only_reads: bool,
    pub seed: u64,
}

/// One query as the traffic runs it.
struct Prepared {
    service: String,
    version: String,
    name: String,
    file: String,
    line: u64,
    sql: String,
    shape: QueryShape,
    makers: Vec<Maker>,
    ack: Option<(String, String)>,
}

struct Request {
    id: u64,
    due: Instant,
    period: Period,
    query: usize,
    parameters: Vec<Option<String>>,
}

/// Traffic under way.
pub struct Traffic {
    database: Arc<dyn Database>,
    measure: Arc<Measure>,
    queries: Arc<Vec<Prepared>>,
    stop: watch::Sender<bool>,
    dispatcher: JoinHandle<()>,
    workers: Vec<JoinHandle<()>>,
    rate: f64,
    /// Queries that the database did not take before the traffic began.
    pub skipped: Vec<(String, QueryError)>,
}

impl Traffic {
    /// Plans every query once, finds fitting values, and begins.
    ///
    /// # Errors
    /// `Input` when there is no query to run, `Failed` when the database cannot be reached.
    pub async fn start(
        database: Arc<dyn Database>,
        catalog: &Catalog,
        contracts: &[Contract],
        options: TrafficOptions,
    ) -> Result<Traffic> {
        let (queries, skipped) = prepare(&database, catalog, contracts, options.only_reads).await?;
        if queries.is_empty() {
            return Err(Error::input("there is no query to make traffic of, and so no signal for the gates")
                .hint("give --contracts DIR with at least one contract whose queries read, or [environments.NAME.traffic] kind"));
        }
        let queries = Arc::new(queries);
        let measure = Arc::new(Measure::new());
        let (stop, stopped) = watch::channel(false);
        let (sender, receiver) = mpsc::unbounded_channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut workers = Vec::new();
        for n in 0..options.connections.max(1) {
            let service = queries.get(n % queries.len()).map_or("traffic", |q| q.service.as_str()).to_owned();
            let client = database.client(&service).await?;
            workers.push(tokio::spawn(work(
                Arc::clone(&database),
                client,
                service,
                Arc::clone(&queries),
                Arc::clone(&receiver),
                Arc::clone(&measure),
                options.ending,
            )));
        }
        let rate = options.rate.clamp(0.1, 100_000.0);
        let dispatcher = tokio::spawn(dispatch(
            Arc::clone(&queries),
            sender,
            Arc::clone(&measure),
            stopped,
            rate,
            options.seed,
        ));
        Ok(Self { database, measure, queries, stop, dispatcher, workers, rate, skipped })
    }

    /// What was seen lately; unanswered requests count with the time they have waited so far.
    pub fn window(&self, last: Duration) -> Window {
        self.measure.window(last)
    }
    /// From now on requests count as before, during or after the change.
    pub fn mark(&self, period: Period) {
        self.measure.mark(period);
    }
    /// Failures from now on are put down to this changeset.
    pub fn running(&self, changeset: Option<ChangesetId>) {
        self.measure.running(changeset);
    }
    /// The longest wait, in milliseconds, of requests that were answered since or wait still.
    pub fn longest_since(&self, since: Instant) -> f64 {
        self.measure.longest_since(since)
    }

    /// Ends the traffic, waits up to ten seconds for answers, and looks acknowledged writes up again.
    pub async fn stop(self) -> (TrafficSummary, Vec<TrafficFailure>) {
        let _ = self.stop.send(true);
        let _ = self.dispatcher.await;
        let all = futures::future::join_all(self.workers);
        let _ = tokio::time::timeout(Duration::from_secs(10), all).await;
        self.measure.give_up_waiting();
        let services: BTreeSet<&str> = self.queries.iter().map(|q| q.service.as_str()).collect();
        let (mut summary, failures) = self.measure.summary();
        summary.services = u64::try_from(services.len()).unwrap_or(u64::MAX);
        summary.rate = self.rate;
        let acknowledged = self.measure.acknowledged();
        summary.acknowledged = acknowledged.values().map(|v| u64::try_from(v.len()).unwrap_or(0)).sum();
        for ((table, column), values) in acknowledged {
            let found = self.database.count_present(&table, &column, &values).await;
            // What cannot be looked up cannot be called kept.
            let present = found.unwrap_or(0);
            summary.lost += u64::try_from(values.len()).unwrap_or(0).saturating_sub(present);
        }
        let failures = failures
            .into_iter()
            .filter_map(|(failed, count)| {
                let query = self.queries.get(failed.query)?;
                Some(TrafficFailure {
                    service: query.service.clone(),
                    version: query.version.clone(),
                    query: query.name.clone(),
                    code: failed.code,
                    message: failed.message,
                    count,
                    file: query.file.clone(),
                    line: query.line,
                    changeset: failed.changeset,
                })
            })
            .collect();
        (summary, failures)
    }
}

async fn prepare(
    database: &Arc<dyn Database>,
    catalog: &Catalog,
    contracts: &[Contract],
    only_reads: bool,
) -> Result<(Vec<Prepared>, Vec<(String, QueryError)>)> {
    let mut client = database.client("drydock traffic").await?;
    let mut found = Vec::new();
    let mut skipped = Vec::new();
    let mut wanted: BTreeSet<(String, String)> = BTreeSet::new();
    for contract in contracts {
        for version in &contract.versions {
            for query in &version.queries {
                if only_reads && !reads_only(database.as_ref(), &query.sql, catalog) {
                    continue;
                }
                let shape = match client.describe(&query.sql).await {
                    Ok(shape) => shape,
                    Err(error) => {
                        skipped.push((
                            format!("{} {} {}", contract.service, version.version, query.name),
                            error,
                        ));
                        continue;
                    }
                };
                let roles = database.parameter_roles(&query.sql, catalog)?;
                for role in &roles {
                    if let ParameterRole::Column { table, column } | ParameterRole::Insert { table, column } =
                        role
                    {
                        wanted.insert((table.clone(), column.clone()));
                    }
                }
                found.push((contract, version, query, shape, roles));
            }
        }
    }
    let samples: Samples = stream::iter(wanted)
        .map(|(table, column)| async move {
            let values = database.samples(&table, &column, SAMPLES).await?;
            Ok::<_, Error>(((table, column), Arc::new(values)))
        })
        .buffer_unordered(3)
        .try_collect::<BTreeMap<_, _>>()
        .await?;
    let prepared = found
        .into_iter()
        .map(|(contract, version, query, shape, roles)| Prepared {
            service: contract.service.clone(),
            version: version.version.clone(),
            name: query.name.clone(),
            file: query.file.display().to_string(),
            line: query.line,
            sql: query.sql.clone(),
            makers: values::makers(&query.sql, &shape, &roles, catalog, &samples),
            shape,
            ack: query.ack.clone(),
        })
        .collect();
    Ok((prepared, skipped))
}

/// Whether a query leaves no trace and takes no row lock. What is not sure to, does not count.
fn reads_only(database: &dyn Database, sql: &str, catalog: &Catalog) -> bool {
    const TRACES: [&str; 10] =
        ["insert", "update", "delete", "merge", "share", "nextval", "setval", "copy", "call", "truncate"];
    let words = sql.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_ascii_lowercase);
    words.into_iter().all(|w| !TRACES.contains(&w.as_str()))
        && database.writes(sql, catalog).is_ok_and(|w| w.is_empty())
}

/// Sends each request when it is due. All queries take their turn, in an order shuffled anew each round.
async fn dispatch(
    queries: Arc<Vec<Prepared>>,
    sender: mpsc::UnboundedSender<Request>,
    measure: Arc<Measure>,
    mut stopped: watch::Receiver<bool>,
    rate: f64,
    seed: u64,
) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let begun = Instant::now();
    let mut round: Vec<usize> = Vec::new();
    let mut id = 0_u64;
    loop {
        let due = begun + Duration::from_secs_f64(id as f64 / rate);
        if due > Instant::now() {
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                _ = stopped.changed() => return,
            }
        }
        if *stopped.borrow() {
            return;
        }
        if round.is_empty() {
            round = (0..queries.len()).collect();
            round.shuffle(&mut rng);
        }
        let Some(query) = round.pop() else { return };
        let parameters = queries
            .get(query)
            .map(|q| q.makers.iter().map(|m| m.make(&mut rng)).collect())
            .unwrap_or_default();
        let period = measure.scheduled(id, due);
        if sender.send(Request { id, due, period, query, parameters }).is_err() {
            return;
        }
        id += 1;
    }
}

async fn work(
    database: Arc<dyn Database>,
    mut client: Box<dyn Client>,
    service: String,
    queries: Arc<Vec<Prepared>>,
    receiver: Arc<Mutex<mpsc::UnboundedReceiver<Request>>>,
    measure: Arc<Measure>,
    ending: Ending,
) {
    loop {
        let Some(request) = receiver.lock().await.recv().await else { return };
        let Some(query) = queries.get(request.query) else { continue };
        if !client.alive() {
            // Its request is lost all the same if there is no other connection to be had.
            if let Ok(fresh) = database.client(&service).await {
                client = fresh;
            }
        }
        let answer = client.run(&query.sql, &query.shape, &request.parameters, ending).await;
        let ack = acknowledged(&answer, query, ending);
        let failed = answer.err().map(|error| (error.code, error.message));
        measure.answered(Outcome {
            id: request.id,
            due: request.due,
            period: request.period,
            query: request.query,
            failed,
            ack,
        });
    }
}

fn acknowledged(
    answer: &std::result::Result<QueryResult, QueryError>,
    query: &Prepared,
    ending: Ending,
) -> Option<(String, String, String)> {
    let (table, column) = query.ack.clone().filter(|_| ending == Ending::Commit)?;
    let first = answer.as_ref().ok()?.first.clone()?;
    Some((table, column, first))
}
