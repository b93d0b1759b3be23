//! Copies of production have all that it works with, and must reach none of it.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Case;

/// satellite-clone#375, pgbouncer#1313: a changeset writes to a foreign table. No check and no rehearsal may.
#[test]
fn nothing_is_written_to_another_server() {
    let case = Case::with_remote("foreign-table-changed");
    assert_eq!(case.column("select count(*)::text from crm_contacts"), ["100"]);
    for command in ["plan", "compat", "migrate"] {
        let ran = case.run(&[command]);
        let written = case.remote().rows("select count(*) from contacts_log");
        assert_eq!(written, [[Some("0".to_owned())]], "{command}: {}{}", ran.out, ran.err);
        if command == "migrate" {
            let ran = ran.expect(1);
            let said = format!("{}{}", ran.out, ran.err);
            let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains("public.crm_contacts, whose rows are on another server"), "{said}");
        }
    }
}

/// citus#8571, pg_reorg#1: the transaction that a coordinator has prepared is in the copy too, and nobody ends it there.
#[test]
fn a_prepared_transaction_does_not_hold_up_the_rehearsal() {
    let case = Case::new("prepared-transaction");
    case.rows("begin; insert into payments (amount) values (9); prepare transaction 'xa-1'");
    let mut run = case.start(&["migrate"]);
    // The coordinator commits a little later, as coordinators do.
    case.wait_for(&mut run, "\"clone\"");
    case.rows("commit prepared 'xa-1'");
    let ran = crate::support::Ran::of(run.wait_with_output().unwrap()).expect(0);
    assert!(ran.err.contains("on the clone, prepared transaction xa-1 was rolled back"), "{}", ran.err);
    assert_eq!(case.column("select count(*)::text from payments"), ["501"]);
}

/// The empty cluster that scratch servers are copied from is only a cache: a damaged one costs time and nothing else.
#[test]
fn a_damaged_cache_of_clusters_is_made_anew() {
    let case = Case::new("cluster-cache");
    let cache = case.folder().join("cache");
    let compat = || case.run_with(&["compat"], &[("XDG_CACHE_HOME", cache.to_str().unwrap())]).expect(0);
    compat();
    let kept = || {
        let all = std::fs::read_dir(cache.join("drydock")).unwrap().flatten().map(|entry| entry.path());
        let name = |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let mut clusters = all.filter(|path| name(path).starts_with("cluster-"));
        let one = clusters.next().unwrap();
        assert!(clusters.next().is_none(), "nothing else stays behind");
        one.join("global/pg_control")
    };
    let whole = std::fs::read(kept()).unwrap();
    // It does not start, and it cannot be copied.
    std::fs::write(kept(), b"torn").unwrap();
    compat();
    assert_eq!(std::fs::read(kept()).unwrap().len(), whole.len());
    std::fs::remove_file(kept()).unwrap();
    std::fs::create_dir(kept()).unwrap();
    compat();
    assert!(kept().is_file());
}

/// What a changeset brings to reach others with is disarmed as soon as it is there, and what cannot be disarmed is not run.
#[test]
fn a_changeset_reaches_nobody_while_it_is_rehearsed() {
    let mut case = Case::with_remote("server-by-changeset");
    let told = case.folder().join("told");
    for (file, says) in [
        ("changelog.sql", "public.crm_contacts, whose rows are on another server"),
        ("dblink.sql", "dblink_exec connects to nothing in a copy"),
        ("dblink-seen.sql", "it connects to another server"),
        ("program.sql", "it runs a program on the server's machine"),
        ("server-file.sql", "it reads or writes a file on the server's machine"),
    ] {
        case = case.with_changelog(file);
        for command in ["compat", "migrate"] {
            let ran = case.run(&[command]).expect(1);
            let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains(says), "{file} {command}: {}{}", ran.out, ran.err);
            let written = case.remote().rows("select count(*) from contacts");
            assert_eq!(written, [[Some("0".to_owned())]], "{file} {command}");
            assert!(!told.exists(), "{file} {command}");
        }
    }
    assert_eq!(
        case.column("select extname::text from pg_extension where extname <> 'plpgsql'"),
        Vec::<String>::new()
    );
}

/// Somebody whom routines of production connect to: counts who comes, and sends them away.
struct Listener(Arc<AtomicUsize>);

