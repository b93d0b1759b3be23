//! Statements as data: SQL, kind, phase, the hazards with severity, table and lock, what is touched, and how it waits. What is right was
//! decided from Oracle's manuals; none of it was compared with a server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use super::{analyse, rules};
use crate::model::catalog::{Catalog, Column, Storage, Table};
use crate::model::change::Events;
use crate::model::changeset::{Phase, Severity, Statement};
use crate::product::oracle::dictionary::Version;

/// The shop of `docs/hazards/README.md`, as it is on Oracle.
pub fn shop() -> Catalog {
    let strings = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let column = |(name, kind): &(&str, &str), key: bool| Column {
        name: (*name).into(),
        sql_type: kind.trim_end_matches('!').into(),
        not_null: key || kind.ends_with('!'),
        ..Column::default()
    };
    let table = |rows: u64, key: &[&str], columns: &[(&str, &str)]| Table {
        rows,
        bytes: rows * 100,
        columns: columns.iter().map(|c| column(c, key.contains(&c.0))).collect(),
        primary_key: strings(key),
        unique: vec![strings(key)].into_iter().filter(|key| !key.is_empty()).collect(),
        indexed: vec![strings(key)].into_iter().filter(|key| !key.is_empty()).collect(),
        ..Table::default()
    };
    let mut orders = table(
        2_000_000,
        &["ID"],
        &[
            ("ID", "NUMBER(19)"),
            ("CUSTOMER_ID", "NUMBER(19)"),
            ("ORDER_NO", "VARCHAR2(40 CHAR)!"),
            ("STATUS", "VARCHAR2(10 CHAR)"),
            ("QUANTITY", "NUMBER(9)"),
            ("COUNTRY", "CHAR(2)"),
            ("NOTE", "VARCHAR2(200 CHAR)"),
            ("PLACED_ON", "DATE"),
        ],
    );
    orders.indexed.extend([strings(&["CUSTOMER_ID"]), strings(&["ORDER_NO"])]);
    orders.foreign_keys = vec![(strings(&["CUSTOMER_ID"]), "SHOP.CUSTOMERS".into(), strings(&["ID"]))];
    let logged = Storage { changes_logged: true, ..Storage::default() };
    let mut payments = Table {
        storage: logged,
        ..table(400_000, &["ID"], &[("ID", "NUMBER(19)"), ("AMOUNT", "NUMBER(12,2)")])
    };
    payments.indexed.clear();
    let rates = Table {
        storage: Storage { index_organized: true, ..Storage::default() },
        ..table(120_000, &["CODE", "DAY"], &[("CODE", "CHAR(3)"), ("DAY", "DATE"), ("RATE", "NUMBER")])
    };
    let baskets = Table {
        storage: Storage { temporary: true, ..Storage::default() },
        ..table(0, &[], &[("SESSION_ID", "RAW(16)"), ("ITEM", "NUMBER(19)")])
    };
    let day = [("ID", "NUMBER(19)"), ("DAY", "DATE"), ("KIND", "VARCHAR2(20 CHAR)")];
    let events = Table {
        partitioned: true,
        storage: Storage { global_index: true, ..Storage::default() },
        ..table(9_400_000, &["ID"], &day)
    };
    let places = [("ID", "NUMBER(19)"), ("COUNTRY", "CHAR(2)"), ("PLACE", "SHOP.ADDRESS")];
    let mut c = Catalog { search_path: strings(&["SHOP"]), ..Catalog::default() };
    for (name, table) in [
        ("ORDERS", orders),
        ("CUSTOMERS", table(300_000, &["ID"], &[("ID", "NUMBER(19)"), ("EMAIL", "VARCHAR2(200 CHAR)")])),
        ("COUNTRIES", table(250, &["CODE"], &[("CODE", "CHAR(2)"), ("NAME", "VARCHAR2(80 CHAR)")])),
        ("SITES", table(200_000, &["ID"], &places)),
        ("SESSIONS", table(500_000, &[], &[("TOKEN", "RAW(16)"), ("SEEN_ON", "DATE")])),
        ("DOCUMENTS", table(150_000, &["ID"], &[("ID", "NUMBER(19)"), ("BODY", "CLOB")])),
        ("PAYMENTS", payments),
        ("RATES", rates),
        ("BASKETS", baskets),
        ("EVENTS", events),
        ("EVENTS_STAGE", table(300_000, &["ID"], &day)),
    ] {
        c.tables.insert(format!("SHOP.{name}"), table);
    }
    c.indexes = BTreeMap::from(
        [
            ("ORDERS_PK", "ORDERS"),
            ("ORDERS_CUSTOMER_IX", "ORDERS"),
            ("ORDERS_NO_IX", "ORDERS"),
            ("EVENTS_PK", "EVENTS"),
        ]
        .map(|(index, table)| (format!("SHOP.{index}"), format!("SHOP.{table}"))),
    );
    c.views = BTreeMap::from([
        ("SHOP.OPEN_ORDERS".to_owned(), strings(&["SHOP.ORDERS"])),
        ("SHOP.DAILY_TOTALS".to_owned(), strings(&["SHOP.ORDERS"])),
        ("SHOP.CLIENTS_V".to_owned(), strings(&["SHOP.OPEN_ORDERS"])),
    ]);
    let view = [("ID", "NUMBER(19)"), ("STATUS", "VARCHAR2(10 CHAR)")];
    c.view_columns.insert("SHOP.OPEN_ORDERS".into(), view.iter().map(|c| column(c, false)).collect());
    let words = |text: &str| text.split(' ').map(str::to_owned).collect();
    c.routines = BTreeMap::from([
        ("SHOP.PRICING".to_owned(), words("package rates function price")),
        ("SHOP.BILLING".to_owned(), words("procedure pricing payments")),
        ("SHOP.ADDRESS".to_owned(), words("type street city")),
        ("SHOP.ORDERS_AUDIT".to_owned(), words("trigger after update on orders")),
    ]);
    let events = Events { insert: false, update: true, delete: false };
    c.triggers.insert("SHOP.ORDERS".into(), vec![("SHOP.ORDERS_AUDIT".into(), events)]);
    c.sequences.insert("SHOP.ORDER_SEQ".into());
    c.synonyms.insert("SHOP.CLIENTS".into(), "SHOP.CUSTOMERS".into());
    c
}

