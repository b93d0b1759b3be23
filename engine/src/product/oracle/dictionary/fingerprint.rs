//! A dictionary as lines that can be compared: an identity and a definition for each object.
//!
//! A definition is a list of attributes with `; ` between them; what is written freely, as a default or a text, comes last.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::objects::{Column, Constraint, ConstraintKind, Dictionary, Identity, Index, Table};
use super::texts::{self, spaces};
use crate::model::hex;
use crate::model::schema::{NumberSource, ObjectIdentity, SchemaFingerprint, SchemaSnapshot};

/// Begins the identities of orders.
pub const ORDER: &str = "order of columns of ";
/// Between the attributes of a definition.
pub const BETWEEN: &str = "; ";

impl Dictionary {
    pub fn fingerprint(&self) -> SchemaFingerprint {
        let objects: BTreeMap<String, String> =
            self.lines().into_iter().map(|line| (line.identity, line.definition)).collect();
        let mut digest = Sha256::new();
        for (identity, definition) in &objects {
            digest.update(format!("{identity}\n{definition}\n"));
        }
        let order = |(name, table): (&String, &Table)| {
            let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
            (format!("{ORDER}{name}"), columns.join(", "))
        };
        SchemaFingerprint {
            objects,
            digest: hex(&digest.finalize()),
            beside: self.tables.iter().map(order).collect(),
            ..SchemaFingerprint::default()
        }
    }

    pub fn snapshot(&self) -> SchemaSnapshot {
        let objects = self.lines().into_iter().map(|line| {
            let identity = ObjectIdentity { number: line.number, digest: String::new() };
            (line.identity, identity)
        });
        SchemaSnapshot {
            objects: objects.collect(),
            schema: self.fingerprint(),
            numbers: self.number_sources(),
            ..SchemaSnapshot::default()
        }
    }

    /// Columns that take their numbers from a sequence by their default.
    fn number_sources(&self) -> BTreeMap<(String, String), NumberSource> {
        let mut sources = BTreeMap::new();
        for (name, table) in &self.tables {
            for column in &table.columns {
                let default = column.default.as_deref().unwrap_or_default().to_uppercase();
                let Some(sequence) = default.trim().strip_suffix(".NEXTVAL") else { continue };
                let sequence = match sequence.contains('.') {
                    true => sequence.replace('"', ""),
                    false => format!("{}.{}", self.schema_of(name), sequence.replace('"', "")),
                };
                let ascending = !self.sequences.get(&sequence).is_some_and(|s| s.increment.starts_with('-'));
                let source = NumberSource { sequence, next: None, ascending };
                sources.insert((name.clone(), column.name.clone()), source);
            }
        }
        sources
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (name, table) in &self.tables {
            lines.push(line(format!("table {name}"), table_attributes(table), table.number.to_string()));
            for column in &table.columns {
                let number = format!("{}.{}", table.number, column.name);
                lines.push(line(format!("column {name}.{}", column.name), column_attributes(column), number));
            }
            for constraint in &table.constraints {
                let number = format!("{}.{}", table.number, constraint.name);
                lines.push(line(
                    constraint_identity(name, constraint),
                    constraint_attributes(constraint),
                    number,
                ));
            }
        }
        for (name, index) in &self.indexes {
            lines.push(line(index_identity(name, index), index_attributes(index), index.number.to_string()));
        }
        for (name, view) in &self.views {
            let kind = if view.materialized { "materialized view" } else { "view" };
            let columns: Vec<&str> = view.columns.iter().map(|c| c.name.as_str()).collect();
            let text = vec![
                view.read_only.then(|| "read only".to_owned()),
                Some(format!("columns {}", columns.join(", "))),
                Some(spaces(texts::query_of(&view.text))),
            ];
            lines.push(line(format!("{kind} {name}"), text, view.number.to_string()));
        }
        for (name, sequence) in &self.sequences {
            let attributes = vec![
                Some(format!("increment {}", sequence.increment)),
                Some(match &sequence.cache {
                    Some(cache) => format!("cache {cache}"),
                    None => "no cache".to_owned(),
                }),
                sequence.maximum.as_ref().map(|n| format!("maximum {n}")),
                sequence.minimum.as_ref().map(|n| format!("minimum {n}")),
                sequence.cycle.then(|| "cycle".to_owned()),
                sequence.ordered.then(|| "ordered".to_owned()),
            ];
            lines.push(line(format!("sequence {name}"), attributes, sequence.number.to_string()));
        }
        for (name, target) in &self.synonyms {
            lines.push(line(format!("synonym {name}"), vec![Some(format!("for {target}"))], target.clone()));
        }
        for (name, code) in &self.code {
            let number = code.number.to_string();
            lines.push(line(format!("code {name}"), vec![Some(texts::source(&code.text))], number.clone()));
            if let Some(body) = &code.body {
                lines.push(line(format!("body {name}"), vec![Some(texts::source(body))], number));
            }
        }
        for (name, trigger) in &self.triggers {
            let attributes = vec![
                Some(format!("on {}", trigger.table)),
                trigger.events.insert.then(|| "before or after insert".to_owned()),
                trigger.events.update.then(|| "before or after update".to_owned()),
                trigger.events.delete.then(|| "before or after delete".to_owned()),
                (!trigger.columns.is_empty()).then(|| format!("of ({})", trigger.columns.join(", "))),
                (!trigger.enabled).then(|| "disabled".to_owned()),
                Some(texts::source(&trigger.text)),
            ];
            lines.push(line(format!("trigger {name}"), attributes, trigger.number.to_string()));
        }
        for (object, of) in &self.grants {
            for (to, rights) in of {
                let rights: Vec<&str> = rights.iter().map(String::as_str).collect();
                lines.push(line(
                    format!("grant on {object} to {to}"),
                    vec![Some(rights.join(", "))],
                    String::new(),
                ));
            }
        }
        lines
    }
}

