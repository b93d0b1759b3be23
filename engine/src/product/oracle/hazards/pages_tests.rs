//! `docs/hazards/oracle` is both what people read and what is tested (`product/hazard_pages.rs`). The examples run on the shop of
//! `docs/hazards/README.md`, on 19c where a block names no version.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use super::analyse_tests::shop;
use super::{analyse, names, pending_indexes, rules};
use crate::model::changeset::Statement;
use crate::product::hazard_pages::{self, Example, Page, docs};
use crate::product::oracle::dictionary::Version;

const VERSIONS: [&str; 3] = ["19c", "21c", "23ai"];

fn pages() -> Vec<Page> {
    hazard_pages::read(&docs().join("oracle"), "")
}

/// The statements of an example, changeset by changeset, each seeing what those before it made.
fn statements(example: &Example) -> Vec<Statement> {
    let version = match example.version(&VERSIONS) {
        Some("23ai") => Version::V23,
        Some("21c") => Version::V21,
        _ => Version::V19,
    };
    // The page says how long it is, and does not show it.
    let long = |sql: String| sql.replace("a text of 4001 characters", &"x".repeat(4001));
    let changesets: Vec<String> = example.changesets().into_iter().map(long).collect();
    let mut catalog = shop();
    catalog.pending_indexes = pending_indexes(&changesets, &catalog, version);
    let mut all = Vec::new();
    for sql in changesets {
        let read = analyse(std::slice::from_ref(&sql), &catalog, version);
        let read = read.unwrap_or_else(|e| panic!("{sql}: {}", e.chain()));
        read.iter().flat_map(|s| &s.actions).for_each(|action| catalog.foresee(action));
        all.extend(read);
    }
    all
}

#[test]
fn a_bad_example_has_the_hazard_and_a_good_one_has_not() {
    let found = |example: &Example| {
        statements(example).into_iter().flat_map(|s| s.hazards).map(|h| h.name).collect::<BTreeSet<_>>()
    };
    hazard_pages::check_examples(&pages(), &VERSIONS, found);
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
    let rules = rules::ALL.iter().map(|rule| (rule.name, rule.says));
    assert_eq!(hazard_pages::rules_without_example(rules, &said), Vec::<&str>::new());
}

#[test]
fn pages_have_their_parts() {
    hazard_pages::check_parts(&pages(), &["\nSources: "]);
}

#[test]
fn the_readme_lists_the_pages() {
    hazard_pages::check_list("<!-- the list of Oracle -->", "oracle/", &pages());
}
