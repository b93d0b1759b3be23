#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use super::*;
use crate::model::catalog::Table;
use crate::product::test_dialect;

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn column(name: &str, sql_type: &str, not_null: bool) -> Column {
    let max_length =
        sql_type.strip_prefix("character varying(").and_then(|r| r.strip_suffix(')')?.parse().ok());
    Column { name: name.to_owned(), sql_type: sql_type.to_owned(), not_null, max_length, ..Column::default() }
}

fn catalog() -> Catalog {
    let orders = Table {
        columns: vec![
            column("id", "bigint", true),
            column("code", "character varying(8)", true),
            column("amount", "numeric(5,2)", true),
            column("note", "text", false),
        ],
        primary_key: vec!["id".to_owned()],
        unique: vec![vec!["id".to_owned()]],
        ..Table::default()
    };
    Catalog { tables: [("public.orders".to_owned(), orders)].into(), ..Catalog::default() }
}

fn lent() -> BTreeMap<String, Rows> {
    let columns = ["id", "code", "amount", "note"].map(str::to_owned).to_vec();
    let rows = (1..=40)
        .map(|n| {
            vec![
                text(&n.to_string()),
                text(&format!("C{n}")),
                text(&format!("{n}.00")),
                text("x").filter(|_| n != 7),
            ]
        })
        .collect();
    [("public.orders".to_owned(), Rows { columns, rows })].into()
}

fn tried(sql: &str, writes: &[Write], roles: &[(&str, bool)], changed: &[(&str, &[&str])]) -> Vec<Set> {
    let table = "public.orders".to_owned();
    let roles: Vec<ParameterRole> = roles
        .iter()
        .map(|(column, inserts)| match (*column, inserts) {
            ("", _) => ParameterRole::Free,
            (column, true) => ParameterRole::Insert { table: table.clone(), column: column.to_owned() },
            (column, false) => ParameterRole::Column { table: table.clone(), column: column.to_owned() },
        })
        .collect();
    let catalog = catalog();
    let types = |role: &ParameterRole| match role {
        ParameterRole::Column { column, .. } | ParameterRole::Insert { column, .. } => {
            let known =
                catalog.tables.get(&table).unwrap().columns.iter().find(|c| c.name == *column).unwrap();
            known.sql_type.split('(').next().unwrap().to_owned()
        }
        _ => "integer".to_owned(),
    };
    let shape = QueryShape { parameters: roles.iter().map(types).collect(), columns: Vec::new() };
    let changed: Vec<_> = changed
        .iter()
        .map(|(t, c)| ((*t).to_owned(), c.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>()))
        .collect();
    let dialect = &test_dialect();
    let (shape, roles, changed) = (&shape, &roles, &changed);
    let asked = Asked { sql, shape, roles, writes, changed, ordered: false, run_only: false, dialect };
    let lent = lent();
    sets(&asked, &catalog, &lent, &samples(&lent), Form::Alike)
}

fn write(columns: &[&str], inserts: bool) -> Write {
    let columns = columns.iter().map(|c| (*c).to_owned()).collect();
    Write { table: "public.orders".to_owned(), columns, inserts, handles_conflicts: false }
}

#[test]
fn values_of_one_row_go_together() {
    for set in tried("select", &[], &[("id", false), ("code", false)], &[]) {
        let [Some(id), Some(code)] = set.values.as_slice() else { panic!("{set:?}") };
        assert!(set.made_up.is_none());
        // Rows chosen come first; what is drawn besides may be anything that rows hold.
        assert!(code.starts_with('C') && id.parse::<u32>().unwrap() <= 40);
    }
    let first = tried("select", &[], &[("id", false), ("code", false)], &[]).into_iter().next().unwrap();
    let [Some(id), Some(code)] = first.values.as_slice() else { panic!("{first:?}") };
    assert_eq!(format!("C{id}"), *code);
}

#[test]
fn a_row_is_inserted_again_with_the_edges_of_what_changed() {
    let insert = write(&["id", "code", "amount", "note"], true);
    let roles = [("id", true), ("code", true), ("amount", true), ("note", true)];
    let sets = tried("insert", &[insert], &roles, &[("public.orders", &["amount", "note"])]);
    let again: Vec<&Set> = sets.iter().filter(|s| s.again.is_some()).collect();
    assert!(again.iter().all(|s| s.made_up.is_none()));
    let held =
        |at: usize, value: Option<&str>| again.iter().any(|s| s.values.get(at).unwrap().as_deref() == value);
    // The least and the greatest amount by number, and the one row without a note.
    assert!(held(2, Some("1.00")) && held(2, Some("40.00")) && held(3, None), "{again:?}");
    for set in &again {
        let (table, key) = set.again.as_ref().unwrap();
        assert_eq!(
            (table.as_str(), key.as_slice()),
            ("public.orders", [("id".to_owned(), set.values[0].clone().unwrap())].as_slice())
        );
    }
    let made: Vec<&str> = sets.iter().filter_map(|s| s.made_up.as_deref()).collect();
    for edge in
        ["public.orders.amount = '-1'", "public.orders.amount = '999.99'", "public.orders.note = NULL"]
    {
        assert!(made.contains(&edge), "{edge}: {made:?}");
    }
    assert!(!made.iter().any(|m| m.starts_with("public.orders.code")), "{made:?}");
}

#[test]
fn what_is_invented_is_not_called_productions() {
    // `set amount = amount - $1`: nobody knows what services subtract.
    let update = write(&["amount"], false);
    let sets = tried("update", &[update], &[("", false), ("id", false)], &[("public.orders", &["amount"])]);
    assert!(sets.iter().all(|s| s.made_up.is_some()), "{sets:?}");
    // `where f($1)`: the query may make no sense of it, and fail for that once it looks.
    let reads = tried("select", &[], &[("", false), ("id", false)], &[]);
    assert!(
        reads.iter().all(|s| s.made_up.is_none() && s.free.as_deref() == Some("an invented $1")),
        "{reads:?}"
    );
    assert!(tried("select", &[], &[("id", false)], &[]).iter().all(|s| s.free.is_none()));
    // A fresh key is invented and changes nothing, unless the key itself is what changed.
    let insert = || write(&["id", "code"], true);
    let roles = [("id", true), ("code", true)];
    let plain = |changed: &[(&str, &[&str])]| {
        let sets = tried("insert", &[insert()], &roles, changed);
        sets.iter().any(|s| s.again.is_none() && s.made_up.is_none())
    };
    assert!(plain(&[("public.orders", &["code"])]));
    assert!(!plain(&[("public.orders", &["id"])]));
}
