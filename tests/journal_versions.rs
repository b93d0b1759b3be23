//! A journal outlives the version that wrote it: `tests/fixtures/journal/FORMAT/CASE` is what earlier versions left, and this
//! version verifies, shows, finishes and takes back all of it.
//!
//! The fixtures are never made anew for a format: `tests/fixtures/journal/make` records a further one. Their evidence holds
//! schema fingerprints in the spelling of their version (`schema-before`, `shadow.schema_after`, `schema.json`). Who changes
//! that spelling makes production "differ" from them, here and for everybody who is in the middle of a run: such a change
//! has to leave a way to compare an old fingerprint, and not to change a fixture.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::{Path, PathBuf};

use crate::support::{Home, Ran, copy, repository};
use drydock::model::endpoint::Endpoint;
use drydock::model::schema::SchemaFingerprint;
use drydock::product::postgres::local::Local;
use drydock::product::{self, Products};
use drydock::run::journal;
use serde_json::Value;
use sha2::{Digest, Sha256};

const CASES: [&str; 6] = [
    "held",
    "rolled-back",
    "killed-after-plan",
    "killed-after-clone",
    "killed-in-rollout",
    "killed-unwinding",
];
const CHANGESETS: [&str; 5] = ["parcels-region", "region-backfill", "region-idx", "no-telex", "no-fax"];

fn fixtures() -> PathBuf {
    repository().join("tests/fixtures/journal")
}

fn fixture(case: &str) -> PathBuf {
    fixtures().join("format-1").join(case)
}

/// The one run of a folder of runs, or the first of them.
fn run_of(home: &Path) -> (String, PathBuf) {
    let runs = home.join("depot/runs");
    let run = journal::names(&runs).unwrap().remove(0);
    (run.clone(), runs.join(run))
}

fn lines(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// A home with the fixture's record in it, its changelog and its contracts.
fn home_of(case: &str) -> Home {
    let home = Home::new(case);
    for name in ["changes.sql", "drydock.toml"] {
        std::fs::copy(fixtures().join(name), home.folder.join(name)).unwrap();
    }
    copy(&fixtures().join("contracts"), &home.folder.join("contracts"));
    copy(&fixture(case).join("home"), &home.folder.join("home"));
    home
}

/// Nobody listens there: a command that gets as far as the database fails differently.
const NOWHERE: &str = "postgresql://app@127.0.0.1:9/depot";

fn depot(home: &Home, url: &str, arguments: &[&str]) -> Ran {
    let mut all = arguments.to_vec();
    all.extend(["--env", "depot", "--database", url]);
    home.run(&all)
}

#[test]
fn every_version_is_verified_and_shown() {
    for case in CASES {
        let home = home_of(case);
        let count = lines(&run_of(&home.folder.join("home")).1).len();
        let verified = depot(&home, NOWHERE, &["verify", "--format", "json"]).expect(0).json();
        assert_eq!(verified[0]["events"], count, "{case}");
        let shown = |command| depot(&home, NOWHERE, &[command]).expect(0).out;
        insta::with_settings!({snapshot_path => "expected/journal", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(case, format!("{}\n{}", shown("history"), shown("status")));
        });
        depot(&home, NOWHERE, &["report", "--output", "report.html"]).expect(0);
        let page = std::fs::read_to_string(home.folder.join("report.html")).unwrap();
        assert!(page.contains("The chain is intact"), "{case}");
        for line in lines(&run_of(&home.folder.join("home")).1) {
            let event: Value = serde_json::from_str(&line).unwrap();
            let hash = event["hash"].as_str().unwrap();
            assert!(page.contains(hash.get(..8).unwrap()), "{case}: {line} is not in the report");
        }
    }
}

#[test]
fn no_byte_of_a_journal_can_change_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    for case in CASES {
        let bytes = std::fs::read(run_of(&fixture(case).join("home")).1.join("journal.jsonl")).unwrap();
        let all = journal::parse(&bytes, &path).unwrap();
        journal::verify(&all).unwrap();
        for (number, event) in all.iter().enumerate() {
            for at in 0..event.line.len() {
                let mut line = event.line.clone().into_bytes();
                line[at] ^= 1 << (at % 8);
                let Ok(changed) = journal::read_line(&line, case) else { continue };
                let mut events = all.clone();
                events[number] = changed;
                assert!(journal::verify(&events).is_err(), "{case}: byte {at} of line {}", number + 1);
            }
        }
        for at in (0..bytes.len()).filter(|at| bytes[*at] == b'\n') {
            let mut changed = bytes.clone();
            changed[at] = b' ';
            let found = journal::parse(&changed, &path);
            if at + 1 == bytes.len() {
                // Without its newline the last line is one that a crash cut off: it never counted.
                assert_eq!(found.unwrap(), all[..all.len() - 1], "{case}");
            } else {
                assert!(found.is_err(), "{case}: the newline at byte {at}");
            }
        }
    }
}

