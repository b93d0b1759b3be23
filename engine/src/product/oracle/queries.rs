//! What queries read, write, take and give, from the reader's facts and the catalog: no server is asked.

mod results;
mod shape;
mod usage;
pub mod words;

pub use results::{facts, unread_result};
pub use shape::describe;
pub use usage::usage;

use crate::model::hex;
use crate::model::value::Value;

/// A value in the text form that sessions of ours read and give, whatever the server's settings.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Boolean(truth) => truth.to_string().to_uppercase(),
        Value::Timestamp(at) => at.strftime("%Y-%m-%d %H:%M:%S.%6f +00:00").to_string(),
        Value::Date(date) => format!("{date} 00:00:00"),
        Value::Time(time) => time.to_string(),
        Value::Interval(span) => {
            let seconds = span.as_secs();
            let (days, rest) = (seconds / 86_400, seconds % 86_400);
            format!("{days} {:02}:{:02}:{:02}", rest / 3_600, rest % 3_600 / 60, rest % 60)
        }
        Value::Bytes(bytes) => hex(bytes),
        Value::Array(values) => values.iter().map(value_text).collect::<Vec<_>>().join(","),
    }
}
