//! Which way the values of an OpenAPI document go: what is in a response is shown, what is in a request is taken.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;

/// Deeper than this no document means it.
const DEPTH: u32 = 64;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Way {
    pub request: bool,
    /// By a request that gives all of it; PATCH gives what changes.
    pub whole: bool,
    pub response: bool,
    pub parameter: bool,
    part: bool,
    /// Below a callback or webhook we ask and others answer.
    outward: bool,
}

impl Way {
    /// What a word of the format means for what is below it.
    pub fn below(self, key: &str) -> Self {
        match key {
            "patch" => Self { part: true, ..self },
            "get" | "put" | "post" | "delete" => Self { part: false, ..self },
            "callbacks" | "webhooks" => Self { outward: true, ..self },
            "requestBody" | "requestBodies" => self.taken(!self.outward),
            "responses" => self.taken(self.outward),
            "parameters" if !self.outward => {
                Self { parameter: true, request: false, response: false, ..self }
            }
            _ => self,
        }
    }

    fn taken(self, request: bool) -> Self {
        Self { request, whole: request && !self.part, response: !request, parameter: false, ..self }
    }

    fn and(self, other: Self) -> Self {
        Self {
            request: self.request || other.request,
            whole: self.whole || other.whole,
            response: self.response || other.response,
            parameter: self.parameter || other.parameter,
            part: false,
            outward: false,
        }
    }
}

/// By the name of each schema: the ways of all that refer to it.
pub fn ways(document: &Value) -> BTreeMap<String, Way> {
    let mut found = BTreeMap::new();
    for key in ["paths", "webhooks"] {
        if let Some(value) = document.get(key) {
            follow(value, Way::default().below(key), document, &mut found, DEPTH);
        }
    }
    let named = |(reference, way): (String, Way)| {
        let (home, name) = reference.rsplit_once('/')?;
        let schemas = ["schemas", "definitions", "$defs"].iter().any(|s| home.ends_with(s));
        schemas.then(|| (name.to_owned(), way))
    };
    found.into_iter().filter_map(named).collect()
}

fn follow(value: &Value, way: Way, document: &Value, found: &mut BTreeMap<String, Way>, depth: u32) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Mapping(map) => {
            for (key, inner) in map {
                let key = key.as_str().unwrap_or_default();
                if let (true, Some(reference)) = (key == "$ref", inner.as_str()) {
                    let known = found.get(reference).copied();
                    let all = known.unwrap_or_default().and(way);
                    // What is known of it is known of all below it.
                    if known != Some(all) {
                        found.insert(reference.to_owned(), all);
                        if let Some(target) = crate::contract::openapi::resolve(document, reference) {
                            follow(target, way, document, found, depth);
                        }
                    }
                } else if key == "properties" {
                    for (_, property) in inner.as_mapping().into_iter().flatten() {
                        follow(property, way, document, found, depth);
                    }
                } else if !matches!(key, "example" | "examples" | "default" | "enum" | "const") {
                    follow(inner, way.below(key), document, found, depth);
                }
            }
        }
        Value::Sequence(items) => {
            items.iter().for_each(|item| follow(item, way, document, found, depth));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_schema_goes_the_ways_of_those_that_refer_to_it() {
        let text = "
paths:
  /a:
    parameters: [{schema: {$ref: '#/components/schemas/Key'}}]
    get: {responses: {200: {$ref: '#/components/responses/Found'}}}
    post:
      requestBody: {content: {j: {schema: {allOf: [{$ref: '#/components/schemas/New'}]}}}}
      callbacks: {done: {u: {post: {requestBody: {content: {j: {schema: {$ref: '#/components/schemas/Told'}}}}}}}}
    patch: {requestBody: {content: {j: {schema: {$ref: '#/components/schemas/Part'}}}}}
components:
  responses: {Found: {content: {j: {schema: {$ref: '#/components/schemas/Shown'}}}}}
  schemas:
    Shown: {properties: {requestBody: {$ref: '#/components/schemas/Both'}}}
    New: {properties: {b: {$ref: '#/components/schemas/Both'}, again: {$ref: '#/components/schemas/New'}}}
    Alone: {}
";
        let ways = ways(&serde_yaml_ng::from_str(text).unwrap());
        let found: Vec<_> = ways
            .iter()
            .map(|(name, w)| (name.as_str(), [w.request, w.whole, w.response, w.parameter]))
            .collect();
        let expected = [
            ("Both", [true, true, true, false]),
            ("Key", [false, false, false, true]),
            ("New", [true, true, false, false]),
            ("Part", [true, false, false, false]),
            ("Shown", [false, false, true, false]),
            ("Told", [false, false, true, false]),
        ];
        assert_eq!(found, expected);
    }
}
