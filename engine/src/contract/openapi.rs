//! API fields that show a column: `x-column: table.column` anywhere in an OpenAPI document, YAML or JSON.

use std::path::Path;

use serde_yaml_ng::Value;

use super::ApiField;
use super::load::without_place;
use crate::error::{Error, Result};

/// Deeper than this no document means it.
const DEPTH: u32 = 64;

/// Reads the fields of an OpenAPI document (3.0 or 3.1).
///
/// # Errors
/// `Input` with file and line when it does not parse or an `x-column` names no column.
pub fn parse(text: &str, file: &Path) -> Result<Vec<ApiField>> {
    // JSON is YAML.
    let mut document: Value = serde_yaml_ng::from_str(text).map_err(|e| {
        let (line, column) = e.location().map_or((1, 1), |l| (l.line(), l.column()));
        Error::input(format!("{}:{line}:{column}: {}", file.display(), without_place(&e.to_string())))
            .hint("it is to be an OpenAPI document in YAML or JSON")
    })?;
    if !document.is_mapping() {
        return Err(Error::input(format!("{}:1: this is no OpenAPI document", file.display()))
            .hint("it is to be an OpenAPI document in YAML or JSON"));
    }
    // A `<<` that cannot be merged hides nothing that is written out.
    let _ = document.apply_merge();
    let mut found = Found { fields: Vec::new(), places: places(text), document: &document, file };
    found.walk(&document, &Name::default(), Keys::Words, DEPTH)?;
    Ok(found.fields)
}

/// Where an `x-column` stands and what it names.
struct Place {
    line: u64,
    target: String,
    used: bool,
}

/// All of them in the order of the text, which is the document's.
fn places(text: &str) -> Vec<Place> {
    let mut all = Vec::new();
    for (line, whole) in (1..).zip(text.lines()) {
        for (at, key) in whole.match_indices("x-column") {
            let head = whole.get(..at).unwrap_or_default();
            if head.trim_start().starts_with('#') || head.contains(" #") {
                break;
            }
            let tail = whole.get(at + key.len()..).unwrap_or_default();
            let value = tail.trim_start_matches(['"', '\'']).trim_start();
            let Some(value) = value.strip_prefix(':') else { continue };
            let value = value.trim_start().trim_start_matches(['"', '\'']);
            let target = value.chars().take_while(|c| !c.is_whitespace() && !"\"',}#".contains(*c)).collect();
            all.push(Place { line, target, used: false });
        }
    }
    all
}

/// What the keys of a mapping are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// Words of the format.
    Words,
    /// Names of schemas, headers and the like: a name begins anew.
    Names,
    /// Names of properties: a step further into the schema.
    Properties,
    Paths,
    /// Status codes and callbacks: a step further into the operation.
    Codes,
    /// Media types, which name nothing.
    Ignored,
}

/// `GET /shipments/{id} 200` and `Shipment.status`.
#[derive(Clone, Default)]
struct Name {
    operation: String,
    schema: String,
}

impl Name {
    fn step(&self, word: &str) -> Self {
        let operation =
            if self.operation.is_empty() { word.to_owned() } else { format!("{} {word}", self.operation) };
        Self { operation, schema: String::new() }
    }
    fn property(&self, word: &str) -> Self {
        let schema = if self.schema.is_empty() { word.to_owned() } else { format!("{}.{word}", self.schema) };
        Self { operation: self.operation.clone(), schema }
    }
    fn text(&self) -> String {
        format!("{} {}", self.operation, self.schema).trim().to_owned()
    }
}

struct Found<'a> {
    fields: Vec<ApiField>,
    places: Vec<Place>,
    document: &'a Value,
    file: &'a Path,
}

