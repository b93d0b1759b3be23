//! Values in the text form that the server's input functions read.

use crate::model::hex;
use crate::model::value::Value;

pub fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Timestamp(at) => at.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Interval(span) => format!("{} seconds", span.as_secs()),
        Value::Bytes(bytes) => format!("\\x{}", hex(bytes)),
        Value::Array(values) => array(values),
    }
}

/// Every element is quoted (<https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>).
fn array(values: &[Value]) -> String {
    let quoted = |value: &Value| match value {
        Value::Array(inner) => array(inner),
        value => format!("\"{}\"", text(value).replace('\\', "\\\\").replace('"', "\\\"")),
    };
    format!("{{{}}}", values.iter().map(quoted).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use jiff::civil::{date, time};

    use super::*;

    fn word(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn arrays_take_any_text() {
        assert_eq!(text(&Value::Array(vec![word("a\"b"), word("c\\d")])), r#"{"a\"b","c\\d"}"#);
        let nested = Value::Array(vec![Value::Array(vec![word("1")]), Value::Array(vec![word("2")])]);
        assert_eq!(text(&nested), r#"{{"1"},{"2"}}"#);
        assert_eq!(text(&Value::Array(vec![Value::Bytes(vec![0, 255])])), r#"{"\\x00ff"}"#);
    }

    #[test]
    fn values_are_written_as_the_server_reads_them() {
        let moment = jiff::Timestamp::from_second(1_700_000_000).unwrap_or_default();
        for (value, expected) in [
            (Value::Boolean(true), "true"),
            (Value::Timestamp(moment), "2023-11-14T22:13:20Z"),
            (Value::Date(date(2024, 2, 29)), "2024-02-29"),
            (Value::Time(time(7, 5, 0, 0)), "07:05:00"),
            (Value::Interval(SignedDuration::from_hours(1)), "3600 seconds"),
            (Value::Bytes(vec![0, 255]), "\\x00ff"),
            (word("as it is"), "as it is"),
        ] {
            assert_eq!(text(&value), expected);
        }
    }
}
