//! Copies of production have all that it works with, and must reach none of it.

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
