//! The services' traffic: the contracts' queries with fitting values, at a fixed rate whatever the answers do.
//!
//! The loop is open: request i is due at t0 + i/rate, latency is counted from that moment, and nothing is retried. A
//! database that stalls is asked all the same, as it would be by people (G. Tene: "How NOT to Measure Latency").

mod generator;
mod measure;
mod prepare;
mod source;
#[cfg(test)]
mod tests;
pub(crate) mod types;
pub(crate) mod value_pattern;
pub(crate) mod values;
mod waits;

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
use crate::model::query::{Ending, QueryError, QueryResult, QueryShape};
use crate::product::{Client, Database};
use generator::Generator;
use measure::{Measure, Outcome};
pub use measure::{Period, Window};
use source::Source;
use types::Moment;

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
}

struct Request {
    id: u64,
    query: usize,
    parameters: Vec<Option<String>>,
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
        let (sender, receiver) = mpsc::unbounded_channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut clients = Vec::new();
        let connections = if queries.is_empty() { 0 } else { options.connections.max(1) };
        for n in 0..connections {
            let service = queries.get(n % queries.len()).map_or("traffic", |q| q.service.as_str()).to_owned();
            clients.push((source.client(&service).await?, service));
        }
        // Time counts from here: nothing but the queries is in its way any more.
        let measure = Arc::new(Measure::new());
        let workers = clients.into_iter().map(|(client, service)| {
            let (source, queries, receiver) =
                (Arc::clone(&source), Arc::clone(&queries), Arc::clone(&receiver));
            let worker =
                Worker { source, service, queries, measure: Arc::clone(&measure), ending: options.ending };
            tokio::spawn(worker.work(client, receiver))
        });
        let workers = Tasks(workers.collect());
        let rate = options.rate.clamp(0.1, 100_000.0);
        let generator = Generator::new(ready.makers, options.seed, Moment::now(), source.dialect());
        let dispatcher = tokio::spawn(dispatch(generator, sender, Arc::clone(&measure), stopped, rate));
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
    sender: mpsc::UnboundedSender<Request>,
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
        if sender.send(Request { id, query, parameters }).is_err() {
            return;
        }
    }
}

/// One connection's worth of traffic.
struct Worker {
    source: Arc<dyn Source>,
    service: String,
    queries: Arc<Vec<Prepared>>,
    measure: Arc<Measure>,
    ending: Ending,
}

impl Worker {
    /// Takes the next request that is due until there will be none.
    async fn work(self, mut client: Box<dyn Client>, receiver: Arc<Mutex<mpsc::UnboundedReceiver<Request>>>) {
        loop {
            let Some(request) = receiver.lock().await.recv().await else { return };
            let Some(query) = self.queries.get(request.query) else { continue };
            let answer = client.run(&query.sql, &query.shape, &request.parameters, self.ending).await;
            let ack = self.acknowledged(&answer, query);
            let failed = answer.err().map(|error| (error.code, error.message));
            self.measure.answered(Outcome { id: request.id, failed, ack });
            // Now, while nobody waits for it. If there is none to be had, the next request fails too and asks again.
            if !client.alive()
                && let Ok(fresh) = self.source.client(&self.service).await
            {
                client = fresh;
            }
        }
    }

    fn acknowledged(
        &self,
        answer: &std::result::Result<QueryResult, QueryError>,
        query: &Prepared,
    ) -> Option<(String, String, String)> {
        let (table, column) = query.ack.clone().filter(|_| self.ending == Ending::Commit)?;
        let first = answer.as_ref().ok()?.first.clone()?;
        Some((table, column, first))
    }
}
