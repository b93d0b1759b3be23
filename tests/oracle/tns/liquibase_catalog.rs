//! What Liquibase 4.33.0 asks Oracle's catalog about its own two tables.

use std::collections::BTreeMap;

use super::answers::Outcome;
use super::column::{Column, Kind};
use super::value::Value;

/// `upper`: the statement in capitals. `None` for one about another table.
pub fn answer(upper: &str, schema: &str, tables: &BTreeMap<&str, &[Column]>) -> Option<Outcome> {
    let named = upper.rsplit_once("TABLE_NAME='").and_then(|(_, rest)| rest.split('\'').next());
    if named.is_some_and(|named| !named.starts_with("DATABASECHANGELOG")) {
        return None;
    }
    let shown = tables.iter().filter(|(name, _)| named.is_none_or(|named| named == **name));
    if upper.contains(" FROM ALL_VIEWS ") {
        return Some(Outcome::rows(&VIEWS, Vec::new()));
    }
    if upper.contains(" FROM ALL_TABLES ") {
        let rows = shown.map(|(name, _)| {
            row(
                &TABLES,
                &[
                    ("TABLE_SCHEM", schema.into()),
                    ("TABLE_NAME", (*name).into()),
                    ("TEMPORARY", "N".into()),
                    ("TABLE_TYPE", "TABLE".into()),
                    ("TABLESPACE_NAME", "DATA".into()),
                ],
            )
        });
        return Some(Outcome::rows(&TABLES, rows.collect()));
    }
    if upper.contains(" FROM ALL_TAB_COLS ") {
        let rows = shown.flat_map(|(name, columns)| {
            columns.iter().enumerate().map(|(at, column)| described(schema, name, at, column))
        });
        return Some(Outcome::rows(&COLUMNS, rows.collect()));
    }
    None
}

/// The tables of these names as objects.
pub fn objects<'n>(schema: &str, names: impl Iterator<Item = &'n &'static str>) -> Outcome {
    let row = |name: &&str| vec![Value::Null, schema.into(), (*name).into(), "TABLE".into(), Value::Null];
    Outcome::rows(&OBJECTS, names.map(row).collect())
}

fn described(schema: &str, table: &str, at: usize, column: &Column) -> Vec<Value> {
    // The name of the type, its number in JDBC, its length, digits and scale.
    let (type_name, jdbc, length, digits) = match column.kind {
        Kind::Varchar2(length) => ("VARCHAR2", 12, i64::from(length), None),
        Kind::Timestamp(fraction) => ("TIMESTAMP(6)", 93, 11, Some((None, i64::from(fraction)))),
        Kind::Number(Some((digits, scale))) => {
            ("NUMBER", 3, 22, Some((Some(i64::from(digits)), i64::from(scale))))
        }
        _ => ("NUMBER", 3, 22, None),
    };
    row(
        &COLUMNS,
        &[
            ("TABLE_SCHEM", schema.into()),
            ("IS_AUTOINCREMENT", "NO".into()),
            ("OWNER", schema.into()),
            ("TABLE_NAME", table.into()),
            ("COLUMN_NAME", column.name.as_str().into()),
            ("DATA_TYPE_NAME", type_name.into()),
            ("DATA_TYPE", jdbc.into()),
            ("DATA_LENGTH", length.into()),
            ("DATA_PRECISION", digits.and_then(|(digits, _)| digits).into()),
            ("DATA_SCALE", digits.map(|(_, scale)| scale).into()),
            ("NULLABLE", if column.nullable { "Y" } else { "N" }.into()),
            ("ORDINAL_POSITION", Value::number(at + 1)),
            ("CHAR_LENGTH", if jdbc == 12 { length } else { 0 }.into()),
            ("CHAR_USED", (jdbc == 12).then_some("B").into()),
            ("VIRTUAL_COLUMN", "NO".into()),
            ("DEFAULT_ON_NULL", "NO".into()),
            ("IDENTITY_COLUMN", "NO".into()),
        ],
    )
}

/// A row of these columns. What is not named is NULL.
fn row(columns: &[&str], named: &[(&str, Value)]) -> Vec<Value> {
    let value = |column: &&str| {
        let name = column.split_whitespace().next();
        named.iter().find(|(known, _)| Some(*known) == name).map_or(Value::Null, |(_, value)| value.clone())
    };
    columns.iter().map(value).collect()
}

const OBJECTS: [&str; 5] = [
    "TABLE_CAT VARCHAR2(1)",
    "TABLE_SCHEM VARCHAR2(128)",
    "TABLE_NAME VARCHAR2(128)",
    "TABLE_TYPE VARCHAR2(23)",
    "REMARKS VARCHAR2(4000)",
];

const TABLES: [&str; 9] = [
    "TABLE_CAT VARCHAR2(1)",
    "TABLE_SCHEM VARCHAR2(128)",
    "TABLE_NAME VARCHAR2(128)",
    "TEMPORARY VARCHAR2(1)",
    "DURATION VARCHAR2(15)",
    "TABLE_TYPE CHAR(5)",
    "REMARKS VARCHAR2(4000)",
    "TABLESPACE_NAME VARCHAR2(30)",
    "DEFAULT_TABLESPACE CHAR(4)",
];

const VIEWS: [&str; 7] = [
    "TABLE_CAT VARCHAR2(1)",
    "TABLE_SCHEM VARCHAR2(128)",
    "TABLE_NAME VARCHAR2(128)",
    "TABLE_TYPE CHAR(5)",
    "REMARKS VARCHAR2(4000)",
    "OBJECT_BODY LONG",
    "EDITIONING_VIEW VARCHAR2(1)",
];

const COLUMNS: [&str; 27] = [
    "TABLE_CAT VARCHAR2(1)",
    "TABLE_SCHEM VARCHAR2(128)",
    "IS_AUTOINCREMENT CHAR(2)",
    "REMARKS VARCHAR2(4000)",
    "OWNER VARCHAR2(128)",
    "TABLE_NAME VARCHAR2(128)",
    "COLUMN_NAME VARCHAR2(128)",
    "DATA_TYPE_NAME VARCHAR2(128)",
    "DATA_TYPE_MOD VARCHAR2(3)",
    "DATA_TYPE_OWNER VARCHAR2(128)",
    "DATA_TYPE NUMBER",
    "DATA_LENGTH NUMBER",
    "DATA_PRECISION NUMBER",
    "DATA_SCALE NUMBER",
    "NULLABLE VARCHAR2(1)",
    "ORDINAL_POSITION NUMBER",
    "DEFAULT_LENGTH NUMBER",
    "DATA_DEFAULT LONG",
    "NUM_BUCKETS NUMBER",
    "CHARACTER_SET_NAME VARCHAR2(44)",
    "CHAR_COL_DECL_LENGTH NUMBER",
    "CHAR_LENGTH NUMBER",
    "CHAR_USED VARCHAR2(1)",
    "VIRTUAL_COLUMN VARCHAR2(3)",
    "DEFAULT_ON_NULL VARCHAR2(3)",
    "IDENTITY_COLUMN VARCHAR2(3)",
    "GENERATION_TYPE VARCHAR2(10)",
];
