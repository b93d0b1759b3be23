//! API fields that show a column: `x-column: table.column` anywhere in an OpenAPI document, YAML or JSON. With `x-query` it is
//! a column of that query's result, of the field's own name where none is given.

use std::collections::BTreeMap;
use std::path::Path;

use serde_yaml_ng::Value;

use crate::contract::ApiField;
use crate::contract::data_direction::{Way, ways};
use crate::contract::load::without_place;
use crate::error::{Error, Result};
use crate::model::query_syntax::QuerySyntax;

/// Deeper than this no document means it.
const DEPTH: u32 = 64;

const COLUMN: &str = "x-column";
const QUERY: &str = "x-query";

/// Reads the fields of an OpenAPI document (3.0 or 3.1).
///
/// # Errors
/// `Input` with file and line when it does not parse or an `x-column` names no column.
pub fn parse(text: &str, file: &Path, syntax: &QuerySyntax) -> Result<Vec<ApiField>> {
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
    let ways = ways(&document);
    let mut found = Found { fields: Vec::new(), places: places(text), document: &document, ways, file };
    found.walk(&document, &Name::default(), Keys::Words, DEPTH)?;
    for field in &mut found.fields {
        field.table = syntax.catalog_name(&field.table);
        field.column = syntax.catalog_name(&field.column);
    }
    Ok(found.fields)
}

/// Where an `x-column` or `x-query` stands and what it names.
struct Place {
    key: &'static str,
    line: u64,
    target: String,
    used: bool,
}

