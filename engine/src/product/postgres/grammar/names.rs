//! Names as the catalog knows them: `schema.name` for what a statement says, seen through what earlier statements of the
//! same script made, renamed and set.

use std::collections::{BTreeMap, BTreeSet};

use pg_query::protobuf::RangeVar;

use crate::model::catalog::{Catalog, Column, NotNullCheck, Table};
use crate::model::relation_name::{self, qualified};
use crate::model::schema_action::SchemaAction;
use crate::product::postgres::grammar::pending_indexes::{self, Indexes};
use crate::product::postgres::grammar::sql::{self, Parsed};

/// The catalog as a script sees it on its way.
#[derive(Debug, Clone)]
pub struct Names<'a> {
    pub catalog: &'a Catalog,
    path: Vec<String>,
    /// Relations and types this script has made: nobody else can see them yet.
    fresh: BTreeSet<String>,
    /// New name -> name in the catalog.
    renamed: BTreeMap<String, String>,
    indexes: BTreeMap<String, String>,
    /// Indexes that this script makes somewhere.
    pending_indexes: Indexes,
    /// Of tables whose checks this script has changed.
    not_null_checks: BTreeMap<String, Vec<NotNullCheck>>,
}

impl<'a> Names<'a> {
    pub fn new(catalog: &'a Catalog) -> Self {
        let mut names = Self {
            catalog,
            path: Vec::new(),
            fresh: BTreeSet::new(),
            renamed: BTreeMap::new(),
            indexes: BTreeMap::new(),
            pending_indexes: Indexes::new(),
            not_null_checks: BTreeMap::new(),
        };
        names.set_path(catalog.search_path.clone());
        names
    }

    pub fn set_path(&mut self, path: Vec<String>) {
        self.path = path.into_iter().filter(|s| !s.is_empty() && s != "$user" && s != "pg_catalog").collect();
        if self.path.is_empty() {
            self.path = vec!["public".to_string()];
        }
    }

    /// Takes the search path of another view of the catalog.
    pub fn path_of(&mut self, other: &Self) {
        self.path.clone_from(&other.path);
    }

    fn exists(&self, name: &str) -> bool {
        let c = self.catalog;
        self.fresh.contains(name)
            || self.renamed.contains_key(name)
            || self.indexes.contains_key(name)
            || c.tables.contains_key(name)
            || c.views.contains_key(name)
            || c.indexes.contains_key(name)
            || c.enums.contains_key(name)
    }

    /// `schema.name`: the first schema of the path where it exists, else the first one.
    pub fn resolve(&self, schema: Option<&str>, name: &str) -> String {
        if let Some(schema) = schema {
            return qualified(schema, name);
        }
        let temporary = qualified("pg_temp", name);
        if self.fresh.contains(&temporary) {
            return temporary;
        }
        self.path
            .iter()
            .map(|s| qualified(s, name))
            .find(|full| self.exists(full))
            .unwrap_or_else(|| qualified(self.path.first().map_or("public", String::as_str), name))
    }

    /// The name something gets when it is created now.
    pub fn create(&self, schema: Option<&str>, name: &str) -> String {
        let first = self.path.first().map_or("public", String::as_str);
        qualified(schema.unwrap_or(first), name)
    }

    pub fn range(&self, range: &RangeVar) -> String {
        self.parts(&sql::range_parts(range)).unwrap_or_default()
    }

    /// Where a new relation lands; temporary ones apart.
    pub fn new_range(&self, range: &RangeVar) -> String {
        if range.relpersistence == "t" {
            return qualified("pg_temp", &range.relname);
        }
        let schema = (!range.schemaname.is_empty()).then_some(range.schemaname.as_str());
        self.create(schema, &range.relname)
    }

    pub fn parts(&self, parts: &[String]) -> Option<String> {
        sql::dotted(parts).map(|(schema, name)| self.resolve(schema, name))
    }

    pub fn make(&mut self, name: &str) {
        if !self.known(name) {
            self.fresh.insert(name.to_string());
        }
    }
    /// In the catalog, so others may use it: `CREATE … IF NOT EXISTS` makes nothing then.
    fn known(&self, name: &str) -> bool {
        let c = self.catalog;
        c.tables.contains_key(name)
            || c.views.contains_key(name)
            || c.indexes.contains_key(name)
            || c.enums.contains_key(name)
    }
    pub fn is_fresh(&self, name: &str) -> bool {
        self.fresh.contains(name)
            || name.starts_with("pg_temp.")
            || self.catalog.pending_tables.contains(self.origin(name))
    }
    pub fn make_index(&mut self, index: &str, table: &str) {
        self.indexes.insert(index.to_string(), table.to_string());
        if self.is_fresh(table) {
            self.make(index);
        }
    }
    pub fn rename(&mut self, old: &str, new: &str) {
        if self.is_fresh(old) {
            self.fresh.insert(new.to_string());
        } else {
            let origin = self.renamed.get(old).cloned().unwrap_or_else(|| old.to_string());
            self.renamed.insert(new.to_string(), origin);
        }
    }

    /// The name in the catalog of what is called so now.
    pub fn origin<'b>(&'b self, name: &'b str) -> &'b str {
        self.renamed.get(name).map_or(name, String::as_str)
    }

