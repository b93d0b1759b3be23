//! The record lies outside: a run that one machine began is another's to finish, and nobody needs the first one's disk.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

#[path = "support/bucket.rs"]
mod bucket;
#[path = "support/oci.rs"]
#[allow(dead_code)]
mod oci;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bucket::{Bucket, SECRET};
use drydock::product::Products;
use oci::{Fault, Oci};

use crate::support::{Home, Ran};

/// The demo's production, served to all machines of a test.
struct Production {
    home: Home,
    server: Child,
    url: String,
}

impl Production {
    fn serve() -> Self {
        let home = Home::demo("served");
        home.smaller();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = home.command(&["demo", "serve", "--scale", "0.01", "--listen", &free.to_string()]);
        let log = std::fs::File::create(home.folder.join("serve.log")).unwrap();
        let server = command.env("DRYDOCK_DEMO_PASSWORD", "pass word").stderr(log).spawn().unwrap();
        let mut production =
            Self { home, server, url: format!("postgresql://drydock:pass%20word@{free}/logistics") };
        for _ in 0..1200 {
            // It listens before it has started.
            if production.said().contains("listens") {
                return production;
            }
            assert!(production.server.try_wait().unwrap().is_none(), "{}", production.said());
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("it never listened: {}", production.said());
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.home.folder.join("serve.log")).unwrap()
    }

    fn run(&self, script: &str) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let database = Products::default().open(&self.url).unwrap();
        runtime.block_on(database.execute_script(script)).unwrap();
    }

    fn schema(&self) -> drydock::model::schema::SchemaFingerprint {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let database = Products::default().open(&self.url).unwrap();
        runtime.block_on(database.schema_fingerprint()).unwrap()
    }
}

impl Drop for Production {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A machine with nothing on it but changelogs and credentials.
struct Machine<'a> {
    home: Home,
    production: &'a Production,
    journal: &'static str,
}