/// All of them, each kind in the order of the text, which is the document's.
fn places(text: &str) -> Vec<Place> {
    let mut all = Vec::new();
    for key in [COLUMN, QUERY] {
        for (line, whole) in (1..).zip(text.lines()) {
            for (at, _) in whole.match_indices(key) {
                let head = whole.get(..at).unwrap_or_default();
                if head.trim_start().starts_with('#') || head.contains(" #") {
                    break;
                }
                let tail = whole.get(at + key.len()..).unwrap_or_default();
                let value = tail.trim_start_matches(['"', '\'']).trim_start();
                let Some(value) = value.strip_prefix(':') else { continue };
                let value = value.trim_start().trim_start_matches(['"', '\'']);
                let target =
                    value.chars().take_while(|c| !c.is_whitespace() && !"\"',}#".contains(*c)).collect();
                all.push(Place { key, line, target, used: false });
            }
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
    way: Way,
    /// The properties next to this one that must be given.
    required: Vec<String>,
    optional: bool,
}

impl Name {
    fn step(&self, word: &str) -> Self {
        let operation =
            if self.operation.is_empty() { word.to_owned() } else { format!("{} {word}", self.operation) };
        Self { operation, way: self.way, ..Self::default() }
    }
    fn property(&self, word: &str) -> Self {
        let schema = if self.schema.is_empty() { word.to_owned() } else { format!("{}.{word}", self.schema) };
        let optional = !self.required.iter().any(|r| r == word);
        Self { operation: self.operation.clone(), schema, way: self.way, required: Vec::new(), optional }
    }
    fn text(&self) -> String {
        format!("{} {}", self.operation, self.schema).trim().to_owned()
    }
}

struct Found<'a> {
    fields: Vec<ApiField>,
    places: Vec<Place>,
    document: &'a Value,
    /// By the name of a schema: how it is used.
    ways: BTreeMap<String, Way>,
    file: &'a Path,
}

impl Found<'_> {
    fn walk(&mut self, value: &Value, name: &Name, keys: Keys, depth: u32) -> Result<()> {
        let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
        match value {
            Value::Mapping(map) => {
                if keys == Keys::Words && (map.contains_key(COLUMN) || map.contains_key(QUERY)) {
                    self.field(value, name)?;
                }
                let required = || {
                    let list = value.get("required").and_then(Value::as_sequence).into_iter().flatten();
                    list.filter_map(Value::as_str).map(str::to_owned).collect()
                };
                for (key, inner) in map {
                    // Status codes may be numbers.
                    let number = key.as_u64().map(|n| n.to_string());
                    let key = key.as_str().or(number.as_deref()).unwrap_or_default();
                    let (name, keys) = match keys {
                        Keys::Words => match word(key, name) {
                            Some((next, Keys::Properties)) => {
                                (Name { required: required(), ..next }, Keys::Properties)
                            }
                            Some(next) => next,
                            None => continue,
                        },
                        Keys::Names => {
                            let way = self.ways.get(key).copied().unwrap_or_default();
                            (Name { schema: key.to_owned(), way, ..Name::default() }, Keys::Words)
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

    fn field(&mut self, value: &Value, name: &Name) -> Result<()> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let (table, column, query, line) = if let Some(query) = value.get(QUERY) {
            let query = query.as_str().unwrap_or_default();
            let line = self.line(QUERY, query);
            let own = || name.schema.rsplit('.').next().map(str::to_owned);
            let written = text(COLUMN);
            if let Some(column) = &written {
                self.line(COLUMN, column);
            }
            let column = written.or_else(own).filter(|c| !c.is_empty() && !query.is_empty());
            let Some(column) = column else {
                return Err(Error::input(format!(
                    "{}:{line}: x-query names no query, or no column of it",
                    self.file.display()
                ))
                .hint("write x-query: NameOfQuery, and x-column: result_column where the field has another name"));
            };
            (String::new(), column, Some(query.to_owned()), line)
        } else {
            let target = text(COLUMN).unwrap_or_default();
            let line = self.line(COLUMN, &target);
            let parts = target.rsplit_once('.').filter(|(t, c)| !t.is_empty() && !c.is_empty());
            let Some((table, column)) = parts else {
                let written =
                    if target.is_empty() { COLUMN.to_owned() } else { format!("{COLUMN} \"{target}\"") };
                return Err(Error::input(format!(
                    "{}:{line}: {written} names no table.column",
                    self.file.display()
                ))
                .hint("write x-column: shipments.status"));
            };
            (table.to_owned(), column.to_owned(), None, line)
        };
        // A parameter or header carries its type in `schema`.
        let schema = value.get("schema").unwrap_or(value);
        let mut facts = Facts::default();
        facts.gather(schema, self.document, 8);
        let is = |key: &str| schema.get(key).and_then(Value::as_bool) == Some(true);
        let request = name.way.request && !is("readOnly");
        // What nobody refers to is shown, as far as we know.
        let response = (name.way.response || name.way == Way::default()) && !is("writeOnly");
        self.fields.push(ApiField {
            field: name.text(),
            table,
            column,
            query,
            json_type: facts.json_type,
            format: facts.format,
            nullable: facts.nullable,
            max_length: facts.max_length,
            maximum: facts.maximum,
            labels: facts.labels,
            response,
            request,
            parameter: name.way.parameter,
            optional: request && name.way.whole && name.optional && schema.get("default").is_none(),
            file: self.file.to_path_buf(),
            line,
        });
        Ok(())
    }

    /// An alias repeats what stands elsewhere: then its line is that of the original.
    fn line(&mut self, key: &str, target: &str) -> u64 {
        let meant = |p: &Place| p.key == key && p.target == target;
        let unused = self.places.iter().position(|p| !p.used && meant(p));
        let at = unused.or_else(|| self.places.iter().rposition(meant));
        let Some(place) = at.and_then(|at| self.places.get_mut(at)) else { return 1 };
        place.used = true;
        place.line
    }
}

/// What a word of the format means for the name of what lies below it. `None`: nothing below it is a schema.
fn word(key: &str, name: &Name) -> Option<(Name, Keys)> {
    let name = &Name { way: name.way.below(key), ..name.clone() };
    Some(match key {
        "example" | "examples" | "default" | "enum" | "const" | "required" | "mapping" => return None,
        _ if key.starts_with("x-") => return None,
        "schemas" | "definitions" | "$defs" => (name.clone(), Keys::Names),
        "properties" | "patternProperties" | "headers" => (name.clone(), Keys::Properties),
        "paths" | "webhooks" | "pathItems" => (Name { way: name.way, ..Name::default() }, Keys::Paths),
        "responses" | "callbacks" | "requestBodies" => (name.clone(), Keys::Codes),
        "content" => (name.clone(), Keys::Ignored),
        // `parameters` is a list in an operation and has names in `components`.
        "parameters" => (name.clone(), Keys::Properties),
        "get" | "put" | "post" | "delete" | "options" | "head" | "patch" | "trace" => {
            let operation = format!("{} {}", key.to_ascii_uppercase(), name.operation);
            (Name { operation: operation.trim().to_owned(), way: name.way, ..Name::default() }, Keys::Words)
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
    maximum: Option<f64>,
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
        let number = |key: &str| schema.get(key).and_then(Value::as_f64);
        self.maximum = self.maximum.or_else(|| number("maximum")).or_else(|| number("exclusiveMaximum"));
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
pub(super) fn resolve<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    reference
        .strip_prefix("#/")?
        .split('/')
        .try_fold(document, |value, step| value.get(step.replace("~1", "/").replace("~0", "~").as_str()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::contract::test_syntax;

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
        let fields = parse(DOCUMENT, Path::new("api.yaml"), test_syntax()).unwrap();
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
    fn a_field_may_show_what_a_query_gives() {
        let text = "
paths:
  /a: {get: {responses: {200: {content: {j: {schema: {$ref: '#/components/schemas/Line'}}}}}}}
components:
  schemas:
    Line:
      required: [sku]
      properties:
        # x-query: Nothing
        sku: {type: string, x-query: Lines}
        at: {type: string, format: date-time, maximum: 3, x-query: Lines, x-column: placed_on}
    New: {required: [a], properties: {a: {x-column: t.a, readOnly: true}, b: {x-column: t.b, writeOnly: true}}}
";
        let fields = parse(text, Path::new("api.yaml"), test_syntax()).unwrap();
        let found: Vec<_> = fields
            .iter()
            .map(|f| (f.query.as_deref().unwrap_or_default(), f.column.as_str(), f.line, f.response))
            .collect();
        let expected = [
            ("Lines", "sku", 10, true),
            ("Lines", "placed_on", 11, true),
            ("", "a", 12, true),
            ("", "b", 12, false),
        ];
        assert_eq!(found, expected);
        let [_, at, ..] = fields.as_slice() else { panic!("{fields:?}") };
        assert!(at.is_fed_by("Lines") && at.is_fed_by("Lines[order=name]") && !at.is_fed_by("LinesOf"));
        assert_eq!(at.maximum, Some(3.0));
    }

    #[test]
    fn json_on_one_line() {
        let text = r#"{"components":{"schemas":{"S":{"properties":{"a":{"x-column":"t.a"},"b":{"x-column" : "t.b"}}}}}}"#;
        let fields = parse(text, Path::new("api.json"), test_syntax()).unwrap();
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
            ("a: {b: {x-query: Q}}", "api.yaml:1: x-query names no query, or no column of it"),
            ("a: [", "api.yaml:"),
            ("", "api.yaml:1: this is no OpenAPI document"),
        ] {
            let error = parse(text, Path::new("api.yaml"), test_syntax()).unwrap_err();
            assert!(error.to_string().starts_with(expected) && error.hint_text().is_some(), "{error}");
        }
    }
}
