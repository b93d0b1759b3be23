//! Production is restored from the backup of a run: the last resort.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Case;
use crate::support::{Ran, matches_schema};

/// A run that went through, and what services wrote after it. Gives its id.
fn migrated(case: &Case) -> String {
    let run = case.run(&["migrate", "--format", "json"]).expect(0).json()["run"].as_str().unwrap().to_owned();
    case.rows("insert into orders (customer, note, region) values ('late', 'l', 'eu'), ('later', 'l', 'eu')");
    case.rows("update orders set note = 'changed' where id = 1");
    run
}

/// What production was under its other name; it goes with the case.
struct Aside(String);

impl Drop for Aside {
    fn drop(&mut self) {
        Case::session_on("postgres").rows(&format!("drop database if exists \"{}\" with (force)", self.0));
    }
}

fn reads_only(case: &Case) -> bool {
    !case.session().tries("update orders set note = note where id = 2")
}

fn is_as_the_backup(case: &Case, run: &str) {
    assert_eq!(case.column("select note from orders order by id")[..2], ["n1", "n2"]);
    assert_eq!(case.column("select count(*)::text from orders"), ["10"]);
    assert_eq!(case.column("select customer from open_orders where id = 10"), ["c10"]);
    let columns =
        "select attname::text from pg_attribute where attrelid = 'orders'::regclass and attname = 'region'";
    assert_eq!(case.column(columns), Vec::<String>::new());
    assert!(!reads_only(case));
    assert_eq!(case.column("insert into orders (customer) values ('new') returning id::text"), ["11"]);
    assert_eq!(case.column("select current_setting('intervalstyle')"), ["iso_8601"]);
    let comment =
        "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()";
    assert_eq!(case.column(comment), ["orders of the shop"]);
    let granted = "select has_table_privilege('restore_production_svc', 'orders', 'insert')::text";
    assert_eq!(case.column(granted), ["true"]);
    // Liquibase came after the backup.
    assert_eq!(case.column("select coalesce(to_regclass('databasechangelog')::text, 'none')"), ["none"]);
    let beside =
        format!("select datname::text from pg_database where datname = '{}_restored'", case.database);
    assert_eq!(case.column(&beside), Vec::<String>::new());
    case.rows("delete from orders where customer = 'new'");
    let status = case.run(&["status", "--run", run, "--format", "json"]).json();
    assert_eq!(status["outcome"], "rolled_back", "{status}");
    assert_eq!(status["changesets"][0]["outcome"], "undone", "{status}");
    assert_eq!(status["fingerprint"]["before"], status["fingerprint"]["after"], "{status}");
    let said = case.run(&["status", "--run", run]).out;
    assert!(said.contains("rolled back, the schema is as it was: restored from its backup"), "{said}");
    // The record is whole, and what follows meets no drift.
    case.run(&["verify", "--run", run]).expect(0);
    case.run(&["migrate"]).expect(0);
}

/// The database as a superuser has it, and as its owner does, who gets a dump.
#[test]
fn production_is_restored_and_what_it_was_is_kept() {
    for (name, owner) in [("restore_production", None), ("restore_by_owner", Some("restore_owner"))] {
        let case = Case::named(name, "restore-production");
        if let Some(role) = owner {
            case.as_role(role);
            case.rows(&format!(
                "alter role {role} createdb; alter database {name} owner to {role}; alter schema public owner to {role};
                 alter table orders owner to {role}; alter view open_orders owner to {role}"
            ));
        }
        let run = migrated(&case);
        let aside = Aside(format!("{name}_before_{}", run.to_lowercase()));
        let service = case.session_as(owner);
        let asked = case.run(&["restore-production", "--run", &run]).expect(1);
        for told in [
            "public.orders: 12 rows, 10 in the backup",
            "+ column public.orders.region",
            "nothing was changed",
        ] {
            assert!(asked.err.contains(told), "{told}: {}", asked.err);
        }
        assert!(service.tries("update orders set note = note where id = 3"), "{name}");
        let restored =
            case.run(&["restore-production", "--run", &run, "--accept-loss", "--format", "json"]).expect(0);
        matches_schema(&case.home, "restore-production", &restored.json());
        assert_eq!(restored.json()["aside"], aside.0.as_str());
        assert!(!service.tries("select 1"), "{name}: its session has ended");
        let again = case.run(&["restore-production", "--run", &run, "--accept-loss"]).expect(2);
        assert!(again.err.contains(&aside.0), "{}", again.err);
        is_as_the_backup(&case, &run);
        let was =
            Case::session_on(&aside.0).rows("select customer from orders where region = 'eu' order by id");
        assert_eq!(was.into_iter().flatten().flatten().collect::<Vec<_>>(), ["late", "later"]);
    }
}

