//! What Oracle's names of types mean. Source: SQL Language Reference, "Data Types".

use crate::model::column_type::{ColumnType, Digits, TextForm};

/// The type that Oracle's text names.
pub fn column_type(text: &str) -> ColumnType {
    let text = text.trim().to_uppercase();
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => (name.trim(), rest.split(')').next().unwrap_or_default()),
        None => (text.as_str(), ""),
    };
    let number = |at: usize| arguments.split(',').nth(at).and_then(first_number);
    let text_of = |form, longest: Option<i64>| ColumnType::Text {
        form,
        longest: longest.and_then(|n| u32::try_from(n).ok()),
    };
    match name {
        "NUMBER" | "NUMERIC" | "DECIMAL" | "DEC" => {
            let default = if name == "NUMBER" { None } else { Some(38) };
            ColumnType::Decimal { digits: digits(number(0).or(default), number(1)) }
        }
        // Oracle keeps all of them as numbers of up to 38 digits.
        "INTEGER" | "INT" | "SMALLINT" => ColumnType::Decimal { digits: digits(Some(38), Some(0)) },
        "FLOAT" | "REAL" | "DOUBLE PRECISION" | "BINARY_DOUBLE" => ColumnType::Float { bytes: 8 },
        "BINARY_FLOAT" => ColumnType::Float { bytes: 4 },
        "VARCHAR2" | "VARCHAR" | "NVARCHAR2" | "CHAR VARYING" | "CHARACTER VARYING" => {
            text_of(TextForm::Varying, number(0))
        }
        "CHAR" | "NCHAR" | "CHARACTER" => text_of(TextForm::Padded, number(0).or(Some(1))),
        "CLOB" | "NCLOB" | "LONG" => text_of(TextForm::Unlimited, None),
        "BOOLEAN" => ColumnType::Boolean,
        // It has a time of day, to the second.
        "DATE" => ColumnType::Timestamp { zone: false },
        "TIMESTAMP" => ColumnType::Timestamp { zone: text.ends_with("TIME ZONE") },
        "RAW" | "BLOB" | "LONG RAW" => ColumnType::Bytes,
        "JSON" => ColumnType::Json { parsed: true },
        _ if name.starts_with("TIMESTAMP WITH") => ColumnType::Timestamp { zone: true },
        _ if name.starts_with("INTERVAL") => ColumnType::Interval,
        _ => ColumnType::Other { name: name.to_owned(), example: None },
    }
}

fn digits(precision: Option<i64>, scale: Option<i64>) -> Option<Digits> {
    let precision = u32::try_from(precision?).ok()?;
    Some(Digits { precision, scale: i32::try_from(scale.unwrap_or(0)).unwrap_or(0) })
}

/// `40 CHAR`, `-2`; `*` is none.
fn first_number(text: &str) -> Option<i64> {
    text.trim().split(' ').next()?.parse().ok()
}

/// Greatest length of a text type in characters; `None` where there is none. What is counted in bytes may hold fewer characters.
pub fn max_length(sql_type: &str) -> Option<u32> {
    match column_type(sql_type) {
        ColumnType::Text { longest, .. } => longest,
        _ => None,
    }
}

/// The type as the dictionary writes it: of several names for one type, the one that Oracle keeps, with what is left out written.
///
/// A length in bytes has no word and one in characters has `CHAR`, whatever the setting of a session is. `in_characters`: what a length without
/// a word means to the session that says it.
pub fn canonical(text: &str, in_characters: bool) -> String {
    let text =
        with_length(&named(&text.trim().to_uppercase().replace(", ", ",").replace(" ,", ",")), in_characters);
    match text.strip_prefix("NUMBER(").and_then(|rest| rest.strip_suffix(",0)")) {
        Some(precision) if precision != "*" => format!("NUMBER({precision})"),
        _ => text,
    }
}

fn with_length(text: &str, in_characters: bool) -> String {
    let counted = text.starts_with("VARCHAR2(") || text.starts_with("CHAR(");
    match text.strip_suffix(" BYTE)") {
        Some(plain) if counted => format!("{plain})"),
        None if counted && in_characters && !text.ends_with(" CHAR)") => {
            format!("{} CHAR)", text.trim_end_matches(')'))
        }
        _ => text.to_owned(),
    }
}

