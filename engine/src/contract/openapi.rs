//! API fields that show a column: `x-column: table.column` anywhere in an OpenAPI document, YAML or JSON.

use std::path::Path;

use serde_yaml_ng::Value;

use super::ApiField;
use crate::error::{Error, Result};

/// Reads the fields of an OpenAPI document (3.0 or 3.1).
///
/// # Errors
/// `Input` with file and line when it does not parse or an `x-column` names no column.
pub fn parse(text: &str, file: &Path) -> Result<Vec<ApiField>> {
    // JSON is YAML.
    let document: Value = serde_yaml_ng::from_str(text).map_err(|e| {
        let place = e.location().map(|l| format!(":{}:{}", l.line(), l.column())).unwrap_or_default();
        Error::input(format!("{}{place}: {e}", file.display()))
            .hint("it is to be an OpenAPI document in YAML or JSON")
    })?;
    let mut found = Found { fields: Vec::new(), places: places(text), file };
    found.walk(&document, "")?;
    Ok(found.fields)
}

/// Lines on which `x-column` stands, with what it names, in order.
fn places(text: &str) -> Vec<(u64, String)> {
    (1..)
        .zip(text.lines())
        .filter_map(|(number, line)| {
            let (_, value) = line.split_once("x-column")?;
            let value = value.trim_start_matches(['"', '\'', ':', ' ']);
            let name: String =
                value.chars().take_while(|c| c.is_alphanumeric() || "._".contains(*c)).collect();
            Some((number, name))
        })
        .collect()
}

struct Found<'a> {
    fields: Vec<ApiField>,
    places: Vec<(u64, String)>,
    file: &'a Path,
}

impl Found<'_> {
    fn walk(&mut self, value: &Value, name: &str) -> Result<()> {
        match value {
            Value::Mapping(map) => {
                if let Some(target) = map.get("x-column") {
                    let target = target.as_str().unwrap_or_default().to_owned();
                    self.field(value, name, &target)?;
                }
                for (key, inner) in map {
                    let key = key.as_str().unwrap_or_default();
                    // Names of the format itself say nothing of the field.
                    let plain = matches!(
                        key,
                        "components"
                            | "schemas"
                            | "properties"
                            | "items"
                            | "allOf"
                            | "oneOf"
                            | "anyOf"
                            | "schema"
                            | "content"
                            | "application/json"
                            | "responses"
                            | "paths"
                            | "parameters"
                            | "requestBody"
                    );
                    let inner_name = match (plain, name.is_empty()) {
                        (true, _) => name.to_owned(),
                        (false, true) => key.to_owned(),
                        (false, false) => format!("{name}.{key}"),
                    };
                    self.walk(inner, &inner_name)?;
                }
            }
            Value::Sequence(items) => {
                for item in items {
                    let own = item.get("name").and_then(Value::as_str);
                    let inner = own.map_or_else(|| name.to_owned(), |own| format!("{name}.{own}"));
                    self.walk(item, &inner)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn field(&mut self, value: &Value, name: &str, target: &str) -> Result<()> {
        let at = self.places.iter().position(|(_, n)| n == target);
        let line = at.map_or(1, |i| self.places.remove(i).0);
        let Some((table, column)) = target.rsplit_once('.').filter(|(t, c)| !t.is_empty() && !c.is_empty())
        else {
            return Err(Error::input(format!(
                "{}:{line}: x-column \"{target}\" names no table.column",
                self.file.display()
            ))
            .hint("write x-column: shipments.status"));
        };
        // A parameter carries its type in `schema`.
        let schema = value.get("schema").unwrap_or(value);
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Sequence(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let nullable =
            types.contains(&"null") || schema.get("nullable").and_then(Value::as_bool) == Some(true);
        self.fields.push(ApiField {
            field: name.to_owned(),
            table: table.to_owned(),
            column: column.to_owned(),
            json_type: types.iter().find(|t| **t != "null").map(|t| (*t).to_owned()),
            format: schema.get("format").and_then(Value::as_str).map(str::to_owned),
            nullable,
            max_length: schema.get("maxLength").and_then(Value::as_u64),
            labels: schema
                .get("enum")
                .and_then(Value::as_sequence)
                .map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
            file: self.file.to_path_buf(),
            line,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn fields_are_found_with_their_place() {
        let text = "openapi: 3.1.0\ncomponents:\n  schemas:\n    Shipment:\n      properties:\n        status:\n          type: [string, 'null']\n          enum: [created, done]\n          x-column: shipments.status\n        to:\n          properties:\n            city: {type: string, maxLength: 9, x-column: public.addresses.city}\n";
        let fields = parse(text, Path::new("api.yaml")).unwrap();
        assert_eq!(fields.len(), 2);
        assert_eq!(
            (fields[0].field.as_str(), fields[0].line, fields[0].nullable),
            ("Shipment.status", 9, true)
        );
        assert_eq!(fields[0].labels, ["created", "done"]);
        assert_eq!(
            (fields[1].field.as_str(), fields[1].table.as_str(), fields[1].max_length),
            ("Shipment.to.city", "public.addresses", Some(9))
        );
        assert!(
            parse("a: {x-column: nope}", Path::new("api.yaml"))
                .unwrap_err()
                .to_string()
                .contains("api.yaml:1")
        );
    }
}