impl Listener {
    fn of(case: &Case) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let text = std::fs::read_to_string(case.folder().join("outside.sql")).unwrap();
        let text = text.replace("{listener}", &address.ip().to_string());
        case.rows(&text.replace("{listening}", &address.port().to_string()));
        let came = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&came);
        std::thread::spawn(move || {
            for _ in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self(came)
    }

    /// How many came since the last time. Who connects is through before somebody else has counted.
    fn came(&self) -> usize {
        std::thread::sleep(std::time::Duration::from_millis(300));
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// Whether this system lets us make a network namespace, as root or as anybody.
fn may_cut_off() -> bool {
    [&["--net", "true"][..], &["--user", "--map-root-user", "--net", "true"]].iter().any(|arguments| {
        Command::new("unshare").args(*arguments).output().is_ok_and(|output| output.status.success())
    })
}

/// What code in a copy does by itself cannot be replaced: C functions, untrusted languages, programs that the server starts.
#[test]
fn code_that_connects_by_itself_finds_no_network_in_a_copy() {
    let case = Case::new("reaches-out");
    let listener = Listener::of(&case);
    // It works on production, and the test would see it.
    case.rows("update orders set status = 'seen' where id = 1");
    assert_eq!(listener.came(), 2, "the trigger reaches out");
    for command in ["plan", "compat", "shadow"] {
        let ran = case.run(&[command]).expect(0);
        if !may_cut_off() {
            assert_eq!(
                ran.err.matches("reach all that this machine reaches").count(),
                usize::from(command != "plan")
            );
            continue;
        }
        assert_eq!(listener.came(), 0, "{command}: {}{}", ran.out, ran.err);
        assert!(!ran.err.contains("this machine reaches"), "{command}: {}", ran.err);
        if command == "shadow" {
            for told in [
                "on the clone, the functions of extension dblink connect to nothing",
                "write files and run programs as the server's user when they are called: app.connect_to(text) (c)",
                "routines that connect to other servers fail when they are called: app.mirror(bigint) (sql)",
                "cut off from the network, equal to the source",
            ] {
                let said = format!("{}{}", ran.out, ran.err).split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(said.contains(told), "{told}: {said}");
            }
        }
    }
    if may_cut_off() {
        let cut_off = serde_json::json!({"kind": "cut_off"});
        assert_eq!(case.evidence("compat")["scratch"]["network"], cut_off);
        assert_eq!(case.evidence("shadow")["network"], cut_off);
        assert_eq!(case.evidence("clone")["network"], cut_off);
    }
    let routines = case.evidence("clone")["outside_routines"].clone();
    let expected = serde_json::json!([
        {"name": "app.connect_to(text)", "language": "c", "reach": "machine"},
        {"name": "app.mirror(bigint)", "language": "sql", "reach": "other_servers"},
    ]);
    assert_eq!(routines, expected);
    assert_eq!(case.evidence("compat")["scratch"]["outside_routines"], expected);
    assert_eq!(case.column("select count(*)::text from orders where status = 'seen'"), ["1"]);
}

/// Where the system does not do it, the run says so once and goes on.
#[test]
fn a_system_that_cuts_nobody_off() {
    let case = Case::named("reaches-out-open", "reaches-out");
    let listener = Listener::of(&case);
    let programs = case.folder().join("programs");
    std::fs::create_dir(&programs).unwrap();
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap()) {
        for program in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if program.file_name() != "unshare" {
                // Of two with the same name, the first is the one that is found.
                let _ = std::os::unix::fs::symlink(program.path(), programs.join(program.file_name()));
            }
        }
    }
    let ran = case.run_with(&["shadow"], &[("PATH", programs.to_str().unwrap())]).expect(0);
    let told = "reach all that this machine reaches: the program unshare is not here; install util-linux";
    assert_eq!(
        ran.err.split_whitespace().collect::<Vec<_>>().join(" ").matches(told).count(),
        1,
        "{}",
        ran.err
    );
    let open = serde_json::json!({"kind": "open", "why": "no_program"});
    assert_eq!(case.evidence("compat")["scratch"]["network"], open);
    assert_eq!(case.evidence("clone")["network"], open);
    assert!(listener.came() > 0, "what the test is about");
}
