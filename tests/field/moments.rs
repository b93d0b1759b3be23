//! Production is restored to a moment after the backup of a run: its server archives its log, which is replayed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::servers::Primary;
use super::{Case, Session};
use crate::support::{Ran, matches_schema};

/// A server that archives its log, and a run on it.
struct Archived {
    case: Case,
    primary: Primary,
    run: String,
}

impl Archived {
    /// A run that went through. Of what services wrote, `between` came after its backup and before its rollout.
    fn migrated(name: &str) -> Self {
        let case = Case::named(name, "restore-production");
        let mut primary = Primary::start(&case, name);
        let archive = case.folder().join("archive");
        std::fs::create_dir(&archive).unwrap();
        std::fs::set_permissions(&archive, std::fs::Permissions::from_mode(0o777)).unwrap();
        let archive = archive.display();
        primary.restart(&["archive_mode = on", &format!("archive_command = 'cp %p {archive}/%f'")]);
        case.at(&primary.place());
        case.edit_settings(|text| {
            format!("{text}[environments.field.backup]\nrestore_command = \"cp {archive}/%f %p\"\n")
        });
        primary.session(name).rows("create unlogged table counters as select 1 as n");
        case.run(&["backup"]).expect(0);
        primary.session(name).rows("insert into orders (customer, note) values ('between', 'b')");
        let run =
            case.run(&["migrate", "--format", "json"]).expect(0).json()["run"].as_str().unwrap().to_owned();
        Self { case, primary, run }
    }

    fn session(&self) -> Session {
        self.primary.session(&self.case.database)
    }

    fn column(&self, sql: &str) -> Vec<String> {
        column(&self.session(), sql)
    }

