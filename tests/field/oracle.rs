//! Oracle without a server: changelogs and queries against a dictionary.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use drydock::product::oracle::write_dictionary;
use serde_json::Value;

use crate::support::{Home, copy, repository};

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
    let contract =
        "service: shop\nowner: shop\nrole: SHOP\nversions:\n  - version: 1.0.0\n    queries: [queries.sql]\n";
    std::fs::write(contracts.join("contract.yaml"), contract).unwrap();
}

/// What compat says of each query: the strongest of its verdicts.
fn said(compat: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut said: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for verdict in compat["verdicts"].as_array().unwrap() {
        let of = format!(
            "{} {} {}",
            verdict["changeset"]
                .as_str()
                .or(verdict["changeset"]["id"].as_str())
                .unwrap_or_else(|| panic!("{verdict}")),
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
        .command(&[
            "compat",
            "--database",
            &database,
            "--changelog",
            "changelog.sql",
            "--contracts",
            "contracts",
        ])
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
                wrong.push(format!(
                    "{} / {name}: expected [{expected}], said [{}]",
                    case.title,
                    own.join(", ")
                ));
            }
        }
    }
    for key in said.keys().filter(|key| !seen.contains(*key)) {
        wrong.push(format!("not expected: {key}"));
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), String::from_utf8_lossy(&output.stdout));
}

/// The demo's production in Oracle's dialect, as a dictionary with its history beside it; see `changelogs-oracle/`.
pub fn demo(home: &Home) -> String {
    let run = |arguments: &[&str]| {
        let output = home.command(arguments).args(["--format", "json"]).output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        document
    };
    let changelogs = home.folder.join("changelogs-oracle");
    copy(&repository().join("changelogs-oracle"), &changelogs);
    // What production has: everything that the baseline makes.
    write_dictionary(&home.folder.join("empty.json"), "LOGISTICS", &[]).unwrap();
    std::fs::create_dir(home.folder.join("none")).unwrap();
    let empty = format!("oracle-dictionary://{}", home.folder.join("empty.json").display());
    let baseline = changelogs.join("baseline.yaml").display().to_string();
    let plan = run(&["plan", "--database", &empty, "--changelog", &baseline, "--contracts", "none"]);
    let mut statements = Vec::new();
    let mut history = "ID,AUTHOR,FILENAME,DATEEXECUTED,ORDEREXECUTED,EXECTYPE,MD5SUM,DESCRIPTION,COMMENTS,TAG,LIQUIBASE,CONTEXTS,LABELS,DEPLOYMENT_ID\n".to_owned();
    for (at, changeset) in plan["changesets"].as_array().unwrap().iter().enumerate() {
        let text = |name: &str| changeset[name].as_str().unwrap();
        let all = changeset["statements"].as_array().unwrap();
        statements.extend(all.iter().map(|s| format!("{}\n/\n", s["sql"].as_str().unwrap())));
        let (id, author, path, checksum) = (text("id"), text("author"), text("path"), text("checksum"));
        history.push_str(&format!(
            "{id},{author},{path},2026-01-01T00:00:00,{},EXECUTED,{checksum},sql,,,4.33.0,,,0000000001\n",
            at + 1
        ));
    }
    let file = home.folder.join("production.json");
    write_dictionary(&file, "LOGISTICS", &statements).unwrap();
    std::fs::write(format!("{}.history.csv", file.display()), history).unwrap();
    format!("oracle-dictionary://{}", file.display())
}

#[test]
fn the_demo_in_oracles_dialect_is_judged_as_it_should_be() {
    let home = Home::new("oracle-demo");
    let database = demo(&home);
    let expected: Value =
        serde_yaml_ng::from_str(include_str!("../../changelogs-oracle/expected.yaml")).unwrap();
    let changelog = "changelogs-oracle/changelog.yaml";
    let judged = home
        .command(&[
            "compat",
            "--database",
            &database,
            "--changelog",
            changelog,
            "--contracts",
            "changelogs-oracle",
        ])
        .args(["--format", "json"])
        .output()
        .unwrap();
    let compat: Value = serde_json::from_slice(&judged.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&judged.stderr)));
    let name = |value: &Value| {
        format!(
            "{} {}/{}",
            value["service"].as_str().unwrap(),
            value["version"].as_str().unwrap(),
            value["query"].as_str().unwrap()
        )
    };
    let mut wrong = Vec::new();
    for changeset in expected["changesets"].as_array().unwrap() {
        let key = changeset["changeset"].as_str().unwrap();
        let (author, id) = key.split_once(':').unwrap();
        let own = compat["verdicts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|v| v["author"] == author && v["changeset"] == id);
        let of = |list: &str| -> BTreeSet<String> {
            changeset[list].as_array().into_iter().flatten().map(name).collect()
        };
        let (breaks, risky, may) = (of("breaks"), of("risky"), of("may_be_risky"));
        let said = |kind: &str| -> BTreeSet<String> {
            own.clone().filter(|v| v["verdict"] == kind).map(name).collect()
        };
        let (breaking, doubtful) = (said("breaking"), said("risky"));
        for query in breaks.difference(&breaking) {
            wrong.push(format!("{key}: does not break {query}"));
        }
        for query in breaking.difference(&breaks) {
            let reason = own.clone().find(|v| name(v) == *query).map(|v| v["reason"].clone());
            wrong.push(format!("{key}: breaks {query}: {reason:?}"));
        }
        for query in risky.difference(&doubtful) {
            wrong.push(format!("{key}: no risk for {query}"));
        }
        for query in
            doubtful.iter().filter(|q| !breaks.contains(*q) && !risky.contains(*q) && !may.contains(*q))
        {
            let reason = own.clone().find(|v| name(v) == *query).map(|v| v["reason"].clone());
            wrong.push(format!("{key}: a risk for {query}: {reason:?}"));
        }
        let held = compat["held"].as_array().unwrap().iter().any(|h| h["author"] == author && h["id"] == id);
        if held != changeset["held"].as_bool().unwrap() {
            wrong.push(format!("{key}: held is {held}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), String::from_utf8_lossy(&judged.stderr));
}