fn one(sql: &str, version: Version) -> Statement {
    let mut all =
        analyse(&[sql.to_owned()], &shop(), version).unwrap_or_else(|e| panic!("{sql}: {}", e.chain()));
    assert_eq!(all.len(), 1, "{sql}");
    all.pop().unwrap()
}

fn bare(names: &[String]) -> String {
    names.iter().map(|name| name.trim_start_matches("SHOP.")).collect::<Vec<_>>().join(" ")
}

fn show(s: &Statement) -> String {
    let hazard = |h: &crate::model::changeset::Hazard| {
        let severity = match h.severity {
            Severity::Danger => "!!",
            Severity::Warning => "!",
            Severity::Note => "",
        };
        let table =
            h.table.as_deref().map(|t| format!(" {}", t.trim_start_matches("SHOP."))).unwrap_or_default();
        let lock = h.lock.as_deref().map(|l| format!(" [{l}]")).unwrap_or_default();
        format!("{}{severity}{table}{lock}", h.name)
    };
    let mut sorted: Vec<_> = s.hazards.iter().collect();
    sorted.sort_by_key(|h| (std::cmp::Reverse(h.severity), h.name.clone(), h.table.clone()));
    let hazards: Vec<String> = sorted.into_iter().map(hazard).collect();
    let mut shown = format!("{} | {} | {} | {}", s.kind, s.phase, hazards.join("; "), bare(&s.touches));
    if s.waits_without_blocking {
        shown.push_str(" | waits");
    }
    if !s.rewrites.is_empty() {
        shown.push_str(&format!(" | rewrites {}", bare(&s.rewrites)));
    }
    if let Some(index) = &s.builds_index {
        shown.push_str(&format!(" | builds {}", index.trim_start_matches("SHOP.")));
    }
    shown
}

