//! The services' traffic: the contracts' queries with fitting values, at a fixed rate whatever the answers do.
//!
//! The loop is open: request i is due at t0 + i/rate, latency is counted from that moment, and nothing is retried. A
//! database that stalls is asked all the same, as it would be by people (G. Tene: "How NOT to Measure Latency").

mod generator;
mod measure;
mod prepare;
mod sessions;
mod source;
#[cfg(test)]
mod tests;
pub(crate) mod types;
pub(crate) mod value_pattern;
pub(crate) mod values;
mod waits;
mod worker;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;

use crate::contract::Contract;
use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::changeset::ChangesetId;
use crate::model::evidence::{SkippedQuery, TrafficFailure, TrafficSummary};
use crate::model::query::{Ending, QueryShape};
use crate::product::Database;
use generator::Generator;
use measure::Measure;
pub use measure::{Period, Window};
use source::Source;
use types::Moment;
use worker::{Request, Requests, Worker};

/// How long answers are waited for at the end.
const DRAIN: Duration = Duration::from_secs(10);
/// Tries to look acknowledged writes up again.
const LOOKS: u32 = 3;

pub struct TrafficOptions {
    /// Requests a second over all services.
    pub rate: f64,
    pub connections: usize,
    pub ending: Ending,
    /// Leave out queries that write or lock.
    pub only_reads: bool,
    pub seed: u64,
    /// Begin also where there is no query to run.
    pub may_be_silent: bool,
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
    ack: Option<(String, String)>,
    /// The kind of session that it is asked in.
    session: usize,
}

/// Traffic under way. It ends when this is dropped; `stop` ends it with its measurements.
pub struct Traffic {
    source: Arc<dyn Source>,
    measure: Arc<Measure>,
    queries: Arc<Vec<Prepared>>,
    stop: watch::Sender<bool>,
    dispatcher: Tasks,
    workers: Tasks,
    rate: f64,
    /// Queries that did not run before the traffic began.
    pub skipped: Vec<SkippedQuery>,
}