#[test]
fn a_torn_last_line_is_one_that_was_never_written() {
    let home = home_of("killed-in-rollout");
    let (_, folder) = run_of(&home.folder.join("home"));
    let path = folder.join("journal.jsonl");
    let whole = std::fs::read(&path).unwrap();
    let count = lines(&folder).len();
    for cut in [1, 2, 70, 100] {
        std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let verified = depot(&home, NOWHERE, &["verify", "--format", "json"]).expect(0).json();
        assert_eq!(verified[0]["events"], count - 1, "cut {cut}");
    }
}

/// The first versions noted neither where production's log stood before the rollout nor when a backup was taken.
#[test]
fn what_an_earlier_version_did_not_note_is_no_moment_to_restore() {
    for case in ["held", "rolled-back"] {
        let home = home_of(case);
        let (run, folder) = run_of(&home.folder.join("home"));
        let backup = folder.join("evidence/backup.json");
        let text = std::fs::read_to_string(&backup).unwrap();
        // Their backups were dumps, which no log leads on from.
        for (method, to, why) in [
            ("logical", "before-rollout", "is a dump"),
            ("physical", "before-rollout", "does not say where production's log stood before its rollout"),
            ("physical", "2026-11-27T21:30:00Z", "did not note its time"),
        ] {
            let method = format!("\"method\":\"{method}\"");
            std::fs::write(&backup, text.replace("\"method\":\"logical\"", &method)).unwrap();
            let before = lines(&folder);
            let arguments = ["restore-production", "--run", &run, "--to", to, "--accept-loss"];
            let refused = depot(&home, NOWHERE, &arguments).expect(1);
            assert!(refused.err.contains(why), "{case}: {}", refused.err);
            assert_eq!(lines(&folder), before, "{case}");
        }
    }
}

/// A line as a later version may write it.
fn sealed(body: &str) -> String {
    let hash: String = Sha256::digest(body).iter().map(|b| format!("{b:02x}")).collect();
    format!("{body},\"hash\":\"{hash}\"}}\n")
}

#[test]
fn what_a_newer_version_wrote_is_refused_by_every_command_and_nothing_is_written() {
    let home = home_of("killed-in-rollout");
    let (run, folder) = run_of(&home.folder.join("home"));
    let path = folder.join("journal.jsonl");
    let before = std::fs::read_to_string(&path).unwrap();
    let last: Value = serde_json::from_str(before.lines().last().unwrap()).unwrap();
    let head = format!(
        "\"seq\":{},\"at\":\"2030-01-01T00:00:00Z\",\"previous\":{}",
        before.lines().count() + 1,
        last["hash"]
    );
    let cases = [
        (
            sealed(&format!(
                "{{\"format\":3,{head},\"event\":\"noted\",\"text\":\"\",\"action\":null,\"checkpoint\":null"
            )),
            "this journal was written by a newer Drydock (format 3; this one reads up to 2)",
        ),
        (
            sealed(&format!("{{\"format\":2,{head},\"event\":\"paused\",\"by\":\"ann\"")),
            "cannot read the event \"paused\"",
        ),
    ];
    for (line, sentence) in cases {
        // A line that is torn as well: it is not cut off.
        let written = format!("{before}{line}{{\"for");
        std::fs::write(&path, &written).unwrap();
        let files = journal::names(&folder).unwrap();
        for command in [
            &["migrate"][..],
            &["rollback"],
            &["rollback", "--run", &run],
            &["status"],
            &["history"],
            &["report"],
            &["verify"],
        ] {
            let refused = depot(&home, NOWHERE, command).expect(2);
            assert!(refused.err.contains(sentence), "{command:?}: {}", refused.err);
            assert!(refused.err.contains("hint: use the version of Drydock that wrote"), "{}", refused.err);
            assert!(refused.err.contains(&run), "it says which run: {}", refused.err);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), written);
        assert_eq!(journal::names(&folder).unwrap(), files);
    }
}

