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
            assert!(said.contains("/disarmed-by-drydock"), "{said}");
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
