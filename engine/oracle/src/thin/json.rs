//! Values of the type JSON, as text: the driver gives them as a tree.

use oracledb::JsonValue;

pub fn text(value: &JsonValue) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match value {
        JsonValue::Null => "null".into(),
        JsonValue::Boolean(yes) => yes.to_string(),
        JsonValue::Number(number) => number.to_string(),
        JsonValue::BinaryDouble(number) => serde_json::Value::from(*number).to_string(),
        JsonValue::BinaryFloat(number) => serde_json::Value::from(*number).to_string(),
        JsonValue::String(text) => quoted(text),
        JsonValue::Timestamp(moment) => quoted(&moment.to_string()),
        JsonValue::IntervalDS(interval) => quoted(&interval.to_string()),
        JsonValue::IntervalYM(interval) => quoted(&interval.to_string()),
        JsonValue::Raw(bytes) | JsonValue::JsonId(bytes) => quoted(&hex::encode_upper(bytes)),
        JsonValue::Vector(_) => "null".into(),
        JsonValue::JsonArray(values) => {
            format!("[{}]", values.iter().map(text).collect::<Vec<_>>().join(","))
        }
        // In the order of the names: the driver has lost that of the text.
        JsonValue::JsonObject(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            let each = fields.into_iter().map(|(name, value)| format!("{}:{}", quoted(name), text(value)));
            format!("{{{}}}", each.collect::<Vec<_>>().join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_tree_is_written_as_json() {
        let number = |text: &str| JsonValue::Number(text.parse().unwrap_or_default());
        let array = JsonValue::JsonArray(vec![number("12345678901234567890.5"), JsonValue::Null]);
        let text_value = JsonValue::String("a \"b\"\n".into());
        let tree = JsonValue::JsonObject(HashMap::from([("b".into(), array), ("a".into(), text_value)]));
        assert_eq!(text(&tree), r#"{"a":"a \"b\"\n","b":[12345678901234567890.5,null]}"#);
    }
}
