//! What the traffic saw: latencies from the moment a request was due, failures, acknowledged writes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use jiff::Timestamp;

use crate::load::waits::Waits;
use crate::model::changeset::ChangesetId;
use crate::model::evidence::{AroundMs, TrafficSecond, TrafficSummary};

/// Where a request lies in relation to the change, by the moment it was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    Before,
    During,
    After,
}

/// A look at the last moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    pub requests: u64,
    pub failed: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// An answered request.
pub struct Outcome {
    pub id: u64,
    pub failed: Option<Broken>,
    pub ack: Option<(String, String, String)>,
}

/// Why a request failed.
pub struct Broken {
    pub code: String,
    pub message: String,
    /// Its values, which are made up, are ones that the query does not take.
    pub of_values: bool,
}

/// One kind of failure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failed {
    pub query: usize,
    pub code: String,
    pub changeset: Option<ChangesetId>,
}

/// How far back a window may look, and how many answers that may be.
const KEPT: Duration = Duration::from_secs(120);
const KEPT_ANSWERS: usize = 300_000;
/// Acknowledged values looked up again, at most.
const ACKNOWLEDGED: usize = 200_000;
/// The code of a request that was never answered.
const UNANSWERED: &str = "unanswered";

struct Waiting {
    due: Instant,
    query: usize,
}

struct State {
    begun: Instant,
    at: Timestamp,
    /// Since when which period counts, in order.
    periods: Vec<(Instant, Period)>,
    changeset: Option<ChangesetId>,
    /// Queries that had refused some of their values before anything was changed, as a range that ends before it begins: that they do so
    /// later says nothing of a change.
    choosy: BTreeSet<usize>,
    /// By number, and so by the moment they were due.
    waiting: BTreeMap<u64, Waiting>,
    /// When it was answered, latency in microseconds, whether it failed.
    recent: VecDeque<(Instant, u64, bool)>,
    waits: Waits,
    latencies: BTreeMap<Period, Histogram<u64>>,
    /// Latencies in microseconds and failures by the second in which they were due.
    seconds: Vec<(Vec<u32>, u64)>,
    failures: BTreeMap<Failed, (String, u64)>,
    requests: u64,
    failed: u64,
    acknowledged: BTreeMap<(String, String), BTreeSet<String>>,
    kept: usize,
}

pub struct Measure(Mutex<State>);

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn ms(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1_000.0
}

/// The value below which the given share of the sorted values lies (nearest rank).
fn percentile<T: Copy + Default>(sorted: &[T], share: f64) -> T {
    let rank = (sorted.len() as f64 * share).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or_default()
}

