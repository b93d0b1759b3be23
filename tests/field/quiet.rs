//! No alarm where nothing can happen, and no green where nothing was looked at.

use super::Case;

fn hazards(case: &Case) -> Vec<(String, String)> {
    let ran = case.run(&["plan", "--format", "json"]).expect(0);
    let plan: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let of = |changeset: &serde_json::Value| {
        let id = changeset["id"].as_str().unwrap().to_owned();
        let statements = changeset["statements"].as_array().unwrap().clone();
        let hazards = statements.into_iter().flat_map(|s| s["hazards"].as_array().unwrap().clone());
        hazards.map(move |h| (id.clone(), h["name"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    plan["changesets"].as_array().unwrap().iter().flat_map(of).collect()
}

/// strong_migrations, squawk adding-not-null: a valid check is the proof.
#[test]
fn a_check_that_proves_not_null_saves_the_scan() {
    let found = hazards(&Case::new("not-null-proven"));
    assert!(found.iter().any(|(id, _)| id == "k-not-null"), "{found:?}");
    assert!(!found.iter().any(|(id, name)| id == "k-not-null" && name == "full-scan"), "{found:?}");
}

/// The same in three changesets of one plan: added, validated, relied on.
#[test]
fn a_check_that_the_plan_makes_proves_it_too() {
    let found = hazards(&Case::new("not-null-in-steps"));
    let scans = |of: &str| found.iter().any(|(id, name)| id == of && name == "full-scan");
    assert!(!scans("set-not-null") && scans("other-not-null"), "{found:?}");
}

/// squawk changing-column-type: each of these takes every value of the old type.
#[test]
fn wider_types_do_not_narrow() {
    let found = hazards(&Case::new("wider-types"));
    assert!(!found.iter().any(|(_, name)| name == "narrows"), "{found:?}");
    // A domain without a constraint is stored as what is below it.
    assert!(!found.iter().any(|(id, name)| id == "x" && name == "table-rewrite"), "{found:?}");
    assert!(found.iter().any(|(id, name)| id == "i" && name == "table-rewrite"), "{found:?}");
}

/// What the plan itself makes holds nothing that could be lost.
#[test]
fn a_table_that_the_plan_makes_loses_no_data() {
    let found = hazards(&Case::new("made-in-plan"));
    assert!(!found.iter().any(|(_, name)| name == "data-loss"), "{found:?}");
}

/// A folder without contracts is most often the wrong one.
#[test]
fn a_check_that_knows_no_service_is_not_green() {
    let case = Case::new("contracts-none");
    let ran = case.run(&["compat"]).expect(1);
    assert!(ran.out.contains("no service is known") && ran.out.contains("contracts harvest"), "{}", ran.out);
    for format in ["json", "junit", "sarif", "codequality", "markdown"] {
        let ran = case.run(&["compat", "--format", format]).expect(1);
        assert!(ran.out.contains("no service is known"), "{format}: {}", ran.out);
    }
    let ran = case.run(&["migrate"]).expect(1);
    assert!(ran.err.contains("no service is known"), "{}", ran.err);
    // By leave of the configuration the gates judge by the sessions alone.
    let text = std::fs::read_to_string(case.folder().join("drydock.toml")).unwrap();
    let leave = format!("{text}[environments.field.compat]\nwithout_contracts = true\n");
    std::fs::write(case.folder().join("drydock.toml"), leave).unwrap();
    let ran = case.run(&["compat"]).expect(0);
    assert!(ran.out.contains("no service is known"), "{}", ran.out);
    case.run(&["migrate"]).expect(0);
    let note = "select count(*)::text from information_schema.columns where column_name = 'note'";
    assert_eq!(case.column(note), ["0"]);
}
