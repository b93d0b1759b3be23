//! What Drydock costs and what it spares, beside a bare `liquibase update` of the same changesets on the same data under
//! the same load, both in this one run. Prints; judges nothing.
//!
//! Where a Dagger engine can be reached, the module's own cost is measured too.
//!
//! `ci/bench [--scale N] [--rate N] [--report SECONDS]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use drydock::config::{self, Environment, Selection};
use drydock::liquibase::Liquibase;
use drydock::load::{Period, Traffic, TrafficOptions};
use drydock::model::changeset::ChangesetId;
use drydock::model::evidence::{Outcome, RunRecord, TrafficSummary};
use drydock::model::query::Ending;
use drydock::model::stage::Stage;
use drydock::operations::Operations;
use drydock::product::{Database, Products};
use drydock::run::drive::Until;
use drydock::run::{RunOptions, target};
use drydock::watcher::Watcher;
use drydock::{contract, demo};

mod dagger;

/// The big data change of the demo's release.
const BACKFILL: &str = "events-region-backfill";
const QUIET: Duration = Duration::from_secs(5);

#[derive(Parser)]
struct Options {
    /// Size of the demo's production.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Requests a second of the services' traffic.
    #[arg(long, default_value_t = 150.0)]
    rate: f64,
    /// Seconds that a report reads for in one transaction, again and again with a second between; 0: there is none.
    #[arg(long, default_value_t = 2.0)]
    report: f64,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

struct Lines;

impl Watcher for Lines {
    fn stage_began(&self, _: Stage) {}
    fn stage_done(&self, stage: Stage, seconds: f64, text: &str) {
        eprintln!("{stage:<8} {seconds:>7.1} s  {text}");
    }
    fn stage_failed(&self, stage: Stage, seconds: f64, text: &str) {
        eprintln!("{stage:<8} {seconds:>7.1} s  FAILED {text}");
    }
    fn progress(&self, _: &str, _: Option<(u64, u64)>) {}
    fn note(&self, text: &str) {
        eprintln!("{text}");
    }
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let folder = tempfile::Builder::new().prefix("drydock-bench-").tempdir().unwrap();
    open_to_all(folder.path());
    let guarded = environment(&folder.path().join("guarded"), &options);
    let bare = environment(&folder.path().join("bare"), &options);

    eprintln!("-- drydock migrate");
    let record = migrate(&guarded, options.report).await;
    demo::stop(&guarded).await.unwrap();
    let accepted = record.compat.as_ref().unwrap().accepted.clone();
    eprintln!("-- bare liquibase update of the same {} changesets", accepted.len());
    let bare_run = update(&bare, &accepted, options.report).await;
    eprintln!("-- dagger call migrate");
    let cost = dagger::measure(options.scale);
    print(&record, &bare_run, &options);
    match cost {
        Some(dagger::Cost { wall_seconds, run_seconds }) => println!(
            "dagger: call migrate {wall_seconds:.1} s, warm; {run_seconds:.1} s of it the run's, {:.1} s its own",
            wall_seconds - run_seconds
        ),
        None => println!("dagger: not measured, there is no engine"),
    }
    for environment in [&guarded, &bare] {
        demo::reset(environment).await.unwrap();
    }
}

/// The server's own user must be able to come by.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn environment(home: &Path, options: &Options) -> Environment {
    let changelog = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../changelogs/changelog.yaml");
    let selection = Selection {
        env: Some("demo".to_owned()),
        changelog: Some(changelog.canonicalize().unwrap()),
        scale: Some(options.scale),
        ..Selection::default()
    };
    let mut environment = config::resolve(&selection).unwrap();
    environment.home = home.to_path_buf();
    environment.traffic.rate = options.rate;
    environment
}

/// Somebody's long report: it only reads, and every ALTER TABLE has to wait for it, and everybody for the ALTER TABLE.
struct Report(tokio::task::JoinHandle<()>);