impl Measure {
    pub fn new() -> Self {
        let begun = Instant::now();
        Self(Mutex::new(State {
            begun,
            at: Timestamp::now(),
            periods: vec![(begun, Period::Before)],
            changeset: None,
            choosy: BTreeSet::new(),
            waiting: BTreeMap::new(),
            recent: VecDeque::new(),
            waits: Waits::default(),
            latencies: BTreeMap::new(),
            seconds: Vec::new(),
            failures: BTreeMap::new(),
            requests: 0,
            failed: 0,
            acknowledged: BTreeMap::new(),
            kept: 0,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn mark(&self, period: Period) {
        let now = Instant::now();
        self.state().periods.push((now, period));
    }

    pub fn running(&self, changeset: Option<ChangesetId>) {
        // What fails between two changesets is put down to the one that ran last.
        if changeset.is_some() {
            self.state().changeset = changeset;
        }
    }

    pub fn scheduled(&self, id: u64, due: Instant, query: usize) {
        self.state().waiting.insert(id, Waiting { due, query });
    }

    /// Counts an answer once; one that comes after `give_up_waiting` is not counted again.
    pub fn answered(&self, outcome: Outcome) {
        let now = Instant::now();
        let mut state = self.state();
        let Some(waiting) = state.waiting.remove(&outcome.id) else { return };
        let failed = outcome.failed.filter(|broken| !broken.of_values || state.counts_values(waiting.query));
        state.record(now, &waiting, failed.map(|broken| (broken.code, broken.message)));
        if let Some((table, column, value)) = outcome.ack
            && state.kept < ACKNOWLEDGED
            && state.acknowledged.entry((table, column)).or_default().insert(value)
        {
            state.kept += 1;
        }
    }

    /// Requests still unanswered at the end failed.
    pub fn give_up_waiting(&self) {
        let now = Instant::now();
        let mut state = self.state();
        for waiting in std::mem::take(&mut state.waiting).into_values() {
            let message = "no answer until the traffic ended".to_owned();
            state.record(now, &waiting, Some((UNANSWERED.to_owned(), message)));
        }
    }

    pub fn window(&self, last: Duration) -> Window {
        let now = Instant::now();
        let state = self.state();
        let mut latencies: Vec<u64> = Vec::new();
        let mut failed = 0;
        for (at, latency, bad) in state.recent.iter().rev() {
            if now.saturating_duration_since(*at) > last {
                break;
            }
            latencies.push(*latency);
            failed += u64::from(*bad);
        }
        latencies.extend(state.waiting.values().map(|w| micros(now.saturating_duration_since(w.due))));
        drop(state);
        latencies.sort_unstable();
        Window {
            requests: u64::try_from(latencies.len()).unwrap_or(u64::MAX),
            failed,
            p50_ms: ms(percentile(&latencies, 0.5)),
            p99_ms: ms(percentile(&latencies, 0.99)),
            max_ms: ms(latencies.last().copied().unwrap_or(0)),
        }
    }

    /// The longest time, in milliseconds, that a request has waited from then on. Of one that was due before, only the part
    /// since then counts: what held it up earlier is not to be blamed on what came later.
    pub fn longest_since(&self, since: Instant) -> f64 {
        let now = Instant::now();
        let state = self.state();
        // The one that has waited longest is the first.
        let waiting =
            state.waiting.values().next().map(|w| micros(now.saturating_duration_since(w.due.max(since))));
        ms(state.waits.longest_since(since).max(waiting.unwrap_or(0)))
    }

    pub fn acknowledged(&self) -> BTreeMap<(String, String), Vec<String>> {
        let taken = std::mem::take(&mut self.state().acknowledged);
        taken.into_iter().map(|(place, values)| (place, values.into_iter().collect())).collect()
    }

    pub fn summary(&self) -> (TrafficSummary, Vec<(Failed, String, u64)>) {
        let mut state = self.state();
        let of = |period, share| {
            let histogram = state.latencies.get(&period);
            histogram.map_or(0.0, |h| if h.is_empty() { 0.0 } else { ms(h.value_at_quantile(share)) })
        };
        let around = |share| AroundMs {
            before: of(Period::Before, share),
            during: of(Period::During, share),
            after: of(Period::After, share),
        };
        let (p99_ms, p50_ms) = (around(0.99), around(0.5));
        let at = |second| state.at.checked_add(jiff::SignedDuration::from_secs(i64::from(second))).ok();
        let series = (0_u32..)
            .zip(&state.seconds)
            .map(|(second, (values, failed))| {
                let mut values = values.clone();
                values.sort_unstable();
                TrafficSecond {
                    second,
                    at: at(second),
                    requests: u64::try_from(values.len()).unwrap_or(u64::MAX),
                    failed: *failed,
                    p50_ms: ms(percentile(&values, 0.5).into()),
                    p99_ms: ms(percentile(&values, 0.99).into()),
                    max_ms: ms(values.last().copied().unwrap_or(0).into()),
                }
            })
            .collect();
        let summary = TrafficSummary {
            requests: state.requests,
            failed: state.failed,
            longest_wait_ms: ms(state.waits.longest_since(state.begun)),
            p99_ms,
            p50_ms,
            series,
            ..TrafficSummary::default()
        };
        let failures = std::mem::take(&mut state.failures);
        (summary, failures.into_iter().map(|(failed, (message, count))| (failed, message, count)).collect())
    }
}

impl State {
    /// Whether it counts that a query refuses values.
    fn counts_values(&mut self, query: usize) -> bool {
        if self.changeset.is_none() {
            self.choosy.insert(query);
        }
        !self.choosy.contains(&query)
    }

    fn record(&mut self, now: Instant, request: &Waiting, failed: Option<(String, String)>) {
        let due = request.due;
        let latency = micros(now.saturating_duration_since(due));
        self.requests += 1;
        self.failed += u64::from(failed.is_some());
        let period =
            self.periods.iter().rev().find(|(since, _)| *since <= due).map_or(Period::Before, |(_, p)| *p);
        // From a microsecond to a day, to one per thousand.
        let histogram = match self.latencies.get_mut(&period) {
            Some(histogram) => Some(histogram),
            None => Histogram::new_with_bounds(1, 86_400_000_000, 3)
                .ok()
                .map(|new| self.latencies.entry(period).or_insert(new)),
        };
        if let Some(histogram) = histogram {
            histogram.saturating_record(latency);
        }
        self.waits.answered(now, latency);
        self.recent.push_back((now, latency, failed.is_some()));
        let old = |(at, ..): &(Instant, u64, bool)| now.saturating_duration_since(*at) > KEPT;
        while self.recent.len() > KEPT_ANSWERS || self.recent.front().is_some_and(old) {
            self.recent.pop_front();
        }
        let second = usize::try_from(due.saturating_duration_since(self.begun).as_secs()).unwrap_or(0);
        if self.seconds.len() <= second && second < 1_000_000 {
            self.seconds.resize_with(second + 1, Default::default);
        }
        if let Some((values, bad)) = self.seconds.get_mut(second) {
            values.push(u32::try_from(latency).unwrap_or(u32::MAX));
            *bad += u64::from(failed.is_some());
        }
        if let Some((code, message)) = failed {
            // One kind is one line, whatever the message says of the values.
            let kind = Failed { query: request.query, code, changeset: self.changeset.clone() };
            let entry = self.failures.entry(kind).or_insert_with(|| (message.chars().take(300).collect(), 0));
            entry.1 += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changeset(id: &str) -> ChangesetId {
        ChangesetId { id: id.to_owned(), author: "a".to_owned(), path: "p".to_owned() }
    }

    fn failed(id: u64, message: &str) -> Outcome {
        let broken = Broken { code: "42703".to_owned(), message: message.to_owned(), of_values: false };
        Outcome { id, failed: Some(broken), ack: None }
    }

    #[test]
    fn values_that_a_query_had_refused_before_say_nothing_of_a_change() {
        let measure = Measure::new();
        let refuse = |id: u64, query| {
            measure.scheduled(id, Instant::now(), query);
            let broken = Broken { code: "22000".to_owned(), message: "no".to_owned(), of_values: true };
            measure.answered(Outcome { id, failed: Some(broken), ack: None });
            measure.window(Duration::from_secs(60)).failed
        };
        assert_eq!(refuse(1, 0), 0, "nothing was changed yet");
        measure.running(Some(changeset("a")));
        assert_eq!(refuse(2, 0), 0, "it did so before");
        assert_eq!(refuse(3, 1), 1, "it did not");
    }

    #[test]
    fn a_wait_counts_from_the_moment_it_was_due_and_while_it_lasts() {
        let measure = Measure::new();
        let due = Instant::now();
        measure.scheduled(1, due, 0);
        measure.scheduled(2, due, 0);
        std::thread::sleep(Duration::from_millis(60));
        measure.mark(Period::During);
        measure.answered(Outcome { id: 1, failed: None, ack: None });
        let window = measure.window(Duration::from_secs(1));
        assert_eq!((window.requests, window.failed), (2, 0));
        assert!(window.p50_ms >= 60.0 && window.max_ms < 5_000.0, "{window:?}");
        assert!(measure.longest_since(due) >= 60.0);
        measure.give_up_waiting();
        measure.answered(Outcome { id: 2, failed: None, ack: None });
        let (summary, failures) = measure.summary();
        assert_eq!((summary.requests, summary.failed), (2, 1));
        // By the moment they were due, and not by that of the answer.
        assert!(summary.p99_ms.before >= 59.9 && summary.p99_ms.during == 0.0, "{summary:?}");
        assert_eq!(
            failures.iter().map(|(f, _, n)| (f.code.as_str(), *n)).collect::<Vec<_>>(),
            [("unanswered", 1)]
        );
    }

    #[test]
    fn one_kind_of_failure_is_one_line_for_each_changeset() {
        let measure = Measure::new();
        for id in 0..6 {
            measure.scheduled(id, Instant::now(), 0);
        }
        measure.answered(failed(0, "a"));
        measure.running(Some(changeset("1")));
        measure.answered(failed(1, "b"));
        measure.answered(failed(2, "c"));
        measure.running(None);
        measure.answered(failed(3, "d"));
        let (_, failures) = measure.summary();
        let found: Vec<_> = failures
            .iter()
            .map(|(f, m, n)| (f.changeset.as_ref().map(|c| c.id.as_str()), m.as_str(), *n))
            .collect();
        assert_eq!(found, [(None, "a", 1), (Some("1"), "b", 3)]);
    }

    #[test]
    fn what_held_a_request_up_before_is_not_blamed_on_what_came_later() {
        let measure = Measure::new();
        measure.scheduled(1, Instant::now(), 0);
        std::thread::sleep(Duration::from_millis(80));
        let since = Instant::now();
        std::thread::sleep(Duration::from_millis(20));
        let (waiting, all) =
            (measure.longest_since(since), measure.longest_since(since - Duration::from_secs(9)));
        measure.answered(Outcome { id: 1, failed: None, ack: None });
        for seen in [waiting, measure.longest_since(since)] {
            assert!(seen >= 20.0 && seen < all - 70.0, "{seen} {all}");
        }
        assert_eq!(measure.longest_since(Instant::now()), 0.0);
    }

    #[test]
    fn nearest_rank() {
        let values: Vec<u32> = (1..=100).collect();
        assert_eq!(
            (percentile(&values, 0.5), percentile(&values, 0.99), percentile::<u32>(&[], 0.99)),
            (50, 99, 0)
        );
    }
}