    /// The server's time, with what it had done before on one side and what it does next on the other.
    fn now(&self) -> String {
        std::thread::sleep(Duration::from_millis(5));
        let sql = r#"select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#;
        let now = self.column(sql).remove(0);
        std::thread::sleep(Duration::from_millis(5));
        // As Drydock writes it, a fraction ends with its last digit that is not zero.
        format!("{}Z", now.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.'))
    }

    /// Has the server archive what it has written so far.
    fn archive(&self) {
        let file = self.column("select pg_walfile_name(pg_switch_wal())").remove(0);
        let there =
            format!("select (coalesce(last_archived_wal, '') >= '{file}')::text from pg_stat_archiver");
        for _ in 0..600 {
            if self.column(&there) == ["true"] {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{file} is not archived");
    }

    fn archived(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.case.folder().join("archive"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn arguments<'a>(&'a self, to: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [&["restore-production", "--run", &self.run, "--to", to], more].concat()
    }

    fn restore(&self, to: &str, more: &[&str]) -> Ran {
        self.case.run(&self.arguments(to, more))
    }

    fn aside(&self) -> String {
        format!("{}_before_{}", self.case.database, self.run.to_lowercase())
    }

    fn folder(&self) -> PathBuf {
        self.case.folder().join("home/field/runs").join(&self.run).join("restore")
    }

    fn beside(&self) -> Vec<String> {
        let names = "select datname::text from pg_database where datname like '%\\_restored\\_%'";
        column(&self.primary.session("postgres"), names)
    }

    fn is_open(&self) -> bool {
        self.session().tries("update orders set note = note where id = 2")
    }

    fn status(&self) -> Value {
        self.case.run(&["status", "--run", &self.run, "--format", "json"]).json()
    }
}

fn column(session: &Session, sql: &str) -> Vec<String> {
    session.rows(sql).into_iter().map(|mut row| row.remove(0).unwrap_or_default()).collect()
}

const LATE: &str = "select customer from orders where id > 10 order by id";
const REGION: &str =
    "select count(*)::text from pg_attribute where attrelid = 'orders'::regclass and attname = 'region'";

/// The run stays on record as it is: it was through by then.
#[test]
fn production_is_restored_to_a_moment_after_the_run() {
    let server = Archived::migrated("moment_after");
    server.session().rows("insert into orders (customer, note, region) values ('late', 'l', 'eu')");
    let moment = server.now();
    server.session().rows(
        "insert into orders (customer, note, region) values ('later', 'l', 'eu'); update orders set note = 'changed' where id = 1;
         create table extra (id int); alter database moment_after set intervalstyle = 'sql_standard'",
    );
    server.archive();
    let archived = server.archived();
    let asked = server.restore(&moment, &[]).expect(1);
    for told in [
        "production what it did not have at that moment",
        "public.orders: 13 rows, 12 at that moment",
        "public.counters: 1 rows, 0 at that moment",
        "public.extra: 0 rows, not there at that moment",
        "+ table public.extra",
        &format!("--to {moment} --accept-loss"),
        "nothing was changed",
    ] {
        assert!(asked.err.contains(told), "{told}: {}", asked.err);
    }
    assert!(server.is_open() && !server.folder().exists());
    let restored = server.restore(&moment, &["--accept-loss", "--format", "json"]).expect(0);
    matches_schema(&server.case.home, "restore-production", &restored.json());
    let restored = restored.json();
    assert_eq!(restored["point"]["is"], "time");
    let at: jiff::Timestamp = restored["point"]["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(at, moment.parse().unwrap());
    assert_eq!(restored["rolled_back"], false);
    assert_eq!(restored["aside"], server.aside().as_str());
    assert_eq!(server.column(LATE), ["between", "late"]);
    assert_eq!(server.column("select note from orders where id = 1"), ["n1"]);
    assert_eq!(server.column("select count(*)::text from counters"), ["0"]);
    assert_eq!(server.column("select current_setting('intervalstyle')"), ["iso_8601"]);
    assert!(server.is_open() && server.beside().is_empty() && !server.folder().exists());
    let aside = server.primary.session(&server.aside());
    assert_eq!(column(&aside, LATE), ["between", "late", "later"]);
    // Nothing of the copy came into the archive, as a timeline of its own would.
    let now = server.archived();
    assert!(now.starts_with(&archived) && now.iter().all(|name| name.starts_with("00000001")), "{now:?}");
    let status = server.status();
    assert_eq!(status["outcome"], "migrated", "{status}");
    assert_eq!(status["changesets"][0]["outcome"], "applied", "{status}");
    // As if it had been killed right after the exchange.
    let evidence = server.folder().with_file_name("evidence/restored.json");
    std::fs::remove_file(&evidence).unwrap();
    let again = server.restore(&moment, &["--accept-loss"]).expect(2);
    assert!(again.err.contains(&server.aside()), "{}", again.err);
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&evidence).unwrap()).unwrap();
    assert_eq!(kept["point"], restored["point"]);
    let written = std::fs::metadata(&evidence).unwrap().modified().unwrap();
    server.restore(&moment, &["--accept-loss"]).expect(2);
    assert_eq!(std::fs::metadata(&evidence).unwrap().modified().unwrap(), written, "it is complete");
    // The record is whole, and what follows meets no drift.
    server.case.run(&["verify", "--run", &server.run]).expect(0);
    let nothing = server.case.run(&["migrate", "--format", "json"]).expect(0).json();
    assert_eq!(nothing["changesets"], serde_json::json!([]), "{nothing}");
    server.case.run(&["rollback", "--run", &server.run, "--accept-loss"]).expect(0);
    assert_eq!(server.column(REGION), ["0"]);
}

/// While the log is replayed nothing has been done to production. After that it is as with any restore.
#[test]
fn a_restore_to_before_the_rollout_is_gone_on_with() {
    let server = Archived::migrated("moment_before");
    server.session().rows("insert into orders (customer, note, region) values ('late', 'l', 'eu')");
    server.archive();
    let recovering = || server.folder().join("data/recovery.signal").exists();
    let laid = || !server.beside().is_empty();
    let cut_off = |when: &dyn Fn() -> bool, signal| {
        let mut restore = server.case.start(&server.arguments("before-rollout", &["--accept-loss"]));
        while !when() {
            if restore.try_wait().unwrap().is_some() {
                panic!("it ended before: {}", Ran::of(restore.wait_with_output().unwrap()).err);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        kill(Pid::from_raw(i32::try_from(restore.id()).unwrap()), signal).unwrap();
        restore.wait().unwrap();
    };
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        cut_off(&recovering, signal);
        assert!(server.is_open(), "{signal}");
    }
    cut_off(&laid, Signal::SIGINT);
    assert!(server.is_open() && !server.folder().exists() && server.beside().is_empty());
    cut_off(&laid, Signal::SIGKILL);
    assert!(!server.is_open());
    let asked = server.restore("before-rollout", &[]).expect(1);
    assert!(asked.err.contains("a restore was cut off"), "{}", asked.err);
    assert!(asked.err.contains("--to before-rollout --accept-loss"), "{}", asked.err);
    let said = server.restore("before-rollout", &["--accept-loss"]).expect(0).out;
    assert!(said.contains("production is as it was just before the rollout"), "{said}");
    assert!(server.is_open() && !server.folder().exists() && server.beside().is_empty());
    assert_eq!(server.column(LATE), ["between"]);
    assert_eq!(server.column(REGION), ["0"]);
    assert_eq!(column(&server.primary.session(&server.aside()), LATE), ["between", "late"]);
    let status = server.status();
    assert_eq!(status["outcome"], "rolled_back", "{status}");
    assert_eq!(status["fingerprint"]["before"], status["fingerprint"]["after"], "{status}");
    let said = server.case.run(&["status", "--run", &server.run]).out;
    assert!(said.contains("restored from its backup, as it was just before the rollout"), "{said}");
    server.case.run(&["verify", "--run", &server.run]).expect(0);
    server.case.run(&["migrate"]).expect(0);
    assert_eq!(server.column(REGION), ["1"]);
}

/// Each is told with what to do, before anything is done to production.
#[test]
fn a_moment_that_the_log_does_not_lead_to_is_refused() {
    let server = Archived::migrated("moment_refused");
    let moment = server.now();
    server.session().rows("insert into orders (customer) values ('late')");
    server.archive();
    let beyond = server.now();
    let archive = server.case.folder().join("archive").display().to_string();
    let with = |command: &str| {
        let line = format!("restore_command = \"{command}\"");
        server.case.edit_settings(|text| {
            let lines = text.lines().map(|l| if l.contains("restore_command") { line.as_str() } else { l });
            lines.map(|l| format!("{l}\n")).collect()
        });
    };
    let copy = format!("cp {archive}/%f %p");
    let nowhere = format!("cp {archive}/nowhere/%f %p");
    for (to, command, code, told, hint) in [
        ("yesterday", copy.as_str(), 2, "give a date and time with its zone", "--help"),
        ("2026-11-28T08:00:00", &copy, 2, "give a date and time with its zone", "--help"),
        ("2999-01-01T00:00:00Z", &copy, 1, "it is in the future", "an earlier moment"),
        ("2020-01-01T00:00:00Z", &copy, 1, "the backup of run", "a run before it"),
        (&moment, "cp /archive/%f", 2, "has no %p", "cp /archive/%f %p"),
        (&moment, "cp /archive/%%f %p", 2, "has no %f", "cp /archive/%f %p"),
        (&moment, &nowhere, 1, "restore_command gives no file of the log", "try it there"),
        (&moment, "no-such-program %f %p", 1, "restore_command does not run", "as the user of the server"),
        (
            &beyond,
            &copy,
            1,
            "the log that restore_command gives ends with 0000000100000000",
            "pg_switch_wal()",
        ),
    ] {
        with(command);
        let refused = server.restore(to, &["--accept-loss"]).expect(code);
        assert!(refused.err.contains(told), "{told}: {}", refused.err);
        assert!(refused.err.contains(hint), "{hint}: {}", refused.err);
        assert!(server.is_open() && !server.folder().exists() && server.beside().is_empty(), "{told}");
    }
    // A file that is missing on the way is the end of the log.
    with(&copy);
    let first = server.archived().remove(0);
    let missing = server.archived().into_iter().rfind(|name| name.len() == first.len()).unwrap();
    std::fs::remove_file(server.case.folder().join("archive").join(&missing)).unwrap();
    let refused = server.restore(&moment, &["--accept-loss"]).expect(1);
    assert!(refused.err.contains("restore_command gives"), "{}", refused.err);
    server.case.edit_settings(|text| {
        text.lines().filter(|l| !l.contains("restore_command")).map(|l| format!("{l}\n")).collect()
    });
    let unset = server.restore(&moment, &["--accept-loss"]).expect(1);
    assert!(unset.err.contains("set restore_command under [environments.NAME.backup]"), "{}", unset.err);
    assert_eq!(server.status()["outcome"], "migrated");
}

/// After a failover the log goes on under another number. A time is meant as production is now; the place before the rollout is on the
/// timeline of then.
#[test]
fn a_failover_since_the_backup_is_followed() {
    let mut server = Archived::migrated("moment_failover");
    server.primary.fail_over();
    server.case.at(&server.primary.place());
    server.session().rows("insert into orders (customer) values ('late')");
    let moment = server.now();
    server.session().rows("insert into orders (customer) values ('later')");
    server.archive();
    let history = server.case.folder().join("archive/00000002.history");
    let hidden = history.with_extension("hidden");
    std::fs::rename(&history, &hidden).unwrap();
    let refused = server.restore(&moment, &[]).expect(1);
    assert!(refused.err.contains("does not lead from the backup to timeline 2"), "{}", refused.err);
    std::fs::rename(&hidden, &history).unwrap();
    let asked = server.restore(&moment, &[]).expect(1);
    assert!(asked.err.contains("public.orders: 13 rows, 12 at that moment"), "{}", asked.err);
    let asked = server.restore("before-rollout", &[]).expect(1);
    assert!(asked.err.contains("public.orders: 13 rows, 11 at that moment"), "{}", asked.err);
    assert!(server.is_open() && server.beside().is_empty());
}