impl Report {
    fn begin(database: Arc<dyn Database>, seconds: f64) -> Option<Self> {
        let sql = format!(
            "select (select count(*) from (select from shipments limit 1) s),
                    (select count(*) from (select from tracking_events limit 1) e),
                    (select count(*) from (select from orders limit 1) o),
                    (select count(*) from (select from drivers limit 1) d), pg_sleep({seconds})"
        );
        (seconds > 0.0).then(|| {
            Self(tokio::spawn(async move {
                let mut client = database.client("monthly report").await.unwrap();
                let shape = client.describe(&sql).await.unwrap();
                loop {
                    client.run(&sql, &shape, &[], Ending::Rollback).await.unwrap();
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }))
        })
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn migrate(environment: &Environment, report: f64) -> RunRecord {
    let watcher: Arc<dyn Watcher> = Arc::new(Lines);
    // Made before the clock runs.
    let database = target::open(environment, &Products::default(), &watcher).await.unwrap().database;
    let _report = Report::begin(database, report);
    let driven =
        Operations::new(watcher).migrate(environment, RunOptions::default(), None, Until::End).await.unwrap();
    let outcome = driven.ended;
    assert!(matches!(outcome, Some(Outcome::Held | Outcome::Migrated)), "the run ended {outcome:?}");
    driven.record
}

struct Bare {
    seconds: f64,
    traffic: TrafficSummary,
    /// Of one UPDATE in one transaction.
    backfill_seconds: f64,
}

async fn update(environment: &Environment, changesets: &[ChangesetId], report: f64) -> Bare {
    let watcher: Arc<dyn Watcher> = Arc::new(Lines);
    let database = target::open(environment, &Products::default(), &watcher).await.unwrap().database;
    let contracts = contract::load(
        &environment.contracts,
        target::query_syntax(environment, &Products::default()).unwrap(),
    )
    .unwrap();
    let options = TrafficOptions {
        rate: environment.traffic.rate,
        connections: environment.traffic.connections,
        ending: Ending::Commit,
        only_reads: false,
        seed: environment.traffic.seed,
        may_be_silent: false,
    };
    let catalog = database.catalog().await.unwrap();
    let traffic = Traffic::start(Arc::clone(&database), &catalog, &contracts, options).await.unwrap();
    let _report = Report::begin(Arc::clone(&database), report);
    tokio::time::sleep(QUIET).await;
    traffic.mark(Period::During);
    let begun = Instant::now();
    let mut liquibase = Liquibase::start(&environment.home.join("cache")).await.unwrap();
    liquibase.changelog(environment, &environment.changelog_file).await.unwrap();
    liquibase.connect(database.as_ref(), "liquibase").await.unwrap();
    liquibase.apply_all(Some(changesets)).await.unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    traffic.mark(Period::After);
    liquibase.close().await;
    tokio::time::sleep(QUIET).await;
    let (traffic, _) = traffic.stop().await;
    Bare { seconds, traffic, backfill_seconds: backfill_seconds(database.as_ref()).await }
}

/// From its record to the next: Liquibase dates a changeset with its transaction's beginning.
async fn backfill_seconds(database: &dyn Database) -> f64 {
    let sql = "select extract(epoch from after.dateexecuted - own.dateexecuted)::text
        from databasechangelog own join databasechangelog after on after.orderexecuted = own.orderexecuted + 1
        where own.id = $1";
    let mut client = database.client("bench").await.unwrap();
    let shape = client.describe(sql).await.unwrap();
    let result = client.run(sql, &shape, &[Some(BACKFILL.to_owned())], Ending::Rollback).await.unwrap();
    result.first.unwrap().parse().unwrap()
}

fn print(record: &RunRecord, bare: &Bare, options: &Options) {
    let summary = &record.summary;
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["", "drydock", "bare update", "ratio"]);
    for column in 1..4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let against = |name: &str, ours: f64, theirs: f64, unit: &str| {
        let precision = usize::from(unit == "s");
        [
            name.to_owned(),
            format!("{ours:.precision$} {unit}"),
            format!("{theirs:.precision$} {unit}"),
            format!("{:.2}", ours / theirs),
        ]
    };
    table.add_row(against("whole run", summary.seconds, bare.seconds, "s"));
    for stage in &summary.stages {
        table.add_row(against(&format!("  {}", stage.name), stage.seconds, bare.seconds, "s"));
    }
    let (ours, theirs) = (&summary.traffic, &bare.traffic);
    table.add_row(against("longest wait", ours.longest_wait_ms, theirs.longest_wait_ms, "ms"));
    table.add_row(against("p99 before", ours.p99_ms.before, theirs.p99_ms.before, "ms"));
    table.add_row(against("p99 during", ours.p99_ms.during, theirs.p99_ms.during, "ms"));
    table.add_row(against("p99 after", ours.p99_ms.after, theirs.p99_ms.after, "ms"));
    let failed = [ours.failed, theirs.failed].map(|n| n.to_string());
    table.add_row(["failed requests", failed[0].as_str(), failed[1].as_str(), ""]);
    let requests = [ours.requests, theirs.requests].map(|n| n.to_string());
    table.add_row(["requests", requests[0].as_str(), requests[1].as_str(), ""]);
    let batches = record
        .rollout
        .iter()
        .flat_map(|r| &r.changesets)
        .find(|a| a.key.id == BACKFILL)
        .expect("the backfill went out");
    let rows = batches.rows as f64;
    table.add_row(against("backfill, rows/s", rows / batches.seconds, rows / bare.backfill_seconds, ""));
    println!(
        "\nscale {}, {} requests/s, open loop, latency from the scheduled moment",
        options.scale, options.rate
    );
    if options.report > 0.0 {
        println!("somebody's report reads busy tables for {} s at a time, a second between", options.report);
    }
    println!("bare update: Liquibase's own, JVM start included; its backfill is one bulk UPDATE\n");
    println!("{table}\n");
    let checked = &record.compat.as_ref().expect("compat gave evidence").checked;
    println!(
        "compat: {} queries x {} changesets, {} checks in {:.2} s: {:.0} queries/s",
        checked.queries,
        checked.changesets,
        checked.checks,
        checked.seconds,
        checked.checks as f64 / checked.seconds
    );
}