#[test]
fn evidence_of_later_versions_may_have_more_fields() {
    for case in CASES {
        let home = home_of(case);
        let evidence = run_of(&home.folder.join("home")).1.join("evidence");
        let before = depot(&home, NOWHERE, &["status", "--format", "json"]).expect(0).json();
        for name in journal::names(&evidence).unwrap() {
            let text = std::fs::read_to_string(evidence.join(&name)).unwrap();
            std::fs::write(
                evidence.join(&name),
                text.replacen('{', "{\"of_a_later_version\":[{\"a\":1}],", 1),
            )
            .unwrap();
        }
        let after = depot(&home, NOWHERE, &["status", "--format", "json"]).expect(0).json();
        assert_eq!(before, after, "{case}");
    }
}

/// A server whose databases are what the fixtures' production was.
struct Server {
    _home: Home,
    admin: Endpoint,
}

impl Server {
    fn start() -> Self {
        let home = Home::new("journal-server");
        let admin = block_on(async {
            let local = Local::find().await.unwrap();
            let endpoint = local.production(&home.folder.join("server")).await.unwrap();
            let role = "create role app login password 'depot'";
            product::embedded(endpoint.clone()).execute_script(role).await.unwrap();
            endpoint
        });
        Self { _home: home, admin }
    }

    /// A database of its own for each script.
    fn database(&self, number: usize, script: &Path) -> String {
        let Endpoint { host, port, .. } = &self.admin;
        let url = format!("postgresql://app:depot@{host}:{port}/depot{number}");
        let sql = std::fs::read_to_string(script).unwrap();
        block_on(async {
            let create = format!("create database depot{number} owner app");
            product::embedded(self.admin.clone()).execute_script(&create).await.unwrap();
            Products::default().open(&url).unwrap().execute_script(&sql).await.unwrap();
        });
        url
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
}

fn schema(url: &str) -> SchemaFingerprint {
    block_on(Products::default().open(url).unwrap().schema_fingerprint()).unwrap()
}

/// What is done with a run of an earlier version.
struct Continuation {
    case: &'static str,
    /// Production as it was when the run stopped.
    production: &'static str,
    command: &'static str,
    code: i32,
    outcome: &'static str,
    /// The changesets that are on production in the end.
    applied: &'static [&'static str],
}

#[rustfmt::skip]
const CONTINUATIONS: [Continuation; 6] = {
    const ALL: &[&str] = &["parcels-region", "region-backfill", "region-idx", "no-telex"];
    const NONE: &[&str] = &[];
    [
        Continuation { case: "killed-in-rollout", production: "not-done.sql", command: "migrate", code: 3, outcome: "held", applied: ALL },
        Continuation { case: "killed-in-rollout", production: "done.sql", command: "migrate", code: 3, outcome: "held", applied: ALL },
        Continuation { case: "killed-unwinding", production: "not-done.sql", command: "migrate", code: 4, outcome: "rolled_back", applied: NONE },
        Continuation { case: "killed-unwinding", production: "done.sql", command: "rollback", code: 0, outcome: "rolled_back", applied: NONE },
        Continuation { case: "held", production: "production.sql", command: "rollback", code: 0, outcome: "rolled_back", applied: NONE },
        // Its backup is gone with its machine: another run begins.
        Continuation { case: "killed-after-clone", production: "../../production.sql", command: "migrate", code: 3, outcome: "held", applied: ALL },
    ]
};

