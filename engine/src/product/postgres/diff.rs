//! What two looks at a schema tell apart, and what each difference means for those who read and write there.
//!
//! The looks are fingerprints: one line an object. Only what leaves a query plannable is told here; that something a query
//! names is gone or has another type is what planning it shows.

pub mod beside;
pub mod canonical;
mod columns;
pub mod definition_change;
pub mod fingerprint;
mod keys;
pub mod members;
pub(in crate::product::postgres) mod names;
pub mod numbers;
pub mod object_ids;
pub mod objects;
mod renames;
mod rights;

use std::collections::BTreeSet;

use crate::model::change::{Change, Effect, Events, Reason};
use crate::model::schema::{NumberSource, SchemaFingerprint, SchemaSnapshot};
use names::{identifiers, joined};
use renames::{Fate, Renames, side_by_side};

/// Every difference that may affect a query that still plans, in the order of the objects' names.
pub fn between(before: &SchemaSnapshot, after: &SchemaSnapshot) -> Vec<Change> {
    let renames = Renames::between(before, after);
    let looks = (before, after);
    let (numbered, renumbered) = (&before.numbers, &after.numbers);
    let (before, after) = (&before.schema, &after.schema);
    let mut found = Found { before, after, now: looks.1, changes: Vec::new() };
    found.left_roles(looks.0);
    found.left_owners(looks.0);
    found.left_superusers(looks.0);
    found.row_security(looks.0);
    for (numbered_column, is) in renumbered {
        let (table, column) = numbered_column;
        let Some(was) = numbered.get(numbered_column).filter(|was| is.repeats(was)) else { continue };
        let next = |source: &NumberSource| source.next.map(|n| n.to_string()).unwrap_or_default();
        let reason = format!(
            "{table}.{column} gets {} next and not {}: numbers come again that were given out already",
            next(is),
            next(was)
        );
        let effect = Effect::Repeats { same_source: was.sequence == is.sequence };
        found.add(table, std::slice::from_ref(column), effect, reason);
    }
    let differ = side_by_side(&before.objects, &after.objects)
        .filter(|(_, was, is)| Some(*was) != *is)
        .map(|(identity, was, is)| (identity, Some(was), is));
    let come = side_by_side(&after.objects, &before.objects)
        .filter(|(_, _, was)| was.is_none())
        .map(|(identity, is, _)| (identity, None, Some(is)));
    for (identity, was, is) in differ.chain(come) {
        let (was, mut is) = (was.map(String::as_str), is.map(String::as_str));
        let Some((kind, rest)) = identity.split_once(' ') else { continue };
        let fate = was.map(|was| renames.fate(identity, was));
        // Views and keys follow what is renamed; what a routine's body says does not.
        if renames.has_lost_its_name(identity) && matches!(fate, Some(Fate::Same | Fate::Moved(_))) {
            found.add_predicate(&relation(rest), Effect::Gone, "is gone");
        }
        match fate {
            Some(Fate::Same) => continue,
            None if renames.is_told(identity) => continue,
            Some(Fate::Moved(now)) => is = Some(now),
            _ => {}
        }
        found.object(kind, rest, was, is);
    }
    for identity in renames.replaced() {
        let table = relation(identity);
        found.add_predicate(&table, Effect::Reads, "is another one now");
        found.add_predicate(&table, Effect::Refuses, "is another one now");
    }
    let old_names = renames.old_names();
    for change in &mut found.changes {
        if let Some(old) = old_names.get(&change.subject) {
            change.subject.clone_from(old);
        }
    }
    found.changes
}

/// What a domain takes, and its default.
fn of_domain(definition: &str) -> (&str, Option<&str>) {
    definition.split_once(" default ").map_or((definition, None), |(kind, rest)| (kind, Some(rest)))
}

/// The name in the identity of a relation.
fn relation(identity: &str) -> String {
    let parts = identifiers(identity);
    joined(parts.get(parts.len().saturating_sub(2)..).unwrap_or_default())
}

struct Found<'a> {
    before: &'a SchemaFingerprint,
    after: &'a SchemaFingerprint,
    /// The look that `after` is of.
    now: &'a SchemaSnapshot,
    changes: Vec<Change>,
}

