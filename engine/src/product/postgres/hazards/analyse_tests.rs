//! Statements as data: SQL, phase, the hazards with severity and lock, and what is touched. Locks are those of the
//! manual's "Explicit Locking" and ALTER TABLE, and were compared with `pg_locks` and `relfilenode` of a PostgreSQL 15.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use crate::model::catalog::{Catalog, Column, Table};
use crate::model::changeset::{Phase, Severity, Statement};
use crate::product::postgres::hazards;

pub fn analyse(sql: &str, catalog: &Catalog) -> crate::error::Result<Vec<Statement>> {
    crate::product::postgres::hazards::analyse::analyse(&[sql.to_string()], catalog)
}

pub fn column(name: &str, sql_type: &str, not_null: bool) -> Column {
    Column { name: name.into(), sql_type: sql_type.into(), not_null, ..Column::default() }
}

pub fn catalog() -> Catalog {
    let strings = |all: &[&str]| all.iter().map(|s| (*s).to_string()).collect::<Vec<_>>();
    let table = |rows: u64, columns: Vec<Column>| Table {
        rows,
        bytes: rows * 100,
        columns,
        primary_key: strings(&["id"]),
        unique: vec![strings(&["id"])],
        ..Table::default()
    };
    let mut c = Catalog { search_path: strings(&["app", "public"]), ..Catalog::default() };
    let mut big = table(
        1_000_000,
        vec![
            column("id", "bigint", true),
            column("code", "character varying(40)", true),
            column("note", "text", false),
            column("qty", "integer", false),
            column("price", "numeric(10,2)", false),
            column("status", "app.state", false),
            column("carrier_id", "bigint", false),
            column("created_at", "timestamp with time zone", true),
            column("data", "jsonb", false),
            column("tags", "text[]", false),
            column("done", "boolean", false),
        ],
    );
    big.foreign_keys = vec![(strings(&["carrier_id"]), "app.small".into(), strings(&["id"]))];
    big.indexed = vec![strings(&["id"]), strings(&["code"]), strings(&["carrier_id"])];
    c.tables.insert("app.big".into(), big);
    c.tables.insert(
        "app.small".into(),
        table(50, vec![column("id", "bigint", true), column("name", "text", false)]),
    );
    c.tables.insert(
        "public.mid".into(),
        table(20_000, vec![column("id", "uuid", true), column("email", "text", true)]),
    );
    let mut part = table(
        5_000_000,
        vec![column("id", "bigint", true), column("at", "date", true), column("v", "integer", false)],
    );
    part.partitioned = true;
    part.primary_key = strings(&["at", "id"]);
    c.tables.insert("app.part".into(), part.clone());
    part.partitioned = false;
    part.parent = Some("app.part".into());
    c.tables.insert("app.part_1".into(), part.clone());
    c.tables.insert("app.part_default".into(), part);
    c.indexes = BTreeMap::from([
        ("app.big_pkey".into(), "app.big".into()),
        ("app.big_code_key".into(), "app.big".into()),
        ("public.mid_email".into(), "public.mid".into()),
    ]);
    c.views = BTreeMap::from([
        ("app.v".to_string(), strings(&["app.big", "app.small"])),
        ("app.mv".to_string(), strings(&["app.big"])),
    ]);
    c.enums = BTreeMap::from([("app.state".to_string(), strings(&["new", "sent"]))]);
    c
}

fn one(sql: &str) -> Statement {
    let mut all = analyse(sql, &catalog()).unwrap_or_else(|e| panic!("{sql}: {}", e.chain()));
    assert_eq!(all.len(), 1, "{sql}");
    all.pop().unwrap()
}

fn show(s: &Statement) -> String {
    let hazards: Vec<String> = s
        .hazards
        .iter()
        .map(|h| {
            let severity = match h.severity {
                Severity::Danger => "!!",
                Severity::Warning => "!",
                Severity::Note => "",
            };
            let table = h.table.as_deref().map(|t| format!(" {t}")).unwrap_or_default();
            let lock = h.lock.as_deref().map(|l| format!(" [{l}]")).unwrap_or_default();
            format!("{}{severity}{table}{lock}", h.name)
        })
        .collect();
    format!("{} | {} | {} | {}", s.kind, s.phase, hazards.join("; "), s.touches.join(" "))
}

