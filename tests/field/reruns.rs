//! Changesets that run again. The history knows them before the run begins.

use super::Case;

/// liquibase#5152: what failed did not happen, so that its inverse would take the rows of the release before.
#[test]
fn a_rerun_that_failed_is_not_undone() {
    let case = Case::new("rerun-fails");
    case.run(&["migrate"]).expect(0);
    let before = (case.column("select note from releases"), case.history());
    let somebody = case.session();
    somebody.rows("begin; lock table releases in share mode");
    case.run(&["migrate"]).expect(4);
    somebody.rows("rollback");
    assert_eq!((case.column("select note from releases"), case.history()), before);

    case.run(&["migrate"]).expect(0);
    assert_eq!(case.column("select note from releases"), ["released", "released"]);
    case.run(&["rollback"]).expect(0);
    assert_eq!((case.column("select note from releases"), case.history()), before);
}

/// online_migrations#75, liquibase#3255: the version before it is no witness that it ran.
#[test]
fn a_rerun_that_was_killed_runs() {
    let case = Case::new("rerun-killed");
    case.run(&["migrate"]).expect(0);
    let digits = || case.column("select digits::text from currencies where code = 'JPY'");
    let first = case.history();
    assert_eq!(digits(), ["2"]);
    case.release("changelog2.sql");
    let somebody = case.session();
    somebody.rows("begin; update currencies set name = name where code = 'JPY'");
    let mut run = case.start(&["migrate"]);
    case.wait_for_apply(&mut run);
    std::thread::sleep(std::time::Duration::from_millis(500));
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(case.history(), first);
    somebody.rows("rollback");

    case.run(&["migrate"]).expect(0);
    assert_eq!(digits(), ["0"]);
    assert_eq!(case.column("select exectype from databasechangelog"), ["RERAN"]);
    case.run(&["rollback"]).expect(0);
    assert_eq!(digits(), ["2"]);
    assert_eq!(case.history(), first);
    // What was taken back is pending again.
    case.run(&["migrate"]).expect(0);
    assert_eq!(digits(), ["0"]);
}