#[test]
fn a_run_of_an_earlier_version_is_finished_or_taken_back() {
    let server = Server::start();
    let untouched = schema(&server.database(99, &fixtures().join("production.sql")));
    for (number, continuation) in CONTINUATIONS.iter().enumerate() {
        let Continuation { case, production, command, code, outcome, applied } = continuation;
        let name = format!("{case}, {production}, {command}");
        let home = home_of(case);
        let url = server.database(number, &fixture(case).join(production));
        let (run, folder) = run_of(&home.folder.join("home"));
        let before = lines(&folder);
        let ended = depot(&home, &url, &[command, "--format", "json"]);
        assert_eq!(ended.code, Some(*code), "{name}: {}\n{}", ended.out, ended.err);
        let ended = ended.json();
        assert_eq!(ended["outcome"], *outcome, "{name}");
        assert_eq!(ended["fingerprint"]["as_expected"], true, "{name}: {ended}");
        if *outcome == "rolled_back" {
            assert_eq!(untouched.differences(&schema(&url), 10), Vec::<String>::new(), "{name}");
        }
        assert_eq!(history_of(&url), *applied, "{name}");
        // The old lines are what they were, and the chain goes on with lines of the format of today.
        let after = lines(&folder);
        assert_eq!(after[..before.len()], before, "{name}");
        assert!(after[before.len()..].iter().all(|l| l.starts_with("{\"format\":2,")), "{name}");
        assert!(after.len() > before.len(), "{name}");
        assert_eq!(ended["run"] != run, *case == "killed-after-clone", "{name}");
        depot(&home, NOWHERE, &["verify"]).expect(0);
    }
    // What an earlier version remembers of the schema is no drift to this one.
    for (number, case) in (50..).zip(["held", "rolled-back"]) {
        let url = server.database(number, &fixture(case).join("production.sql"));
        depot(&home_of(case), &url, &["drift"]).expect(0);
    }
}

/// The changesets that Liquibase has on record, of those of the fixtures.
fn history_of(url: &str) -> Vec<&'static str> {
    let database = Products::default().open(url).unwrap();
    let has = |id: &str| {
        let sql = format!(
            "do $$ begin if not exists (select from databasechangelog where id = '{id}') then raise 'no'; end if; end $$"
        );
        block_on(database.execute_script(&sql)).is_ok()
    };
    CHANGESETS.into_iter().filter(|id| has(id)).collect()
}

#[test]
fn lines_pass_through_object_storage_and_folders_as_they_are() {
    let home = home_of("killed-after-plan");
    let (run, folder) = run_of(&home.folder.join("home"));
    let mut known = lines(&folder);
    let again = |home: &Home| std::fs::remove_dir_all(home.folder.join("home")).unwrap();
    // A later version of the same format went on, and wrote a field that this one does not know.
    let objects = home.folder.join("storage");
    copy(&fixture("killed-after-plan").join("storage"), &objects);
    let last: Value = serde_json::from_str(known.last().unwrap()).unwrap();
    let line = sealed(&format!(
        "{{\"format\":2,\"seq\":4,\"at\":\"2030-01-01T00:00:00Z\",\"previous\":{},\"trace\":{{\"b\":1.50,\"a\":2}},\"event\":\"noted\",\"text\":\"t\",\"action\":null,\"checkpoint\":null",
        last["hash"]
    ));
    known.push(line.trim_end().to_owned());
    let object = objects.join(format!("depot/runs/{run}/journal/00000004.json"));
    std::fs::write(object, line.trim_end()).unwrap();

    again(&home);
    let storage = format!("file://{}", objects.display());
    let verified =
        depot(&home, NOWHERE, &["verify", "--journal", &storage, "--format", "json"]).expect(0).json();
    assert_eq!(verified[0]["events"], 4);
    assert_eq!(lines(&folder), known, "the objects are the lines");

    // Another machine goes on with it, and a third one knows what it wrote.
    let server = Server::start();
    let url = server.database(1, &fixtures().join("production.sql"));
    let ended = depot(&home, &url, &["migrate", "--journal", &storage, "--format", "json"]).expect(3).json();
    assert_eq!(ended["run"], run);
    let all = lines(&folder);
    assert_eq!(all[..4], known);
    again(&home);
    depot(&home, NOWHERE, &["verify", "--journal", &storage]).expect(0);
    assert_eq!(lines(&folder), all);

    // As a folder it is handed to a machine that has no storage.
    let given = home.folder.join("given");
    depot(&home, NOWHERE, &["evidence", "--output", given.to_str().unwrap()]).expect(0);
    again(&home);
    depot(&home, &url, &["rollback", "--evidence", given.to_str().unwrap()]).expect(0);
    assert_eq!(lines(&folder)[..all.len()], all);
    depot(&home, NOWHERE, &["verify"]).expect(0);
}