#[test]
fn statements_are_read_as_the_manual_says() {
    let mut wrong = Vec::new();
    for case in include_str!("analyse_cases.txt").split("\n\n").map(str::trim).filter(|c| !c.is_empty()) {
        let (sql, expected) = case.rsplit_once("\n=> ").unwrap_or_else(|| panic!("{case}"));
        let sql = sql.lines().filter(|l| !l.starts_with('#')).collect::<Vec<_>>().join("\n");
        let found = show(&one(&sql));
        if found.trim() != expected.trim() {
            wrong.push(format!("{sql}\n=> {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_a_script_makes_hurts_nobody() {
    let sql = "CREATE TABLE fresh (id bigint PRIMARY KEY, big_id bigint REFERENCES big (id));
        CREATE INDEX fresh_big ON fresh (big_id);
        ALTER TABLE fresh ADD CHECK (id > 0);
        ALTER TABLE fresh ALTER COLUMN big_id SET NOT NULL;
        INSERT INTO fresh SELECT 1;
        ALTER TABLE fresh OWNER TO app;
        DROP TABLE fresh;";
    let all = analyse(sql, &catalog()).unwrap();
    for s in &all {
        assert_eq!(s.phase, Phase::Expand, "{}", s.sql);
        assert!(
            s.hazards.iter().all(|h| h.table.as_deref() == Some("app.big")),
            "{}: {:?}",
            s.sql,
            s.hazards
        );
    }
    assert_eq!(all[0].touches, ["app.big", "app.fresh"]);
    assert_eq!(all[1].touches, ["app.fresh", "app.fresh_big"]);
}

#[test]
fn names_follow_renames_temporary_tables_and_the_search_path() {
    let all = analyse(
        "SET search_path TO public, app; CREATE TABLE t2 (a int); ALTER TABLE big RENAME TO huge;
         ALTER TABLE huge ADD CHECK (qty > 0); CREATE TEMP TABLE small (a int); DELETE FROM small; DELETE FROM app.small;",
        &catalog(),
    )
    .unwrap();
    assert_eq!(all[1].touches, ["public.t2"]);
    assert_eq!(all[2].touches, ["app.big", "app.huge"]);
    assert_eq!(all[3].hazards[0].severity, Severity::Danger, "{:?}", all[3]);
    assert_eq!(all[5].touches, ["pg_temp.small"]);
    assert_eq!(all[5].phase, Phase::Expand);
    assert_eq!(all[6].phase, Phase::Migrate);
}

#[test]
fn errors_have_a_place() {
    let place = |sql: &str| analyse(sql, &catalog()).unwrap_err().chain();
    assert!(
        place("SELECT 1;\n\nALTER TABEL x").contains("line 3, column 7"),
        "{}",
        place("SELECT 1;\n\nALTER TABEL x")
    );
    assert!(
        place("SELECT x FROM x;\nSELECT x x x").contains("line 2, column 12"),
        "{}",
        place("SELECT x FROM x;\nSELECT x x x")
    );
    assert!(place("SELECT (1").contains("line 1, column 10"), "{}", place("SELECT (1"));
    assert!(analyse("SELECT 'a\0b'", &catalog()).is_err());
}

#[test]
fn too_deep_a_statement_is_still_told() {
    let sql = format!("UPDATE big SET note = {}", vec!["'x'"; 300].join(" || "));
    let s = one(&sql);
    assert_eq!((s.kind.as_str(), s.phase), ("UPDATE", Phase::Migrate));
    assert_eq!(s.hazards[0].name, "cannot-be-inspected");
}

#[test]
fn patient_statements_are_known_with_the_index_they_build() {
    let s = one("CREATE INDEX CONCURRENTLY big_note ON big (note)");
    assert_eq!((s.waits_without_blocking, s.builds_index.as_deref()), (true, Some("app.big_note")));
    assert!(one("DROP INDEX CONCURRENTLY mid_email").waits_without_blocking);
    let s = one("REINDEX INDEX CONCURRENTLY mid_email");
    assert_eq!((s.waits_without_blocking, s.builds_index.as_deref()), (true, Some("public.mid_email_ccnew")));
    assert!(one("ALTER TABLE part DETACH PARTITION part_1 CONCURRENTLY").waits_without_blocking);
    assert!(!one("ALTER TABLE big VALIDATE CONSTRAINT x").waits_without_blocking);
    assert!(!one("CREATE INDEX ON big (note)").waits_without_blocking);
}

#[test]
fn every_rule_says_something_in_one_sentence() {
    for rule in hazards::ALL {
        assert!(rule.says.len() > 20 && !rule.says.ends_with('.'), "{}", rule.name);
        assert!(rule.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.name);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 300, ..Default::default() })]
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}", words in proptest::collection::vec(proptest::sample::select(WORDS.to_vec()), 0..14)) {
        for sql in [text.clone(), words.join(" "), format!("{} {text}", words.join(" "))] {
            let c = catalog();
            let _ = analyse(&sql, &c);
            let _ = crate::product::postgres::queries::uses::usage(&sql, &c);
            let _ = crate::product::postgres::grammar::relations::copy_shape(&sql);
        }
    }
}

const WORDS: &[&str] = &[
    "SELECT",
    "UPDATE",
    "big",
    "SET",
    "WHERE",
    "id",
    "=",
    "$1",
    "ALTER TABLE",
    "ADD COLUMN",
    "x",
    "int",
    ";",
    "(",
    ")",
    "FROM",
    "AS",
    "INSERT INTO",
    "VALUES",
    ",",
    "NULL",
    "IS",
    "NOT",
    "WITH",
    "ON CONFLICT DO NOTHING",
    "DROP",
    "TABLE",
    "INDEX",
    "DO $$ BEGIN END $$",
    "COPY",
    "STDIN",
    "TO",
    "*",
    "IN",
    "part",
    "DETACH PARTITION",
    "CREATE",
    "é",
    "'",
    "\"",
    "DELETE",
    "MERGE",
    "USING",
    "DEFAULT",
    "random()",
];

#[test]
fn deep_parentheses_do_not_exhaust_the_stack() {
    for depth in [100, 9_000, 30_000] {
        let (open, closed) = ("(".repeat(depth), ")".repeat(depth));
        let read = analyse(&format!("CREATE TABLE y (a bigint DEFAULT {open}1{closed})"), &catalog());
        assert_eq!(read.is_ok(), depth < 10_000, "{depth}");
    }
}
