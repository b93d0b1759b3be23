//! `docs/hazards` is both what people read and what is tested (`product/hazard_pages.rs`).

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::catalog::{Catalog, Table};
use crate::model::changeset::Statement;
use crate::product::hazard_pages::{self, Example, Page, docs};
use crate::product::postgres::hazards::analyse;
use crate::product::postgres::hazards::analyse::tests::column;
use crate::product::postgres::hazards::squawk;

fn pages() -> Vec<Page> {
    let mut all = hazard_pages::read(&docs(), "");
    all.extend(hazard_pages::read(&docs().join("squawk"), "squawk/"));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// What the README says that the examples run on.
fn catalog() -> Catalog {
    let strings = |all: &[&str]| all.iter().map(|s| (*s).to_string()).collect::<Vec<_>>();
    let table = |rows: u64, key: &str, columns: &[(&str, &str)]| Table {
        rows,
        bytes: rows * 100,
        columns: columns.iter().map(|(name, kind)| column(name, kind, name == &key)).collect(),
        primary_key: strings(&[key]),
        unique: vec![strings(&[key])],
        indexed: vec![strings(&[key]), strings(&["customer_id"])],
        ..Table::default()
    };
    let mut c = Catalog { search_path: strings(&["public"]), ..Catalog::default() };
    let mut orders = table(
        2_000_000,
        "id",
        &[
            ("id", "bigint"),
            ("customer_id", "bigint"),
            ("number", "text"),
            ("code", "character varying(40)"),
            ("status", "order_status"),
            ("quantity", "integer"),
            ("country", "text"),
            ("note", "text"),
            ("placed_at", "timestamp with time zone"),
        ],
    );
    orders.foreign_keys = vec![(strings(&["customer_id"]), "public.customers".into(), strings(&["id"]))];
    let customers = table(300_000, "id", &[("id", "bigint"), ("email", "email_address")]);
    let mut countries = table(250, "code", &[("code", "character varying(2)"), ("name", "text")]);
    countries.indexed = vec![strings(&["code"])];
    let mut sites = table(200_000, "id", &[("id", "bigint"), ("country", "character varying(2)")]);
    sites.foreign_keys = vec![(strings(&["country"]), "public.countries".into(), strings(&["code"]))];
    let sessions = Table { rows: 500_000, columns: vec![column("token", "uuid", false)], ..Table::default() };
    let part = |parent: Option<&str>, rows: u64| Table {
        parent: parent.map(str::to_string),
        partitioned: parent.is_none(),
        ..table(rows, "day", &[("day", "date"), ("kind", "text")])
    };
    for (name, table) in [
        ("orders", orders),
        ("customers", customers),
        ("countries", countries),
        ("sites", sites),
        ("sessions", sessions),
        ("events", part(None, 0)),
        ("events_2026_01", part(Some("public.events"), 9_000_000)),
        ("events_default", part(Some("public.events"), 400_000)),
        ("events_2026_02", Table { parent: None, partitioned: false, ..part(None, 8_000_000) }),
        ("archive", part(None, 0)),
    ] {
        c.tables.insert(format!("public.{name}"), table);
    }
    let indexes = ["orders_pkey", "orders_code_key", "orders_note_idx"];
    c.indexes = indexes.iter().map(|i| (format!("public.{i}"), "public.orders".to_string())).collect();
    c.indexes.insert("public.sessions_token_key".into(), "public.sessions".into());
    c.views = BTreeMap::from([
        ("public.open_orders".to_string(), strings(&["public.orders"])),
        ("public.daily_totals".to_string(), strings(&["public.orders"])),
    ]);
    c.enums = BTreeMap::from([("public.order_status".to_string(), strings(&["new", "paid", "sent"]))]);
    c
}

/// The statements of an example, changeset by changeset.
fn statements(example: &Example) -> Vec<Statement> {
    let changesets = example.changesets();
    let mut catalog = catalog();
    catalog.pending_indexes = analyse::pending_indexes(&changesets, &catalog);
    let read = |sql: String| {
        analyse::analyse(&[sql], &catalog).unwrap_or_else(|e| panic!("{}: {}", example.sql, e.chain()))
    };
    changesets.into_iter().flat_map(read).collect()
}

#[test]
fn a_bad_example_has_the_hazard_and_a_good_one_has_not() {
    let found = |example: &Example| {
        statements(example).into_iter().flat_map(|s| s.hazards).map(|h| h.name).collect::<BTreeSet<_>>()
    };
    hazard_pages::check_examples(&pages(), &[], found);
}

#[test]
fn every_hazard_has_a_page_and_every_rule_an_example() {
    let pages = pages();
    let there: BTreeSet<String> = pages.iter().map(|p| p.name.clone()).collect();
    assert_eq!(there, names());
    let said: Vec<(String, String)> = pages
        .iter()
        .flat_map(|p| &p.cases)
        .flat_map(|c| statements(&c.bad))
        .flat_map(|s| s.hazards)
        .map(|h| (h.name, h.message))
        .collect();
    // One statement that is too deep to be read would fill a page, and one that only a newer server takes is not known here.
    let elsewhere = [TOO_DEEP.says, UNREAD.says];
    let rules = ALL.iter().filter(|rule| !elsewhere.contains(&rule.says)).map(|rule| (rule.name, rule.says));
    assert_eq!(hazard_pages::rules_without_example(rules, &said), Vec::<&str>::new());
}

#[test]
fn pages_have_their_parts() {
    hazard_pages::check_parts(&pages(), &["\nSources: ", "\nCovers: "]);
}

#[test]
fn the_rules_of_others_are_covered_or_answered() {
    let readme = std::fs::read_to_string(docs().join("README.md")).unwrap();
    let pages = pages();
    let mut missing = Vec::new();
    for rule in
        OTHERS.split_whitespace().map(str::to_string).chain(squawk::RULES.iter().map(|r| r.0.to_string()))
    {
        let rule = format!("`{rule}`");
        if !readme.contains(&rule) && !pages.iter().any(|p| p.text.contains(&rule)) {
            missing.push(rule);
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    for (rule, answer) in squawk::RULES {
        match answer {
            squawk::Answer::Ours(hazard) => {
                let page = pages.iter().find(|p| p.name == *hazard).unwrap();
                assert!(
                    page.text.contains(&format!("`{rule}`")),
                    "{hazard} does not say that it covers {rule}"
                );
            }
            squawk::Answer::Drydock(reason) => {
                let mut rows = readme.lines().filter(|l| l.ends_with(&format!("| {reason} |")));
                assert!(rows.any(|l| l.contains(&format!("`{rule}`"))), "{rule}: {reason}");
            }
            squawk::Answer::Squawk(_) => {}
        }
    }
}

/// What eugene, Atlas and strong_migrations name.
const OTHERS: &str = "E1 E2 E3 E4 E5 E6 E7 E8 E9 E10 E11 E15 W12 W13 W14
    DS101 DS102 DS103 CD101 CD102 CD103 BC101 BC102 BC103 BC104 MF101 MF102 MF103 MF104 TX101 TX201 SA101
    NM101 OW101 PG101 PG102 PG103 PG104 PG105 PG110 PG301 PG302 PG303 PG304 PG305 PG306 PG307 PG308 PG309 PG310 PG311
    add_check_constraint add_column_auto_incrementing add_column_default add_column_generated_stored add_column_json
    add_exclusion_constraint add_foreign_key add_index add_index_columns add_index_corruption add_reference
    add_unique_constraint change_column change_column_constraint change_column_default change_column_null create_table
    execute remove_column remove_index rename_column rename_enum_value rename_schema rename_table
    validate_check_constraint validate_constraint validate_foreign_key";

#[test]
fn the_readme_lists_the_pages() {
    hazard_pages::check_list("<!-- the list -->", "", &pages());
}
