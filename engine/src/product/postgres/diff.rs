//! What two looks at a schema tell apart, and what each difference means for those who read and write there.
//!
//! The looks are fingerprints: one line an object. Only what leaves a query plannable is told here; that something a query
//! names is gone or has another type is what planning it shows.

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

use crate::model::change::{Change, Effect, Events, Reason};
use crate::model::schema::{NumberSource, SchemaFingerprint, SchemaSnapshot};
use names::{identifiers, joined};
use renames::{Fate, Renames, side_by_side};

/// Every difference that may affect a query that still plans, in the order of the objects' names.
pub fn between(before: &SchemaSnapshot, after: &SchemaSnapshot) -> Vec<Change> {
    let renames = Renames::between(before, after);
    let owned = |look: &SchemaSnapshot, key: &str| look.objects.get(key).map(|o| o.digest.clone());
    let views = before.objects.keys().filter_map(|key| Some((key, key.strip_prefix("owner of view ")?)));
    let others: Vec<String> = views
        .filter(|(key, _)| owned(after, key).is_some_and(|is| Some(is) != owned(before, key)))
        .map(|(_, view)| joined(&identifiers(view)))
        .collect();
    let looks = (before, after);
    let (numbered, renumbered) = (&before.numbers, &after.numbers);
    let (before, after) = (&before.schema, &after.schema);
    let mut found = Found { before, after, changes: Vec::new() };
    found.left_roles(looks.0, looks.1);
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
    for view in others {
        for effect in [Effect::Reads, Effect::Refuses] {
            found.add_predicate(&view, effect, "now reads its tables with another owner's rights");
        }
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

/// The name in the identity of a relation.
fn relation(identity: &str) -> String {
    let parts = identifiers(identity);
    joined(parts.get(parts.len().saturating_sub(2)..).unwrap_or_default())
}

struct Found<'a> {
    before: &'a SchemaFingerprint,
    after: &'a SchemaFingerprint,
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
                self.of_type(&name(2), own, Effect::Refuses, "is of a domain that is another now")
            }
            ("grant", _) => self.grant(rest, was, is),
            ("sequence", [_, own]) if was.is_some() => {
                let reason = format!("draws from sequence {own}, which counts otherwise or is gone");
                self.using(own, &reason);
            }
            _ => {}
        }
    }

    fn table(&mut self, table: &str, was: Option<&str>, is: Option<&str>) {
        let parent = |definition: Option<&str>| {
            let rest = definition?.split(" of ").nth(1)?;
            Some(joined(&identifiers(rest.split([' ', ',']).next()?)))
        };
        let bound = |definition: &str| {
            let from = definition.find("FOR VALUES").or_else(|| definition.find("DEFAULT"))?;
            definition.get(from..).map(|b| b.split(" of ").next().unwrap_or(b).to_owned())
        };
        if was.and_then(bound).is_some()
            && was.and_then(bound) != is.and_then(bound)
            && let Some(parent) = parent(was)
        {
            let reason = format!("no longer has the partition {table} as it was");
            self.add_predicate(&parent, Effect::Reads, reason.clone());
            self.add_predicate(&parent, Effect::Refuses, reason);
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
            schema: SchemaFingerprint { objects, digest: String::new() },
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
            Effect::Privilege(Revoked { role, rights, columns_left: false })
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
