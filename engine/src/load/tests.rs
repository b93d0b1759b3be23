//! The loop against a database that does what the test says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::contract::role_sessions::RoleSessions;
use crate::contract::{Arity, Contract, Query, Version};
use crate::error::{Error, Result};
use crate::load::source::Source;
use crate::load::{Period, Traffic, TrafficOptions};
use crate::model::catalog::Catalog;
use crate::model::changeset::ChangesetId;
use crate::model::endpoint::ClientSettings;
use crate::model::query::{
    Answer, Asker, Call, Ending, ParameterRole, PlanShape, QueryError, QueryResult, QueryShape, Usage,
};
use crate::product::{Client, Dialect, test_dialect};

/// What the pretended database does; queries are words.
#[derive(Default)]
struct Script {
    /// Nothing is answered before this moment.
    stalled: Mutex<Option<Instant>>,
    broken: AtomicBool,
    unreachable: AtomicBool,
    runs: AtomicU64,
    connections: AtomicU64,
    asked: Mutex<BTreeMap<String, u64>>,
    lost: AtomicU64,
    looks: AtomicU64,
}

struct Fake(Arc<Script>);

struct FakeClient {
    script: Arc<Script>,
    alive: bool,
}

fn refused(code: &str) -> QueryError {
    QueryError {
        code: code.to_owned(),
        class: test_dialect().error_class(code),
        message: format!("no: {code}"),
        column: None,
        table: None,
        constraint: None,
    }
}

/// What the query says of itself is for the server.
fn untagged(sql: &str) -> &str {
    sql.split(" /*").next().unwrap_or(sql)
}

#[async_trait]
impl Client for FakeClient {
    async fn plan_all(
        &mut self,
        queries: &[(&str, &QueryShape)],
    ) -> Vec<Result<Option<PlanShape>, QueryError>> {
        queries.iter().map(|_| Ok(None)).collect()
    }
    async fn describe(&mut self, sql: &str) -> Result<QueryShape, QueryError> {
        match untagged(sql) {
            "unknown" => Err(refused("42P01")),
            _ => Ok(QueryShape { parameters: vec!["bigint".to_owned()], columns: Vec::new() }),
        }
    }