/// Killed in the middle, services can only read, which the next command says, and goes on with leave. Interrupted, it takes everything
/// back.
#[test]
fn a_restore_that_is_cut_off_is_gone_on_with() {
    let case = Case::named("restore_cut_off", "restore-production");
    let run = migrated(&case);
    let _aside = Aside(format!("restore_cut_off_before_{}", run.to_lowercase()));
    let beside = "select datname::text from pg_database where datname like 'restore_cut_off_restored_%'";
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let mut restore = case.start(&["restore-production", "--run", &run, "--accept-loss"]);
        let server = Case::session_on("postgres");
        while server.rows(beside).is_empty() {
            if restore.try_wait().unwrap().is_some() {
                panic!("it ended before: {}", Ran::of(restore.wait_with_output().unwrap()).err);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        kill(Pid::from_raw(i32::try_from(restore.id()).unwrap()), signal).unwrap();
        restore.wait().unwrap();
        assert_eq!(reads_only(&case), signal == Signal::SIGKILL, "{signal}");
        assert_eq!(case.column("select count(*)::text from orders"), ["12"]);
    }
    let asked = case.run(&["restore-production", "--run", &run]).expect(1);
    assert!(asked.err.contains("a restore was cut off"), "{}", asked.err);
    case.run(&["restore-production", "--run", &run, "--accept-loss"]).expect(0);
    is_as_the_backup(&case, &run);
}

/// A session that the user may not end would go on writing.
#[test]
fn a_session_that_cannot_be_ended_is_told() {
    let case = Case::named("restore_by_others", "restore-production");
    case.as_role("restore_weak");
    case.rows(
        "alter role restore_weak createdb; alter database restore_by_others owner to restore_weak;
         alter schema public owner to restore_weak; alter table orders owner to restore_weak; alter view open_orders owner to restore_weak",
    );
    let run = migrated(&case);
    let _superuser = case.session();
    let refused = case.run(&["restore-production", "--run", &run, "--accept-loss"]).expect(1);
    assert!(refused.err.contains("restore_weak may not end the sessions of drydock"), "{}", refused.err);
    assert!(!reads_only(&case));
}

/// Services come back at once. Those that do are no obstacle: they only read.
#[test]
fn services_that_come_back_at_once_are_no_obstacle() {
    let case = Case::named("restore_busy", "restore-production");
    let run = migrated(&case);
    let _aside = Aside(format!("restore_busy_before_{}", run.to_lowercase()));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    case.attempt("select pg_sleep(3) from orders limit 1");
                }
            });
        }
        let restored = case.run(&["restore-production", "--run", &run, "--accept-loss"]);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        restored.expect(0);
    });
    is_as_the_backup(&case, &run);
}

/// What would stay with the old database, or is nobody's to change, is told before anything is done.
#[test]
fn what_is_in_the_way_of_a_restore_is_told() {
    let case = Case::named("restore_in_the_way", "restore-production");
    case.as_role("restore_nobody");
    case.rows("alter database restore_in_the_way owner to restore_nobody; alter schema public owner to restore_nobody");
    case.rows("alter table orders owner to restore_nobody; alter view open_orders owner to restore_nobody");
    let run = migrated(&case);
    let refused = case.run(&["restore-production", "--run", &run, "--accept-loss"]).expect(1);
    assert!(refused.err.contains("the user restore_nobody may not create databases"), "{}", refused.err);
    assert!(!reads_only(&case));
    // The environment names another database by now.
    case.edit_settings(|text| text.replace("/restore_in_the_way\"", "/postgres\""));
    let elsewhere = case.run(&["restore-production", "--run", &run, "--accept-loss"]).expect(1);
    assert!(elsewhere.err.contains("/restore_in_the_way, and this is "), "{}", elsewhere.err);
    let unknown =
        case.run(&["restore-production", "--run", "20200101T000000-0000", "--accept-loss"]).expect(2);
    assert!(unknown.err.contains("20200101T000000-0000"), "{}", unknown.err);
}
