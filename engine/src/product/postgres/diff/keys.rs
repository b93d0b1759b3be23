//! What constraints and indexes mean that came, went or are others now.

use crate::model::change::{Change, Effect, Events, Reason};
use crate::model::relation_name::qualified;
use crate::model::schema::SchemaFingerprint;
use crate::product::postgres::diff::Found;
use crate::product::postgres::diff::names::{columns_of, identifiers, joined, of_kind, referenced, words};

impl Found<'_> {
    pub(super) fn constraint(
        &mut self,
        schema: &str,
        subject: &str,
        constraint: &str,
        was: Option<&str>,
        is: Option<&str>,
    ) {
        let table = qualified(schema, subject);
        let own = [schema, subject];
        let is_table = |(k, _): (&str, &str)| k.strip_prefix("table ").is_some_and(|k| identifiers(k) == own);
        let looks = [self.before, self.after];
        if !looks.iter().any(|look| of_kind(&look.objects, "table", subject).any(is_table)) {
            // Of a domain.
            if is.is_some() {
                self.of_type(
                    &table,
                    subject,
                    Effect::Refuses,
                    &format!("is of a domain with the check {constraint} now"),
                );
            }
            return;
        }
        if let Some(is) = is {
            let is = is.trim_end_matches(" (not validated)");
            // Only validated, or only put off: nothing is refused that was taken.
            let softer = was.is_some_and(|was| {
                let was = was.trim_end_matches(" (not validated)").trim_end_matches(" NOT VALID");
                was == is.trim_end_matches(" NOT VALID")
                    || is.strip_prefix(was).is_some_and(|r| r.contains("DEFERRABLE"))
            });
            if !softer && !self.keeps(self.before, [schema, subject, constraint], is) {
                let columns = self.given_in(&table, is);
                let wide = is.starts_with("EXCLUDE") || columns.is_empty();
                let columns = if wide { Vec::new() } else { columns };
                self.add(
                    &table,
                    &columns,
                    Effect::Refuses,
                    format!("{table} takes only what keeps {constraint}: {is}"),
                );
                let reason =
                    |parent: &str| format!("{parent} keeps the rows that {table} refers to by {constraint}");
                self.kept(is, true, true, reason);
            }
        }
        if let Some(was) = was
            && is.is_none()
            && !self.keeps(self.after, [schema, subject, constraint], was)
        {
            let acts =
                |event: &str| ["CASCADE", "SET"].iter().any(|a| was.contains(&format!("ON {event} {a}")));
            let reason = |parent: &str| format!("rows of {table} are left alone when those of {parent} go");
            self.kept(was, acts("UPDATE"), acts("DELETE"), reason);
        }
    }

    /// Rows that others refer to: told to who deletes them, or updates what is referred to.
    fn kept(&mut self, key: &str, update: bool, delete: bool, reason: impl Fn(&str) -> String) {
        let Some(subject) = referenced(key).filter(|_| update || delete) else { return };
        let inside = key.split(" REFERENCES ").nth(1).and_then(|r| r.split(['(', ')']).nth(1));
        let columns = self.columns_in(&subject, inside.unwrap_or_default());
        let (on, reason) = (Events { insert: false, update, delete }, reason(&subject));
        let reason = Reason::Sentence(reason);
        self.changes.push(Change { subject, columns, on, effect: Effect::Keeps, reason });
    }

    /// Whether another constraint of the table says the same in one of the looks.
    fn keeps(&self, look: &SchemaFingerprint, [schema, table, own]: [&str; 3], definition: &str) -> bool {
        let plain =
            |d: &str| d.trim_end_matches(" (not validated)").trim_end_matches(" NOT VALID").to_owned();
        of_kind(&look.objects, "constraint", table).any(|(identity, other)| {
            let parts = identity.strip_prefix("constraint ").map(identifiers).unwrap_or_default();
            matches!(parts.as_slice(), [s, t, name] if s == schema && t == table && name != own)
                && plain(other) == plain(definition)
        })
    }

    /// Whether a look has another index that does what this one does: the same, or the same columns first.
    fn has_like(&self, look: &SchemaFingerprint, own: &str, definition: &str, same: bool) -> bool {
        let Some((head, inside)) = definition.split_once(" USING ") else { return false };
        let Some((_, table)) = head.split_once(" ON ") else { return false };
        let whole = inside.contains(" WHERE ") || inside.contains(" INCLUDE ") || inside.contains(") ");
        let start = inside.strip_suffix(')').filter(|_| !whole && !same).unwrap_or(inside);
        of_kind(&look.objects, "index", "").filter(|(k, _)| !k.ends_with(own)).any(|(_, other)| {
            let Some((other_head, other_inside)) = other.split_once(" USING ") else { return false };
            let rest = other_inside.strip_prefix(start);
            other_head.split_once(" ON ").is_some_and(|(_, t)| t == table)
                && (!same || other_head.starts_with("CREATE UNIQUE"))
                && !other.contains("(invalid)")
                && rest.is_some_and(|r| {
                    r.is_empty() || !whole && !same && r.starts_with([')', ',']) && !r.contains(" WHERE ")
                })
        })
    }

    pub(super) fn index(&mut self, index: &str, was: Option<&str>, is: Option<&str>) {
        let definition = is.or(was).unwrap_or_default();
        let Some(on) = definition.split(" ON ").nth(1) else { return };
        let on = on.strip_prefix("ONLY ").unwrap_or(on);
        let table = joined(&identifiers(on.split(" USING").next().unwrap_or(on)));
        let inside = definition.split_once(" USING ").map_or("", |(_, rest)| rest);
        let columns = self.columns_in(&table, inside);
        let unique =
            |d: Option<&str>| d.is_some_and(|d| d.starts_with("CREATE UNIQUE") && !d.contains("(invalid)"));
        let like = |look: &SchemaFingerprint, d: Option<&str>, same: bool| {
            d.is_some_and(|d| self.has_like(look, index, d, same))
        };
        let (was_taken, is_taken) = (like(self.before, is, true), like(self.after, was, true));
        let replaced = like(self.after, was, false);
        if unique(is) && was != is && !was_taken {
            self.add(
                &table,
                &self.given_in(&table, inside),
                Effect::Refuses,
                format!("{table} takes no two rows of the same {} ({index})", columns.join(", ")),
            );
        }
        if unique(was) && was != is && !is_taken {
            self.add(
                &table,
                &columns,
                Effect::Key,
                format!("{table} may hold rows of the same {} now", columns.join(", ")),
            );
        }
        if was.is_some() && is.is_none() && !columns.is_empty() && !replaced {
            let first = columns.get(..1).unwrap_or_default();
            self.add(&table, first, Effect::Slower, format!("the index {index} of {table} is gone"));
        }
    }

    /// Columns of a table that a definition names.
    pub(super) fn columns_in(&self, table: &str, definition: &str) -> Vec<String> {
        let words = words(definition);
        let known = [self.after, self.before].into_iter().flat_map(|look| columns_of(&look.objects, table));
        let mut columns: Vec<String> =
            known.map(|(column, _)| column).filter(|c| words.iter().any(|w| w == c)).collect();
        columns.sort_by_key(|c| words.iter().position(|w| w == c));
        columns.dedup();
        columns
    }

    /// The same, and those that they are made of.
    fn given_in(&self, table: &str, definition: &str) -> Vec<String> {
        let mut columns = self.columns_in(table, definition);
        let own = columns_of(&self.after.objects, table).into_iter();
        let own = own.filter(|(name, made)| made.contains(" generated") && columns.contains(name));
        let made: Vec<&str> = own.map(|(_, made)| made).collect();
        for definition in made {
            let of = self.columns_in(table, definition);
            columns.extend(of);
        }
        columns.dedup();
        columns
    }
}
