//! What views and code are made of, told by the reader from their texts: in one go for each schema, since bare names mean its objects.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::product::oracle::dictionary::{Column, Dictionary, Uses, split};
use crate::product::oracle::grammar::facts::{Query, Text};
use crate::product::oracle::grammar::{self, Context};

/// Whose text it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    View(String),
    /// A routine, or what others see of a package or type.
    Code(String),
    Body(String),
    Trigger(String),
}

impl Of {
    pub fn name(&self) -> &str {
        match self {
            Self::View(name) | Self::Code(name) | Self::Body(name) | Self::Trigger(name) => name,
        }
    }
}

/// Gives what could not be read.
///
/// # Errors
/// `Input` when the reader is missing.
pub fn read(dictionary: &mut Dictionary) -> Result<BTreeSet<Of>> {
    let mut by_schema: BTreeMap<String, Vec<(Of, String)>> = BTreeMap::new();
    for (of, text) in texts(dictionary) {
        by_schema.entry(split(of.name()).0.to_owned()).or_default().push((of, text));
    }
    let mut read = Vec::new();
    let mut unread = BTreeSet::new();
    let mut catalog = dictionary.catalog();
    for (schema, texts) in by_schema {
        catalog.search_path = vec![schema];
        let context = Context::new(dictionary.version.name(), &catalog);
        let all: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
        let answers = grammar::read(&all, &context)?;
        for ((of, _), answer) in texts.into_iter().zip(answers) {
            match query(&answer) {
                Some(query) => read.push((of, query)),
                None => {
                    unread.insert(of);
                }
            }
        }
    }
    for (of, query) in &read {
        told(of, query, dictionary);
    }
    view_columns(&read, dictionary);
    Ok(unread)
}

/// As statements that would make them.
fn texts(dictionary: &Dictionary) -> Vec<(Of, String)> {
    let mut texts = Vec::new();
    for (name, view) in &dictionary.views {
        let columns: Vec<String> = view.columns.iter().map(|c| format!("\"{}\"", c.name)).collect();
        let (schema, bare) = split(name);
        let text = format!("CREATE VIEW \"{schema}\".\"{bare}\" ({}) AS {}", columns.join(", "), view.text);
        texts.push((Of::View(name.clone()), text));
    }
    let create = |text: &str| format!("CREATE OR REPLACE {text}");
    for (name, code) in &dictionary.code {
        texts.push((Of::Code(name.clone()), create(&code.text)));
        texts.extend(code.body.as_ref().map(|body| (Of::Body(name.clone()), create(body))));
    }
    let triggers = dictionary.triggers.iter();
    texts.extend(triggers.map(|(name, trigger)| (Of::Trigger(name.clone()), create(&trigger.text))));
    texts
}

/// `None`: not all of it was read.
fn query(text: &Text) -> Option<Query> {
    match text.statements.as_slice() {
        [only] if only.error.is_none() => {
            let read = only.read.as_ref()?;
            (!read.facts.wrapped).then(|| read.query.clone().unwrap_or_default())
        }
        _ => None,
    }
}

fn told(of: &Of, query: &Query, dictionary: &mut Dictionary) {
    let name = of.name();
    let mut uses = Uses::of(query, split(name).0, dictionary);
    match of {
        Of::View(_) => {
            if let Some(view) = dictionary.views.get_mut(name) {
                view.uses = uses;
            }
        }
        Of::Code(_) => {
            // It may call itself.
            uses.others.remove(name);
            if let Some(code) = dictionary.code.get_mut(name) {
                code.signatures.clone_from(&query.signatures);
                // What a package does is in its body.
                if code.body.is_none() {
                    code.uses = uses;
                }
            }
        }
        Of::Body(_) => {
            if let Some(code) = dictionary.code.get_mut(name) {
                code.body_signatures.clone_from(&query.signatures);
                code.uses = uses;
            }
        }
        Of::Trigger(_) => {
            if let Some(trigger) = dictionary.triggers.get_mut(name) {
                trigger.uses = uses;
            }
        }
    }
}

/// A column of a view that is just a column of what it reads has that one's type. What is computed has none here, as where statements are
/// applied: it would seem to be another one there as soon as a changeset makes the view anew.
fn view_columns(read: &[(Of, Query)], dictionary: &mut Dictionary) {
    let views = read.iter().filter_map(|(of, query)| match of {
        Of::View(name) => Some((name, query)),
        _ => None,
    });
    let views: Vec<(&String, &Query)> = views.collect();
    // Views may read views: each pass tells one more level.
    for _ in 0..32 {
        let told: Vec<(&String, Vec<Column>)> = views
            .iter()
            .filter_map(|(name, query)| Some((*name, columns(name, query, dictionary)?)))
            .collect();
        if told.is_empty() {
            break;
        }
        for (name, columns) in told {
            if let Some(view) = dictionary.views.get_mut(name) {
                view.columns = columns;
            }
        }
    }
}

/// `None` where that is what is known already, or the reader counts other columns than the server.
fn columns(name: &str, query: &Query, dictionary: &Dictionary) -> Option<Vec<Column>> {
    let known = &dictionary.views.get(name)?.columns;
    if known.len() != query.result.len() {
        return None;
    }
    let told = known.iter().zip(&query.result).map(|(known, result)| {
        let origin = result.1.first().filter(|_| result.2);
        let origin = origin.and_then(|(relation, column)| dictionary.column(relation, column));
        Column {
            sql_type: origin.map(|c| c.sql_type.clone()).unwrap_or_default(),
            not_null: origin.is_some_and(|c| c.not_null),
            ..known.clone()
        }
    });
    let told: Vec<Column> = told.collect();
    (told != *known).then_some(told)
}
