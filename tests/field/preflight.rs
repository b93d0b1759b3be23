//! What is known of the server, the session and the history before anything is done.

use serde_json::{Value, json};

use super::Case;
use super::servers::{Pooler, Primary, Replica};

/// authzed/spicedb#2227: limits of the role, meant for a service, end what takes longer than a service's statement.
#[test]
fn limits_of_the_role_do_not_get_into_our_sessions() {
    let case = Case::new("role-limits");
    case.as_role("limited");
    for limit in [
        "statement_timeout = '400ms'",
        "idle_session_timeout = '1500ms'",
        "default_transaction_read_only = on",
    ] {
        case.rows(&format!("alter role limited set {limit}"));
    }
    case.rows("alter table events owner to limited; grant all on schema public to limited");
    case.rows("alter database role_limits owner to limited");
    case.run(&["migrate"]).expect(0);
    assert_eq!(case.column("select count(*)::text from events where region = 'eu'"), ["60000"]);
    let index = "select indisvalid::text from pg_index where indexrelid = 'events_kind_idx'::regclass";
    assert_eq!(case.column(index), ["true"]);
}

/// broadinstitute/sam#1228: a replica is told before anything is done, not by a statement that fails at the end.
#[test]
fn a_replica_is_no_target() {
    let case = Case::new("replica");
    let replica = Replica::start("replica");
    case.at(&replica.place());
    for command in ["plan", "migrate", "compat", "doctor"] {
        let ran = case.run(&[command]).expect(2);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(
            said.contains("this is a replica (in recovery)") && said.contains("name the primary"),
            "{command}: {said}"
        );
    }
    assert!(!case.folder().join("home/field/runs").exists(), "no run was begun");
}

/// Several servers in one URL, as services have them: the one that takes writes is found among them, told, and kept to. A target is
/// the same in whatever order they are named.
#[test]
fn of_several_servers_the_primary_is_taken() {
    let case = Case::named("several-servers", "replica");
    let server = Replica::start("several_servers");
    let (gone, replica, primary) = ("127.0.0.1:1", server.place(), case.place());
    // Waits until it has started.
    case.at(&replica);
    let ran = case.run(&["plan"]).expect(2);
    assert!(ran.err.contains("name the primary"), "{}", ran.err);
    case.at(&format!("{gone},{replica},{primary}"));
    let plan = case.run(&["plan", "--format", "json"]).expect(0);
    let fact = &plan.json()["preflight"][0];
    assert_eq!((&fact["fact"], &fact["server"]), (&json!("server_chosen"), &json!(primary)));
    let why: Vec<&Value> =
        fact["passed_over"].as_array().unwrap().iter().map(|other| &other["why"]).collect();
    assert_eq!(why, [&json!("not_reached"), &json!("replica")]);
    let told = format!("of the servers that the URL names, {primary} is worked with");
    assert!(
        plan.err.contains(&told) && plan.err.contains(&format!("{replica} is a replica")),
        "{}",
        plan.err
    );

    // Named by the URL alone, the target has a folder of its own.
    let of =
        |servers: &str| format!("{}/several_servers?target_session_attrs=read-write", case.url_at(servers));
    let url = of(&format!("{replica},{primary}"));
    let run = |url: &str, command: &[&str]| {
        let files = ["--database", url, "--changelog", "changelog.sql", "--contracts", "contracts"];
        case.run_anywhere(&[command, &files].concat())
    };
    let ran = run(&url, &["migrate"]).expect(0);
    assert!(ran.err.contains(&told), "{}", ran.err);
    let url = of(&format!("{primary},{replica}"));
    let summary = run(&url, &["status", "--format", "json"]).expect(0).json();
    assert_eq!(summary["outcome"], "migrated");
    assert!(summary["database"].as_str().unwrap().contains(&format!("@{primary}/")), "{summary}");
    let plan = run(&url, &["plan"]).expect(0).out;
    assert!(plan.contains("nothing is pending"), "{plan}");
    let first = plan.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("database  ")
            && first.contains(&format!("@{primary}/several_servers, PostgreSQL ")),
        "{plan}"
    );

    case.at(&format!("{gone},{replica}"));
    let ran = case.run(&["plan"]).expect(2);
    for told in ["no server that the database URL names", "nothing listens there", "is a replica"] {
        assert!(ran.err.contains(told), "{}", ran.err);
    }
    // Each session that works demands what the URL asks for, and so would notice a failover.
    case.at(&replica);
    let attributes = "/several_servers?target_session_attrs=";
    case.edit_settings(|text| text.replace("/several_servers\"", &format!("{attributes}read-write\"")));
    let ran = case.run(&["contracts", "drift"]).expect(2);
    assert!(ran.err.contains("is no server of the kind that was asked for"), "{}", ran.err);
    // Whoever asks for a replica gets one, and it is no target.
    case.edit_settings(|text| text.replace("=read-write\"", "=prefer-standby\""));
    case.at(&format!("{primary},{replica}"));
    let ran = case.run(&["plan"]).expect(2);
    assert!(ran.err.contains("this is a replica (in recovery)"), "{}", ran.err);
}