impl Found<'_> {
    fn add(&mut self, subject: &str, columns: &[String], effect: Effect, reason: String) {
        let (subject, columns, on) = (subject.to_owned(), columns.to_vec(), Events::ALL);
        self.changes.push(Change { subject, columns, on, effect, reason: Reason::Sentence(reason) });
    }

    /// The same of all of the subject, by what follows its name.
    fn add_predicate(&mut self, subject: &str, effect: Effect, predicate: impl Into<String>) {
        let (subject, reason) = (subject.to_owned(), Reason::Predicate(predicate.into()));
        self.changes.push(Change { subject, columns: Vec::new(), on: Events::ALL, effect, reason });
    }

    fn object(&mut self, kind: &str, rest: &str, was: Option<&str>, is: Option<&str>) {
        let parts = identifiers(rest);
        let name = |n: usize| joined(parts.get(..n).unwrap_or(&parts));
        match (kind, parts.as_slice()) {
            ("table", [_, _]) => self.table(&name(2), was, is),
            ("column", [_, _, column]) => self.column(&name(2), column, was, is),
            ("constraint", [schema, subject, constraint]) => {
                self.constraint(schema, subject, constraint, was, is)
            }
            ("index", [_, index]) => self.index(index, was, is),
            ("view" | "materialized", _) => {
                let parts = identifiers(rest.strip_prefix("view ").unwrap_or(rest));
                let view = joined(&parts);
                match (was, is) {
                    (Some(_), None) => self.add_predicate(&view, Effect::Gone, "is gone"),
                    (Some(_), Some(_)) => {
                        self.add_predicate(&view, Effect::Reads, "has another query now");
                        self.add_predicate(&view, Effect::Refuses, "has another query now");
                    }
                    _ => {}
                }
            }
            ("function", _) => {
                let routine = joined(&identifiers(rest.split('(').next().unwrap_or(rest)));
                let (effect, reason) = match (was, is) {
                    (Some(_), None) => (Effect::Gone, "lost one of its signatures"),
                    (None, _) => (Effect::Routine, "has another form, which may be taken instead"),
                    _ => (Effect::Routine, "has another body now"),
                };
                self.add_predicate(&routine, effect, reason.to_owned());
            }
            ("trigger" | "rule", [_, _, own]) => {
                let definition = is.or(was).unwrap_or_default();
                let what = match (was, is) {
                    (None, _) => "has a new",
                    (_, None) => "no longer has the",
                    _ => "has another",
                };
                let reason = format!("{what} {kind} {own}");
                let on = Events {
                    insert: definition.contains("INSERT"),
                    update: definition.contains("UPDATE"),
                    delete: definition.contains("DELETE"),
                };
                self.changes.push(Change {
                    subject: name(2),
                    columns: Vec::new(),
                    on,
                    effect: Effect::Writes,
                    reason: Reason::Predicate(reason),
                });
            }
            ("policy", [_, _, policy]) => {
                let reason = format!("shows and takes other rows by policy {policy}");
                self.add_predicate(&name(2), Effect::Reads, reason.clone());
                self.add_predicate(&name(2), Effect::Refuses, reason);
            }
            ("type", [_, own]) => self.labels(&name(2), own, was, is),
            ("domain", [_, own]) => {
                let (was, is) = (was.map(of_domain), is.map(of_domain));
                if was.map(|(kind, _)| kind) != is.map(|(kind, _)| kind) {
                    self.of_type(&name(2), own, Effect::Refuses, "is of a domain that is another now");
                }
                if was.map(|(_, default)| default) != is.map(|(_, default)| default) {
                    let what = "gets another value from its domain when it is left out";
                    self.of_type(&name(2), own, Effect::Default, what);
                }
            }
            ("grant", _) => self.grant(rest, was, is),
            ("text", _) => {
                let configuration = rest.strip_prefix("search configuration ");
                if let Some(name) = configuration.filter(|_| was.is_some() && is.is_some()) {
                    self.add_predicate(
                        &joined(&identifiers(name)),
                        Effect::Reads,
                        "splits text otherwise now",
                    );
                }
            }
            ("sequence", [_, own]) if was.is_some() => {
                let reason = format!("draws from sequence {own}, which counts otherwise or is gone");
                self.using(own, &reason);
            }
            _ => {}
        }
    }

    fn table(&mut self, table: &str, was: Option<&str>, is: Option<&str>) {
        let parents = |definition: Option<&str>| -> BTreeSet<String> {
            let of =
                definition.and_then(|d| d.split(" of ").nth(1)).filter(|rest| !rest.starts_with("type "));
            // Names are split by commas and blanks, which may stand in them too; those are not told.
            let names = of.map(|rest| rest.split(", ").map(|name| name.split(' ').next().unwrap_or(name)));
            names.into_iter().flatten().map(|name| joined(&identifiers(name))).collect()
        };
        let bound = |definition: &str| {
            let from = definition.find("FOR VALUES").or_else(|| definition.find("DEFAULT"))?;
            definition.get(from..).map(|b| b.split(" of ").next().unwrap_or(b).to_owned())
        };
        let (heirs_of, is_of) = (parents(was), parents(is));
        if was.and_then(bound).is_some() && was.and_then(bound) != is.and_then(bound) {
            for parent in heirs_of {
                let reason = format!("no longer has the partition {table} as it was");
                self.add_predicate(&parent, Effect::Reads, reason.clone());
                self.add_predicate(&parent, Effect::Refuses, reason);
            }
        } else if was.is_some_and(|was| bound(was).is_none()) && is.is_none_or(|is| bound(is).is_none()) {
            for parent in heirs_of.difference(&is_of) {
                self.add_predicate(parent, Effect::Reads, format!("no longer has the rows of {table}"));
            }
            for parent in is_of.difference(&heirs_of) {
                self.add_predicate(parent, Effect::Reads, format!("has the rows of {table} too"));
            }
        }
        match (was, is) {
            (Some(_), None) => self.add_predicate(table, Effect::Gone, "is gone"),
            (Some(was), Some(is)) if was.contains("row security") != is.contains("row security") => {
                let reason = "has row security switched on or off".to_owned();
                self.add_predicate(table, Effect::Reads, reason.clone());
                self.add_predicate(table, Effect::Refuses, reason);
            }
            // A table where a view was, or the other way round, is told by the view.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::change::{Revoked, Right};

    fn schema(objects: &[(&str, &str)]) -> SchemaSnapshot {
        let objects = objects.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        SchemaSnapshot {
            schema: SchemaFingerprint { objects, ..SchemaFingerprint::default() },
            ..SchemaSnapshot::default()
        }
    }

    #[test]
    fn rights_that_were_taken_away_name_who_had_them() {
        let table = ("table public.a", "table");
        let grants = [
            ("grant on table public.a to \"driver app\"", "insert, select with grant option, truncate"),
            ("grant on table public.a to public", "select"),
        ];
        let before = [[table].as_slice(), &grants].concat();
        let found = between(&schema(&before), &schema(&[table]));
        let revoked: Vec<&Effect> = found.iter().map(|change| &change.effect).collect();
        let expected = |role: Option<&str>, rights: &[Right]| {
            let (role, rights) = (role.map(str::to_owned), rights.iter().copied().collect());
            Effect::Privilege(Revoked { role, kept_by: Default::default(), rights, columns_left: false })
        };
        let all = [Right::Insert, Right::Read, Right::Use];
        assert_eq!(revoked, [&expected(Some("driver app"), &all), &expected(None, &[Right::Read])]);
    }

    #[test]
    fn names_that_are_quoted_are_known_again() {
        let before = [("table public.\"user\"", "table"), ("column public.\"user\".\"Login\"", "text")];
        let check = ("constraint public.\"user\" known", "CHECK ((\"Login\" <> ''::text))");
        let after = [before.as_slice(), &[check]].concat();
        let found = between(&schema(&before), &schema(&after));
        let [change] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((change.subject.as_str(), &change.effect), ("public.user", &Effect::Refuses));
        assert_eq!(change.columns, ["Login"]);
    }
}
