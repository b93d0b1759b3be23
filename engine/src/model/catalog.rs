//! What exists in a database, with sizes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::change::Events;
use super::query::Write;
use super::schema_action::SchemaAction;

/// What exists, with sizes: enough to weigh hazards and to find fitting values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// By `schema.name`.
    pub tables: BTreeMap<String, Table>,
    /// Index `schema.name` -> table `schema.name`.
    pub indexes: BTreeMap<String, String>,
    /// View or materialised view `schema.name` -> relations it reads.
    pub views: BTreeMap<String, Vec<String>>,
    /// View -> its columns. Only of products whose SQL is read without a server.
    #[serde(default)]
    pub view_columns: BTreeMap<String, Vec<Column>>,
    /// Another name `schema.name` -> what it stands for. Not of products that have no such names.
    #[serde(default)]
    pub synonyms: BTreeMap<String, String>,
    /// Enum type `schema.name` -> labels.
    pub enums: BTreeMap<String, Vec<String>>,
    /// Schemas searched for bare names, in order.
    pub search_path: Vec<String>,
    /// Table -> columns of the indexes that pending changesets make.
    #[serde(default)]
    pub pending_indexes: BTreeMap<String, Vec<Vec<String>>>,
    /// Function or procedure `schema.name` -> words of its body that may be names.
    #[serde(default)]
    pub routines: BTreeMap<String, BTreeSet<String>>,
    /// Routine -> what it writes itself, of routines of which all of that is known. Of others, the words of their bodies say it.
    #[serde(skip)]
    pub routine_writes: BTreeMap<String, Vec<Write>>,
    /// Table -> routines that its triggers call, and when.
    #[serde(default)]
    pub triggers: BTreeMap<String, Vec<(String, Events)>>,
    /// Sign of an operator -> routines of users that it stands for.
    #[serde(default)]
    pub operators: BTreeMap<String, Vec<String>>,
    /// Table -> relations and routines that its policies ask.
    #[serde(default)]
    pub policies: BTreeMap<String, Vec<String>>,
    /// Table -> routines that its defaults, checks and indexes call when rows are written.
    #[serde(default)]
    pub expressions: BTreeMap<String, Vec<String>>,
    /// Table -> relations and routines that its rules come to, and when.
    #[serde(default)]
    pub rules: BTreeMap<String, Vec<(String, Events)>>,
    /// Table -> tables whose rows go with its own, or are set free: the columns that are emptied then.
    #[serde(default)]
    pub follow: BTreeMap<String, Vec<(String, Vec<String>)>>,
    /// Table -> tables that it inherits from, whose rows its own count among. Partitions are not told here.
    #[serde(default)]
    pub inherits: BTreeMap<String, Vec<String>>,
    /// Text search configurations of users, as `schema.name`: queries name them by strings.
    #[serde(default)]
    pub text_search: BTreeSet<String>,
    /// Sequences, as `schema.name`.
    #[serde(default)]
    pub sequences: BTreeSet<String>,
    /// Table -> its columns whose defaults draw from a sequence by the rights of who inserts, and the sequence.
    #[serde(default)]
    pub draws: BTreeMap<String, Vec<(String, String)>>,
    /// Domain `schema.name` -> what it is made of.
    #[serde(default)]
    pub domains: BTreeMap<String, Domain>,
    /// Tables that pending changesets make: nobody uses them yet.
    #[serde(default)]
    pub pending_tables: BTreeSet<String>,
}

/// A type that is another one under its own name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// The type below, which may be a domain too, e.g. `character varying(40)`.
    pub base: String,
    /// It refuses values that the type below takes.
    pub constrained: bool,
}