impl<'a> Machine<'a> {
    fn new(name: &str, production: &'a Production, journal: &'static str, credentials: &str) -> Self {
        let home = Home::demo(name);
        home.smaller();
        std::fs::write(home.folder.join("credentials"), credentials).unwrap();
        Self { home, production, journal }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(arguments);
        command
            .args(["--env", "demo", "--database", "env:PRODUCTION", "--journal", self.journal])
            .args(["--credentials", "credentials", "--format", "json"])
            .env("PRODUCTION", &self.production.url)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Begins a migration and dies when this act has begun.
    fn dies_at(&self, act: &str) {
        let mut child = self.command(&["migrate"]).spawn().unwrap();
        self.home.wait_for(&mut child, act);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn a_run_is_taken_up_by_another_machine() {
    let production = Production::serve();
    let bucket = Bucket::serve(production.home.folder.join("buckets"));
    let journal = "s3://bucket/team";
    let machine = |name| Machine::new(name, &production, journal, &bucket.credentials(SECRET));
    let before = production.schema();

    let stranger = Machine::new("stranger", &production, journal, &bucket.credentials("guessed"));
    let refused = stranger.run(&["migrate"]).expect(2);
    assert!(refused.err.contains("no runs can be listed in s3://bucket/team"), "{}", refused.err);
    assert!(!refused.err.contains("guessed"), "{}", refused.err);

    // Before production was touched, what a run has made is on the disk of the machine that is gone: another begins.
    machine("first").dies_at("\"stage\":\"clone\"");
    let second = machine("second");
    second.dies_at("events-region-backfill");
    let begun = second.run(&["history"]).expect(0).json();
    assert_eq!(begun[0]["outcome"], "refused");
    assert!(begun[0]["reason"].as_str().unwrap().contains("its backup is not on the machine"), "{begun}");
    assert_eq!(begun[1]["outcome"], "unfinished");

    // In the middle of production it is taken up where it was; the storage going away stops it and loses nothing.
    let third = machine("third");
    let mut child = third.command(&["migrate"]).spawn().unwrap();
    third.home.wait_for(&mut child, "events-region-idx");
    bucket.open(false);
    let stopped = Ran::of(child.wait_with_output().unwrap()).expect(5);
    assert!(stopped.err.contains("production is between two changesets"), "{}", stopped.err);
    bucket.open(true);
    let fourth = machine("fourth");
    let ended = fourth.run(&["migrate"]).expect(3).json();
    assert_eq!(ended["run"], begun[1]["run"]);
    assert_eq!(ended["outcome"], "held");
    assert_eq!(ended["fingerprint"]["as_expected"], true);

    // A machine that never saw it knows all of it, and what the schema was left like.
    let fresh = machine("fresh");
    let status = fresh.run(&["status"]).expect(0).json();
    assert_eq!(status["changesets"], ended["changesets"]);
    assert_eq!(fresh.run(&["verify"]).expect(0).json().as_array().unwrap().len(), 2);
    fresh.run(&["drift"]).expect(0);
    production.run("ALTER TABLE tracking_events ADD COLUMN sneaked integer");
    let drifted = fresh.run(&["drift"]).expect(1);
    assert!(drifted.err.contains("sneaked"), "{}", drifted.err);
    production.run("ALTER TABLE tracking_events DROP COLUMN sneaked");

    // As a folder it is handed to a machine that has no storage; there it goes back.
    let folder = production.home.folder.join("evidence");
    fresh.run(&["evidence", "--output", folder.to_str().unwrap()]).expect(0);
    let alone = Home::demo("alone");
    alone.smaller();
    let rollback = ["rollback", "--env", "demo", "--database", &production.url, "--format", "json"];
    let mut arguments = rollback.to_vec();
    arguments.extend(["--evidence", folder.to_str().unwrap()]);
    let back = alone.run(&arguments).expect(0).json();
    assert_eq!(back["outcome"], "rolled_back");
    assert_eq!(before.differences(&production.schema(), 10), Vec::<String>::new());
    // A folder that somebody changed is not taken.
    let plan = folder.join(ended["run"].as_str().unwrap()).join("evidence/plan.json");
    std::fs::write(&plan, std::fs::read_to_string(&plan).unwrap().replace("events-region", "events-regime"))
        .unwrap();
    arguments[0] = "migrate";
    let changed = alone.run(&arguments).expect(5);
    assert!(changed.err.contains("is not what the journal of run"), "{}", changed.err);
}

#[test]
fn a_run_is_taken_up_from_oracles_object_storage() {
    let production = Production::serve();
    let oci = Oci::serve();
    let machine = |name, key: &str| {
        Machine::new(name, &production, "oci://drydock@ns/team/a%20b", &oci.credentials(key))
    };
    let refused = machine("stranger", "cc:dd").run(&["migrate"]).expect(2);
    assert!(refused.err.contains("no runs can be listed in oci://drydock@ns/team/a%20b"), "{}", refused.err);
    assert!(refused.err.contains("the key is not known (401, NotAuthenticated, request "), "{}", refused.err);
    assert!(refused.err.contains("hint: see that user, fingerprint, key and region"), "{}", refused.err);
    assert!(!refused.err.contains("PRIVATE KEY"), "{}", refused.err);

    machine("first", oci::FINGERPRINT).dies_at("events-region-idx");
    // A service that is busy, and an event that it keeps without an answer, stop nobody.
    let second = machine("second", oci::FINGERPRINT);
    let mut child = second.command(&["migrate"]).spawn().unwrap();
    second.home.wait_for(&mut child, "events-region-idx");
    oci.faults(&[
        Fault::Refuse(503, "ServiceUnavailable"),
        Fault::LoseAnswer,
        Fault::Refuse(429, "TooManyRequests"),
    ]);
    let ended = Ran::of(child.wait_with_output().unwrap()).expect(3).json();
    assert_eq!(ended["fingerprint"]["as_expected"], true);

    let fresh = machine("fresh", oci::FINGERPRINT);
    oci.set_page(5);
    assert_eq!(fresh.run(&["status"]).expect(0).json()["changesets"], ended["changesets"]);
    assert_eq!(fresh.run(&["verify"]).expect(0).json().as_array().unwrap().len(), 1);
    assert!(oci.names().iter().all(|name| name.starts_with("team/a b/demo")), "{:?}", oci.names());
}

#[test]
fn only_a_demo_is_played_with() {
    let production = Production::serve();
    production.run("CREATE DATABASE shop");
    let url = production.url.replace("/logistics", "/shop");
    let home = Home::demo("shop");
    let refused = home.run(&["migrate", "--env", "demo", "--database", &url]).expect(2);
    assert!(refused.err.contains("this database is not a demo's production"), "{}", refused.err);
}
