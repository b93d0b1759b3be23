//! What shows only with production's rows, or when it runs.

use super::Case;

/// liquibase#5510, #3512: on production the backfill is done, so that the column goes.
#[test]
fn a_precondition_on_rows_is_asked_where_the_rows_are() {
    let ran = Case::new("precondition-on-rows-holds").run(&["compat"]).expect(3);
    assert!(ran.out.contains("breaking: shop-api 1.0.0 Get"), "{}", ran.out);
    assert!(ran.out.contains("0 go on, 1 held"), "{}", ran.out);
}

/// The same: three countries are there, and none is in a copy without rows.
#[test]
fn a_precondition_on_rows_that_holds_halts_nothing() {
    let ran = Case::new("precondition-on-rows-halts").run(&["compat"]).expect(0);
    assert!(ran.out.contains("1 go on, 0 held"), "{}", ran.out);
}

/// Rows keep the column. What asks the catalog is asked where earlier changesets have been applied.
#[test]
fn a_precondition_that_does_not_hold_keeps_a_changeset_from_running() {
    let ran = Case::new("precondition-on-rows-fails").run(&["compat"]).expect(0);
    assert!(ran.out.contains("3 go on, 0 held"), "{}", ran.out);
    assert!(!ran.out.contains("breaking") && !ran.out.contains("warning"), "{}", ran.out);
}

/// An earlier changeset changes what is asked: nobody knows yet, and that is said.
#[test]
fn a_precondition_that_nobody_can_answer_is_called_unknown() {
    let case = Case::new("precondition-on-rows-unknown");
    let ran = case.run(&["compat"]).expect(3);
    assert!(ran.out.contains("breaking: shop-api 1.0.0 Get"), "{}", ran.out);
    assert!(
        ran.out.contains("whether the precondition of drop-old-total holds cannot be told"),
        "{}",
        ran.out
    );
    let ran = case.run(&["compat", "--format", "json"]).expect(3);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["notes"][0]["note"], "precondition-unknown");
}

/// The row that is added refers to one that only production has.
#[test]
fn a_change_that_needs_rows_does_not_end_the_check() {
    let ran = Case::new("reference-data").run(&["compat"]).expect(3);
    assert!(ran.out.contains("breaking: shop-api 1.0.0 Get"), "{}", ran.out);
    assert!(ran.out.contains("by no-old"), "{}", ran.out);
    assert!(ran.out.contains("1 go on, 1 held"), "{}", ran.out);
}

/// No sample has the row, and production does: that the changeset was not tried is said, and what it does to the schema is there for
/// those that build on it.
#[test]
fn what_needs_a_certain_row_is_not_tried_and_builds_all_the_same() {
    let case = Case::new("needs-rows-and-schema");
    let ran = case.run(&["compat"]).expect(3);
    assert!(ran.out.contains("limit-of-setting was not tried"), "{}", ran.out);
    assert!(ran.out.contains("checked was not tried"), "{}", ran.out);
    assert!(ran.out.contains("breaking: shop-api 1.0.0 Get") && ran.out.contains("by no-old"), "{}", ran.out);
    assert!(ran.out.contains("3 go on, 1 held"), "{}", ran.out);
    // The rehearsal has the rows.
    case.run(&["migrate"]).expect(3);
    assert_eq!(case.column("select value from limits where id = 2"), ["2500"]);
}

/// squawk#411, pg-schema-diff#129: the function makes its SQL of strings, and the column is in one of them.
#[test]
fn a_routine_that_runs_sql_made_of_strings_is_tried() {
    let ran = Case::new("dynamic-sql").run(&["compat"]).expect(3);
    assert!(ran.out.contains("breaking: shop-api 1.0.0 Report"), "{}", ran.out);
    assert!(ran.out.contains("column \"cents\" does not exist"), "{}", ran.out);
}

/// sqlc's contracts: what is not planned is run.
#[test]
fn statements_that_are_no_queries_are_tried() {
    let ran = Case::new("utility-statements").run(&["compat"]).expect(3);
    for query in ["Close", "RefreshDays"] {
        assert!(ran.out.contains(&format!("breaking: shop-api 1.0.0 {query}:")), "{query}: {}", ran.out);
    }
    for query in ["Block", "Tell", "Days"] {
        assert!(!ran.out.contains(&format!("breaking: shop-api 1.0.0 {query}:")), "{query}: {}", ran.out);
    }
    assert!(ran.out.contains("0 go on, 2 held"), "{}", ran.out);
}

/// Orders went with their customer, and now they keep it.
#[test]
fn a_key_that_no_longer_cascades_breaks_who_deletes() {
    let ran = Case::new("cascade-to-restrict").run(&["compat"]).expect(3);
    assert!(ran.out.contains("breaking: shop-api 1.0.0 Remove"), "{}", ran.out);
    assert!(ran.out.contains("first takes away the rows that refer to what it deletes"), "{}", ran.out);
}

/// r2dbc-postgresql#382: fresh sessions are well.
#[test]
fn another_length_is_told_for_prepared_statements_and_holds_nothing() {
    let ran = Case::new("longer-column").run(&["compat"]).expect(0);
    for query in ["Find", "Put"] {
        let line = ran.out.lines().find(|l| l.contains(&format!("risky: shop-api 1.0.0 {query}")));
        assert!(line.is_some_and(|l| l.contains("prepared")), "{query}: {}", ran.out);
    }
    assert!(ran.out.contains("1 go on, 0 held"), "{}", ran.out);
}

/// satellite-clone#375: a foreign table, in a sentence of its own.
#[test]
fn rows_on_another_server_are_told_as_such() {
    let case = Case::named("foreign-table-told", "foreign-table-changed");
    let ran = case.run(&["compat"]).expect(1);
    assert!(
        ran.err.contains("changelog.sql:3 writes to public.crm_contacts, whose rows are on another server"),
        "{}",
        ran.err
    );
}
