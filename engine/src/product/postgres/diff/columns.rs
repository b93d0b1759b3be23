//! What another type, default or nullability of a column means.

use std::collections::BTreeSet;

use crate::model::change::Effect;
use crate::model::relation_name::bare;
use crate::product::postgres::diff::Found;
use crate::product::postgres::diff::names::{column, identifiers, joined, of_kind, words};

impl Found<'_> {
    pub(super) fn column(&mut self, table: &str, column: &str, was: Option<&str>, is: Option<&str>) {
        let own = [column.to_owned()];
        if self.is_view(table) {
            self.default_of(table, column, was.and_then(default), is.and_then(default), Effect::Default);
            return;
        }
        let (Some(was), Some(is)) = (was, is) else {
            let reason = if is.is_some() { "is new" } else { "is gone" };
            self.add(table, &own, Effect::Column, format!("{table}.{column} {reason}"));
            if is.is_none() {
                self.add(table, &own, Effect::Gone, format!("{table}.{column} is gone"));
            }
            return;
        };
        let (was, is) = (Definition::of(was), Definition::of(is));
        if was.kind != is.kind {
            let reason = format!("{table}.{column} is {} instead of {}", is.kind, was.kind);
            if otherwise(&was.kind, &is.kind) {
                self.add(table, &own, Effect::Reads, reason.clone());
            }
            // What is made of other columns is made whatever is given.
            if narrower(&was.kind, &is.kind) {
                self.add(table, if is.generated { &[] } else { &own }, Effect::Refuses, reason);
            }
        }
        if was.collation != is.collation {
            self.add(table, &own, Effect::Reads, format!("{table}.{column} has another collation"));
        }
        if was.not_null && !is.not_null {
            self.shows(table, column, "can be NULL now");
        }
        let effect = if is.generated || was.generated { Effect::Reads } else { Effect::Default };
        self.default_of(table, column, was.default.clone(), is.default.clone(), effect);
        if is.always && !was.always {
            self.add(table, &own, Effect::Generated, format!("{table}.{column} can no longer be written"));
        } else if is.generated != was.generated || is.always != was.always {
            self.add(
                table,
                &own,
                Effect::Default,
                format!("{table}.{column} is made otherwise when it is left out"),
            );
        }
    }

    fn default_of(
        &mut self,
        table: &str,
        column: &str,
        was: Option<String>,
        is: Option<String>,
        effect: Effect,
    ) {
        if was != is {
            let told = |default: Option<String>| default.unwrap_or_else(|| "NULL".to_owned());
            let reason = format!("{table}.{column} is {} when it is left out, not {}", told(is), told(was));
            self.add(table, &[column.to_owned()], effect, reason);
        }
    }

    /// Only those of a view's columns are told that have a default.
    fn is_view(&self, relation: &str) -> bool {
        let own = bare(relation);
        let mut views = of_kind(&self.after.objects, "view", &own);
        views.any(|(identity, _)| {
            identity.strip_prefix("view ").is_some_and(|v| joined(&identifiers(v)) == relation)
        })
    }

    /// A column may hold what it did not: told to who names it, and to who reads a view that shows it.
    fn shows(&mut self, table: &str, column: &str, what: &str) {
        self.add(table, &[column.to_owned()], Effect::Shows, format!("{table}.{column} {what}"));
        let bare = table.rsplit('.').next().unwrap_or(table);
        let shows = |definition: &str| {
            let words = words(definition);
            let has = |word: &str| words.iter().any(|w| w == word);
            // Names that are no words are not found so.
            let plain = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
            let all = definition.contains(".*") || definition.contains(" NATURAL ");
            (!plain(bare) || has(bare)) && (!plain(column) || all || has(column))
        };
        // One look has the old names and the other the new ones.
        let all = self.before.objects.iter().chain(&self.after.objects);
        let found = all.filter_map(|(identity, definition)| {
            let rest = identity.strip_prefix("materialized ").unwrap_or(identity).strip_prefix("view ")?;
            shows(definition).then(|| joined(&identifiers(rest)))
        });
        for view in found.collect::<BTreeSet<_>>() {
            let reason = format!("{view} shows {table}.{column}, which {what}");
            self.add(&view, &[], Effect::Reads, reason);
        }
    }

    pub(super) fn labels(&mut self, name: &str, own: &str, was: Option<&str>, is: Option<&str>) {
        let labels = |d: Option<&str>| -> Option<Vec<String>> {
            Some(d?.strip_prefix("enum ")?.split(", ").map(str::to_owned).collect())
        };
        let (Some(was), Some(is)) = (labels(was), labels(is)) else { return };
        let missing = |from: &[String], of: &[String]| {
            from.iter().filter(|l| !of.contains(l)).cloned().collect::<Vec<_>>().join(", ")
        };
        let (gone, come) = (missing(&was, &is), missing(&is, &was));
        if !gone.is_empty() {
            self.of_type(name, own, Effect::Refuses, &format!("does not know {gone} any more"));
            self.of_type(name, own, Effect::Reads, &format!("does not hold {gone} any more"));
        }
        if !come.is_empty() {
            for (table, column) in self.columns_of(name, own) {
                self.shows(&table, &column, &format!("may hold {come}, which no reader knows"));
            }
        }
    }

    /// All columns of a type.
    pub(super) fn of_type(&mut self, name: &str, own: &str, effect: Effect, what: &str) {
        for (table, column) in self.columns_of(name, own) {
            let reason = format!("{table}.{column} {what}");
            self.add(&table, &[column], effect.clone(), reason);
        }
    }

    /// Table and name of all columns of a type.
    fn columns_of(&self, name: &str, own: &str) -> Vec<(String, String)> {
        let bare = |definition: &str| {
            let kind = Definition::of(definition).kind;
            kind.trim_end_matches("[]").replace('"', "")
        };
        self.columns_where(|definition| [name, own].contains(&bare(definition).as_str()))
    }

    /// All columns whose default draws from a sequence.
    pub(super) fn using(&mut self, sequence: &str, reason: &str) {
        let draws = |definition: &str| definition.contains("nextval(") && definition.contains(sequence);
        let columns = self.columns_where(draws);
        for (table, column) in columns {
            self.add(
                &table,
                std::slice::from_ref(&column),
                Effect::Default,
                format!("{table}.{column} {reason}"),
            );
        }
    }

    /// Table and name of the columns whose definition is such a one.
    pub(super) fn columns_where(&self, such: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let found = of_kind(&self.after.objects, "column", "").filter(|(_, definition)| such(definition));
        found.filter_map(|(identity, _)| column(identity)).collect()
    }
}