    async fn run(
        &mut self,
        sql: &str,
        _: &QueryShape,
        parameters: &[Option<String>],
        ending: Ending,
    ) -> Result<QueryResult, QueryError> {
        let sql = untagged(sql);
        let trial = self.script.connections.load(Ordering::Relaxed) == 1;
        if !trial {
            let run = self.script.runs.fetch_add(1, Ordering::Relaxed);
            *self.script.asked.lock().unwrap().entry(sql.to_owned()).or_default() += 1;
            let until = *self.script.stalled.lock().unwrap();
            if let Some(until) = until {
                tokio::time::sleep_until(until.into()).await;
            }
            if self.script.broken.swap(false, Ordering::Relaxed) {
                self.alive = false;
            }
            if !self.alive {
                return Err(refused("connection"));
            }
            if sql == "sometimes" && run.is_multiple_of(4) {
                return Err(refused("40001"));
            }
            assert_ne!(sql, "never");
        }
        assert!(!trial || ending == Ending::Rollback);
        if sql == "never" {
            return Err(refused("23505"));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(QueryResult { rows: 1, first: parameters[0].clone() })
    }

    async fn describe_all(&mut self, queries: &[&str]) -> Vec<Result<QueryShape, QueryError>> {
        let mut all = Vec::new();
        for sql in queries {
            all.push(self.describe(sql).await);
        }
        all
    }
    async fn answers(
        &mut self,
        _: &str,
        _: &QueryShape,
        _: Option<Asker<'_>>,
        calls: &[Call<'_>],
    ) -> Vec<Result<Answer, QueryError>> {
        calls.iter().map(|_| Ok(Answer::default())).collect()
    }
    fn alive(&self) -> bool {
        self.alive
    }
}

#[async_trait]
impl Source for Fake {
    fn dialect(&self) -> Arc<dyn Dialect> {
        test_dialect()
    }
    async fn sessions(&self, _: &BTreeSet<String>) -> Result<RoleSessions> {
        Ok(RoleSessions::default())
    }
    async fn client(&self, _: &str, _: &ClientSettings) -> Result<Box<dyn Client>> {
        if self.0.unreachable.load(Ordering::Relaxed) {
            return Err(Error::failed("gone"));
        }
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(FakeClient { script: Arc::clone(&self.0), alive: true }))
    }
    async fn usages(&self, sql: &[&str], _: &Catalog) -> Vec<Result<Usage>> {
        let usage = |sql: &&str| Usage {
            roles: vec![ParameterRole::Insert { table: "t".to_owned(), column: "c".to_owned() }],
            only_reads: sql.starts_with("read"),
            ..Usage::default()
        };
        sql.iter().map(|sql| Ok(usage(sql))).collect()
    }
    async fn samples(&self, _: &str, _: &str, _: u32) -> Result<Vec<String>> {
        Ok((0..50).map(|n| n.to_string()).collect())
    }
    async fn count_present(&self, _: &str, _: &str, values: &[String]) -> Result<u64> {
        if self.0.looks.fetch_add(1, Ordering::Relaxed) == 0 {
            return Err(Error::failed("the connection broke"));
        }
        Ok(u64::try_from(values.len()).unwrap() - self.0.lost.load(Ordering::Relaxed))
    }
}

async fn start(
    script: &Arc<Script>,
    queries: &[&str],
    rate: f64,
    change: impl Fn(&mut TrafficOptions),
) -> Result<Traffic> {
    let query = |sql: &&str| Query {
        name: (*sql).to_owned(),
        arity: Arity::One,
        sql: (*sql).to_owned(),
        file: PathBuf::from("s/q.sql"),
        line: 3,
        ack: (*sql == "acknowledged").then(|| ("t".to_owned(), "id".to_owned())),
    };
    let version =
        Version { version: "1".to_owned(), queries: queries.iter().map(query).collect(), api: Vec::new() };
    let contract = Contract {
        service: "s".to_owned(),
        owner: None,
        role: None,
        versions: vec![version],
        file: PathBuf::from("s/contract.yaml"),
    };
    let mut options = TrafficOptions {
        rate,
        connections: 4,
        ending: Ending::Commit,
        only_reads: false,
        seed: 1,
        may_be_silent: false,
    };
    change(&mut options);
    Traffic::begin(Arc::new(Fake(Arc::clone(script))), &Catalog::default(), &[contract], options).await
}

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_is_seen_by_everyone_who_would_have_asked() {
    let script = Arc::new(Script::default());
    let traffic = start(&script, &["read"], 200.0, |_| ()).await.unwrap();
    pause(300).await;
    traffic.mark(Period::During);
    pause(50).await;
    let begun = Instant::now();
    *script.stalled.lock().unwrap() = Some(begun + Duration::from_secs(2));
    pause(1_500).await;
    // It is seen while it lasts: four connections are stuck, and everybody else waits all the same.
    assert!(traffic.longest_since(begun) >= 1_400.0);
    let window = traffic.window(Duration::from_secs(1));
    assert!(window.max_ms >= 1_400.0 && window.requests >= 250, "{window:?}");
    pause(800).await;
    assert!(traffic.longest_since(begun) >= 1_900.0);
    traffic.mark(Period::After);
    let after = Instant::now();
    pause(500).await;
    assert!(traffic.longest_since(after) < 1_000.0);
    let (summary, failures) = traffic.stop().await;
    assert!(failures.is_empty() && summary.failed == 0);
    assert!(summary.longest_wait_ms >= 1_900.0, "{}", summary.longest_wait_ms);
    // A closed loop would have seen four slow requests of some hundred.
    assert!(
        summary.p99_ms.during >= 1_800.0 && summary.p50_ms.during >= 700.0,
        "{:?} {:?}",
        summary.p99_ms,
        summary.p50_ms
    );
    assert!(summary.p99_ms.before < 500.0 && summary.p99_ms.after < 1_000.0, "{:?}", summary.p99_ms);
    assert_eq!(summary.series.iter().map(|s| s.requests).sum::<u64>(), summary.requests);
    assert!(summary.series.iter().all(|s| s.at.is_some()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_is_kept() {
    let script = Arc::new(Script::default());
    let begun = Instant::now();
    let traffic = start(&script, &["read", "other"], 400.0, |_| ()).await.unwrap();
    pause(3_000).await;
    let seconds = begun.elapsed().as_secs_f64();
    let (summary, _) = traffic.stop().await;
    let rate = summary.requests as f64 / seconds;
    assert!((rate / 400.0 - 1.0).abs() < 0.02, "{rate}");
    assert_eq!((summary.services, script.runs.load(Ordering::Relaxed)), (1, summary.requests));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_count_once_and_nothing_is_retried() {
    let script = Arc::new(Script::default());
    let traffic = start(&script, &["sometimes"], 200.0, |_| ()).await.unwrap();
    pause(200).await;
    let changeset = ChangesetId { id: "1".to_owned(), author: "a".to_owned(), path: "p".to_owned() };
    traffic.running(Some(changeset.clone()));
    pause(400).await;
    let (summary, failures) = traffic.stop().await;
    assert_eq!(summary.requests, script.runs.load(Ordering::Relaxed));
    assert_eq!(summary.failed, summary.requests.div_ceil(4));
    assert_eq!(failures.iter().map(|f| f.count).sum::<u64>(), summary.failed);
    assert_eq!(failures.iter().map(|f| f.changeset.clone()).collect::<Vec<_>>(), [None, Some(changeset)]);
    assert_eq!(
        (failures[0].file.as_str(), failures[0].line, failures[0].code.as_str()),
        ("s/q.sql", 3, "40001")
    );
}

#[tokio::test]
async fn a_broken_connection_costs_its_request_and_is_replaced() {
    let script = Arc::new(Script::default());
    let traffic = start(&script, &["read"], 200.0, |o| o.connections = 2).await.unwrap();
    pause(100).await;
    script.broken.store(true, Ordering::Relaxed);
    pause(300).await;
    let (summary, failures) = traffic.stop().await;
    assert_eq!((summary.failed, failures[0].code.as_str()), (1, "connection"));
    // One that tried, two that began, one that took a place.
    assert_eq!(script.connections.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_database_that_is_gone_fails_every_request() {
    let script = Arc::new(Script::default());
    let traffic = start(&script, &["read"], 100.0, |o| o.connections = 1).await.unwrap();
    script.unreachable.store(true, Ordering::Relaxed);
    script.broken.store(true, Ordering::Relaxed);
    pause(300).await;
    let window = traffic.window(Duration::from_millis(200));
    assert!(window.failed > 10, "{window:?}");
    script.unreachable.store(false, Ordering::Relaxed);
    pause(200).await;
    assert_eq!(traffic.window(Duration::from_millis(100)).failed, 0);
    drop(traffic);
    let runs = script.runs.load(Ordering::Relaxed);
    pause(100).await;
    assert!(script.runs.load(Ordering::Relaxed) <= runs + 1, "traffic that is dropped ends");
}

#[tokio::test]
async fn what_is_unanswered_at_the_end_failed() {
    let script = Arc::new(Script::default());
    let traffic = start(&script, &["read"], 100.0, |o| o.connections = 2).await.unwrap();
    *script.stalled.lock().unwrap() = Some(Instant::now() + Duration::from_secs(3_600));
    pause(50).await;
    let (summary, failures) = traffic.stop_within(Duration::from_millis(100)).await;
    assert!(
        summary.failed > 0 && summary.failed == failures.iter().map(|f| f.count).sum::<u64>(),
        "{summary:?}"
    );
    assert_eq!(failures[0].code, "unanswered");
}

#[tokio::test]
async fn acknowledged_writes_are_looked_up_again() {
    let script = Arc::new(Script::default());
    script.lost.store(2, Ordering::Relaxed);
    let traffic = start(&script, &["acknowledged", "read"], 200.0, |_| ()).await.unwrap();
    pause(400).await;
    let (summary, _) = traffic.stop().await;
    let writes = script.asked.lock().unwrap()["acknowledged"];
    // The values are drawn and may come twice; the pretended database has lost two.
    assert!(summary.acknowledged > 0 && summary.acknowledged <= writes, "{summary:?}");
    assert_eq!((summary.lost, script.looks.load(Ordering::Relaxed)), (2, 2));
    let script = Arc::new(Script::default());
    let traffic = start(&script, &["acknowledged"], 200.0, |o| o.ending = Ending::Rollback).await.unwrap();
    pause(100).await;
    assert_eq!(traffic.stop().await.0.acknowledged, 0);
}

#[tokio::test]
async fn queries_that_never_run_are_named_and_left_out() {
    let script = Arc::new(Script::default());
    let traffic = start(&script, &["unknown", "never", "read", "write"], 100.0, |_| ()).await.unwrap();
    let skipped: Vec<_> = traffic.skipped.iter().map(|q| (q.query.as_str(), q.code.as_str())).collect();
    assert_eq!(skipped, [("unknown", "42P01"), ("never", "23505")]);
    pause(200).await;
    traffic.stop().await;
    let asked: Vec<String> = script.asked.lock().unwrap().keys().cloned().collect();
    assert_eq!(asked, ["read", "write"]);

    let script = Arc::new(Script::default());
    let traffic =
        start(&script, &["write", "read", "read too"], 100.0, |o| o.only_reads = true).await.unwrap();
    pause(200).await;
    traffic.stop().await;
    let asked: Vec<String> = script.asked.lock().unwrap().keys().cloned().collect();
    assert_eq!(asked, ["read", "read too"]);
    let script = Arc::new(Script::default());
    let error = start(&script, &["write"], 100.0, |o| o.only_reads = true).await.err().unwrap();
    assert_eq!(error.kind, crate::error::ErrorKind::Input);
}