/// The name that Oracle keeps of several.
fn named(text: &str) -> String {
    let (name, rest) = match text.find(['(', ' ']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    match (name, rest) {
        ("INTEGER" | "INT" | "SMALLINT", "") => "NUMBER(*,0)".to_owned(),
        ("NUMERIC" | "DECIMAL" | "DEC", "") => "NUMBER(*,0)".to_owned(),
        ("NUMERIC" | "DECIMAL" | "DEC", rest) => format!("NUMBER{rest}"),
        ("VARCHAR", rest) if rest.starts_with('(') => format!("VARCHAR2{rest}"),
        ("CHARACTER", rest) if rest.starts_with(" VARYING(") => {
            format!("VARCHAR2{}", rest.trim_start_matches(" VARYING"))
        }
        ("CHAR" | "NCHAR", "") => format!("{name}(1)"),
        ("REAL", "") => "FLOAT(63)".to_owned(),
        ("DOUBLE", " PRECISION") | ("FLOAT", "") => "FLOAT(126)".to_owned(),
        ("TIMESTAMP", rest) if !rest.starts_with('(') => format!("TIMESTAMP(6){rest}"),
        ("INTERVAL", " YEAR TO MONTH") => "INTERVAL YEAR(2) TO MONTH".to_owned(),
        ("INTERVAL", " DAY TO SECOND") => "INTERVAL DAY(2) TO SECOND(6)".to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_read() {
        let cases = [
            ("NUMBER", ColumnType::Decimal { digits: None }),
            ("NUMBER(12,2)", ColumnType::Decimal { digits: Some(Digits { precision: 12, scale: 2 }) }),
            ("number(*,0)", ColumnType::Decimal { digits: None }),
            ("NUMBER(5,-2)", ColumnType::Decimal { digits: Some(Digits { precision: 5, scale: -2 }) }),
            ("VARCHAR2(40 CHAR)", ColumnType::Text { form: TextForm::Varying, longest: Some(40) }),
            ("CHAR", ColumnType::Text { form: TextForm::Padded, longest: Some(1) }),
            ("CLOB", ColumnType::Text { form: TextForm::Unlimited, longest: None }),
            ("DATE", ColumnType::Timestamp { zone: false }),
            ("TIMESTAMP(6) WITH TIME ZONE", ColumnType::Timestamp { zone: true }),
            ("TIMESTAMP(6) WITH LOCAL TIME ZONE", ColumnType::Timestamp { zone: true }),
            ("TIMESTAMP(3)", ColumnType::Timestamp { zone: false }),
            ("INTERVAL DAY(2) TO SECOND(6)", ColumnType::Interval),
            ("BINARY_FLOAT", ColumnType::Float { bytes: 4 }),
            ("RAW(16)", ColumnType::Bytes),
            ("MDSYS.SDO_GEOMETRY", ColumnType::Other { name: "MDSYS.SDO_GEOMETRY".into(), example: None }),
        ];
        for (text, expected) in cases {
            assert_eq!(column_type(text), expected, "{text}");
        }
    }

    #[test]
    fn types_are_written_as_the_dictionary_has_them() {
        let cases = [
            ("integer", "NUMBER(*,0)"),
            ("DECIMAL(9,2)", "NUMBER(9,2)"),
            ("varchar(10)", "VARCHAR2(10)"),
            ("CHARACTER VARYING(10)", "VARCHAR2(10)"),
            ("char", "CHAR(1)"),
            ("TIMESTAMP", "TIMESTAMP(6)"),
            ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP(6) WITH TIME ZONE"),
            ("TIMESTAMP(3) WITH TIME ZONE", "TIMESTAMP(3) WITH TIME ZONE"),
            ("DOUBLE PRECISION", "FLOAT(126)"),
            ("NUMBER", "NUMBER"),
            ("NUMBER(10,0)", "NUMBER(10)"),
            ("NUMBER(10, 2)", "NUMBER(10,2)"),
            ("NUMBER(*,0)", "NUMBER(*,0)"),
            ("varchar2(40 byte)", "VARCHAR2(40)"),
            ("varchar2(40 char)", "VARCHAR2(40 CHAR)"),
            ("interval day to second", "INTERVAL DAY(2) TO SECOND(6)"),
            ("DATE", "DATE"),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical(text, false), expected, "{text}");
        }
        for (text, expected) in [
            ("varchar2(40)", "VARCHAR2(40 CHAR)"),
            ("varchar2(40 byte)", "VARCHAR2(40)"),
            ("varchar2(40 char)", "VARCHAR2(40 CHAR)"),
            ("char", "CHAR(1 CHAR)"),
            ("nvarchar2(40)", "NVARCHAR2(40)"),
            ("number(4)", "NUMBER(4)"),
        ] {
            assert_eq!(canonical(text, true), expected, "{text}");
        }
    }
}
