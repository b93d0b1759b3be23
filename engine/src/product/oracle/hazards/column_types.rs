//! What another type of a column costs and refuses.
//!
//! Sources: SQL Language Reference, "ALTER TABLE" (modify_col_properties); Database Error Messages, ORA-01439, ORA-01440, ORA-01441,
//! ORA-22858, ORA-30082.

use super::around::Around;
use super::builder::Builder;
use super::{columns, rules};
use crate::model::schema_action::SchemaAction as A;
use crate::product::oracle::dictionary;

/// What MODIFY does with the values that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// The dictionary changes only.
    Widens,
    /// The same, but a value may not fit.
    Narrows,
    Rewrites,
    Unknown,
    /// Fails as soon as there is a value.
    Refused(&'static str),
}

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    let read = builder.read;
    for action in &read.actions {
        let A::ChangeColumnType { table, column } = action else { continue };
        let Some(modified) = read.facts.columns.iter().find(|c| c.name == *column) else { continue };
        let new = modified.sql_type.as_deref();
        let old = modified.old_type.as_deref();
        let change = match (old, new) {
            (Some(old), Some(new)) => change(old, new),
            // Another expression of a virtual column.
            (_, None) => Change::Widens,
            (None, Some(_)) => Change::Unknown,
        };
        let what =
            format!("{column} {} to {}", old.unwrap_or("of an unknown type"), new.unwrap_or("another value"));
        match change {
            Change::Widens => {}
            Change::Narrows => builder.hurt(around, &rules::TYPE_NARROWS, table, &what),
            Change::Rewrites => builder.hurt(around, &rules::REWRITE, table, &what),
            Change::Unknown => builder.hurt(around, &rules::TYPE_UNKNOWN, table, &what),
            Change::Refused(code) => {
                builder.hurt(around, &rules::TYPE_REFUSED, table, &format!("{what} fails with {code}"));
            }
        }
        builder.waits(false);
        if change != Change::Widens || new.is_none() {
            builder.contract(around, table);
        }
        if old.zip(new).is_none_or(|(old, new)| canonical(old) != canonical(new)) {
            columns::dependents(around, builder, table);
        }
    }
}

/// What a length without a word means, the session decides; in bytes it holds the least.
fn canonical(text: &str) -> String {
    dictionary::canonical(text, false)
}

/// A type's name, what stands in its parentheses, and what follows them.
struct Parts {
    name: String,
    arguments: Vec<String>,
    rest: String,
    /// The length is said to count bytes; without a word, the session decides.
    in_bytes: bool,
}

impl Parts {
    fn of(text: &str) -> Self {
        let in_bytes = text.trim().to_uppercase().ends_with(" BYTE)");
        let text = canonical(text);
        let Some((name, rest)) = text.split_once('(') else {
            return Self { name: text, arguments: Vec::new(), rest: String::new(), in_bytes };
        };
        let (inside, rest) = rest.split_once(')').unwrap_or((rest, ""));
        let arguments = inside.split(',').map(|part| part.trim().to_owned()).collect();
        Self { name: name.trim().to_owned(), arguments, rest: rest.trim().to_owned(), in_bytes }
    }
    /// The first argument; without one, or with `*`, as it is meant.
    fn number(&self, at: usize, otherwise: i64) -> i64 {
        let first = self.arguments.get(at).and_then(|part| part.split(' ').next());
        first.and_then(|digits| digits.parse().ok()).unwrap_or(otherwise)
    }
    /// Whether a length counts bytes or characters, where the type says so.
    fn unit(&self) -> Option<&str> {
        if self.in_bytes {
            return Some("BYTE");
        }
        self.arguments.first()?.split_once(' ').map(|(_, unit)| unit)
    }
}

const VARYING: &[&str] = &["VARCHAR2", "NVARCHAR2", "RAW"];
const PADDED: &[&str] = &["CHAR", "NCHAR"];
const LOBS: &[&str] = &["CLOB", "NCLOB", "BLOB"];

fn change(old: &str, new: &str) -> Change {
    let (old, new) = (Parts::of(old), Parts::of(new));
    let same = old.name == new.name && old.rest == new.rest;
    let (from, to) = (old.name.as_str(), new.name.as_str());
    let national = from.starts_with('N') == to.starts_with('N');
    let text = |kinds: &[&str], name: &str| kinds.contains(&name);
    match (from, to) {
        _ if same && old.arguments == new.arguments => Change::Widens,
        _ if same && text(VARYING, from) => lengths(&old, &new, Change::Widens),
        // Values are padded to the new length.
        _ if same && text(PADDED, from) => lengths(&old, &new, Change::Rewrites),
        ("CHAR", "VARCHAR2") | ("NCHAR", "NVARCHAR2") => lengths(&old, &new, Change::Widens),
        ("VARCHAR2", "CHAR") | ("NVARCHAR2", "NCHAR") => lengths(&old, &new, Change::Rewrites),
        ("NUMBER", "NUMBER") => numbers(&old, &new),
        ("FLOAT", "FLOAT") if new.number(0, 126) >= old.number(0, 126) => Change::Widens,
        ("FLOAT", "NUMBER") if new.arguments.is_empty() => Change::Widens,
        ("NUMBER" | "FLOAT", "NUMBER" | "FLOAT") => Change::Refused("ORA-01440"),
        ("TIMESTAMP", "TIMESTAMP") if same && new.number(0, 6) >= old.number(0, 6) => Change::Widens,
        ("TIMESTAMP", "TIMESTAMP") if same => Change::Refused("ORA-30082"),
        ("DATE", "TIMESTAMP") if new.rest != "WITH TIME ZONE" => Change::Unknown,
        ("TIMESTAMP", "DATE") if old.rest == "WITH LOCAL TIME ZONE" => Change::Unknown,
        ("LONG", "CLOB" | "NCLOB") | ("LONG RAW", "BLOB") => Change::Rewrites,
        (_, to) if text(LOBS, to) && national => Change::Refused("ORA-22858"),
        (from, _) if text(LOBS, from) => Change::Refused("ORA-22859"),
        (from, _) if from.starts_with("INTERVAL") => Change::Unknown,
        _ => Change::Refused("ORA-01439"),
    }
}

