//! Rows of an answer, and values of a dictionary as they stand in them.

use serde_json::Value as Json;

use super::super::answers::Outcome;
use super::super::column::{Column, Kind};
use super::super::value::Value;

/// Rows under the names of their columns; `#` before a name is a number, `~` a LONG.
pub struct Rows {
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    pub fn of(names: &str) -> Self {
        let column = |written: &str| {
            let (name, kind) = match (written.strip_prefix('#'), written.strip_prefix('~')) {
                (Some(name), _) => (name, Kind::Number(None)),
                (_, Some(name)) => (name, Kind::Long),
                _ => (written, Kind::Varchar2(4000)),
            };
            Column { name: name.to_owned(), kind, nullable: true }
        };
        Rows { columns: names.split_whitespace().map(column).collect(), rows: Vec::new() }
    }

    pub fn add(&mut self, values: Vec<Value>) {
        assert_eq!(values.len(), self.columns.len(), "{values:?}");
        self.rows.push(values);
    }

    pub fn done(self) -> Option<Outcome> {
        Some(Outcome::Rows { columns: self.columns, rows: self.rows })
    }
}

pub fn text(json: &Json) -> Value {
    json.as_str().map_or(Value::Null, Value::from)
}

pub fn number(json: &Json) -> Value {
    json.as_u64().map_or(Value::Null, Value::number)
}

pub fn if_so(json: &Json, yes: &str, no: &str) -> Value {
    if json.as_bool() == Some(true) { yes } else { no }.into()
}

/// The objects of one kind: schema, name, and what they are.
pub fn all<'j>(dictionary: &'j Json, kind: &str) -> impl Iterator<Item = (&'j str, &'j str, &'j Json)> {
    let objects = dictionary[kind].as_object().into_iter().flatten();
    objects.filter_map(|(name, object)| name.split_once('.').map(|(schema, bare)| (schema, bare, object)))
}

pub fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

pub fn pair(name: &str) -> (Value, Value) {
    let (schema, bare) = name.split_once('.').unwrap_or(("", name));
    (schema.into(), bare.into())
}
