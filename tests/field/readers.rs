//! What is read of databases, contracts and statistics that are valid and unusual.

use super::Case;

/// supabase/cli#3921: the server runs the function while the schema is restored, and its body names another without a schema.
#[test]
fn a_schema_is_restored_with_its_own_search_path() {
    let case = Case::new("generated-by-function");
    let ran = case.run(&["compat"]).expect(0);
    assert!(ran.out.contains("1 go on, 0 held"), "{}", ran.out);
    case.run(&["migrate"]).expect(0);
    assert_eq!(case.column("select slug from posts where id = 7"), ["post-7"]);
}

/// pg_query_go#26: syntax of PostgreSQL 18. The message says who does not take it; on 18 the server would.
#[test]
fn a_statement_that_nobody_takes_says_who_was_asked() {
    let ran = Case::new("newer-syntax").run(&["plan"]).expect(2);
    for told in [
        "changelog.sql:3",
        "the grammar of PostgreSQL 17 does not take the SQL at line 1",
        "nor does the server, PostgreSQL",
    ] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
}

/// The same where the server does: `merge_action` takes no arguments in the grammar, and here it is a function of users.
#[test]
fn a_statement_that_the_server_takes_goes_on() {
    // What a later server reads as a word of its own, an earlier one takes as a name.
    if Case::major() >= 17 {
        return;
    }
    let case = Case::new("grammar-behind");
    let ran = case.run(&["plan", "--format", "json"]).expect(0);
    assert!(ran.out.contains("cannot-be-inspected"), "{}", ran.out);
    let ran = case.run(&["compat"]).expect(3);
    assert!(
        ran.out.contains("breaking: shop-api 1.0.0 Get") && ran.out.contains("by no-kind"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("Note"), "{}", ran.out);
    assert!(ran.out.contains("1 go on, 1 held"), "{}", ran.out);
}

/// libpg_query#124, powa-web#146: constants that the statistics take out of one place and leave in another.
#[test]
fn a_harvest_keeps_all_that_ran() {
    let case = Case::new("harvested-constants");
    let service = std::fs::read_to_string(case.folder().join("service.sql")).unwrap();
    case.session().rows(&format!("set role harvested_svc; {service}"));
    let ran = case.run(&["contracts", "harvest", "--service", "harvested_svc"]).expect(0);
    assert!(!ran.out.contains("left out"), "{}", ran.out);
    let written = std::fs::read_to_string(case.folder().join("contracts/harvested_svc.queries.sql")).unwrap();
    assert_eq!(written.matches("-- name:").count(), 31, "{written}");
    // Of a table that only the role's search path finds.
    assert!(written.contains("from parcels"), "{written}");
    // They are what a check begins with.
    case.run(&["compat"]).expect(0);
}

/// sqlc: errors without a place are what people complain of most.
#[test]
fn an_error_in_a_contract_names_its_place() {
    let ran = Case::new("contract-broken").run(&["compat"]).expect(2);
    for told in ["queries.sql:3", "Broken", "syntax error"] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
}
