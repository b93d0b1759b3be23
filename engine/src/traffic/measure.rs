//! What the traffic saw: latencies from the moment a request was due, failures, acknowledged writes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::changeset::ChangesetId;
use crate::evidence::{AroundMs, TrafficSecond, TrafficSummary};

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
    pub due: Instant,
    pub period: Period,
    pub query: usize,
    pub failed: Option<(String, String)>,
    pub ack: Option<(String, String, String)>,
}

/// One kind of failure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failed {
    pub query: usize,
    pub code: String,
    pub changeset: Option<ChangesetId>,
    pub message: String,
}

/// Answers kept for looking back over a changeset; at 1,000 requests a second, five minutes.
const KEPT: usize = 300_000;
/// Acknowledged values looked up again, at most.
const ACKNOWLEDGED: usize = 200_000;

struct State {
    begun: Instant,
    at: Timestamp,
    period: Period,
    changeset: Option<ChangesetId>,
    waiting: BTreeMap<u64, (Instant, Period)>,
    /// When it was answered, latency in ms, whether it failed.
    recent: VecDeque<(Instant, f64, bool)>,
    latencies: BTreeMap<Period, Vec<f64>>,
    seconds: Vec<(Vec<f64>, u64)>,
    failures: BTreeMap<Failed, u64>,
    requests: u64,
    failed: u64,
    longest: f64,
    acknowledged: BTreeMap<(String, String), Vec<String>>,
    kept: usize,
}

pub struct Measure(Mutex<State>);

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// The value below which the given share of the sorted values lies (nearest rank).
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