fn default(definition: &str) -> Option<String> {
    Definition::of(definition).default
}

/// A column's line, taken apart.
struct Definition {
    kind: String,
    collation: Option<String>,
    not_null: bool,
    default: Option<String>,
    generated: bool,
    always: bool,
}

impl Definition {
    fn of(definition: &str) -> Self {
        let ends = [
            " collate ",
            " not null",
            " identity ",
            " generated",
            " statistics ",
            " options ",
            " default ",
            " storage ",
            " compression ",
        ];
        let end = ends.iter().filter_map(|e| definition.find(e)).min().unwrap_or(definition.len());
        let (kind, rest) = definition.split_at(end);
        let (rest, default) = match rest.split_once(" default ") {
            Some((rest, default)) => (rest, Some(default.to_owned())),
            None => (rest, None),
        };
        let generated = rest.contains(" generated");
        Self {
            kind: kind.to_owned(),
            collation: rest.split_once(" collate ").map(|(_, c)| c.split(' ').next().unwrap_or(c).to_owned()),
            not_null: rest.contains(" not null"),
            default,
            generated,
            always: generated || rest.contains(" identity always"),
        }
    }
}

/// A type's family and, where it has them, its length or precision and scale.
fn measured(kind: &str) -> (&str, Option<Vec<i64>>) {
    let Some((family, rest)) = kind.split_once('(') else { return (kind, None) };
    let inside = rest.split(')').next().unwrap_or_default();
    (family, inside.split(',').map(|n| n.trim().parse().ok()).collect())
}

fn integer(family: &str) -> Option<u8> {
    ["smallint", "integer", "bigint"].iter().position(|f| *f == family).and_then(|n| u8::try_from(n).ok())
}

const STRINGS: [&str; 2] = ["character varying", "text"];

/// Whether a column of this type refuses what one of the other took.
fn narrower(was: &str, is: &str) -> bool {
    let ((old, before), (new, after)) = (measured(was), measured(is));
    if let (Some(old), Some(new)) = (integer(old), integer(new)) {
        return new < old;
    }
    if STRINGS.contains(&old) && STRINGS.contains(&new) {
        let length = |m: &Option<Vec<i64>>| m.as_ref().and_then(|m| m.first().copied()).unwrap_or(i64::MAX);
        return length(&after) < length(&before);
    }
    if old == "numeric" && new == "numeric" {
        let whole = |m: &Option<Vec<i64>>| match m.as_deref() {
            Some([precision]) => *precision,
            Some([precision, scale]) => precision - scale,
            _ => i64::MAX,
        };
        return whole(&after) < whole(&before);
    }
    true
}

/// Whether the same value reads otherwise from a column of this type.
fn otherwise(was: &str, is: &str) -> bool {
    let ((old, before), (new, after)) = (measured(was), measured(is));
    let scale = |m: &Option<Vec<i64>>| m.as_ref().and_then(|m| m.get(1).copied());
    let same = old == new && old != "numeric"
        || old == "numeric" && new == "numeric" && scale(&before) == scale(&after)
        || integer(old).is_some() && integer(new).is_some()
        || STRINGS.contains(&old) && STRINGS.contains(&new);
    !same
}