impl Catalog {
    /// The table that a partition is of in the end; a table that is no partition is its own.
    pub fn root<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut at = name;
        let mut table = self.tables.get(name)?;
        while let Some(parent) = &table.parent {
            at = parent;
            table = self.tables.get(parent)?;
        }
        Some(at)
    }

    /// These writes and what follows them: what is deleted takes rows of other tables with it, or sets them free.
    pub fn followed(&self, mut writes: Vec<Write>) -> Vec<Write> {
        let mut at = 0;
        while let Some(write) = writes.get(at) {
            at += 1;
            if !Events::of(write).delete {
                continue;
            }
            let children = self.follow.get(&write.table).into_iter().flatten();
            let children = children.map(|(table, columns)| Write {
                table: table.clone(),
                columns: columns.clone(),
                inserts: false,
                handles_conflicts: false,
            });
            let new: Vec<Write> = children.filter(|child| !writes.contains(child)).collect();
            writes.extend(new);
        }
        writes
    }

    /// What is so once a pending changeset has done this.
    pub fn foresee(&mut self, action: &SchemaAction) {
        match action {
            SchemaAction::CreateTable { table } if !self.tables.contains_key(table) => {
                self.pending_tables.insert(table.clone());
            }
            SchemaAction::RenameTable { table, to } if self.pending_tables.remove(table) => {
                self.pending_tables.insert(to.clone());
            }
            SchemaAction::DropTable { table } => {
                self.pending_tables.remove(table);
            }
            SchemaAction::AddConstraint { table, .. }
            | SchemaAction::ValidateConstraint { table, .. }
            | SchemaAction::DropConstraint { table, .. }
            | SchemaAction::DropColumn { table, .. } => {
                if let Some(table) = self.tables.get_mut(table) {
                    NotNullCheck::foresee(&mut table.not_null_checks, action);
                }
            }
            _ => {}
        }
    }

    /// Takes over what was read anew of some relations, in the place of what was known of them; with `others`, also what belongs to no
    /// relation. None of the relations has gone or is called otherwise.
    pub fn renew(&mut self, part: Self, others: bool) {
        let read = |name: &String| part.tables.contains_key(name) || part.views.contains_key(name);
        self.indexes.retain(|_, table| !read(table));
        self.triggers.retain(|table, _| !read(table));
        self.policies.retain(|table, _| !read(table));
        self.expressions.retain(|table, _| !read(table));
        self.rules.retain(|table, _| !read(table));
        self.draws.retain(|table, _| !read(table));
        self.inherits.retain(|table, _| !read(table));
        let Self {
            tables,
            indexes,
            views,
            view_columns,
            synonyms,
            enums,
            search_path,
            pending_indexes: _,
            routines,
            routine_writes,
            triggers,
            operators,
            policies,
            expressions,
            rules,
            follow,
            inherits,
            text_search,
            sequences,
            draws,
            domains,
            pending_tables: _,
        } = part;
        self.tables.extend(tables);
        self.indexes.extend(indexes);
        self.views.extend(views);
        self.view_columns.extend(view_columns);
        self.triggers.extend(triggers);
        self.policies.extend(policies);
        self.expressions.extend(expressions);
        self.rules.extend(rules);
        self.follow.extend(follow);
        self.inherits.extend(inherits);
        self.sequences.extend(sequences);
        self.draws.extend(draws);
        if others {
            self.enums = enums;
            self.synonyms = synonyms;
            self.search_path = search_path;
            self.routines = routines;
            self.routine_writes = routine_writes;
            self.operators = operators;
            self.domains = domains;
            self.text_search = text_search;
        }
    }

    /// The labels of an enum type, by the name that a column or a query shows of it: with its schema, or found in the search path.
    pub fn labels(&self, name: &str) -> Option<&Vec<String>> {
        let in_path = || self.search_path.iter().find_map(|s| self.enums.get(&format!("{s}.{name}")));
        self.enums.get(name).or_else(in_path)
    }
}

/// A table or partitioned table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub rows: u64,
    pub bytes: u64,
    pub partitioned: bool,
    /// Its rows are on another server.
    #[serde(default)]
    pub foreign: bool,
    /// The partitioned table that this one is a partition of.
    pub parent: Option<String>,
    pub columns: Vec<Column>,
    pub primary_key: Vec<String>,
    /// Column sets of unique indexes, the primary key included.
    pub unique: Vec<Vec<String>>,
    /// Columns of all valid indexes over the whole table, in order.
    #[serde(default)]
    pub indexed: Vec<Vec<String>>,
    /// Foreign keys: own columns, referenced table, referenced columns.
    pub foreign_keys: Vec<(Vec<String>, String, Vec<String>)>,
    #[serde(default)]
    pub not_null_checks: Vec<NotNullCheck>,
    #[serde(default)]
    pub storage: Storage,
}

/// How a table is kept, where what a change of it costs depends on that and the product tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Storage {
    /// Sessions have rows of their own.
    pub temporary: bool,
    /// The rows lie in the index of the primary key.
    pub index_organized: bool,
    /// What changes in a row is logged for others, beyond what recovery needs.
    pub changes_logged: bool,
    /// An index goes over all partitions.
    pub global_index: bool,
}

/// A check that keeps columns from being NULL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotNullCheck {
    /// `None`: the server makes one up.
    pub name: Option<String>,
    pub columns: Vec<String>,
    /// All rows keep to it.
    pub valid: bool,
}

impl NotNullCheck {
    /// The checks of a table once this was done to it.
    pub fn foresee(all: &mut Vec<Self>, action: &SchemaAction) {
        match action {
            SchemaAction::AddConstraint { name, valid, not_null, .. } if !not_null.is_empty() => {
                all.push(Self { name: name.clone(), columns: not_null.clone(), valid: *valid });
            }
            SchemaAction::ValidateConstraint { name, .. } => {
                all.iter_mut().filter(|c| c.name.as_ref() == Some(name)).for_each(|c| c.valid = true);
            }
            // One whose name is not known may be the one that goes.
            SchemaAction::DropConstraint { name, .. } => {
                all.retain(|c| c.name.as_ref().is_some_and(|own| own != name));
            }
            SchemaAction::DropColumn { column, .. } => all.retain(|c| !c.columns.contains(column)),
            _ => {}
        }
    }
}

/// A column as the catalog shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// e.g. `character varying(40)`.
    pub sql_type: String,
    pub not_null: bool,
    pub has_default: bool,
    /// Identity ALWAYS or generated: must not be written.
    pub generated: bool,
    /// Greatest length in characters, where the type has one.
    pub max_length: Option<u32>,
    /// A `*` leaves it out, and so does an INSERT without a list.
    #[serde(default)]
    pub hidden: bool,
}