impl Found<'_> {
    fn walk(&mut self, value: &Value, name: &Name, keys: Keys, depth: u32) -> Result<()> {
        let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
        match value {
            Value::Mapping(map) => {
                if keys == Keys::Words
                    && let Some(target) = map.get("x-column")
                {
                    self.field(value, name, target)?;
                }
                for (key, inner) in map {
                    // Status codes may be numbers.
                    let number = key.as_u64().map(|n| n.to_string());
                    let key = key.as_str().or(number.as_deref()).unwrap_or_default();
                    let (name, keys) = match keys {
                        Keys::Words => match word(key, name) {
                            Some(next) => next,
                            None => continue,
                        },
                        Keys::Names => {
                            (Name { operation: String::new(), schema: key.to_owned() }, Keys::Words)
                        }
                        Keys::Properties => (name.property(key), Keys::Words),
                        Keys::Paths | Keys::Codes => (name.step(key), Keys::Words),
                        Keys::Ignored => (name.clone(), Keys::Words),
                    };
                    self.walk(inner, &name, keys, depth)?;
                }
            }
            Value::Sequence(items) => {
                for item in items {
                    // A parameter says its name itself.
                    let own = item.get("in").and(item.get("name")).and_then(Value::as_str);
                    let name = own.map_or_else(|| name.clone(), |own| name.property(own));
                    self.walk(item, &name, Keys::Words, depth)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn field(&mut self, value: &Value, name: &Name, target: &Value) -> Result<()> {
        let target = target.as_str().unwrap_or_default();
        let line = self.line(target);
        let Some((table, column)) = target.rsplit_once('.').filter(|(t, c)| !t.is_empty() && !c.is_empty())
        else {
            let written =
                if target.is_empty() { "x-column".to_owned() } else { format!("x-column \"{target}\"") };
            return Err(Error::input(format!(
                "{}:{line}: {written} names no table.column",
                self.file.display()
            ))
            .hint("write x-column: shipments.status"));
        };
        // A parameter or header carries its type in `schema`.
        let mut facts = Facts::default();
        facts.gather(value.get("schema").unwrap_or(value), self.document, 8);
        self.fields.push(ApiField {
            field: name.text(),
            table: table.to_owned(),
            column: column.to_owned(),
            json_type: facts.json_type,
            format: facts.format,
            nullable: facts.nullable,
            max_length: facts.max_length,
            labels: facts.labels,
            file: self.file.to_path_buf(),
            line,
        });
        Ok(())
    }

    /// An alias repeats what stands elsewhere: then its line is that of the original.
    fn line(&mut self, target: &str) -> u64 {
        let unused = self.places.iter().position(|p| !p.used && p.target == target);
        let at = unused.or_else(|| self.places.iter().rposition(|p| p.target == target));
        let Some(place) = at.and_then(|at| self.places.get_mut(at)) else { return 1 };
        place.used = true;
        place.line
    }
}

/// What a word of the format means for the name of what lies below it. `None`: nothing below it is a schema.
fn word(key: &str, name: &Name) -> Option<(Name, Keys)> {
    Some(match key {
        "example" | "examples" | "default" | "enum" | "const" | "required" | "mapping" => return None,
        _ if key.starts_with("x-") => return None,
        "schemas" | "definitions" | "$defs" => (name.clone(), Keys::Names),
        "properties" | "patternProperties" | "headers" => (name.clone(), Keys::Properties),
        "paths" | "webhooks" | "pathItems" => (Name::default(), Keys::Paths),
        "responses" | "callbacks" | "requestBodies" => (name.clone(), Keys::Codes),
        "content" => (name.clone(), Keys::Ignored),
        // `parameters` is a list in an operation and has names in `components`.
        "parameters" => (name.clone(), Keys::Properties),
        "get" | "put" | "post" | "delete" | "options" | "head" | "patch" | "trace" => {
            let operation = format!("{} {}", key.to_ascii_uppercase(), name.operation);
            (Name { operation: operation.trim().to_owned(), schema: String::new() }, Keys::Words)
        }
        "requestBody" => (name.step("request"), Keys::Words),
        _ => (name.clone(), Keys::Words),
    })
}

/// What is known of a value; what stands nearest to it counts.
#[derive(Default)]
struct Facts {
    json_type: Option<String>,
    format: Option<String>,
    nullable: bool,
    max_length: Option<u64>,
    labels: Vec<String>,
}

impl Facts {
    fn gather(&mut self, schema: &Value, document: &Value, depth: u32) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Sequence(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let labels = schema.get("enum").and_then(Value::as_sequence).map(Vec::as_slice).unwrap_or_default();
        self.nullable |= types.contains(&"null")
            || labels.contains(&Value::Null)
            || schema.get("nullable").and_then(Value::as_bool) == Some(true);
        if self.json_type.is_none() {
            self.json_type = types.iter().find(|t| **t != "null").map(|t| (*t).to_owned());
        }
        if self.format.is_none() {
            self.format = schema.get("format").and_then(Value::as_str).map(str::to_owned);
        }
        self.max_length = self.max_length.or_else(|| schema.get("maxLength").and_then(Value::as_u64));
        if self.labels.is_empty() {
            self.labels = labels.iter().filter_map(label).collect();
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|r| resolve(document, r)) {
            self.gather(target, document, depth);
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            for member in schema.get(key).and_then(Value::as_sequence).into_iter().flatten() {
                self.gather(member, document, depth);
            }
        }
    }
}

fn label(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(word) => Some(word.to_string()),
        _ => None,
    }
}

/// `#/components/schemas/Status`; other documents are not read.
fn resolve<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    reference
        .strip_prefix("#/")?
        .split('/')
        .try_fold(document, |value, step| value.get(step.replace("~1", "/").replace("~0", "~").as_str()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const DOCUMENT: &str = "\
openapi: 3.1.0
paths:
  /shipments/{id}:
    parameters:
      - {name: id, in: path, schema: {type: string, format: uuid}, x-column: shipments.id}
    get:
      responses:
        200:
          headers:
            X-Rev: {schema: {type: integer}, x-column: shipments.rev}
          content:
            application/json:
              schema:
                allOf:
                  - $ref: '#/components/schemas/Shipment'
                  - properties:
                      items:
                        type: array
                        items: {properties: {x-column: {type: string, x-column: lines.sku}}} # x-column: no.no
    post:
      requestBody:
        content: {application/json: {schema: {properties: {status: {x-column: shipments.status}}}}}
components:
  schemas:
    Status: {type: [string, 'null'], maxLength: 12, enum: [created, done, null, 3]}
    Shipment:
      example: {x-column: no.example}
      properties:
        # x-column: shipments.status
        status:
          $ref: '#/components/schemas/Status'
          x-column: shipments.status
        to:
          properties:
            city: {type: string, nullable: true, x-column: \"public.addresses.city\"}
        weight:
          oneOf: [{type: number, format: double}, {type: 'null'}]
          x-column: shipments.weight
";

    #[test]
    fn fields_are_found_with_their_place() {
        let fields = parse(DOCUMENT, Path::new("api.yaml")).unwrap();
        let found: Vec<_> =
            fields.iter().map(|f| (f.field.as_str(), format!("{}.{}", f.table, f.column), f.line)).collect();
        let expected = [
            ("/shipments/{id} id", "shipments.id", 5),
            ("GET /shipments/{id} 200 X-Rev", "shipments.rev", 10),
            ("GET /shipments/{id} 200 items.x-column", "lines.sku", 19),
            ("POST /shipments/{id} request status", "shipments.status", 22),
            ("Shipment.status", "shipments.status", 32),
            ("Shipment.to.city", "public.addresses.city", 35),
            ("Shipment.weight", "shipments.weight", 38),
        ];
        assert_eq!(found, expected.map(|(f, c, l)| (f, c.to_owned(), l)));
        let status = &fields[4];
        assert_eq!(
            (status.json_type.as_deref(), status.nullable, status.max_length),
            (Some("string"), true, Some(12))
        );
        assert_eq!(status.labels, ["created", "done", "3"]);
        assert!(fields[5].nullable);
        assert_eq!(
            (fields[6].json_type.as_deref(), fields[6].format.as_deref(), fields[6].nullable),
            (Some("number"), Some("double"), true)
        );
        assert_eq!(
            (fields[0].json_type.as_deref(), fields[0].format.as_deref()),
            (Some("string"), Some("uuid"))
        );
    }

    #[test]
    fn json_on_one_line() {
        let text = r#"{"components":{"schemas":{"S":{"properties":{"a":{"x-column":"t.a"},"b":{"x-column" : "t.b"}}}}}}"#;
        let fields = parse(text, Path::new("api.json")).unwrap();
        assert_eq!(
            fields.iter().map(|f| (f.field.as_str(), f.line)).collect::<Vec<_>>(),
            [("S.a", 1), ("S.b", 1)]
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, expected) in [
            ("a:\n  {x-column: nope}", "api.yaml:2: x-column \"nope\" names no table.column"),
            ("a: {x-column: [a.b]}", "api.yaml:1: x-column names no table.column"),
            ("a: [", "api.yaml:"),
            ("", "api.yaml:1: this is no OpenAPI document"),
        ] {
            let error = parse(text, Path::new("api.yaml")).unwrap_err();
            assert!(error.to_string().starts_with(expected) && error.hint_text().is_some(), "{error}");
        }
    }
}
