//! Names in identities and definitions.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::relation_name::{bare, qualified};

/// Table and name of a column's identity; `None` for that of anything else.
pub(super) fn column(identity: &str) -> Option<(String, String)> {
    match identifiers(identity.strip_prefix("column ")?).as_slice() {
        [schema, table, column] => Some((qualified(schema, table), column.clone())),
        _ => None,
    }
}

/// The columns of a table, with their definitions.
pub(super) fn columns_of<'a>(objects: &'a BTreeMap<String, String>, table: &str) -> Vec<(String, &'a str)> {
    let known = bare(table);
    let found = of_kind(objects, "column", &known).filter_map(|(identity, definition)| {
        let (of, name) = column(identity)?;
        (of == table).then_some((name, definition))
    });
    found.collect()
}

/// Objects of a kind, such as `column`, whose identity may have this name in it: most of a schema is about others, and names take a while to
/// be read.
pub(super) fn of_kind<'a>(
    objects: &'a BTreeMap<String, String>,
    kind: &str,
    name: &str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    // What follows a blank.
    let all = objects.range(format!("{kind} ")..format!("{kind}!"));
    // A quote is spelled twice.
    all.filter(move |(identity, _)| name.contains('"') || identity.contains(name))
        .map(|(identity, definition)| (identity.as_str(), definition.as_str()))
}

/// The table that a foreign key points to.
pub(super) fn referenced(definition: &str) -> Option<String> {
    let rest = definition.split(" REFERENCES ").nth(1)?;
    Some(joined(&identifiers(rest.split('(').next()?)))
}

/// Identifiers as the name of a relation, which has two of them; of any other number as they are.
pub(super) fn joined(parts: &[String]) -> String {
    match parts {
        [schema, name] => qualified(schema, name),
        other => other.join("."),
    }
}

/// `a."b c".d e` as `a`, `b c`, `d`, `e`.
pub(in crate::product::postgres) fn identifiers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    let mut quote = false;
    let mut all = text.chars().peekable();
    while let Some(c) = all.next() {
        match c {
            '"' if quote && all.peek() == Some(&'"') => current.extend(all.next()),
            '"' => quote = !quote,
            '.' | ' ' if !quote => found.push(std::mem::take(&mut current)),
            c => current.push(c),
        }
    }
    found.push(current);
    found.retain(|part| !part.is_empty());
    found
}

/// The word of PL/pgSQL for running SQL that is made of strings. The words of a body in a language whose SQL is always in strings have it
/// too.
pub(in crate::product::postgres) const RUNS_STRINGS: &str = "execute";

/// Whether something is called among these words that names a sequence by a string.
pub(in crate::product::postgres) fn draws_by_name(words: &BTreeSet<String>) -> bool {
    ["nextval(", "currval(", "setval("].iter().any(|call| words.contains(*call))
}

/// Words of a routine's body that may be names; of one that runs SQL made of strings, or names sequences by strings, those in its strings too.
pub(in crate::product::postgres) fn words_of_body(body: &str, language: &str) -> Vec<String> {
    let words: BTreeSet<String> = words_and_calls(body).collect();
    let plain = language == "sql" || language == "plpgsql" && !words.contains(RUNS_STRINGS);
    match plain {
        true if draws_by_name(&words) => words.into_iter().chain(words_in_strings(body)).collect(),
        true => words.into_iter().collect(),
        _ => words_in_strings(body).into_iter().chain([RUNS_STRINGS.to_owned()]).collect(),
    }
}

/// The same as `words_and_calls`, with what stands in strings.
pub(in crate::product::postgres) fn words_in_strings(text: &str) -> Vec<String> {
    words_and_calls(&text.replace('\'', " ")).collect()
}

/// Words of a body that may be names, and those before a bracket, with it: what is called.
pub(in crate::product::postgres) fn words_and_calls(text: &str) -> impl Iterator<Item = String> {
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
pub(super) fn words(text: &str) -> Vec<String> {
    let outside: String = text.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let split = outside.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
    split.filter(|w| !w.is_empty()).map(str::to_owned).collect()
}
