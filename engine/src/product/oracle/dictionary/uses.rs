//! What views and code are made of, so that it is known what becomes invalid without it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::objects::{Dictionary, split};
use crate::product::oracle::grammar::facts::Query;

/// What a view, a routine or a trigger names of what there is. Names that meant nothing when it was made are left out: of other schemas and
/// of the server's own nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Uses {
    /// Tables and views, with the columns that are named of them.
    pub relations: BTreeMap<String, BTreeSet<String>>,
    /// Routines, packages and sequences.
    pub others: BTreeSet<String>,
    /// Tables that it writes to.
    pub writes: Vec<Written>,
}

/// A table that code writes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub table: String,
    /// Those that are given values; none are named by an INSERT without a list and by a DELETE.
    pub columns: Vec<String>,
    pub inserts: bool,
}

/// Something that is named and not there any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    Object(String),
    Column(String, String),
}

impl Uses {
    /// What `query` names, as `dictionary` is. `schema`: that of bare names.
    pub fn of(query: &Query, schema: &str, dictionary: &Dictionary) -> Self {
        let mut uses = Self::default();
        let mut name = |relation: &str, columns: &[String]| {
            let Some(known) = dictionary.columns(relation) else { return };
            let own = uses.relations.entry(relation.to_owned()).or_default();
            own.extend(columns.iter().filter(|c| known.iter().any(|k| k.name == **c)).cloned());
        };
        query.reads.iter().for_each(|read| name(&read.relation, &read.columns));
        query.writes.iter().for_each(|write| name(&write.table, &write.columns));
        for types in &query.types_of {
            // A table, or a column of one.
            match types.rsplit_once('.') {
                Some((table, column)) if table.contains('.') => name(table, &[column.to_owned()]),
                _ => name(types, &[]),
            }
        }
        uses.writes.extend(query.writes.iter().map(|write| Written {
            table: write.table.clone(),
            columns: write.columns.clone(),
            inserts: write.inserts,
        }));
        let calls = query.calls.iter().filter_map(|call| dictionary.routine(call, schema));
        uses.others.extend(calls.map(str::to_owned));
        uses.others.extend(query.sequences.iter().filter(|s| dictionary.sequences.contains_key(*s)).cloned());
        uses
    }

    /// The names of all of it.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.relations.keys().chain(&self.others)
    }

    /// The first of it that is not there.
    pub fn missing(&self, dictionary: &Dictionary) -> Option<Missing> {
        for (relation, columns) in &self.relations {
            let Some(known) = dictionary.columns(relation) else {
                return Some(Missing::Object(relation.clone()));
            };
            if let Some(gone) = columns.iter().find(|c| !known.iter().any(|k| k.name == **c)) {
                return Some(Missing::Column(relation.clone(), gone.clone()));
            }
        }
        let there = |name: &&String| {
            dictionary.code.contains_key(*name)
                || dictionary.sequences.contains_key(*name)
                || dictionary.synonyms.contains_key(*name)
        };
        self.others.iter().find(|name| !there(name)).map(|name| Missing::Object(name.clone()))
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Object(name) => write!(f, "{name} is not there"),
            Self::Column(relation, column) => write!(f, "{relation} has no column {column}"),
        }
    }
}

impl Dictionary {
    /// The routine, package or type that a call names: `ROUTINE`, `PACKAGE.ROUTINE`, or either with the schema before it. `None`: it is
    /// none of what is known.
    pub fn routine(&self, call: &str, schema: &str) -> Option<&str> {
        let mut parts = call.split('.');
        let (first, second) = (parts.next()?, parts.next());
        let full = second.map(|second| format!("{first}.{second}"));
        let bare = format!("{schema}.{first}");
        let found = [Some(&bare), full.as_ref()].into_iter().flatten().find_map(|name| {
            let meant = self.synonyms.get(name).unwrap_or(name);
            self.code.get_key_value(meant)
        });
        let everybody = || self.code.get_key_value(self.synonyms.get(&format!("PUBLIC.{first}"))?);
        found.or_else(everybody).map(|(name, _)| name.as_str())
    }

    /// What a view lacks to be valid, itself or what it is made of. Of a table: nothing.
    pub fn invalid(&self, relation: &str) -> Option<Missing> {
        self.lacks(relation, 0)
    }

    fn lacks(&self, relation: &str, depth: u32) -> Option<Missing> {
        let view = self.views.get(relation).filter(|view| !view.materialized && depth < 32)?;
        let under = || view.uses.relations.keys().find_map(|name| self.lacks(name, depth + 1));
        view.uses.missing(self).or_else(under)
    }

    /// What a routine or a trigger lacks to be valid.
    pub fn invalid_code(&self, uses: &Uses) -> Option<Missing> {
        let views = || uses.relations.keys().find_map(|name| self.invalid(name));
        uses.missing(self).or_else(views)
    }

    /// The schema of an object.
    pub fn schema_of<'a>(&'a self, name: &'a str) -> &'a str {
        match split(name) {
            ("", _) => &self.schema,
            (schema, _) => schema,
        }
    }
}
