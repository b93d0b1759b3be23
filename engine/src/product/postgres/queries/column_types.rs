//! What the server's names of types mean (`format_type`, <https://www.postgresql.org/docs/current/datatype.html>).

use crate::model::column_type::{ColumnType, Digits, TextForm};
use crate::product::postgres::hazards::type_change::Type;

pub fn column_type(text: &str) -> ColumnType {
    if let Some(element) = text.trim_end().strip_suffix("[]") {
        return ColumnType::Array(Box::new(column_type(element)));
    }
    let Type { base, modifiers, .. } = Type::from_text(text);
    let number = |at: usize| modifiers.get(at).copied();
    let text = |form| ColumnType::Text { form, longest: number(0).and_then(|n| u32::try_from(n).ok()) };
    match base.as_str() {
        "smallint" => ColumnType::Integer { bytes: 2 },
        "integer" => ColumnType::Integer { bytes: 4 },
        "bigint" => ColumnType::Integer { bytes: 8 },
        "numeric" => ColumnType::Decimal { digits: digits(number(0), number(1)) },
        "real" => ColumnType::Float { bytes: 4 },
        "double precision" => ColumnType::Float { bytes: 8 },
        "text" => text(TextForm::Unlimited),
        "character varying" => text(TextForm::Varying),
        "character" => text(TextForm::Padded),
        "citext" => text(TextForm::IgnoresCase),
        "name" => text(TextForm::Identifier),
        "\"char\"" => ColumnType::Text { form: TextForm::OneByte, longest: Some(1) },
        "boolean" => ColumnType::Boolean,
        "timestamp with time zone" => ColumnType::Timestamp { zone: true },
        "timestamp without time zone" => ColumnType::Timestamp { zone: false },
        "date" => ColumnType::Date,
        "time with time zone" => ColumnType::Time { zone: true },
        "time without time zone" => ColumnType::Time { zone: false },
        "interval" => ColumnType::Interval,
        "uuid" => ColumnType::Uuid,
        "bytea" => ColumnType::Bytes,
        "json" => ColumnType::Json { parsed: false },
        "jsonb" => ColumnType::Json { parsed: true },
        "inet" => ColumnType::IpAddress,
        "cidr" => ColumnType::IpNetwork,
        "macaddr" => ColumnType::MacAddress,
        other => ColumnType::Other { name: other.replace('"', ""), example: example(other) },
    }
}

/// Without a scale there is nothing after the point.
fn digits(precision: Option<i64>, scale: Option<i64>) -> Option<Digits> {
    let precision = u32::try_from(precision?).ok()?;
    Some(Digits { precision, scale: i32::try_from(scale.unwrap_or(0)).ok()? })
}

/// A value of a type that generic code knows nothing of.
fn example(base: &str) -> Option<&'static str> {
    if base.starts_with("interval ") {
        return Some("1 hour");
    }
    Some(match base.rsplit('.').next().unwrap_or(base).trim_matches('"') {
        "jsonpath" => "$.a",
        "macaddr8" => "08:00:2b:01:02:03:04:05",
        "bit" | "bit varying" => "1",
        "point" => "(1,2)",
        "box" | "lseg" => "(1,2),(3,4)",
        "path" | "polygon" => "((1,2),(3,4),(5,0))",
        "circle" => "<(1,2),3>",
        "line" => "{1,2,3}",
        "tsquery" | "tsvector" => "word",
        "int4range" | "int8range" | "numrange" => "[1,5)",
        "int4multirange" | "int8multirange" | "nummultirange" => "{[1,5)}",
        "daterange" | "tsrange" | "tstzrange" => "[2026-01-01,2026-02-01)",
        "datemultirange" | "tsmultirange" | "tstzmultirange" => "{[2026-01-01,2026-02-01)}",
        "money" => "1.00",
        "oid" | "regclass" | "xid" | "cid" => "0",
        "xml" => "<a/>",
        "hstore" => "a=>1",
        "ltree" => "a.b",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_understood() {
        let text = |form, longest| ColumnType::Text { form, longest };
        let decimal = |precision, scale| ColumnType::Decimal { digits: Some(Digits { precision, scale }) };
        let other = |name: &str, example| ColumnType::Other { name: name.to_owned(), example };
        for (name, expected) in [
            ("int8", ColumnType::Integer { bytes: 8 }),
            ("numeric", ColumnType::Decimal { digits: None }),
            ("numeric(5)", decimal(5, 0)),
            ("numeric(5,2)", decimal(5, 2)),
            ("numeric(2,-3)", decimal(2, -3)),
            ("character varying(40)", text(TextForm::Varying, Some(40))),
            ("character varying", text(TextForm::Varying, None)),
            ("bpchar", text(TextForm::Padded, None)),
            ("character(3)", text(TextForm::Padded, Some(3))),
            ("\"char\"", text(TextForm::OneByte, Some(1))),
            ("timestamp(3) with time zone", ColumnType::Timestamp { zone: true }),
            ("time(0) without time zone", ColumnType::Time { zone: false }),
            ("interval(3)", ColumnType::Interval),
            ("interval day to second(3)", other("interval day to second", Some("1 hour"))),
            ("bit(3)", other("bit", Some("1"))),
            ("\"Odd\".state", other("Odd.state", None)),
            ("ext.hstore", other("ext.hstore", Some("a=>1"))),
            ("ext.citext", other("ext.citext", None)),
        ] {
            assert_eq!(column_type(name), expected, "{name}");
            let array = ColumnType::Array(Box::new(expected));
            assert_eq!(column_type(&format!("{name}[]")), array, "{name}[]");
        }
    }
}