/// `wider`: what a greater length means.
fn lengths(old: &Parts, new: &Parts, wider: Change) -> Change {
    let (from, to) = (old.number(0, 1), new.number(0, 1));
    let fits = match (old.unit(), new.unit()) {
        // A character may take four bytes.
        (Some("CHAR"), Some("BYTE")) => to >= from.saturating_mul(4),
        _ => to >= from,
    };
    match fits {
        true if from == to && old.unit() == new.unit() => Change::Widens,
        true => wider,
        false => Change::Narrows,
    }
}

/// Digits before and after the point must not get fewer.
fn numbers(old: &Parts, new: &Parts) -> Change {
    if new.arguments.is_empty() {
        return Change::Widens;
    }
    if old.arguments.is_empty() {
        return Change::Refused("ORA-01440");
    }
    let scale = |parts: &Parts| parts.number(1, 0);
    let whole = |parts: &Parts| parts.number(0, 38) - scale(parts);
    match scale(new) >= scale(old) && whole(new) >= whole(old) {
        true => Change::Widens,
        false => Change::Refused("ORA-01440"),
    }
}

#[cfg(test)]
mod tests {
    use super::Change::{Narrows, Refused, Rewrites, Unknown, Widens};
    use super::change;

    #[test]
    fn changes_of_types_are_what_the_manual_says() {
        for (old, new, expected) in [
            ("VARCHAR2(40 CHAR)", "VARCHAR2(80 CHAR)", Widens),
            ("VARCHAR2(40 BYTE)", "VARCHAR2(40 CHAR)", Widens),
            ("VARCHAR2(40 CHAR)", "VARCHAR2(40 BYTE)", Narrows),
            ("VARCHAR2(40 CHAR)", "VARCHAR2(160 BYTE)", Widens),
            ("VARCHAR2(40 CHAR)", "VARCHAR2(39 CHAR)", Narrows),
            ("VARCHAR2(40)", "VARCHAR(40)", Widens),
            ("RAW(16)", "RAW(32)", Widens),
            ("CHAR(2)", "CHAR(3)", Rewrites),
            ("CHAR(3)", "CHAR(2)", Narrows),
            ("CHAR(3)", "VARCHAR2(3)", Widens),
            ("VARCHAR2(3)", "CHAR(5)", Rewrites),
            ("VARCHAR2(40)", "NVARCHAR2(40)", Refused("ORA-01439")),
            ("NUMBER(10,2)", "NUMBER(12,2)", Widens),
            ("NUMBER(10,2)", "NUMBER(12,4)", Widens),
            ("NUMBER(10,2)", "NUMBER(10,4)", Refused("ORA-01440")),
            ("NUMBER(10,2)", "NUMBER(9,2)", Refused("ORA-01440")),
            ("NUMBER", "NUMBER(38)", Refused("ORA-01440")),
            ("NUMBER(10)", "NUMBER", Widens),
            ("NUMBER(10)", "INTEGER", Widens),
            ("INTEGER", "NUMBER(10)", Refused("ORA-01440")),
            ("NUMBER(10)", "VARCHAR2(20)", Refused("ORA-01439")),
            ("VARCHAR2(20)", "NUMBER", Refused("ORA-01439")),
            ("VARCHAR2(4000)", "CLOB", Refused("ORA-22858")),
            ("CLOB", "VARCHAR2(4000)", Refused("ORA-22859")),
            ("LONG", "CLOB", Rewrites),
            ("DATE", "TIMESTAMP(6)", Unknown),
            ("DATE", "TIMESTAMP(6) WITH TIME ZONE", Refused("ORA-01439")),
            ("TIMESTAMP(3)", "TIMESTAMP", Widens),
            ("TIMESTAMP(6)", "TIMESTAMP(3)", Refused("ORA-30082")),
            ("TIMESTAMP(6)", "TIMESTAMP(6) WITH TIME ZONE", Refused("ORA-01439")),
            ("TIMESTAMP(6)", "DATE", Refused("ORA-01439")),
            ("TIMESTAMP(6) WITH LOCAL TIME ZONE", "DATE", Unknown),
        ] {
            assert_eq!(change(old, new), expected, "{old} to {new}");
        }
    }
}
