//! Waits have an end, and say who is in the way.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Case, Session};
use crate::support::Ran;

/// The number of a session, as messages name it.
fn pid(session: &Session) -> String {
    session.rows("select pg_backend_pid()::text").remove(0).remove(0).unwrap()
}

/// A report that reads another table and does not end: whoever builds an index concurrently waits for its snapshot. With its number.
fn report(case: &Case) -> (Session, String) {
    let report = case.session();
    let pid = pid(&report);
    report.rows("begin isolation level repeatable read; select * from other where id = 4711");
    (report, pid)
}

/// Waits until so many statements that begin so wait for a lock.
fn wait_for(case: &Case, statement: &str, count: usize) {
    let waiting = format!(
        "select count(*)::text from pg_stat_activity where query ilike '{statement}%' and wait_event_type = 'Lock'"
    );
    for _ in 0..600 {
        if case.column(&waiting) == [count.to_string()] {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("there never were {count} that wait: {statement}");
}

fn nothing_is_left(case: &Case) {
    let invalid = "select indexrelid::regclass::text from pg_index where not indisvalid";
    assert_eq!(case.column(invalid), Vec::<String>::new());
    let sessions = "select application_name from pg_stat_activity where application_name like '%drydock%' and datname = current_database()";
    // A server takes a moment to see that a client has gone.
    for _ in 0..50 {
        if case.column(sessions).is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(case.column(sessions), Vec::<String>::new());
    if case.column("select coalesce(to_regclass('databasechangeloglock')::text, '')") != [""] {
        assert_eq!(case.column("select locked::text from databasechangeloglock"), ["false"]);
    }
}

/// pg_dump, and whoever asks for the size of a table, wait behind a lock for as long as it is held.
#[test]
fn a_table_that_somebody_holds_is_told_with_its_holder() {
    let case = Case::new("table-locked");
    let holder = case.session();
    let pid = pid(&holder);
    holder.rows("begin; lock table orders in access exclusive mode");
    for command in ["plan", "compat", "migrate"] {
        let ran = case.run(&[command]).expect(1);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains(&format!("waiting for somebody (pid {pid}, user ")), "{command}: {said}");
        assert!(said.contains(&format!("in the way: somebody (pid {pid}")), "{command}: {said}");
    }
    holder.rows("commit");
    // The service reads the column that is dropped: held.
    case.run(&["compat"]).expect(3);
    nothing_is_left(&case);
}

/// freehire#2365, cumora#236: a concurrent build waits for old snapshots of whatever table. It says for whose, and does not for ever.
#[test]
fn a_concurrent_build_says_whom_it_waits_for_and_gives_up() {
    let case = Case::new("index-waits");
    case.edit_settings(|text| format!("{text}wait_seconds = 4\n"));
    let (report, pid) = report(&case);
    let ran = case.run(&["migrate"]).expect(4);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains(&format!("waiting for somebody (pid {pid}, user ")), "{said}");
    // What the report asks for is shown, and not with which values.
    assert!(said.contains("select * from other where id = $"), "{said}");
    assert!(!said.contains("4711"), "{said}");
    assert!(said.contains("waited for more than 4 s and was given up"), "{said}");
    assert!(said.contains("wait_seconds"), "{said}");
    nothing_is_left(&case);
    report.rows("commit");
    case.run(&["migrate"]).expect(0);
    assert_eq!(
        case.column("select indisvalid::text from pg_index where indexrelid = 'events_kind_idx'::regclass"),
        ["true"]
    );
}

/// The same, ended by Ctrl-C: the build ends with the command, and takes its index along.
#[test]
fn an_interrupted_build_leaves_nothing() {
    let case = Case::named("index-interrupted", "index-waits");
    let (report, _) = report(&case);
    let mut run = case.start(&["migrate"]);
    case.wait_for_apply(&mut run);
    wait_for(&case, "create index concurrently", 1);
    kill(Pid::from_raw(i32::try_from(run.id()).unwrap()), Signal::SIGINT).unwrap();
    let ran = Ran::of(run.wait_with_output().unwrap()).expect(130);
    assert!(ran.err.contains("error: interrupted"), "{}", ran.err);
    nothing_is_left(&case);
    let servers = walk(&case.folder().join("home"), "postmaster.pid");
    assert_eq!(servers, Vec::<std::path::PathBuf>::new(), "the clone's server runs on");
    report.rows("commit");
    case.run(&["migrate"]).expect(0);
}

/// Killed when the index was built, and Liquibase had not written so: a statement outside of a transaction has its record in another one.
#[test]
fn a_build_that_was_killed_before_its_record_is_made_again() {
    let case = Case::named("index-unrecorded", "index-waits");
    let (report, _) = report(&case);
    let mut run = case.start(&["migrate"]);
    case.wait_for_apply(&mut run);
    wait_for(&case, "create index concurrently", 1);
    let history = case.session();
    history.rows("begin; lock table databasechangelog in exclusive mode");
    report.rows("commit");
    wait_for(&case, "insert into % values", 1);
    run.kill().unwrap();
    run.wait().unwrap();
    wait_for(&case, "insert into % values", 0);
    history.rows("rollback");
    let index = "select indexrelid::text || indisvalid from pg_index where indexrelid = to_regclass('events_kind_idx')";
    let built = case.column(index);
    assert!(built[0].ends_with("true"), "{built:?}");
    assert_eq!(case.history(), Vec::<String>::new());

    let ran = case.run(&["migrate"]).expect(0);
    assert!(
        ran.err.contains("dropped the index public.events_kind_idx, which the history does not show"),
        "{}",
        ran.err
    );
    let again = case.column(index);
    assert!(again[0].ends_with("true") && again != built, "{built:?}, {again:?}");
    assert_eq!(case.history().len(), 1);
    nothing_is_left(&case);
    case.run(&["rollback"]).expect(0);
    assert_eq!(case.column(index), Vec::<String>::new());
}

/// Files of this name below a folder.
fn walk(folder: &std::path::Path, name: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(walk(&path, name));
        } else if path.file_name().is_some_and(|n| n == name) {
            found.push(path);
        }
    }
    found
}