/// A case is SQL and `=> ` with what is right, or `23ai=> ` for that version alone.
#[test]
fn statements_are_read_as_the_manual_says() {
    let mut wrong = Vec::new();
    for case in include_str!("analyse_cases.txt").split("\n\n").map(str::trim).filter(|c| !c.is_empty()) {
        let lines: Vec<&str> = case.lines().filter(|line| !line.starts_with('#')).collect();
        let answer = |line: &&&str| line.split(' ').next().is_some_and(|word| word.ends_with("=>"));
        let sql = lines.iter().filter(|line| !answer(line)).copied().collect::<Vec<_>>().join("\n");
        let answers: Vec<&str> = lines.iter().filter(answer).copied().collect();
        assert!(!sql.is_empty() && !answers.is_empty(), "{case}");
        for line in answers {
            let (version, expected) = line.split_once("=> ").unwrap();
            let version = match version {
                "23ai" => Version::V23,
                "21c" => Version::V21,
                _ => Version::V19,
            };
            let found = show(&one(&sql, version));
            if found.trim() != expected.trim() {
                wrong.push(format!("{sql}\n{}=> {found}\n   {expected}\n", version.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_says_something_in_one_sentence() {
    for rule in rules::ALL {
        assert!(rule.says.len() > 20 && !rule.says.ends_with('.'), "{}", rule.name);
        assert!(rule.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.name);
    }
}

#[test]
fn what_a_changeset_makes_hurts_nobody() {
    let sql = "CREATE TABLE fresh (id NUMBER(19) PRIMARY KEY, customer_id NUMBER(19) REFERENCES customers (id), note VARCHAR2(10));
        CREATE INDEX fresh_customer_ix ON fresh (customer_id);
        ALTER TABLE fresh ADD CONSTRAINT fresh_ck CHECK (id > 0);
        ALTER TABLE fresh MODIFY (note NOT NULL);
        ALTER TABLE fresh ADD (x NUMBER DEFAULT fresh_seq.NEXTVAL);
        ALTER TABLE fresh DROP COLUMN x;
        DROP TABLE fresh PURGE";
    let all = analyse(&[sql.to_owned()], &shop(), Version::V19).unwrap();
    for s in &all {
        assert_eq!(s.phase, Phase::Expand, "{}", s.sql);
        let found: Vec<&str> = s.hazards.iter().map(|h| h.name.as_str()).collect();
        assert!(found.iter().all(|name| *name == "commits-by-itself"), "{}: {found:?}", s.sql);
    }
    assert_eq!(all[0].touches, ["SHOP.CUSTOMERS", "SHOP.FRESH"]);
    assert_eq!(all[1].touches, ["SHOP.FRESH", "SHOP.FRESH_CUSTOMER_IX"]);
}

/// The hazards of a changeset, each with the number of its statement.
fn of_several(sql: &str, names: &[&str]) -> Vec<String> {
    let all = analyse(&[sql.to_owned()], &shop(), Version::V19).unwrap();
    let numbered = (1..).zip(&all).flat_map(|(n, s)| s.hazards.iter().map(move |h| (n, h)));
    numbered
        .filter(|(_, h)| names.contains(&h.name.as_str()))
        .map(|(n, h)| format!("{n} {}", h.name))
        .collect()
}

#[test]
fn schema_changes_commit() {
    let names = ["commits-by-itself", "mixed-statements"];
    let (one, two) = ("ALTER TABLE customers ADD (a NUMBER)", "ALTER TABLE customers ADD (b NUMBER)");
    let rows = "UPDATE countries SET name = 'x'";
    assert_eq!(of_several(&format!("{one};\n{two}"), &names), ["1 commits-by-itself"]);
    assert_eq!(of_several(&format!("{one};\n{rows}"), &names), [""; 0]);
    assert_eq!(of_several(&format!("{rows};\n{one}"), &names), ["2 mixed-statements"]);
    assert_eq!(of_several(&format!("{rows};\n{rows}"), &names), [""; 0]);
    assert_eq!(of_several("SELECT 1 FROM dual;\nCREATE TABLE y (a NUMBER)", &names), [""; 0]);
}

#[test]
fn an_index_that_goes_first_is_no_second_one() {
    let names = ["already-indexed"];
    let made = "CREATE INDEX orders_no_ix2 ON orders (order_no) ONLINE";
    assert_eq!(of_several(made, &names), ["1 already-indexed"]);
    assert_eq!(of_several(&format!("DROP INDEX orders_no_ix ONLINE;\n{made}"), &names), [""; 0]);
    assert_eq!(
        of_several("CREATE INDEX a ON sites (country);\nCREATE INDEX b ON sites (country)", &names),
        ["2 already-indexed"]
    );
    assert_eq!(of_several("CREATE INDEX a ON orders (order_no, id)", &names), [""; 0]);
    assert_eq!(of_several("CREATE BITMAP INDEX a ON orders (order_no)", &names), [""; 0]);
}

#[test]
fn a_table_goes_after_the_keys_that_refer_to_it() {
    let names = ["still-referenced"];
    let gone = "DROP TABLE customers";
    assert_eq!(of_several(gone, &names), ["1 still-referenced"]);
    assert_eq!(of_several(&format!("ALTER TABLE orders DROP CONSTRAINT f;\n{gone}"), &names), [""; 0]);
    assert_eq!(of_several("DROP TABLE customers CASCADE CONSTRAINTS", &names), [""; 0]);
    assert_eq!(of_several("DROP TABLE orders", &names), [""; 0]);
}

#[test]
fn parallel_that_is_taken_away_does_not_stay() {
    let names = ["parallel-stays"];
    let made = "CREATE INDEX a ON sites (country) ONLINE PARALLEL 8";
    assert_eq!(of_several(made, &names), ["1 parallel-stays"]);
    assert_eq!(of_several(&format!("{made};\nALTER INDEX a NOPARALLEL"), &names), [""; 0]);
    assert_eq!(of_several(&format!("{made};\nALTER INDEX b NOPARALLEL"), &names), ["1 parallel-stays"]);
}

#[test]
fn errors_have_a_place() {
    let place = |sql: &str| analyse(&[sql.to_owned()], &shop(), Version::V19).unwrap_err().chain();
    let found = place("SELECT 1 FROM dual;\n\nALTER TABEL x ADD y");
    assert!(found.contains("line 3"), "{found}");
}
