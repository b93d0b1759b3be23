//! Rows that are moved in batches, each of which stays.

use super::Case;

/// pgroll#316: a forgotten transaction on a late row. What the batches before it changed is taken back, and whoever is in the way
/// is named.
#[test]
fn a_backfill_that_stops_half_way_is_taken_back() {
    let case = Case::new("backfill-stops");
    let somebody = case.session();
    somebody.rows("begin; update jobs set note = 'held' where id = 50000");
    let ran = case.run(&["migrate"]).expect(4);
    somebody.rows("rollback");
    assert_eq!(case.column("select count(*)::text from jobs where region is not null"), ["0"]);
    assert_eq!(case.history(), Vec::<String>::new());
    assert!(ran.out.contains("in the way: somebody (pid "), "{}", ran.out);
    // What the batches had moved by then is in its row.
    let rollout = case.evidence("rollout");
    let rows = rollout["failed"][0]["rows"].as_u64().unwrap();
    assert!((1_000..50_000).contains(&rows), "{rollout}");
    let row = ran.out.lines().find(|line| line.trim_start().starts_with("jobs-region")).unwrap();
    let shown = format!("{},{:03}", rows / 1_000, rows % 1_000);
    assert!(row.split_whitespace().any(|cell| cell == shown), "{shown}: {row}");
    case.run(&["verify"]).expect(0);

    case.run(&["migrate"]).expect(0);
    assert_eq!(case.column("select count(*)::text from jobs where region = 'eu'"), ["60000"]);
}

/// The same, killed when batches were through, and taken up with another changelog: nothing that was not rehearsed is run, neither
/// the other statement nor its inverse.
#[test]
fn a_backfill_that_was_killed_and_edited_waits_for_what_was_rehearsed() {
    let case = Case::new("backfill-edited");
    let somebody = case.session();
    somebody.rows("begin; update jobs set note = 'held' where id = 50000");
    let mut run = case.start(&["migrate"]);
    case.wait_for_apply(&mut run);
    while case.column("select count(*)::text from jobs where region = 'eu'") == ["0"] {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    somebody.rows("rollback");
    let moved = case.column("select count(*)::text from jobs where region = 'eu'");
    case.release("changelog2.sql");
    let ran = case.run(&["migrate"]).expect(5);
    assert!(ran.err.contains("was edited while the run was interrupted"), "{}", ran.err);
    assert!(ran.err.contains("check out the commit that the run began with"), "{}", ran.err);
    assert_eq!(case.column("select count(*)::text from jobs where region is not null"), moved);

    case.release("changelog1.sql");
    case.run(&["rollback"]).expect(0);
    assert_eq!(case.column("select count(*)::text from jobs where region is not null"), ["0"]);
    assert_eq!(case.history(), Vec::<String>::new());
}
