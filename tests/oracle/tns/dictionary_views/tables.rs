//! Columns and constraints: what a dictionary has of a table, in more rows than one.

use serde_json::Value as Json;

use super::super::value::Value;
use super::rows::{Rows, all, if_so, list, pair, text};

/// The type's name, its lengths in bytes and characters with the letter of the one that was meant, its digits and scale.
fn described(sql_type: &str) -> [Value; 6] {
    let none = || Value::Null;
    let (name, inner) = match sql_type.split_once('(') {
        Some((name, rest)) => (name, rest.split(')').next().unwrap_or_default()),
        None => (sql_type, ""),
    };
    let first = inner.split([',', ' ']).next().unwrap_or_default();
    let length: i64 = first.parse().unwrap_or(0);
    match name {
        // What a view computes has a type all the same.
        "" => ["NUMBER".into(), Value::number(22), none(), none(), none(), none()],
        "VARCHAR2" | "CHAR" if inner.ends_with(" CHAR") => {
            [name.into(), Value::number(length * 4), Value::number(length), "C".into(), none(), none()]
        }
        "VARCHAR2" | "CHAR" => {
            [name.into(), Value::number(length), Value::number(length), "B".into(), none(), none()]
        }
        "NVARCHAR2" | "NCHAR" => {
            [name.into(), Value::number(length * 2), Value::number(length), "C".into(), none(), none()]
        }
        "RAW" | "UROWID" => [name.into(), Value::number(length), none(), none(), none(), none()],
        "FLOAT" => [name.into(), Value::number(22), none(), none(), Value::number(length), none()],
        "NUMBER" => {
            let digits = first.parse::<i64>().ok();
            let scale = inner.split(',').nth(1).and_then(|scale| scale.trim().parse::<i64>().ok());
            let scale = scale.or(digits.map(|_| 0));
            [name.into(), Value::number(22), none(), none(), digits.into(), scale.into()]
        }
        _ => [sql_type.into(), Value::number(11), none(), none(), none(), none()],
    }
}

pub fn columns(dictionary: &Json) -> Rows {
    let mut rows = Rows::of(
        "OWNER TABLE_NAME COLUMN_NAME DATA_TYPE #DATA_LENGTH #CHAR_LENGTH CHAR_USED #DATA_PRECISION #DATA_SCALE DATA_TYPE_OWNER \
         NULLABLE HIDDEN_COLUMN USER_GENERATED VIRTUAL_COLUMN DEFAULT_ON_NULL GENERATION_TYPE ENCRYPTION_ALG COMMENTS",
    );
    for (owner, name, relation) in all(dictionary, "tables").chain(all(dictionary, "views")) {
        for column in list(&relation["columns"]) {
            let identity = column["identity"].as_str();
            let on_null = column["on_null"] == true || identity == Some("by_default_on_null");
            // Of a NOT NULL that is not validated, the server says that there may be NULLs.
            let not_null = column["not_null"] == true && column["not_null_unvalidated"] != true;
            let mut row: Vec<Value> = vec![owner.into(), name.into(), text(&column["name"])];
            row.extend(described(column["sql_type"].as_str().unwrap_or_default()));
            row.extend([
                Value::Null,
                if not_null { "N" } else { "Y" }.into(),
                if_so(&column["invisible"], "YES", "NO"),
                "YES".into(),
                if_so(&column["virtual"], "YES", "NO"),
                if on_null { "YES" } else { "NO" }.into(),
                identity.map(|way| if way == "always" { "ALWAYS" } else { "BY DEFAULT" }).into(),
                (column["encrypted"] == true).then_some("AES 192 bits key").into(),
                text(&column["comment"]),
            ]);
            rows.add(row);
        }
    }
    rows
}

/// NOT NULL is a constraint of the server's.
fn not_nulls(dictionary: &Json) -> impl Iterator<Item = (&str, &str, String, &Json)> {
    all(dictionary, "tables").enumerate().flat_map(|(at, (owner, table, of))| {
        let columns = list(&of["columns"]).enumerate().filter(|(_, column)| column["not_null"] == true);
        columns.map(move |(place, column)| {
            let name = column["not_null_name"].as_str().map(str::to_owned);
            (owner, table, name.unwrap_or_else(|| format!("SYS_C9{at:04}{place:03}")), column)
        })
    })
}

