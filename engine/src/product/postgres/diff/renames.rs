//! Objects that are the same under another name, and those that are others under the same one.
//!
//! The server knows an object by a number that no renaming changes, and keeps what belongs to it by numbers too. What is equal
//! by these is the same for certain, however its text reads now.

use std::collections::{BTreeMap, BTreeSet};

use pg_query::NodeEnum;

use crate::model::schema::{ObjectIdentity, SchemaSnapshot};
use crate::product::postgres::diff::names::{identifiers, joined};
use crate::product::postgres::grammar::sql;

/// What became of an object.
pub(super) enum Fate<'a> {
    /// Nothing but names differ, or not even those.
    Same,
    /// What has its name now counts, if there is something.
    ByName,
    /// It has another name, and this definition.
    Moved(&'a str),
}

pub(super) struct Renames<'a> {
    before: &'a SchemaSnapshot,
    after: &'a SchemaSnapshot,
    /// Identity before -> identity after, of all that are still there and called otherwise.
    moved: BTreeMap<&'a str, &'a str>,
    /// The same, the other way round.
    back: BTreeMap<&'a str, &'a str>,
    /// Identities that are of nothing or of something else now.
    left: Vec<&'a str>,
    /// Relations whose name something else has now.
    taken: BTreeSet<Vec<String>>,
}

impl<'a> Renames<'a> {
    pub fn between(before: &'a SchemaSnapshot, after: &'a SchemaSnapshot) -> Self {
        let left: Vec<&str> = unlike(&before.objects, &after.objects).collect();
        let come = unlike(&after.objects, &before.objects);
        let numbers: BTreeMap<&str, &str> = come
            .filter_map(|identity| Some((after.objects.get(identity)?.number.as_str(), identity)))
            .collect();
        let number = |identity: &str| before.objects.get(identity).map(|o| o.number.as_str());
        let moved = left.iter().filter_map(|was| Some((*was, *numbers.get(number(was)?)?)));
        let moved: BTreeMap<&str, &str> = moved.collect();
        let back = moved.iter().map(|(old, now)| (*now, *old)).collect();
        let mut all = Self { before, after, moved, back, left, taken: BTreeSet::new() };
        for identity in all.left.iter().filter(|identity| is_relation(identity)) {
            // As they are spelled in identities.
            let name = RELATIONS.iter().find_map(|kind| identity.strip_prefix(kind)).unwrap_or(identity);
            let named = RELATIONS.iter().map(|kind| format!("{kind}{name}"));
            let named: Vec<String> = named.filter(|other| after.objects.contains_key(other)).collect();
            if all.is_taken(identity, &named) {
                all.taken.insert(name_of(identity));
            }
        }
        all
    }