impl Measure {
    pub fn new() -> Self {
        Self(Mutex::new(State {
            begun: Instant::now(),
            at: Timestamp::now(),
            period: Period::Before,
            changeset: None,
            waiting: BTreeMap::new(),
            recent: VecDeque::new(),
            latencies: BTreeMap::new(),
            seconds: Vec::new(),
            failures: BTreeMap::new(),
            requests: 0,
            failed: 0,
            longest: 0.0,
            acknowledged: BTreeMap::new(),
            kept: 0,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn mark(&self, period: Period) {
        self.state().period = period;
    }

    pub fn running(&self, changeset: Option<ChangesetId>) {
        // What fails between two changesets is put down to the one that ran last.
        if changeset.is_some() {
            self.state().changeset = changeset;
        }
    }

    pub fn scheduled(&self, id: u64, due: Instant) -> Period {
        let mut state = self.state();
        let period = state.period;
        state.waiting.insert(id, (due, period));
        period
    }

    pub fn answered(&self, outcome: Outcome) {
        let now = Instant::now();
        let mut state = self.state();
        state.waiting.remove(&outcome.id);
        state.record(now, outcome.due, outcome.period, outcome.failed.is_some());
        if let Some((code, message)) = outcome.failed {
            let changeset = state.changeset.clone();
            let message: String = message.chars().take(300).collect();
            // One kind is one line, whatever the message says of the values.
            let known = state
                .failures
                .keys()
                .find(|f| f.query == outcome.query && f.code == code && f.changeset == changeset)
                .cloned();
            let kind = known.unwrap_or(Failed { query: outcome.query, code, changeset, message });
            *state.failures.entry(kind).or_default() += 1;
        }
        if let Some((table, column, value)) = outcome.ack
            && state.kept < ACKNOWLEDGED
        {
            state.kept += 1;
            state.acknowledged.entry((table, column)).or_default().push(value);
        }
    }

    /// Requests still unanswered at the end failed.
    pub fn give_up_waiting(&self) {
        let now = Instant::now();
        let mut state = self.state();
        for (due, period) in std::mem::take(&mut state.waiting).into_values() {
            state.record(now, due, period, true);
        }
    }

    pub fn window(&self, last: Duration) -> Window {
        let now = Instant::now();
        let state = self.state();
        let mut latencies = Vec::new();
        let mut failed = 0;
        for (at, latency, bad) in state.recent.iter().rev() {
            if now.duration_since(*at) > last {
                break;
            }
            latencies.push(*latency);
            failed += u64::from(*bad);
        }
        latencies.extend(state.waiting.values().map(|(due, _)| ms(now.saturating_duration_since(*due))));
        drop(state);
        let latencies = sorted(latencies);
        Window {
            requests: u64::try_from(latencies.len()).unwrap_or(u64::MAX),
            failed,
            p50_ms: percentile(&latencies, 0.5),
            p99_ms: percentile(&latencies, 0.99),
            max_ms: latencies.last().copied().unwrap_or(0.0),
        }
    }

    pub fn longest_since(&self, since: Instant) -> f64 {
        let now = Instant::now();
        let state = self.state();
        let answered =
            state.recent.iter().rev().take_while(|(at, ..)| *at >= since).map(|(_, latency, _)| *latency);
        let waiting = state.waiting.values().map(|(due, _)| ms(now.saturating_duration_since(*due)));
        answered.chain(waiting).fold(0.0, f64::max)
    }

    pub fn acknowledged(&self) -> BTreeMap<(String, String), Vec<String>> {
        std::mem::take(&mut self.state().acknowledged)
    }

    pub fn summary(&self) -> (TrafficSummary, Vec<(Failed, u64)>) {
        let mut state = self.state();
        let latencies = std::mem::take(&mut state.latencies);
        let of = |period, share| {
            latencies.get(&period).map_or(0.0, |values| percentile(&sorted(values.clone()), share))
        };
        let around = |share| AroundMs {
            before: of(Period::Before, share),
            during: of(Period::During, share),
            after: of(Period::After, share),
        };
        let series = (0_u32..)
            .zip(std::mem::take(&mut state.seconds))
            .map(|(second, (values, failed))| {
                let values = sorted(values);
                TrafficSecond {
                    second,
                    at: state.at.checked_add(jiff::SignedDuration::from_secs(i64::from(second))).ok(),
                    requests: u64::try_from(values.len()).unwrap_or(u64::MAX),
                    failed,
                    p50_ms: percentile(&values, 0.5),
                    p99_ms: percentile(&values, 0.99),
                    max_ms: values.last().copied().unwrap_or(0.0),
                }
            })
            .collect();
        let summary = TrafficSummary {
            requests: state.requests,
            failed: state.failed,
            longest_wait_ms: state.longest,
            p99_ms: around(0.99),
            p50_ms: around(0.5),
            series,
            ..TrafficSummary::default()
        };
        (summary, std::mem::take(&mut state.failures).into_iter().collect())
    }
}

impl State {
    fn record(&mut self, now: Instant, due: Instant, period: Period, failed: bool) {
        let latency = ms(now.saturating_duration_since(due));
        self.requests += 1;
        self.failed += u64::from(failed);
        self.longest = self.longest.max(latency);
        self.latencies.entry(period).or_default().push(latency);
        self.recent.push_back((now, latency, failed));
        if self.recent.len() > KEPT {
            self.recent.pop_front();
        }
        let second = usize::try_from(due.saturating_duration_since(self.begun).as_secs()).unwrap_or(0);
        if self.seconds.len() <= second && second < 1_000_000 {
            self.seconds.resize_with(second + 1, Default::default);
        }
        if let Some((values, bad)) = self.seconds.get_mut(second) {
            values.push(latency);
            *bad += u64::from(failed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_counts_from_the_moment_it_was_due_and_while_it_lasts() {
        let measure = Measure::new();
        let due = Instant::now();
        let period = measure.scheduled(1, due);
        measure.scheduled(2, due);
        std::thread::sleep(Duration::from_millis(60));
        measure.answered(Outcome { id: 1, due, period, query: 0, failed: None, ack: None });
        let window = measure.window(Duration::from_secs(1));
        assert_eq!((window.requests, window.failed), (2, 0));
        assert!(window.p50_ms >= 60.0 && window.max_ms < 5_000.0, "{window:?}");
        assert!(measure.longest_since(due) >= 60.0);
        measure.give_up_waiting();
        let (summary, _) = measure.summary();
        assert_eq!((summary.requests, summary.failed), (2, 1));
        assert!(summary.p99_ms.before >= 60.0);
    }

    #[test]
    fn nearest_rank() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(
            (percentile(&values, 0.5), percentile(&values, 0.99), percentile(&[], 0.99)),
            (50.0, 99.0, 0.0)
        );
    }
}
