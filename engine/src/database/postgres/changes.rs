//! What two looks at a schema tell apart, and what each difference means for those who read and write there.
//!
//! The looks are fingerprints: one line an object. Only what leaves a query plannable is told here; that something a query
//! names is gone or has another type is what planning it shows.

use crate::database::{Change, Effect, Events, SchemaFingerprint};

/// Everything that may be felt, in the order of the objects' names.
pub fn between(before: &SchemaFingerprint, after: &SchemaFingerprint) -> Vec<Change> {
    let mut found = Found { before, after, changes: Vec::new() };
    let names =
        before.objects.keys().chain(after.objects.keys().filter(|k| !before.objects.contains_key(*k)));
    for identity in names {
        let (was, is) = (before.objects.get(identity), after.objects.get(identity));
        if was == is {
            continue;
        }
        let Some((kind, rest)) = identity.split_once(' ') else { continue };
        found.object(kind, rest, was.map(String::as_str), is.map(String::as_str));
    }
    found.changes
}

struct Found<'a> {
    before: &'a SchemaFingerprint,
    after: &'a SchemaFingerprint,
    changes: Vec<Change>,
}

impl Found<'_> {
    fn add(&mut self, subject: &str, columns: &[String], effect: Effect, reason: String) {
        let (subject, columns, on) = (subject.to_owned(), columns.to_vec(), Events::ALL);
        self.changes.push(Change { subject, columns, on, effect, reason });
    }

    fn object(&mut self, kind: &str, rest: &str, was: Option<&str>, is: Option<&str>) {
        let parts = identifiers(rest);
        let name = |n: usize| parts.iter().take(n).cloned().collect::<Vec<_>>().join(".");
        match (kind, parts.as_slice()) {
            ("table", [_, _]) => self.table(&name(2), was, is),
            ("column", [_, _, column]) => self.column(&name(2), column, was, is),
            ("constraint", [schema, subject, constraint]) => {
                self.constraint(schema, subject, constraint, was, is)
            }
            ("index", [_, index]) => self.index(index, was, is),
            ("view" | "materialized", _) => {
                let parts = identifiers(rest.strip_prefix("view ").unwrap_or(rest));
                let view = parts.join(".");
                match (was, is) {
                    (Some(_), None) => self.add(&view, &[], Effect::Gone, "is gone".to_owned()),
                    (Some(_), Some(_)) => {
                        self.add(&view, &[], Effect::Reads, "is another query now".to_owned());
                        self.add(&view, &[], Effect::Refuses, "is another query now".to_owned());
                    }
                    _ => {}
                }
            }
            ("function", _) => {
                let routine = identifiers(rest.split('(').next().unwrap_or(rest)).join(".");
                let (effect, reason) = match (was, is) {
                    (Some(_), None) => (Effect::Gone, "is gone in one form"),
                    (None, _) => (Effect::Routine, "has another form, which may be taken instead"),
                    _ => (Effect::Routine, "does something else now"),
                };
                self.add(&routine, &[], effect, reason.to_owned());
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
                    reason,
                });
            }
            ("policy", [_, _, policy]) => {
                let reason = format!("shows and takes other rows by policy {policy}");
                self.add(&name(2), &[], Effect::Reads, reason.clone());
                self.add(&name(2), &[], Effect::Refuses, reason);
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
            Some(identifiers(rest.split([' ', ',']).next()?).join("."))
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
            self.add(&parent, &[], Effect::Reads, reason.clone());
            self.add(&parent, &[], Effect::Refuses, reason);
        }
        match (was, is) {
            (Some(_), None) => self.add(table, &[], Effect::Gone, "is gone".to_owned()),
            (Some(was), Some(is)) if was.contains("row security") != is.contains("row security") => {
                let reason = "has row security switched over".to_owned();
                self.add(table, &[], Effect::Reads, reason.clone());
                self.add(table, &[], Effect::Refuses, reason);
            }
            // A table where a view was, or the other way round, is told by the view.
            _ => {}
        }
    }

    fn column(&mut self, table: &str, column: &str, was: Option<&str>, is: Option<&str>) {
        let own = [column.to_owned()];
        let (Some(was), Some(is)) = (was, is) else {
            let reason = if is.is_some() { "is new" } else { "is gone" };
            self.add(table, &own, Effect::Column, format!("{table}.{column} {reason}"));
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
            self.add(table, &own, Effect::Reads, format!("{table}.{column} sorts and compares otherwise"));
        }
        if was.not_null && !is.not_null {
            self.add(table, &own, Effect::Reads, format!("{table}.{column} can be NULL now"));
        }
        if was.default != is.default {
            let told = |d: &Option<String>| d.clone().unwrap_or_else(|| "NULL".to_owned());
            let reason = format!(
                "{table}.{column} is {} when it is left out, not {}",
                told(&is.default),
                told(&was.default)
            );
            let effect = if is.generated || was.generated { Effect::Reads } else { Effect::Default };
            self.add(table, &own, effect, reason);
        }
        if is.always && !was.always {
            self.add(table, &own, Effect::Generated, format!("{table}.{column} must not be given any more"));
        } else if is.generated != was.generated || is.always != was.always {
            self.add(
                table,
                &own,
                Effect::Default,
                format!("{table}.{column} is made otherwise when it is left out"),
            );
        }
    }

    fn constraint(
        &mut self,
        schema: &str,
        subject: &str,
        constraint: &str,
        was: Option<&str>,
        is: Option<&str>,
    ) {
        let table = format!("{schema}.{subject}");
        let own = [schema, subject];
        let is_table = |k: &String| k.strip_prefix("table ").is_some_and(|k| identifiers(k) == own);
        if ![self.before, self.after].iter().any(|s| s.objects.keys().any(is_table)) {
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
            if !softer {
                let columns = self.columns_in(&table, is);
                let wide = is.starts_with("EXCLUDE") || columns.is_empty();
                let columns = if wide { Vec::new() } else { columns };
                self.add(
                    &table,
                    &columns,
                    Effect::Refuses,
                    format!("{table} takes only what keeps {constraint}: {is}"),
                );
                if let Some(parent) = referenced(is) {
                    self.add(
                        &parent,
                        &[],
                        Effect::Keeps,
                        format!("{parent} keeps the rows that {table} refers to by {constraint}"),
                    );
                }
            }
        }
        if let Some(was) = was
            && is.is_none()
        {
            let acts = was.contains("ON DELETE CASCADE") || was.contains("ON DELETE SET");
            if let Some(parent) = referenced(was).filter(|_| acts) {
                self.add(
                    &parent,
                    &[],
                    Effect::Keeps,
                    format!("rows of {table} are left alone when those of {parent} go"),
                );
            }
        }
    }

    fn index(&mut self, index: &str, was: Option<&str>, is: Option<&str>) {
        let definition = is.or(was).unwrap_or_default();
        let Some(on) = definition.split(" ON ").nth(1) else { return };
        let on = on.strip_prefix("ONLY ").unwrap_or(on);
        let table = identifiers(on.split(" USING").next().unwrap_or(on)).join(".");
        let inside = definition.split_once(" USING ").map_or("", |(_, rest)| rest);
        let columns = self.columns_in(&table, inside);
        let unique =
            |d: Option<&str>| d.is_some_and(|d| d.starts_with("CREATE UNIQUE") && !d.contains("(invalid)"));
        if unique(is) && was != is {
            self.add(
                &table,
                &columns,
                Effect::Refuses,
                format!("{table} takes no two rows of the same {} ({index})", columns.join(", ")),
            );
        }
        if unique(was) && was != is {
            self.add(
                &table,
                &columns,
                Effect::Key,
                format!("{table} may hold rows of the same {} now", columns.join(", ")),
            );
        }
        if was.is_some() && is.is_none() && !columns.is_empty() {
            let first = columns.get(..1).unwrap_or_default();
            self.add(&table, first, Effect::Slower, format!("the index {index} is gone"));
        }
    }

    fn labels(&mut self, name: &str, own: &str, was: Option<&str>, is: Option<&str>) {
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
            self.of_type(name, own, Effect::Reads, &format!("may hold {come}, which no reader knows"));
        }
    }

    /// All columns of a type.
    fn of_type(&mut self, name: &str, own: &str, effect: Effect, what: &str) {
        let bare = |definition: &str| {
            let kind = Definition::of(definition).kind;
            kind.trim_end_matches("[]").replace('"', "")
        };
        let columns = self.columns_where(|definition| [name, own].contains(&bare(definition).as_str()));
        for (table, column) in columns {
            let reason = format!("{table}.{column} {what}");
            self.add(&table, &[column], effect, reason);
        }
    }

    /// All columns whose default draws from a sequence.
    fn using(&mut self, sequence: &str, reason: &str) {
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
    fn columns_where(&self, such: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let found = self.after.objects.iter().filter(|(_, definition)| such(definition));
        found.filter_map(|(identity, _)| column(identity)).collect()
    }

    fn grant(&mut self, rest: &str, was: Option<&str>, is: Option<&str>) {
        // `on table s.t to role`
        let Some((what, role)) = rest.strip_prefix("on ").and_then(|r| r.rsplit_once(" to ")) else { return };
        let Some((kind, name)) = what.split_once(' ') else { return };
        let rights = |d: Option<&str>| {
            d.unwrap_or_default().split(", ").filter(|r| !r.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let now = rights(is);
        let lost: Vec<String> = rights(was).into_iter().filter(|r| !now.contains(r)).collect();
        let identity = format!("{kind} {name}");
        let there = kind == "column"
            || self.after.objects.contains_key(&identity)
            || self.after.objects.contains_key(&format!("view {name}"));
        if !there {
            return;
        }
        if lost.is_empty() || kind == "schema" {
            return;
        }
        let parts = identifiers(name.split('(').next().unwrap_or(name));
        let subject = parts.get(..2).unwrap_or_default().join(".");
        let reason = format!("{role} may no longer {} {name}", lost.join(", "));
        self.add(&subject, &[], Effect::Privilege, reason);
    }

    /// Columns of a table that a definition names.
    fn columns_in(&self, table: &str, definition: &str) -> Vec<String> {
        let words = words(definition);
        let known = self.after.objects.keys().chain(self.before.objects.keys());
        let mut columns: Vec<String> = known
            .filter_map(|identity| column(identity).filter(|(of, _)| of == table))
            .map(|(_, column)| column)
            .filter(|c| words.iter().any(|w| w == c))
            .collect();
        columns.sort_by_key(|c| words.iter().position(|w| w == c));
        columns.dedup();
        columns
    }
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
        let ends =
            [" collate ", " not null", " identity ", " generated", " default ", " storage ", " compression "];
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

/// Table and name of a column's identity; `None` for that of anything else.
fn column(identity: &str) -> Option<(String, String)> {
    match identifiers(identity.strip_prefix("column ")?).as_slice() {
        [schema, table, column] => Some((format!("{schema}.{table}"), column.clone())),
        _ => None,
    }
}

/// The table that a foreign key points to.
fn referenced(definition: &str) -> Option<String> {
    let rest = definition.split(" REFERENCES ").nth(1)?;
    Some(identifiers(rest.split('(').next()?).join("."))
}

/// `a."b c".d e` as `a`, `b c`, `d`, `e`.
fn identifiers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    let mut quote = false;
    for c in text.chars() {
        match c {
            '"' => quote = !quote,
            '.' | ' ' if !quote => found.push(std::mem::take(&mut current)),
            c => current.push(c),
        }
    }
    found.push(current);
    found.retain(|part| !part.is_empty());
    found
}

/// Words of a body that may be names, and those before a bracket, with it: what is called.
pub(super) fn words_and_calls(text: &str) -> impl Iterator<Item = String> {
    let outside: String = text.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    let mut word = String::new();
    for c in outside.chars().chain([' ']) {
        if c.is_alphanumeric() || c == '_' || c == '$' {
            word.extend(c.to_lowercase());
            continue;
        }
        if c == '(' && !word.is_empty() {
            found.push(format!("{word}("));
        }
        // Blanks may stand before the bracket, and after a name that is quoted.
        if !c.is_whitespace() && c != '"' || !word.is_empty() {
            found.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
    }
    found.into_iter()
}

/// Words of a definition that may be names, without what stands in strings.
fn words(text: &str) -> Vec<String> {
    let outside: String = text.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let split = outside.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
    split.filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(objects: &[(&str, &str)]) -> SchemaFingerprint {
        let objects = objects.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        SchemaFingerprint { objects, digest: String::new() }
    }

    #[test]
    fn names_that_are_quoted_are_known_again() {
        let before = [("table public.\"user\"", "table"), ("column public.\"user\".\"Login\"", "text")];
        let check = ("constraint public.\"user\" known", "CHECK ((\"Login\" <> ''::text))");
        let after = [before.as_slice(), &[check]].concat();
        let found = between(&schema(&before), &schema(&after));
        let [change] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((change.subject.as_str(), change.effect), ("public.user", Effect::Refuses));
        assert_eq!(change.columns, ["Login"]);
    }
}
