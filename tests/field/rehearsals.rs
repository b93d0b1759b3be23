//! What keeps a copy, or the way back, from being equal, and is no loss: it is told, or allowed with a reason. What is a loss is
//! refused as ever.

use super::Case;
use crate::support::Ran;

#[track_caller]
fn says(ran: &Ran, all: &[&str]) {
    let said = format!("{}{}", ran.out, ran.err).split_whitespace().collect::<Vec<_>>().join(" ");
    for told in all {
        assert!(said.contains(told), "{told}: {}{}", ran.out, ran.err);
    }
}

/// pg_probackup#490: a physical copy has no rows of unlogged tables. They are dumped in addition, so that what a changeset does to
/// them is rehearsed too.
#[test]
fn rows_of_unlogged_tables_are_in_the_clone() {
    let case = Case::new("unlogged-rows");
    case.release("changelog2.sql");
    let ran = case.run(&["migrate"]).expect(1);
    says(&ran, &["public.sessions: 300 rows -> 200"]);

    let case = Case::named("unlogged_rows_kept", "unlogged-rows");
    let ran = case.run(&["migrate"]).expect(0);
    says(&ran, &["no rows of unlogged tables", "public.sessions"]);
    assert_eq!(case.evidence("backup")["method"], "physical");
    assert_eq!(case.evidence("clone")["rows"], 300 + 300 + 40);
    assert_eq!(case.column("select count(*)::text from sessions"), ["300"]);
    case.run(&["rollback"]).expect(0);
}

/// pgMemento#102: what an event trigger logs is no fault of an inverse. What a changeset does to the log itself is.
#[test]
fn what_an_event_trigger_logs_is_told() {
    let case = Case::new("event-trigger-audit");
    for changelog in ["changelog2.sql", "changelog3.sql"] {
        let case = Case::named(&changelog.replace('.', "_"), "event-trigger-audit");
        case.release(changelog);
        let ran = case.run(&["migrate"]).expect(1);
        says(&ran, &["public.ddl_log: "]);
        assert!(!ran.err.contains("drydock: allow"), "{}", ran.err);
    }
    let ran = case.run(&["migrate"]).expect(0);
    says(&ran, &["public.ddl_log: 2 rows ->", "written by event trigger audit_ddl"]);
    let ran = case.run(&["rollback"]).expect(0);
    says(&ran, &["the schema is as it was"]);
}

/// bodhi#2075: no inverse takes a label out of an enum.
#[test]
fn a_label_may_stay_with_a_reason() {
    let case = Case::new("enum-label");
    let allowed = std::fs::read_to_string(case.folder().join("changelog.sql")).unwrap();
    case.release("changelog2.sql");
    let ran = case.run(&["migrate"]).expect(1);
    says(&ran, &["type public.state", "drydock: allow no-inverse because REASON"]);
    std::fs::write(case.folder().join("changelog.sql"), allowed).unwrap();

    let ran = case.run(&["migrate"]).expect(0);
    says(&ran, &["an enum keeps its labels; allowed because a label stays", "cannot be applied again"]);
    let labels = "select enumlabel::text from pg_enum order by enumsortorder";
    assert_eq!(case.column(labels), ["new", "sent", "returned"]);
    let ran = case.run(&["rollback"]).expect(0);
    says(&ran, &["schema as before but for ~ type public.state", "allowed because a label stays"]);
    assert!(!ran.out.contains("the schema is as it was:"), "{}", ran.out);
    assert_eq!(case.column(labels), ["new", "sent", "returned"]);
    assert_eq!(case.history(), Vec::<String>::new());

    case.release("changelog3.sql");
    let ran = case.run(&["migrate"]).expect(0);
    assert!(!ran.err.contains("cannot be applied again"), "{}", ran.err);
}

/// The same when the run goes back by itself.
#[test]
fn a_label_stays_when_a_run_goes_back_by_itself() {
    let case = Case::named("enum_label_back", "enum-label");
    case.release("changelog4.sql");
    let somebody = case.session();
    somebody.rows("begin; update orders set state = state where id = 1");
    let ran = case.run(&["migrate"]).expect(4);
    somebody.rows("rollback");
    says(&ran, &["schema as before but for ~ type public.state", "allowed because a label stays"]);
    assert_eq!(case.column("select count(*)::text from pg_enum"), ["3"]);
    assert_eq!(case.history(), Vec::<String>::new());
}

