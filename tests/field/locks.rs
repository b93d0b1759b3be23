//! Liquibase's lock, held by somebody who is gone, or is not.

use super::Case;

const HELD: &str = "create table databasechangeloglock (id int primary key, locked boolean not null, lockgranted timestamp, lockedby varchar(255));
insert into databasechangeloglock values (1, true, now() at time zone 'UTC' - interval '5 min', 'orders-api-7d9f (10.42.3.17)')";

/// camunda#48343, spinnaker#6625: a pod was killed when it held the lock. The clone has the lock too, and nobody there to give it back.
#[test]
fn a_lock_of_somebody_gone_is_no_obstacle() {
    let case = Case::new("lock-gone");
    case.rows(HELD);
    let _service = case.session();
    let ran = case.run(&["migrate"]).expect(0);
    assert!(
        ran.err.contains("released Liquibase's lock, whose holder orders-api-7d9f (10.42.3.17) is gone"),
        "{}",
        ran.err
    );
    assert_eq!(case.column("select locked::text from databasechangeloglock"), ["false"]);
    // Nor is it on the way back.
    case.rows("update databasechangeloglock set locked = true, lockgranted = localtimestamp, lockedby = 'gone (192.0.2.1)'");
    let ran = case.run(&["rollback"]).expect(0);
    assert!(ran.err.contains("released Liquibase's lock, whose holder gone"), "{}", ran.err);
}

/// liquibase#6251: a pod is in the middle of its migration, under a name of its own. It is waited for.
#[test]
fn a_lock_of_somebody_alive_is_waited_for() {
    let case = Case::new("lock-alive");
    let pod = case.session();
    case.rows(&HELD.replace(" - interval '5 min'", ""));
    pod.rows("begin; insert into orders values (901, 1)");
    let mut run = case.start(&["migrate"]);
    case.wait_for_apply(&mut run);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(case.column("select locked::text from databasechangeloglock"), ["true"]);
    assert!(run.try_wait().unwrap().is_none());
    pod.rows("commit");
    case.rows("update databasechangeloglock set locked = false, lockgranted = null, lockedby = null");
    let ran = crate::support::Ran::of(run.wait_with_output().unwrap()).expect(0);
    assert!(!ran.err.contains("released Liquibase's lock"), "{}", ran.err);
}
