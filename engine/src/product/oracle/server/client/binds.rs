//! Values of parameters, as the types behind them are bound.

use drydock_oracle_protocol::{Bind, BindType};

use crate::model::query::QueryShape;
use crate::product::oracle::queries::words::{Word, words};

/// The names of the placeholders, in the order in which they first stand in the text.
pub fn names(sql: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for word in words(sql) {
        if let Word::Name(name) = word
            && let Some(name) = name.strip_prefix(':')
            && !names.iter().any(|known| known.eq_ignore_ascii_case(name))
        {
            names.push(name.to_owned());
        }
    }
    names
}

fn number(name: &str) -> Option<usize> {
    name.parse().ok().filter(|n| *n > 0)
}

/// The types of parameters of which nothing is known.
pub fn texts(sql: &str) -> Vec<String> {
    let count = names(sql).iter().filter_map(|name| number(name)).max().unwrap_or(0);
    vec!["VARCHAR2(4000)".to_owned(); count]
}

/// `values` are by the parameters' numbers.
pub fn binds(sql: &str, shape: &QueryShape, values: &[Option<String>]) -> Vec<Bind> {
    let bind = |name: String| {
        let at = number(&name).map(|n| n - 1);
        let kind = at.and_then(|at| shape.parameters.get(at)).map_or(BindType::Text, |text| bind_type(text));
        let value = at.and_then(|at| values.get(at)).cloned().flatten();
        Bind { bind_type: kind, value }
    };
    names(sql).into_iter().map(bind).collect()
}

/// How a value of a type is bound. What has no form of its own goes as text, which the server converts.
pub fn bind_type(sql_type: &str) -> BindType {
    let name = sql_type.split(['(', ' ']).next().unwrap_or_default();
    match name {
        "NUMBER" | "FLOAT" => BindType::Number,
        "BINARY_DOUBLE" | "BINARY_FLOAT" => BindType::Double,
        "DATE" => BindType::Date,
        "TIMESTAMP" if sql_type.ends_with("TIME ZONE") => BindType::TimestampTz,
        "TIMESTAMP" => BindType::Timestamp,
        "RAW" | "LONG RAW" => BindType::Raw,
        "BLOB" => BindType::Blob,
        "CLOB" | "NCLOB" => BindType::Clob,
        "BOOLEAN" => BindType::Boolean,
        _ => BindType::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_to_the_names_in_the_order_of_the_text() {
        let shape = QueryShape {
            parameters: vec!["NUMBER(10)".into(), "VARCHAR2(40)".into(), "DATE".into()],
            columns: Vec::new(),
        };
        let values = [Some("7".to_owned()), None, Some("2026-01-01 00:00:00".to_owned())];
        let sql = "select ':9', q'[:8]' from t -- :7\n where d > :3 and a = :1 and b = :2 and e < :3";
        assert_eq!(names(sql), ["3", "1", "2"]);
        assert_eq!(
            binds(sql, &shape, &values),
            [
                Bind::new(BindType::Date, "2026-01-01 00:00:00"),
                Bind::new(BindType::Number, "7"),
                Bind::null(BindType::Text)
            ]
        );
        assert_eq!(texts(sql).len(), 3);
    }

    #[test]
    fn types_have_a_form() {
        for (text, expected) in [
            ("NUMBER(10,2)", BindType::Number),
            ("VARCHAR2(40 CHAR)", BindType::Text),
            ("TIMESTAMP(6)", BindType::Timestamp),
            ("TIMESTAMP(6) WITH LOCAL TIME ZONE", BindType::TimestampTz),
            ("INTERVAL DAY(2) TO SECOND(6)", BindType::Text),
            ("JSON", BindType::Text),
            ("computed", BindType::Text),
        ] {
            assert_eq!(bind_type(text), expected, "{text}");
        }
    }
}