/// Tasks that do not outlive their owner.
struct Tasks(Vec<JoinHandle<()>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Traffic {
    /// Plans and tries every query once, finds fitting values, and begins.
    ///
    /// # Errors
    /// `Input` when there is no query to run, `Failed` when the database cannot be reached.
    pub async fn start(
        database: Arc<dyn Database>,
        catalog: &Catalog,
        contracts: &[Contract],
        options: TrafficOptions,
    ) -> Result<Traffic> {
        Self::begin(Arc::new(database), catalog, contracts, options).await
    }

    async fn begin(
        source: Arc<dyn Source>,
        catalog: &Catalog,
        contracts: &[Contract],
        options: TrafficOptions,
    ) -> Result<Traffic> {
        let ready = prepare::prepare(source.as_ref(), catalog, contracts, &options).await?;
        if ready.queries.is_empty() && !options.may_be_silent {
            let none = Error::input("there is no query to make traffic of, and so no signal for the gates")
                .hint("give --contracts DIR with at least one contract whose queries read, or [environments.NAME.traffic] kind");
            return Err(match ready.skipped.into_iter().next() {
                Some(skipped) => none.because(Error::failed(format!("{skipped}"))),
                None => none,
            });
        }
        let queries = Arc::new(ready.queries);
        let (stop, stopped) = watch::channel(false);
        // Each kind of session has connections by its share of the queries, and at least one.
        let (mut senders, mut clients) = (Vec::new(), Vec::new());
        for (kind, settings) in ready.sessions.into_iter().enumerate() {
            let (sender, receiver) = mpsc::unbounded_channel();
            senders.push(sender);
            let (receiver, settings) = (Arc::new(Mutex::new(receiver)), Arc::new(settings));
            let own: Vec<&Prepared> = queries.iter().filter(|query| query.session == kind).collect();
            let share = (options.connections.max(1) * own.len()).div_ceil(queries.len().max(1));
            for query in own.iter().cycle().take(share) {
                let service = query.service.clone();
                let client = source.client(&service, &settings).await?;
                clients.push((client, service, Arc::clone(&settings), Arc::clone(&receiver)));
            }
        }
        // Time counts from here: nothing but the queries is in its way any more.
        let measure = Arc::new(Measure::new());
        let workers = clients.into_iter().map(|(client, service, settings, receiver)| {
            let (source, queries) = (Arc::clone(&source), Arc::clone(&queries));
            let measure = Arc::clone(&measure);
            let worker = Worker { source, service, settings, queries, measure, ending: options.ending };
            tokio::spawn(worker.work(client, receiver))
        });
        let workers = Tasks(workers.collect());
        let rate = options.rate.clamp(0.1, 100_000.0);
        let generator = Generator::new(ready.makers, options.seed, Moment::now(), source.dialect());
        let requests = Requests { queries: Arc::clone(&queries), senders };
        let dispatcher = tokio::spawn(dispatch(generator, requests, Arc::clone(&measure), stopped, rate));
        let dispatcher = Tasks(vec![dispatcher]);
        Ok(Self { source, measure, queries, stop, dispatcher, workers, rate, skipped: ready.skipped })
    }

    /// There is no query to run, and so nothing to judge by.
    pub fn is_silent(&self) -> bool {
        self.queries.is_empty()
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
    /// The longest time, in milliseconds, that a request has waited since then; those that wait still count too.
    pub fn longest_since(&self, since: Instant) -> f64 {
        self.measure.longest_since(since)
    }

    /// Ends the traffic, waits up to ten seconds for answers, and looks acknowledged writes up again.
    pub async fn stop(self) -> (TrafficSummary, Vec<TrafficFailure>) {
        self.stop_within(DRAIN).await
    }

    async fn stop_within(mut self, drain: Duration) -> (TrafficSummary, Vec<TrafficFailure>) {
        let _ = self.stop.send(true);
        let _ = futures::future::join_all(self.dispatcher.0.iter_mut()).await;
        let _ = tokio::time::timeout(drain, futures::future::join_all(self.workers.0.iter_mut())).await;
        self.measure.give_up_waiting();
        drop(self.workers);
        let services: BTreeSet<&str> = self.queries.iter().map(|q| q.service.as_str()).collect();
        let (mut summary, failures) = self.measure.summary();
        summary.services = u64::try_from(services.len()).unwrap_or(u64::MAX);
        summary.rate = self.rate;
        summary.skipped = std::mem::take(&mut self.skipped);
        for ((table, column), values) in self.measure.acknowledged() {
            let acknowledged = u64::try_from(values.len()).unwrap_or(u64::MAX);
            summary.acknowledged += acknowledged;
            // What cannot be looked up cannot be called kept.
            let present = look_up(self.source.as_ref(), &table, &column, &values).await.unwrap_or(0);
            summary.lost += acknowledged.saturating_sub(present);
        }
        let failures = failures
            .into_iter()
            .filter_map(|(failed, message, count)| {
                let query = self.queries.get(failed.query)?;
                Some(TrafficFailure {
                    service: query.service.clone(),
                    version: query.version.clone(),
                    query: query.name.clone(),
                    code: failed.code,
                    message,
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

/// One lost connection must not look like lost writes.
async fn look_up(source: &dyn Source, table: &str, column: &str, values: &[String]) -> Result<u64> {
    let mut tries = 1;
    loop {
        match source.count_present(table, column, values).await {
            Err(_) if tries < LOOKS => tokio::time::sleep(Duration::from_millis(300)).await,
            found => return found,
        }
        tries += 1;
    }
}

/// Sends each request when it is due, however many are unanswered.
async fn dispatch(
    mut generator: Generator,
    requests: Requests,
    measure: Arc<Measure>,
    mut stopped: watch::Receiver<bool>,
    rate: f64,
) {
    let begun = Instant::now();
    for id in 0_u64.. {
        let due = begun + Duration::from_secs_f64(id as f64 / rate);
        if due > Instant::now() {
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                _ = stopped.changed() => return,
            }
        } else if id % 256 == 0 {
            // Catching up must not keep the answers from being read.
            tokio::task::yield_now().await;
        }
        if *stopped.borrow() {
            return;
        }
        let Some((query, parameters)) = generator.next() else { return };
        measure.scheduled(id, due, query);
        if !requests.send(Request { id, query, parameters }) {
            return;
        }
    }
}