struct Line {
    identity: String,
    definition: String,
    number: String,
}

fn line(identity: String, attributes: Vec<Option<String>>, number: String) -> Line {
    let attributes: Vec<String> = attributes.into_iter().flatten().collect();
    Line { identity, definition: attributes.join(BETWEEN), number }
}

fn table_attributes(table: &Table) -> Vec<Option<String>> {
    let flag = |is: bool, name: &str| is.then(|| name.to_owned());
    vec![
        Some("table".to_owned()),
        flag(table.partitioned, "partitioned"),
        flag(table.temporary, "temporary"),
        flag(table.index_organized, "index organized"),
        flag(table.external, "external"),
        flag(table.read_only, "read only"),
        flag(table.supplemental_logging, "supplemental logging"),
        table.comment.as_ref().map(|text| format!("comment {text}")),
    ]
}

fn column_attributes(column: &Column) -> Vec<Option<String>> {
    let identity = column.identity.map(|identity| match identity {
        Identity::Always => "identity always",
        Identity::ByDefault => "identity by default",
        Identity::ByDefaultOnNull => "identity by default on null",
    });
    let flag = |is: bool, name: &str| is.then(|| name.to_owned());
    vec![
        Some(column.sql_type.clone()),
        column.not_null.then(|| match &column.not_null_name {
            Some(name) => format!("not null by {name}"),
            None => "not null".to_owned(),
        }),
        flag(column.not_null_unvalidated, "not validated"),
        identity.map(str::to_owned),
        flag(column.is_virtual, "virtual"),
        flag(column.invisible, "invisible"),
        flag(column.encrypted, "encrypted"),
        column.comment.as_ref().map(|text| format!("comment {text}")),
        column.default.as_ref().map(|text| {
            let on_null = if column.on_null { " on null" } else { "" };
            format!("default{on_null} {}", text.trim())
        }),
    ]
}

/// One without a name of its own is known by what it is: the server makes up another the next time.
fn constraint_identity(table: &str, constraint: &Constraint) -> String {
    if !constraint.generated_name {
        return format!("constraint {table} {}", constraint.name);
    }
    format!("constraint {table} {}", constraint_rule(constraint))
}

fn constraint_rule(constraint: &Constraint) -> String {
    let columns = constraint.columns.join(", ");
    match constraint.kind {
        ConstraintKind::PrimaryKey => format!("primary key ({columns})"),
        ConstraintKind::Unique => format!("unique ({columns})"),
        ConstraintKind::ForeignKey => {
            let (parent, theirs) = constraint.references.clone().unwrap_or_default();
            format!("foreign key ({columns}) references {parent} ({})", theirs.join(", "))
        }
        ConstraintKind::Check => {
            format!("check ({})", spaces(constraint.condition.as_deref().unwrap_or_default()))
        }
    }
}

fn constraint_attributes(constraint: &Constraint) -> Vec<Option<String>> {
    let flag = |is: bool, name: &str| is.then(|| name.to_owned());
    vec![
        flag(!constraint.enabled, "disabled"),
        flag(!constraint.validated, "not validated"),
        flag(constraint.deferrable, "deferrable"),
        constraint.on_delete.as_ref().map(|how| format!("on delete {}", how.replace('_', " "))),
        (constraint.kind == ConstraintKind::Check && !constraint.columns.is_empty())
            .then(|| format!("of columns {}", constraint.columns.join(", "))),
        Some(constraint_rule(constraint)),
    ]
}

fn index_identity(name: &str, index: &Index) -> String {
    let bare = name.rsplit('.').next().unwrap_or(name);
    if index.of_constraint.is_some() && bare.starts_with("SYS_C") {
        return format!("index of {} ({})", index.table, index.columns.join(", "));
    }
    format!("index {name}")
}

fn index_attributes(index: &Index) -> Vec<Option<String>> {
    let flag = |is: bool, name: &str| is.then(|| name.to_owned());
    vec![
        flag(index.unique, "unique"),
        flag(index.bitmap, "bitmap"),
        flag(index.local, "local"),
        flag(index.invisible, "invisible"),
        flag(index.unusable, "unusable"),
        Some(format!("on {} ({})", index.table, index.columns.join(", "))),
    ]
}
