//! Oracle without a server: changelogs and queries against a dictionary.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use drydock::product::oracle::write_dictionary;
use serde_json::Value;

use crate::support::Home;

#[derive(Default)]
struct Case {
    title: String,
    schema: Vec<String>,
    change: String,
    /// Name, what is said of it, and its text.
    queries: Vec<(String, String, String)>,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("=== ") {
            cases.push(Case { title: title.to_owned(), ..Case::default() });
            continue;
        }
        let number = format!("_{}", cases.len());
        let line = line.replace('$', &number);
        let Some(case) = cases.last_mut() else { continue };
        if let Some(sql) = line.strip_prefix("schema ") {
            case.schema.push(sql.to_owned());
        } else if let Some(sql) = line.strip_prefix("change ") {
            sql.clone_into(&mut case.change);
        } else if let Some(head) = line.strip_prefix("query ") {
            let (name, said) = head.split_once(' ').unwrap_or((head, ""));
            case.queries.push((name.to_owned(), said.to_owned(), String::new()));
        } else if let Some((_, _, sql)) = case.queries.last_mut() {
            sql.push_str(&line);
            sql.push('\n');
        }
    }
    cases
}

fn write(folder: &Path, cases: &[Case]) {
    let schema: Vec<String> = cases.iter().flat_map(|case| case.schema.clone()).collect();
    write_dictionary(&folder.join("dictionary.json"), "APP", &schema).unwrap();
    let mut changelog = "--liquibase formatted sql\n".to_owned();
    let mut queries = String::new();
    for (at, case) in cases.iter().enumerate() {
        let number = at + 1;
        changelog.push_str(&format!(
            "\n--changeset test:{number} splitStatements:false\n{}\n--rollback empty\n",
            case.change
        ));
        for (name, _, sql) in &case.queries {
            let arity = if name == "one" { "one" } else { "many" };
            let end = if sql.starts_with("begin") { "" } else { ";" };
            queries.push_str(&format!("-- name: c{number}_{name} :{arity}\n{}{end}\n\n", sql.trim()));
        }
    }
    std::fs::write(folder.join("changelog.sql"), changelog).unwrap();
    let contracts = folder.join("contracts/shop");
    std::fs::create_dir_all(&contracts).unwrap();
    std::fs::write(contracts.join("queries.sql"), queries).unwrap();
    let contract = "service: shop\nowner: shop\nrole: SHOP\nversions:\n  - version: 1.0.0\n    queries: [queries.sql]\n";
    std::fs::write(contracts.join("contract.yaml"), contract).unwrap();
}

/// What compat says of each query: the strongest of its verdicts.
fn said(compat: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut said: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for verdict in compat["verdicts"].as_array().unwrap() {
        let of = format!(
            "{} {} {}",
            verdict["changeset"].as_str().or(verdict["changeset"]["id"].as_str()).unwrap_or_else(|| panic!("{verdict}")),
            verdict["query"].as_str().unwrap(),
            verdict["verdict"].as_str().unwrap()
        );
        said.entry(of).or_default().insert(verdict["class"].as_str().unwrap().to_owned());
    }
    said
}

#[test]
fn changes_are_told_from_the_dictionary() {
    let home = Home::new("oracle-dictionary");
    let cases = cases(include_str!("oracle/compat.txt"));
    write(&home.folder, &cases);
    let database = format!("oracle-dictionary://{}", home.folder.join("dictionary.json").display());
    let output = home
        .command(&["compat", "--database", &database, "--changelog", "changelog.sql", "--contracts", "contracts"])
        .args(["--format", "json"])
        .output()
        .unwrap();
    let compat: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let said = said(&compat);
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, case) in cases.iter().enumerate() {
        for (name, expected, _) in &case.queries {
            let query = format!("c{}_{name}", at + 1);
            let own: Vec<String> = ["breaking", "risky"]
                .iter()
                .flat_map(|kind| {
                    let key = format!("{} {query} {kind}", at + 1);
                    seen.insert(key.clone());
                    said.get(&key).into_iter().flatten().map(move |class| format!("{kind} {class}"))
                })
                .collect();
            if own.join(", ") != *expected {
                wrong.push(format!("{} / {name}: expected [{expected}], said [{}]", case.title, own.join(", ")));
            }
        }
    }
    for key in said.keys().filter(|key| !seen.contains(*key)) {
        wrong.push(format!("not expected: {key}"));
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), String::from_utf8_lossy(&output.stdout));
}
