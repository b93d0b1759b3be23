//! Going back by hand, when production has gone on in the meantime.

use super::Case;

/// migrate#254, pgroll#374: what services wrote since is counted and told, and is only taken by leave.
#[test]
fn what_was_written_since_is_told_before_it_goes() {
    let case = Case::new("rollback-takes-data");
    case.run(&["migrate"]).expect(0);
    case.rows("update customers set phone = '030 ' || id where id <= 150; insert into consents (customer_id) select i from generate_series(1, 70) i");
    let refused = case.run(&["rollback"]).expect(1);
    for told in ["70 rows of public.consents", "150 values of public.customers.phone", "--accept-loss"] {
        assert!(refused.err.contains(told), "{}", refused.err);
    }
    assert_eq!(case.column("select count(phone)::text from customers"), ["150"]);
    assert_eq!(case.history().len(), 2);

    let back = case.run(&["rollback", "--accept-loss"]).expect(0);
    let out = back.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("lost: 70 rows of public.consents, 150 values of public.customers.phone"), "{out}");
    assert!(!out.contains("nothing lost") && !out.contains("production is as it was"), "{out}");
    assert_eq!(case.history(), Vec::<String>::new());
}

/// metabase#57754: nothing is touched when others have built on what the run left.
#[test]
fn drift_is_looked_for_before_anything_is_touched() {
    let case = Case::new("rollback-after-others");
    case.run(&["migrate"]).expect(0);
    case.rows("create view order_notes as select id, note from orders; alter table orders add column hotfix int; insert into orders values (900, 1, 'n', 5)");
    let history = case.history();
    for view in [true, false] {
        if !view {
            case.rows("drop view order_notes");
        }
        // A loss that is accepted does not make up for it.
        let refused = case.run(&["rollback", "--accept-loss"]).expect(1);
        assert!(refused.err.contains("production is not as the run left it"), "{}", refused.err);
        assert!(refused.err.contains("public.orders.hotfix"), "{}", refused.err);
        assert_eq!(case.column("select note from orders where id = 900"), ["n"]);
        assert_eq!(case.history(), history);
    }
    case.run(&["status"]).expect(0);
    let refused = case.run(&["rollback", "--accept-drift"]).expect(1);
    assert!(refused.err.contains("1 value of public.orders.note"), "{}", refused.err);
    case.run(&["rollback", "--accept-drift", "--accept-loss"]).expect(0);
    assert_eq!(case.history(), Vec::<String>::new());
    let columns =
        "select column_name::text from information_schema.columns where table_name = 'orders' order by 1";
    assert_eq!(case.column(columns), ["hotfix", "id", "total"]);
}

/// What the run wrote itself is no loss; the same values changed by services are.
#[test]
fn what_the_run_wrote_goes_without_a_question() {
    let case = Case::new("rollback-own-data");
    case.run(&["migrate"]).expect(0);
    case.rows("update orders set region = 'asia' where id = 7");
    let refused = case.run(&["rollback"]).expect(1);
    assert!(
        refused.err.contains("values of public.orders.region")
            || refused.err.contains("value of public.orders.region"),
        "{}",
        refused.err
    );
    assert!(!refused.err.contains("regions") && !refused.err.contains("state"), "{}", refused.err);
    case.rows("update orders set region = 'eu' where id = 7");
    let back = case.run(&["rollback"]).expect(0);
    assert!(back.out.contains("lost: nothing"), "{}", back.out);
}

/// Runs until the first changeset is out and the second one waits for a lock; somebody does this then.
pub fn goes_back_by_itself(case: &Case, somebody: &str) -> crate::support::Ran {
    let holder = case.session();
    holder.rows("begin; update stock set amount = amount where id = 1");
    let mut run = case.start(&["migrate"]);
    let column = "select column_name::text from information_schema.columns where table_name = 'orders' and column_name = 'region'";
    while case.column(column).is_empty() {
        assert!(run.try_wait().unwrap().is_none(), "it ended before");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    case.rows(somebody);
    let ran = crate::support::Ran::of(run.wait_with_output().unwrap());
    holder.rows("rollback");
    ran
}

pub const WRITTEN: &str = "update orders set region = 'eu' where id <= 5";

/// By itself a run takes no more of what others wrote than it may: it stops, with everything still there.
#[test]
fn what_others_wrote_is_not_taken_without_leave() {
    let case = Case::new("rollback-by-itself");
    let stuck = goes_back_by_itself(&case, WRITTEN).expect(5);
    let said = format!("{}{}", stuck.out, stuck.err).split_whitespace().collect::<Vec<_>>().join(" ");
    for told in
        ["5 values of public.orders.region", "may_lose = 0", "nothing was taken back", "--accept-loss"]
    {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert_eq!(case.column("select count(region)::text from orders"), ["5"]);
    case.run(&["status"]).expect(5);
    let refused = case.run(&["rollback"]).expect(1);
    assert!(refused.err.contains("5 values of public.orders.region"), "{}", refused.err);
    let back = case.run(&["rollback", "--accept-loss"]).expect(0);
    assert!(back.out.contains("lost: 5 values of public.orders.region"), "{}", back.out);
    assert_eq!(case.history(), Vec::<String>::new());
}

/// The same where the configuration gives leave, and where there is nothing to lose.
#[test]
fn a_run_that_loses_no_more_than_it_may_goes_back() {
    let case = Case::named("rollback_may_lose", "rollback-by-itself");
    case.edit("drydock.toml", |text| text.replace("blocked = 60\n", "blocked = 60\nmay_lose = 5\n"));
    let back = goes_back_by_itself(&case, WRITTEN).expect(4);
    assert!(back.out.contains("lost: 5 values of public.orders.region"), "{}", back.out);
    let case = Case::named("rollback_nothing_lost", "rollback-by-itself");
    let back = goes_back_by_itself(&case, "select 1").expect(4);
    assert!(back.out.contains("lost: nothing"), "{}", back.out);
    assert_eq!(case.history(), Vec::<String>::new());
}

/// An inverse that fails on production as it is now is found before the first one runs, by itself and by hand.
#[test]
fn inverses_are_tried_before_the_first_one_runs() {
    let case = Case::named("rollback_in_the_way", "rollback-by-itself");
    let stuck = goes_back_by_itself(&case, "create view regions as select id, region from orders").expect(5);
    let said = format!("{}{}", stuck.out, stuck.err).split_whitespace().collect::<Vec<_>>().join(" ");
    for told in ["orders-region", "fails on production as it is now", "nothing was taken back"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert_eq!(case.history().len(), 1);
    case.rows("drop view regions");
    case.run(&["rollback"]).expect(0);
    assert_eq!(case.history(), Vec::<String>::new());

    case.run(&["migrate"]).expect(0);
    case.rows("create view regions as select id, region from orders");
    let refused = case.run(&["rollback", "--accept-drift"]).expect(1);
    assert!(refused.err.contains("fails on production as it is now"), "{}", refused.err);
    assert_eq!(case.history().len(), 2);
    assert_eq!(case.column("select count(*)::text from information_schema.columns where column_name in ('region', 'place') and table_name in ('orders', 'stock')"), ["2"]);
    case.rows("drop view regions");
    case.run(&["rollback"]).expect(0);
}
