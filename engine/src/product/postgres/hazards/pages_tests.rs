//! `docs/hazards` is both what people read and what is tested: each page is a hazard, and its `sql bad` and `sql good` blocks
//! are its cases. `DRYDOCK_WRITE=1 cargo test -p drydock --lib pages` writes the list in its README anew.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::*;
use crate::model::catalog::{Catalog, Table};
use crate::model::changeset::Statement;
use crate::product::postgres::hazards::analyse;
use crate::product::postgres::hazards::analyse::tests::column;
use crate::product::postgres::hazards::squawk;

struct Page {
    name: String,
    title: String,
    text: String,
    cases: Vec<Case>,
}

/// A bad example and the good one that goes in its place.
#[derive(Default)]
struct Case {
    bad: String,
    good: String,
    /// Other hazards that the bad one has, as its block names them.
    others: BTreeSet<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/hazards")
}

fn pages() -> Vec<Page> {
    let mut files = Vec::new();
    for (folder, prefix) in [(folder(), ""), (folder().join("squawk"), "squawk/")] {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let file = entry.file_name().into_string().unwrap();
            if let Some(name) = file.strip_suffix(".md").filter(|n| *n != "README") {
                files.push((format!("{prefix}{name}"), std::fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    files.sort();
    files.into_iter().map(|(name, text)| page(name, text)).collect()
}

fn page(name: String, text: String) -> Page {
    let mut cases: Vec<Case> = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(head)) => {
                let head = head.strip_prefix("sql ").unwrap_or_else(|| panic!("{name}: a block of no kind"));
                if let Some(others) = head.strip_prefix("bad") {
                    let others = others.split_whitespace().map(str::to_string).collect();
                    cases.push(Case { others, ..Case::default() });
                }
                block = Some(head.split(' ').next().unwrap_or_default().to_string());
            }
            (Some(_), Some(_)) => block = None,
            (Some(kind), None) => {
                let case = cases.last_mut().unwrap_or_else(|| panic!("{name}: the bad one comes first"));
                let to = if kind == "bad" { &mut case.bad } else { &mut case.good };
                to.push_str(line);
                to.push('\n');
            }
            (None, None) => {}
        }
    }
    let title = text.lines().nth(2).unwrap_or_default().to_string();
    Page { name, title, text, cases }
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
fn statements(example: &str) -> Vec<Statement> {
    let changesets: Vec<String> = format!("\n{example}")
        .split("\n--changeset ")
        .map(|c| {
            if example.starts_with("--changeset") { c.split_once('\n').map_or("", |(_, sql)| sql) } else { c }
        })
        .filter(|sql| !sql.trim().is_empty())
        .map(str::to_string)
        .collect();
    let mut catalog = catalog();
    catalog.pending_indexes = analyse::pending_indexes(&changesets, &catalog);
    let read = |sql: String| {
        analyse::analyse(&[sql], &catalog).unwrap_or_else(|e| panic!("{example}: {}", e.chain()))
    };
    changesets.into_iter().flat_map(read).collect()
}

fn found(example: &str) -> BTreeSet<String> {
    statements(example).into_iter().flat_map(|s| s.hazards).map(|h| h.name).collect()
}

#[test]
fn a_bad_example_has_the_hazard_and_a_good_one_has_not() {
    let mut wrong = Vec::new();
    for page in pages() {
        assert!(!page.cases.is_empty(), "{} has no example", page.name);
        for (at, case) in page.cases.iter().enumerate() {
            let mut bad = found(&case.bad);
            if !bad.remove(&page.name) {
                wrong.push(format!("{}\t{at}\tMISSING in the bad example, which has {bad:?}", page.name));
            } else if bad != case.others {
                wrong.push(format!("{}\t{at}\t{}", page.name, bad.into_iter().collect::<Vec<_>>().join(" ")));
            }
            if case.good.is_empty() || found(&case.good).contains(&page.name) {
                wrong.push(format!("{}\t{at}\tIN THE GOOD example", page.name));
            }
        }
    }
    assert!(wrong.is_empty(), "the blocks do not say what is found:\n{}", wrong.join("\n"));
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
    let without = ALL.iter().filter(|rule| {
        let parts: Vec<&str> = rule.says.split(['{', '}']).step_by(2).collect();
        !said.iter().any(|(name, message)| name == rule.name && parts.iter().all(|p| message.contains(p)))
    });
    // One statement that is too deep to be read would fill a page, and one that only a newer server takes is not known here.
    let elsewhere = [TOO_DEEP.says, UNREAD.says];
    let without: Vec<&str> = without.map(|r| r.says).filter(|says| !elsewhere.contains(says)).collect();
    assert_eq!(without, Vec::<&str>::new());
}

#[test]
fn pages_have_their_parts() {
    for page in pages() {
        assert!(page.text.starts_with(&format!("# {}\n\n", page.name)), "{}", page.name);
        assert!(page.title.ends_with('.') && page.title.len() < 80, "{}: {}", page.name, page.title);
        for part in ["\nSources: ", "\nCovers: "] {
            assert!(page.text.contains(part), "{} has no {part}", page.name);
        }
    }
}

#[test]
fn the_rules_of_others_are_covered_or_answered() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
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
    const BEGIN: &str = "<!-- the list -->\n";
    let file = folder().join("README.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, _) = text.split_once(BEGIN).unwrap();
    let mut list = String::from("| hazard | what it is |\n|---|---|\n");
    for page in pages() {
        list.push_str(&format!("| [{0}]({0}.md) | {1} |\n", page.name, page.title.trim_end_matches('.')));
    }
    let expected = format!("{before}{BEGIN}{list}");
    if std::env::var_os("DRYDOCK_WRITE").is_some() {
        std::fs::write(&file, &expected).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap() == expected,
        "run it with DRYDOCK_WRITE=1; the list should be\n{list}"
    );
}