    pub fn table(&self, name: &str) -> Option<&'a Table> {
        self.catalog.tables.get(self.origin(name))
    }

    pub fn column(&self, table: &str, column: &str) -> Option<&'a Column> {
        self.table(table)?.columns.iter().find(|c| c.name == column)
    }

    /// Whether a check proves that the column holds no NULL.
    pub fn is_proven_not_null(&self, table: &str, column: &str) -> bool {
        self.not_null_checks(table).iter().any(|c| c.valid && c.columns.iter().any(|own| own == column))
    }

    fn not_null_checks(&self, table: &str) -> &[NotNullCheck] {
        let origin = self.origin(table);
        let known = || self.catalog.tables.get(origin).map(|t| t.not_null_checks.as_slice());
        self.not_null_checks.get(origin).map(Vec::as_slice).or_else(known).unwrap_or_default()
    }

    /// The script has done this.
    pub fn done(&mut self, action: &SchemaAction) {
        use SchemaAction::{AddConstraint, DropColumn, DropConstraint, ValidateConstraint};
        if let AddConstraint { table, .. }
        | ValidateConstraint { table, .. }
        | DropConstraint { table, .. }
        | DropColumn { table, .. } = action
        {
            let mut checks = self.not_null_checks(table).to_vec();
            NotNullCheck::foresee(&mut checks, action);
            let origin = self.origin(table).to_owned();
            self.not_null_checks.insert(origin, checks);
        }
    }

    /// A type without the domains around it; whether one of them refuses values that the type takes. `None`: it is no domain.
    pub fn below_domain(&self, type_name: &str) -> Option<(String, bool)> {
        let full = |name: &str| match name.split_once('.') {
            Some(_) => name.to_owned(),
            None => {
                let known = self.path.iter().map(|s| format!("{s}.{name}"));
                known.into_iter().find(|n| self.catalog.domains.contains_key(n)).unwrap_or_default()
            }
        };
        let (mut name, mut constrained, mut depth) = (type_name.replace('"', ""), false, 0);
        while let Some(domain) = self.catalog.domains.get(&full(&name)).filter(|_| depth < 100) {
            constrained |= domain.constrained;
            name.clone_from(&domain.base);
            depth += 1;
        }
        (depth > 0).then_some((name, constrained))
    }

    /// The table behind an index.
    pub fn index_table(&self, index: &str) -> Option<String> {
        self.indexes.get(index).or_else(|| self.catalog.indexes.get(self.origin(index))).cloned()
    }

    /// Looks ahead at the indexes that a script makes.
    pub fn foresee(&mut self, parsed: &[Parsed]) {
        self.pending_indexes = pending_indexes::indexes(parsed, self);
    }

    /// Whether an index begins with these columns in any order, or a pending one does.
    pub fn indexed(&self, table: &str, columns: &[String]) -> bool {
        let begins = |index: &Vec<String>| {
            index.get(..columns.len()).is_some_and(|first| columns.iter().all(|c| first.contains(c)))
        };
        let known = self.table(table).map(|t| t.indexed.as_slice()).unwrap_or_default();
        let pending = [&self.catalog.pending_indexes, &self.pending_indexes]
            .into_iter()
            .filter_map(|all| all.get(self.origin(table)));
        known.iter().chain(pending.flatten()).any(begins)
    }

    /// All partitions below a table, however deep.
    pub fn partitions(&self, table: &str) -> Vec<String> {
        let origin = self.origin(table);
        if !self.catalog.tables.get(origin).is_some_and(|t| t.partitioned) {
            return Vec::new();
        }
        partitions(self.catalog, origin)
    }

    /// Rows and bytes, partitions included; of a view, those of the largest table behind it.
    pub fn size(&self, table: &str) -> Option<(u64, u64)> {
        if self.catalog.views.contains_key(self.origin(table)) {
            let behind = crate::product::postgres::grammar::relations::expand(
                self.catalog,
                [self.origin(table).to_string()],
            );
            return behind.iter().filter(|b| self.table(b).is_some()).filter_map(|b| self.size(b)).max();
        }
        let own = self.table(table)?;
        let (rows, bytes) = self
            .partitions(table)
            .iter()
            .filter_map(|p| self.catalog.tables.get(p))
            .fold((0u64, 0u64), |(r, b), t| (r.saturating_add(t.rows), b.saturating_add(t.bytes)));
        Some((own.rows.max(rows), own.bytes.max(bytes)))
    }

    /// Tables with a column of this type, whatever its modifiers.
    pub fn tables_with_type(&self, type_name: &str) -> Vec<String> {
        let bare = relation_name::bare(type_name);
        let is = |sql_type: &str| {
            let base = sql_type.split(['(', '[']).next().unwrap_or(sql_type).replace('"', "");
            base == bare || base == type_name.replace('"', "")
        };
        let tables = self.catalog.tables.iter();
        tables
            .filter(|(_, t)| t.columns.iter().any(|c| is(&c.sql_type)))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Tables whose foreign keys point to this one.
    pub fn referencing(&self, table: &str) -> Vec<String> {
        let origin = self.origin(table);
        let tables = self.catalog.tables.iter();
        tables
            .filter(|(_, t)| t.foreign_keys.iter().any(|(_, to, _)| to == origin))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Tables that this one's foreign keys point to.
    pub fn referenced(&self, table: &str) -> Vec<String> {
        self.table(table)
            .map(|t| t.foreign_keys.iter().map(|(_, to, _)| to.clone()).collect())
            .unwrap_or_default()
    }
}

/// All partitions below a table of the catalog.
pub fn partitions(catalog: &Catalog, table: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = vec![table.to_string()];
    while let Some(parent) = open.pop() {
        for (name, child) in &catalog.tables {
            if child.parent.as_ref() == Some(&parent) && !found.contains(name) {
                found.push(name.clone());
                open.push(name.clone());
            }
        }
    }
    found
}