    /// Its identity now; nothing if it is gone.
    fn now(&self, identity: &'a str) -> Option<&'a str> {
        let stays = || {
            let (was, is) = (self.before.objects.get(identity)?, self.after.objects.get(identity)?);
            (was.number == is.number).then_some(identity)
        };
        self.moved.get(identity).copied().or_else(stays)
    }

    /// Whether one of the relations that have its name now is another one, and no view that shows all of it as it is.
    fn is_taken(&self, identity: &'a str, named: &[String]) -> bool {
        let now = self.now(identity);
        named
            .iter()
            .any(|other| Some(other.as_str()) != now && !now.is_some_and(|now| self.passes_on(other, now)))
    }

    /// Whether a view shows a table's columns, all of them under their own names, and nothing else.
    fn passes_on(&self, view: &str, table: &str) -> bool {
        let Some(definition) = self.after.schema.objects.get(view).filter(|_| view.starts_with("view "))
        else {
            return false;
        };
        let Ok(Some(NodeEnum::SelectStmt(select))) = sql::parse_one(definition.trim_end_matches(';')) else {
            return false;
        };
        let [from] = select.from_clause.as_slice() else { return false };
        let Some(NodeEnum::RangeVar(range)) = from.node.as_ref() else { return false };
        let bare = select.where_clause.is_none()
            && select.distinct_clause.is_empty()
            && select.group_clause.is_empty()
            && select.having_clause.is_none()
            && select.limit_count.is_none()
            && select.limit_offset.is_none()
            && select.locking_clause.is_empty()
            && select.with_clause.is_none();
        let shown: Option<Vec<String>> = select
            .target_list
            .iter()
            .map(|node| {
                let Some(NodeEnum::ResTarget(target)) = node.node.as_ref() else { return None };
                let (_, column) = sql::column(target.val.as_deref()?)?;
                (target.name.is_empty() || target.name == column).then_some(column)
            })
            .collect();
        let name = name_of(table);
        // In their order: an INSERT may give values without names.
        let number = |o: &ObjectIdentity| o.number.rsplit(' ').next().and_then(|n| n.parse::<u32>().ok());
        let columns: BTreeMap<Option<u32>, String> = self
            .after
            .objects
            .iter()
            .filter_map(|(k, o)| Some((number(o), crate::product::postgres::diff::names::column(k)?)))
            .filter(|(_, (of, _))| *of == joined(&name))
            .map(|(at, (_, column))| (at, column))
            .collect();
        let columns: Vec<String> = columns.into_values().collect();
        bare && range.inh && sql::range_parts(range) == name && shown.is_some_and(|shown| shown == columns)
    }

    /// Relations that are there under the same name and are others.
    pub fn replaced(&self) -> impl Iterator<Item = &str> {
        let tables = self.left.iter().copied().filter(|identity| identity.starts_with("table "));
        tables.filter(|identity| self.taken.contains(&name_of(identity)))
    }

    /// By its name now: the name that a relation had, by which those who come to it through a view know it.
    pub fn old_names(&self) -> BTreeMap<String, String> {
        let moved = self.moved.iter().filter(|(old, _)| is_relation(old));
        moved.map(|(old, now)| (joined(&name_of(now)), joined(&name_of(old)))).collect()
    }

    /// Whether a relation is still there and called otherwise.
    pub fn has_lost_its_name(&self, identity: &str) -> bool {
        is_relation(identity) && self.moved.contains_key(identity)
    }

    pub fn fate(&self, identity: &'a str, definition: &str) -> Fate<'a> {
        if let Some(now) = self.followed(identity, definition) {
            let inside = |look: &SchemaSnapshot, key: &str| {
                look.objects.get(key).map(|o| o.digest.clone()).filter(|d| !d.is_empty())
            };
            let was = inside(self.before, identity);
            if was.is_some() && was == inside(self.after, now) {
                return Fate::Same;
            }
            if now != identity
                && let Some(definition) = self.after.schema.objects.get(now)
            {
                return Fate::Moved(definition);
            }
        }
        Fate::ByName
    }

    /// Its identity now, if whoever came to it by its old relation still does.
    fn followed(&self, identity: &'a str, definition: &str) -> Option<&'a str> {
        let now = self.now(identity)?;
        let relation = relation_of(identity, definition);
        // Another name of a column affects queries that join by all columns of the same name.
        let named = |identity: &str| identity.starts_with("column ").then(|| identifiers(identity).pop());
        (!self.taken.contains(&relation) && named(identity) == named(now)).then_some(now)
    }

    /// Whether it is told of by the name it had before.
    pub fn is_told(&self, identity: &str) -> bool {
        let Some(old) = self.back.get(identity) else { return false };
        let definition = self.before.schema.objects.get(*old).map(String::as_str).unwrap_or_default();
        self.followed(old, definition).is_some()
    }
}

/// Identities that are of nothing in the others, or of something else.
fn unlike<'a>(
    objects: &'a BTreeMap<String, ObjectIdentity>,
    others: &'a BTreeMap<String, ObjectIdentity>,
) -> impl Iterator<Item = &'a str> {
    side_by_side(objects, others)
        .filter(|(_, object, other)| Some(&object.number) != other.map(|o| &o.number))
        .map(|(identity, _, _)| identity)
}

/// Everything of the first with what has its name in the second. Walks both once: most of two looks at a schema is the same.
pub(super) fn side_by_side<'a, T>(
    first: &'a BTreeMap<String, T>,
    second: &'a BTreeMap<String, T>,
) -> impl Iterator<Item = (&'a str, &'a T, Option<&'a T>)> {
    let mut others = second.iter().peekable();
    first.iter().map(move |(name, value)| {
        while others.next_if(|(other, _)| *other < name).is_some() {}
        (name.as_str(), value, others.next_if(|(other, _)| *other == name).map(|(_, value)| value))
    })
}

const RELATIONS: [&str; 3] = ["table ", "view ", "materialized view "];

fn is_relation(identity: &str) -> bool {
    RELATIONS.iter().any(|kind| identity.starts_with(kind))
}

fn name_of(identity: &str) -> Vec<String> {
    let name = RELATIONS.iter().find_map(|kind| identity.strip_prefix(kind));
    identifiers(name.unwrap_or(identity))
}

/// The relation that an object belongs to.
fn relation_of(identity: &str, definition: &str) -> Vec<String> {
    if is_relation(identity) {
        return name_of(identity);
    }
    if identity.starts_with("index ") {
        let on = definition.split(" ON ").nth(1).unwrap_or_default();
        let on = on.strip_prefix("ONLY ").unwrap_or(on);
        return identifiers(on.split(" USING").next().unwrap_or(on));
    }
    identifiers(identity).into_iter().skip(1).take(2).collect()
}
