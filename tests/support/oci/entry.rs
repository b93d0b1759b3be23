//! A resource that changes while somebody looks: after so many looks it is something else.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{Answer, Asked, fail, give};

#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub value: Value,
    version: u32,
    steps: VecDeque<(u32, Value)>,
    /// How many lists do not show it yet.
    pub hidden: u32,
}

impl Entry {
    pub(super) fn new(value: Value) -> Self {
        Self { value, version: 1, ..Self::default() }
    }

    /// After so many more looks, these fields change.
    pub(super) fn then(mut self, looks: u32, fields: Value) -> Self {
        self.steps.push_back((looks, fields));
        self
    }

    pub(super) fn plan(&mut self, steps: &[(u32, Value)]) {
        self.steps = steps.iter().cloned().collect();
    }

    pub(super) fn set(&mut self, fields: &Value) {
        for (name, value) in fields.as_object().unwrap() {
            self.value[name] = value.clone();
        }
        self.version += 1;
    }

    pub(super) fn text(&self, field: &str) -> &str {
        self.value[field].as_str().unwrap_or_default()
    }

    pub(super) fn is(&self, state: &str) -> bool {
        self.text("lifecycleState") == state
    }

    /// Somebody looks; whether it has changed.
    pub(super) fn look(&mut self) -> bool {
        let Some((left, _)) = self.steps.front_mut() else { return false };
        *left = left.saturating_sub(1);
        if *left > 0 {
            return false;
        }
        let (_, fields) = self.steps.pop_front().unwrap();
        self.set(&fields);
        true
    }

    /// What comes next comes now; whether there was anything.
    pub(super) fn end(&mut self) -> bool {
        if let Some((left, _)) = self.steps.front_mut() {
            *left = 0;
        }
        self.look()
    }

    pub(super) fn etag(&self) -> String {
        format!("e{}", self.version)
    }

    pub(super) fn answer(&self) -> Answer {
        give(self.value.to_string()).with("etag", self.etag())
    }

    /// What to answer somebody who means another version.
    pub(super) fn mismatch(&self, asked: &Asked<'_>) -> Option<Answer> {
        let meant = (asked.header)("if-match");
        (!meant.is_empty() && meant != self.etag())
            .then(|| fail(412, "NoEtagMatch", "The If-Match header does not match the ETag of the resource"))
    }
}

/// A page of a list: all whose fields are as the query says.
pub(super) fn page<'a>(
    entries: impl Iterator<Item = &'a mut Entry>,
    asked: &Asked<'_>,
    most: usize,
    without: &[&str],
) -> Answer {
    let mut found = Vec::new();
    for entry in entries {
        let wanted = asked
            .query
            .iter()
            .filter(|(name, _)| !["limit", "page", "sortBy", "sortOrder"].contains(&name.as_str()))
            .all(|(name, value)| entry.text(name) == value);
        if entry.hidden > 0 {
            entry.hidden -= 1;
        } else if wanted {
            let mut value = entry.value.clone();
            for field in without {
                value.as_object_mut().unwrap().remove(*field);
            }
            found.push(value);
        }
    }
    let limit = asked.query.get("limit").map_or(most, |limit| limit.parse::<usize>().unwrap().min(most));
    let start = asked.query.get("page").map_or(0, |page| page.parse().unwrap());
    let end = (start + limit).min(found.len());
    let answer = give(json!(found[start..end]).to_string());
    if end < found.len() { answer.with("opc-next-page", end.to_string()) } else { answer }
}

pub(super) fn unknown() -> Answer {
    fail(404, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found.")
}