/// What a trigger sets in each row that is written does not come back; what a trigger logs is told.
#[test]
fn columns_that_a_trigger_sets_may_differ_with_a_reason() {
    let case = Case::new("trigger-columns");
    let ran = case.run(&["migrate"]).expect(1);
    let set =
        "public.orders: content differs in updated_at only, set by trigger orders_touch on public.orders";
    says(&ran, &[set, "drydock: allow trigger-columns because REASON"]);
    // Something else differs too, or code may have written to the log: both are refused.
    case.release("changelog3.sql");
    let ran = case.run(&["migrate"]).expect(1);
    says(&ran, &["public.orders: content differs"]);
    assert!(!ran.err.contains("drydock: allow"), "{}", ran.err);
    case.release("changelog4.sql");
    let ran = case.run(&["migrate"]).expect(1);
    says(&ran, &["public.orders_audit: 20 rows -> 1020", "or by the code that orders-unit runs"]);
    says(&ran, &["drydock: allow log-rows because REASON"]);
    assert_eq!(case.column("select count(*)::text from orders where unit is not null"), ["0"]);

    case.release("changelog2.sql");
    let ran = case.run(&["migrate"]).expect(0);
    let logged = "public.orders_audit: 20 rows -> 1020, written by trigger orders_log on public.orders";
    says(&ran, &[set, "allowed because the services only sort by it", logged]);
    assert_eq!(case.column("select count(*)::text from orders where unit = 'pc'"), ["500"]);
}

/// A constraint that was validated stays so, and an inverse further back takes it away, or a reason is given.
#[test]
fn a_constraint_may_stay_validated() {
    let case = Case::new("validity-kept");
    let ran = case.run(&["migrate"]).expect(0);
    says(&ran, &["the constraint stays validated; an inverse further back takes it away"]);

    let case = Case::named("validity_kept_alone", "validity-kept");
    case.release("changelog2.sql");
    let ran = case.run(&["migrate"]).expect(1);
    says(&ran, &["constraint public.orders state_known", "drydock: allow validity-kept because REASON"]);
    case.release("changelog3.sql");
    let ran = case.run(&["migrate"]).expect(0);
    says(&ran, &["allowed because every row keeps it"]);
    let ran = case.run(&["rollback"]).expect(0);
    says(&ran, &["schema as before but for ~ constraint public.orders state_known"]);
}

/// pgroll#426: a key of two columns, the first of which has one value.
#[test]
fn a_key_of_several_columns_is_walked_whole() {
    let case = Case::new("composite-key");
    case.run(&["migrate"]).expect(0);
    assert_eq!(case.column("select count(*)::text from readings where unit = 'C'"), ["300000"]);
    let rollout = case.evidence("rollout");
    let applied = &rollout["changesets"][0];
    assert_eq!(applied["rows"], 300_000);
    // At most 20,000 rows each.
    assert!(applied["batches"].as_u64().unwrap() >= 15, "{applied}");
}

/// pg_probackup#202, stolon#476: a server that keeps no log, and removes it while the backup is taken.
#[test]
fn a_busy_server_does_not_lose_the_log_of_a_backup() {
    let case = Case::new("backup-loses-log");
    case.rows("alter system set wal_keep_size = 0");
    case.rows("select pg_reload_conf()");
    let mut run = case.start(&["backup"]);
    let somebody = case.session();
    while run.try_wait().unwrap().is_none() {
        somebody.rows("create table if not exists noise (n int); insert into noise values (1)");
        somebody.rows("select pg_switch_wal()");
        somebody.rows("checkpoint");
        // 16 MiB each time: without a pause it may be more than the backup can follow, without end.
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let ran = Ran::of(run.wait_with_output().unwrap()).expect(0);
    let backup = case.evidence("backup");
    assert_eq!(backup["method"], "physical", "{}{}", backup["note"], ran.err);
    assert_eq!(case.column("select count(*)::text from pg_replication_slots where not temporary"), ["0"]);
    case.run(&["migrate"]).expect(0);
}

/// go.d.plugin#978, cakephp/migrations#633: dots, blanks and capitals in names, in batches, fingerprints and counts.
#[test]
fn names_may_have_any_letters() {
    let case = Case::new("names");
    case.run(&["migrate"]).expect(0);
    let rollout = case.evidence("rollout");
    for at in [0, 2] {
        let applied = &rollout["changesets"][at];
        assert_eq!(applied["rows"], 30_000, "{applied}");
        assert!(applied["batches"].as_u64().unwrap() > 1, "{applied}");
    }
    let units =
        "select (select count(*) from \"Sales.EU\".\"Order Items\" where \"Unit\" = 'pc')::text || ' '
        || (select count(*) from \"Mixed\".\"Users\" where \"Unit\" = 'pc')";
    assert_eq!(case.column(units), ["30000 30000"]);
    assert_eq!(
        case.column(
            "select indisvalid::text from pg_index where indexrelid = '\"Sales.EU\".\"Items.Qty\"'::regclass"
        ),
        ["true"]
    );

    case.rows("update \"Sales.EU\".\"Order Items\" set \"Qty\" = 7 where \"Id\" = 3; update \"Sales.EU\".\"Order Items\" set \"Unit\" = 'kg' where \"Id\" = 1");
    let refused = case.run(&["rollback"]).expect(1);
    says(&refused, &["\"Sales.EU\".Order Items overwritten (Unit)"]);
    case.rows("update \"Sales.EU\".\"Order Items\" set \"Unit\" = 'pc' where \"Id\" = 1");
    let back = case.run(&["rollback"]).expect(0);
    says(&back, &["lost: nothing"]);
    assert_eq!(case.column(units), ["0 0"]);
}
