//! The schema and the content of a database as values that can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line per schema object: identity -> definition, ordered; equal maps mean equal schemas.
/// Column position, statistics, sizes and Liquibase's own tables are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SchemaFingerprint {
    pub objects: BTreeMap<String, String>,
    /// SHA-256 over all of it, hexadecimal.
    pub digest: String,
    /// The same of what a dump and its restore need not keep: only two looks at one database are held against one another by it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub beside: BTreeMap<String, String>,
    /// Kinds of objects, by the first word of their identities, that were looked for and that an earlier version did not look for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub later_kinds: BTreeSet<String>,
}

/// What a line of `SchemaFingerprint::differences` is about.
pub fn subject(difference: &str) -> &str {
    let named = difference.trim_start_matches(['+', '-', '~', ' ']);
    named.split_once(": ").map_or(named, |(subject, _)| subject)
}

impl SchemaFingerprint {
    /// The objects that differ: those that are gone, those that have come, those that are others.
    pub fn changes<'a>(&'a self, after: &'a Self) -> impl Iterator<Item = ObjectChange<'a>> {
        // What only one of them has looked for is no difference.
        let only_one = move |change: &ObjectChange<'_>| {
            let kind = change.object.split(' ').next().unwrap_or(change.object);
            self.later_kinds.contains(kind) != after.later_kinds.contains(kind)
        };
        changes(&self.objects, &after.objects).filter(move |change| !only_one(change))
    }

    /// The same of two looks at one database: also what a dump would not keep.
    pub fn changes_here<'a>(&'a self, after: &'a Self) -> impl Iterator<Item = ObjectChange<'a>> {
        // An older version did not look.
        let both = !self.beside.is_empty() && !after.beside.is_empty();
        self.changes(after).chain(changes(&self.beside, &after.beside).filter(move |_| both))
    }

    /// What differs, as `+ object`, `- object`, `~ object: before -> after`, at most `most` lines.
    pub fn differences(&self, after: &Self, most: usize) -> Vec<String> {
        self.changes(after).take(most).map(|change| change.to_string()).collect()
    }
}

/// Those that are gone, those that have come, those that are others.
fn changes<'a>(
    before: &'a BTreeMap<String, String>,
    after: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = ObjectChange<'a>> {
    let gone = before
        .iter()
        .filter(|(object, _)| !after.contains_key(*object))
        .map(|(object, before)| ObjectChange { object, before: Some(before), after: None });
    let come = after
        .iter()
        .filter(|(object, _)| !before.contains_key(*object))
        .map(|(object, after)| ObjectChange { object, before: None, after: Some(after) });
    let changed = before.iter().filter_map(|(object, before)| {
        let after = after.get(object).filter(|after| *after != before)?;
        Some(ObjectChange { object, before: Some(before), after: Some(after) })
    });
    gone.chain(come).chain(changed)
}

/// An object whose definition differs; it is not there where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectChange<'a> {
    pub object: &'a str,
    pub before: Option<&'a str>,
    pub after: Option<&'a str>,
}

impl fmt::Display for ObjectChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.before, self.after) {
            (Some(before), Some(after)) => {
                let (before, after) = where_they_part(before, after);
                write!(f, "~ {}: {before} -> {after}", self.object)
            }
            (Some(_), None) => write!(f, "- {}", self.object),
            (None, _) => write!(f, "+ {}", self.object),
        }
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
    /// Role -> roles whose rights it has besides its own, directly or through others; as the fingerprint spells them.
    pub members: BTreeMap<String, BTreeSet<String>>,
    /// Roles that may do anything; as the fingerprint spells them.
    pub superusers: BTreeSet<String>,
    /// Roles that see rows which policies hide from others.
    pub unbound: BTreeSet<String>,
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
    /// Where triggers set columns of the rows that are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_columns: Option<TriggerColumns>,
}

/// Hashes that tell a difference in columns that triggers set from any other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriggerColumns {
    /// Column -> hash of its values alone.
    pub columns: BTreeMap<String, String>,
    /// Of the rows without these columns.
    pub others: String,
}

impl TableFingerprint {
    /// The columns, all of them set by triggers, in which alone the rows of two looks differ.
    pub fn differ_only_in(&self, after: &Self) -> Option<Vec<String>> {
        let (before, now) = (self.trigger_columns.as_ref()?, after.trigger_columns.as_ref()?);
        let same = self.rows == after.rows
            && before.others == now.others
            && before.columns.keys().eq(now.columns.keys());
        let differ = before.columns.iter().filter(|(name, hash)| now.columns.get(*name) != Some(hash));
        let columns: Vec<String> = differ.map(|(name, _)| name.clone()).collect();
        (same && !columns.is_empty()).then_some(columns)
    }
}

/// A moment in the life of a database, to tell rows that were written after it. The text is the product's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteMark(pub String);

impl DataFingerprint {
    /// Tables present in both with other content, and those present in one only.
    pub fn changes<'a>(&'a self, after: &'a Self) -> impl Iterator<Item = TableChange<'a>> {
        let mut names: Vec<&String> = self.tables.keys().chain(after.tables.keys()).collect();
        names.sort();
        names.dedup();
        names
            .into_iter()
            .map(|table| TableChange { table, before: self.tables.get(table), after: after.tables.get(table) })
            .filter(|change| !matches!((change.before, change.after), (Some(a), Some(b)) if (a.rows, &a.hash) == (b.rows, &b.hash)))
    }

    /// The same as lines, at most `most` of them.
    pub fn differences(&self, after: &Self, most: usize) -> Vec<String> {
        self.changes(after).take(most).map(|change| change.to_string()).collect()
    }
}

/// A table with other content; it is not there where it has no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableChange<'a> {
    pub table: &'a str,
    pub before: Option<&'a TableFingerprint>,
    pub after: Option<&'a TableFingerprint>,
}

impl fmt::Display for TableChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.before, self.after) {
            (Some(a), Some(b)) if a.rows != b.rows => {
                write!(f, "{}: {} rows -> {}", self.table, a.rows, b.rows)
            }
            (Some(_), Some(_)) => write!(f, "{}: content differs", self.table),
            (Some(_), None) => write!(f, "{}: gone", self.table),
            (None, _) => write!(f, "{}: new", self.table),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SchemaFingerprint, where_they_part};

    #[test]
    fn what_an_earlier_version_did_not_look_for_is_no_difference() {
        let look = |objects: &[&str], kinds: &[&str]| SchemaFingerprint {
            objects: objects.iter().map(|object| ((*object).to_owned(), String::new())).collect(),
            later_kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            ..SchemaFingerprint::default()
        };
        let earlier = look(&["table t"], &[]);
        let now = look(&["cast from a to b", "table t", "view v"], &["cast"]);
        assert_eq!(earlier.differences(&now, 9), ["+ view v"], "nobody had a view then");
        assert_eq!(now.differences(&earlier, 9), ["- view v"]);
        let gone = look(&["table t"], &["cast"]);
        assert_eq!(now.differences(&gone, 9), ["- cast from a to b", "- view v"]);
    }

    #[test]
    fn long_definitions_are_shown_where_they_part() {
        let long = |end: &str| format!("{} {end}", "é".repeat(200));
        let (one, other) = where_they_part(&long("not null"), &long("null"));
        assert_eq!(one, format!("…{} not null", "é".repeat(22)));
        assert_eq!(other, format!("…{} null", "é".repeat(22)));
        assert_eq!(where_they_part("a b", "a c"), ("a b".to_owned(), "a c".to_owned()));
    }
}