pub fn constraints(dictionary: &Json) -> Rows {
    let mut rows = Rows::of(
        "OWNER TABLE_NAME CONSTRAINT_NAME CONSTRAINT_TYPE SEARCH_CONDITION_VC R_OWNER R_CONSTRAINT_NAME R_TABLE_NAME DELETE_RULE \
         STATUS VALIDATED DEFERRABLE GENERATED INDEX_OWNER INDEX_NAME",
    );
    for (owner, table, name, column) in not_nulls(dictionary) {
        let condition = format!("\"{}\" IS NOT NULL", column["name"].as_str().unwrap_or_default());
        let mut row: Vec<Value> = vec![owner.into(), table.into(), name.as_str().into(), "C".into()];
        row.extend([condition.as_str().into(), Value::Null, Value::Null, Value::Null, Value::Null]);
        row.extend([
            "ENABLED".into(),
            if_so(&column["not_null_unvalidated"], "NOT VALIDATED", "VALIDATED"),
            "NOT DEFERRABLE".into(),
            if column["not_null_name"].is_string() { "USER NAME" } else { "GENERATED NAME" }.into(),
            Value::Null,
            Value::Null,
        ]);
        rows.add(row);
    }
    for (owner, table, of) in all(dictionary, "tables") {
        for constraint in list(&of["constraints"]) {
            let kind = match constraint["kind"].as_str() {
                Some("primary_key") => "P",
                Some("unique") => "U",
                Some("foreign_key") => "R",
                _ => "C",
            };
            let references = constraint["references"][0]
                .as_str()
                .map(|parent| (parent, key_of(dictionary, parent, &constraint["references"][1])));
            let (r_owner, r_table) =
                references.as_ref().map_or((Value::Null, Value::Null), |(parent, _)| pair(parent));
            let held = all(dictionary, "indexes").find(|(_, _, index)| {
                index["of_constraint"] == constraint["name"] && index["table"] == format!("{owner}.{table}")
            });
            let held = held.filter(|_| kind == "P" || kind == "U");
            rows.add(vec![
                owner.into(),
                table.into(),
                text(&constraint["name"]),
                kind.into(),
                text(&constraint["condition"]),
                r_owner,
                references.map(|(_, key)| key).map_or(Value::Null, Value::Text),
                r_table,
                match constraint["on_delete"].as_str() {
                    Some("cascade") => "CASCADE".into(),
                    Some("set_null") => "SET NULL".into(),
                    _ if kind == "R" => "NO ACTION".into(),
                    _ => Value::Null,
                },
                if_so(&constraint["enabled"], "ENABLED", "DISABLED"),
                if_so(&constraint["validated"], "VALIDATED", "NOT VALIDATED"),
                if_so(&constraint["deferrable"], "DEFERRABLE", "NOT DEFERRABLE"),
                if_so(&constraint["generated_name"], "GENERATED NAME", "USER NAME"),
                held.map(|(schema, ..)| schema).into(),
                held.map(|(_, name, _)| name).into(),
            ]);
        }
    }
    rows
}

/// The name of the key over these columns.
fn key_of(dictionary: &Json, table: &str, columns: &Json) -> String {
    let constraints = list(&dictionary["tables"][table]["constraints"]);
    let mut keys = constraints
        .filter(|c| c["columns"] == *columns && (c["kind"] == "primary_key" || c["kind"] == "unique"));
    keys.next().and_then(|key| key["name"].as_str()).unwrap_or_default().to_owned()
}

pub fn constraint_columns(dictionary: &Json) -> Rows {
    let mut rows = Rows::of("OWNER CONSTRAINT_NAME COLUMN_NAME");
    for (owner, _, name, column) in not_nulls(dictionary) {
        rows.add(vec![owner.into(), name.as_str().into(), text(&column["name"])]);
    }
    for (owner, _, table) in all(dictionary, "tables") {
        for constraint in list(&table["constraints"]) {
            for column in list(&constraint["columns"]) {
                rows.add(vec![owner.into(), text(&constraint["name"]), text(column)]);
            }
        }
    }
    rows
}
