//! The schema and the content of a database as values that can be compared.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line per schema object: identity -> definition, ordered; equal maps mean equal schemas.
/// Column position, statistics, sizes and Liquibase's own tables are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SchemaFingerprint {
    pub objects: BTreeMap<String, String>,
    /// SHA-256 over all of it, hexadecimal.
    pub digest: String,
}

/// What a line of `SchemaFingerprint::differences` is about.
pub fn subject(difference: &str) -> &str {
    let named = difference.trim_start_matches(['+', '-', '~', ' ']);
    named.split_once(": ").map_or(named, |(subject, _)| subject)
}

impl SchemaFingerprint {
    /// What differs, as `+ object`, `- object`, `~ object: before -> after`, at most `most` lines.
    pub fn differences(&self, after: &Self, most: usize) -> Vec<String> {
        let removed = self
            .objects
            .iter()
            .filter(|(k, _)| !after.objects.contains_key(*k))
            .map(|(k, _)| format!("- {k}"));
        let added = after.objects.keys().filter(|k| !self.objects.contains_key(*k)).map(|k| format!("+ {k}"));
        let changed = self.objects.iter().filter_map(|(k, before)| match after.objects.get(k) {
            Some(now) if now != before => {
                let (before, now) = where_they_part(before, now);
                Some(format!("~ {k}: {before} -> {now}"))
            }
            _ => None,
        });
        removed.chain(added).chain(changed).take(most).collect()
    }
}

/// One look at a schema, and which object each of its lines is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaSnapshot {
    pub schema: SchemaFingerprint,
    /// By identity, as in the fingerprint.
    pub objects: BTreeMap<String, ObjectIdentity>,
    /// Where columns get their numbers from when they are left out: table (`schema.name`) and column.
    pub numbers: BTreeMap<(String, String), NumberSource>,
}

/// What gives a column its numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberSource {
    /// The sequence, as `schema.name`.
    pub sequence: String,
    /// The number that comes next; `None` where it may not be seen.
    pub next: Option<i64>,
    pub ascending: bool,
}

impl NumberSource {
    /// Whether it gives numbers again that the other one has given.
    pub fn repeats(&self, before: &Self) -> bool {
        match (before.next, self.next) {
            (Some(was), Some(is)) if self.ascending => is < was,
            (Some(was), Some(is)) => is > was,
            _ => false,
        }
    }
}

/// What an object is, whatever it is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectIdentity {
    /// The same as long as it is not made anew.
    pub number: String,
    /// Over what it is made of, without names; empty where the fingerprint says it.
    pub digest: String,
}

/// Two long texts from a little before the place where they part.
fn where_they_part(one: &str, other: &str) -> (String, String) {
    const BEFORE: usize = 24;
    const MOST: usize = 120;
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let from =
        if one.chars().count().max(other.chars().count()) > MOST { same.saturating_sub(BEFORE) } else { 0 };
    let cut = |text: &str| {
        let mut rest = text.chars().skip(from);
        let shown: String = rest.by_ref().take(MOST).collect();
        let (start, end) = (if from > 0 { "…" } else { "" }, if rest.next().is_some() { "…" } else { "" });
        format!("{start}{shown}{end}")
    };
    (cut(one), cut(other))
}

/// Content of tables: `schema.table` -> rows and an order-independent hash over named columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataFingerprint {
    pub tables: BTreeMap<String, TableFingerprint>,
    pub digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableFingerprint {
    pub rows: u64,
    pub hash: String,
}

impl DataFingerprint {
    /// Tables present in both with other content, and those present in one only, at most `most` lines.
    pub fn differences(&self, after: &Self, most: usize) -> Vec<String> {
        let mut names: Vec<&String> = self.tables.keys().chain(after.tables.keys()).collect();
        names.sort();
        names.dedup();
        names
            .into_iter()
            .filter_map(|name| match (self.tables.get(name), after.tables.get(name)) {
                (Some(a), Some(b)) if a == b => None,
                (Some(a), Some(b)) if a.rows != b.rows => {
                    Some(format!("{name}: {} rows -> {}", a.rows, b.rows))
                }
                (Some(_), Some(_)) => Some(format!("{name}: content differs")),
                (Some(_), None) => Some(format!("{name}: gone")),
                _ => Some(format!("{name}: new")),
            })
            .take(most)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::where_they_part;

    #[test]
    fn long_definitions_are_shown_where_they_part() {
        let long = |end: &str| format!("{} {end}", "é".repeat(200));
        let (one, other) = where_they_part(&long("not null"), &long("null"));
        assert_eq!(one, format!("…{} not null", "é".repeat(22)));
        assert_eq!(other, format!("…{} null", "é".repeat(22)));
        assert_eq!(where_they_part("a b", "a c"), ("a b".to_owned(), "a c".to_owned()));
    }
}