/// A server goes away in the middle of a run, and another one of the URL takes writes: the run is not gone on with there, and not taken
/// back there.
#[test]
fn a_run_does_not_move_to_another_server() {
    let case = Case::named("other_server", "backfill-stops");
    let first = Primary::start(&case, "other_server");
    case.at(&format!("{},{}", first.place(), case.place()));
    let somebody = first.session("other_server");
    somebody.rows("begin; update jobs set note = 'held' where id = 50000");
    let mut run = case.start(&["migrate"]);
    case.wait_for_apply(&mut run);
    let moved = "select count(*)::text from jobs where region is not null";
    let on_first = first.session("other_server");
    while on_first.rows(moved)[0][0].as_deref() == Some("0") {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    first.stop();
    let ran = crate::support::Ran::of(run.wait_with_output().unwrap()).expect(5);
    assert!(ran.out.contains("whether it was done cannot be known"), "{}\n{}", ran.out, ran.err);
    let ran = case.run(&["rollback"]).expect(1);
    let told = format!("was on {}/other_server", first.place());
    assert!(ran.err.contains(&told) && ran.err.contains("--accept-drift"), "{}", ran.err);
    assert_eq!(case.column(moved), ["0"]);
    assert_eq!(
        case.column("select relname::text from pg_class where relname ~ 'databasechangelog'"),
        [""; 0]
    );
}

/// Rows that say no encoding: nobody who asks for text can read them.
#[test]
fn text_that_is_no_utf8_is_told_at_once() {
    let case = Case::in_database("sql-ascii", "template template0 encoding 'SQL_ASCII' locale 'C'");
    let told = "rows of public.people are no UTF-8";
    let plan = case.run(&["plan"]).expect(0);
    assert!(plan.out.contains(told), "{}", plan.out);
    let ran = case.run(&["migrate"]).expect(2);
    assert!(ran.err.contains(told) && ran.err.contains("ENCODING 'UTF8'"), "{}", ran.err);
    // Text that is UTF-8 all the same works, and is told.
    case.rows("update people set name = 'Muller'");
    let ran = case.run(&["migrate"]).expect(0);
    assert!(!ran.err.contains(told), "{}", ran.err);
    assert_eq!(case.column("select count(note)::text from people"), ["0"]);
}

/// The server's disk is measured where it is one of this machine. Where it cannot be seen, it is not taken for large enough.
#[test]
fn the_servers_disk_is_seen_or_said_to_be_hidden() {
    let case = Case::named("server-disk", "replica");
    case.edit("changelog.sql", |_| {
        "--liquibase formatted sql\n\n--changeset shop:events-id\nalter table events alter column id type numeric;\n\
         --rollback alter table events alter column id type bigint;\n"
            .to_owned()
    });
    let fact = || {
        let plan = case.run(&["plan", "--format", "json"]).expect(0).json();
        let facts = plan["preflight"].as_array().unwrap().clone();
        facts.into_iter().find(|fact| fact["fact"] == "server_disk").unwrap()
    };
    let seen = fact();
    assert_eq!((&seen["disk"]["where"], &seen["weight"]), (&json!("here"), &json!("known")), "{seen}");
    assert!(seen["disk"]["free"].as_u64().unwrap() > 1 << 20, "{seen}");
    assert_eq!(seen["rewritten"], "public.events");
    assert!(seen["needed"].as_u64().unwrap() > 0, "{seen}");

    case.as_role("guest");
    case.rows("grant all on schema public to guest; grant all on events to guest");
    let hidden = fact();
    assert_eq!(
        (&hidden["disk"]["where"], &hidden["weight"]),
        (&json!("hidden"), &json!("warning")),
        "{hidden}"
    );
    assert_eq!((&hidden["rewritten"], &hidden["needed"]), (&seen["rewritten"], &seen["needed"]));
    let plan = case.run(&["plan"]).expect(0).out;
    assert!(plan.contains("cannot be seen from here; public.events is written anew"), "{plan}");
    let doctor = case.run(&["doctor"]);
    assert!(
        doctor.out.contains("how much is free on the server's disk cannot be seen from here"),
        "{}",
        doctor.out
    );
}

/// A backup without the rows of others is none: policy and right are named.
#[test]
fn row_security_that_hides_rows_is_told() {
    let case = Case::new("hidden-rows");
    case.as_role("tenant");
    case.rows("grant all on schema public to tenant; grant all on events to tenant");
    let plan = case.run(&["plan"]).expect(0);
    for ran in [plan, case.run(&["migrate"]).expect(2), case.run(&["doctor"]).expect(2)] {
        let said = format!("{}{}", ran.out, ran.err);
        for told in
            ["row security hides rows of public.events from user tenant (policy own_tenant)", "BYPASSRLS"]
        {
            assert!(said.contains(told), "{said}");
        }
    }
}

/// pgbouncer#452, ariga/atlas#2447: what is set on a session that a pooler shares meets the services. It is seen first, and nothing
/// is set.
#[test]
fn a_pooler_is_told_and_left_as_it_is() {
    let case = Case::new("pooler");
    for ignored in ["extra_float_digits,options", "extra_float_digits"] {
        let Some(pooler) = Pooler::start(&case, ignored) else {
            eprintln!("skipped: pgbouncer is not installed");
            return;
        };
        case.at(&pooler.place());
        for command in ["plan", "migrate", "compat", "doctor", "contracts"] {
            let arguments: &[&str] =
                if command == "contracts" { &["contracts", "drift"] } else { &[command] };
            let ran = case.run(arguments).expect(2);
            let said = format!("{}{}", ran.out, ran.err);
            assert!(
                said.contains("a connection pooler is in front")
                    && said.contains("connect to PostgreSQL itself"),
                "{command}: {said}"
            );
        }
        let left = "select name from pg_settings where source = 'session' and name <> 'application_name'";
        for _ in 0..4 {
            assert_eq!(pooler.column("pooler", left), Vec::<String>::new());
        }
        let locks = "select pid::text from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = 'pooler')";
        assert_eq!(case.column(locks), Vec::<String>::new());
    }
    assert!(!case.folder().join("home/field/runs").exists(), "no run was begun");
}
