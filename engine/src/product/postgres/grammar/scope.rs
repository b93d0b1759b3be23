//! What is in scope of an expression, and where a name in it comes from.

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, RangeVar};

use crate::model::relation_name::qualified;
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::sql;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `schema.table`, column.
    Column(String, String),
    Parameter(usize),
}

pub type Outputs = Vec<(String, Vec<Origin>)>;

/// A `*` or `t.*` of a query.
#[derive(Debug, Clone)]
pub struct Star {
    /// Where it begins; nothing where some of its columns are not known.
    pub at: Option<usize>,
    /// The columns that it stands for, as they would be written.
    pub columns: String,
}

/// Something in FROM.
#[derive(Debug, Clone)]
pub struct Source {
    alias: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// A table or view, with other names for its columns where the query gives them.
    Relation(String, Vec<String>),
    Query(Outputs),
}

impl Source {
    pub fn table(range: &RangeVar, names: &Names) -> Self {
        let alias = range.alias.as_ref();
        let own = alias.map_or(&range.relname, |a| &a.aliasname).clone();
        let columns = alias.map(|a| sql::texts(&a.colnames)).unwrap_or_default();
        Self { alias: own, kind: Kind::Relation(names.range(range), columns) }
    }
    pub fn named(alias: &str, table: &str) -> Self {
        Self { alias: alias.to_string(), kind: Kind::Relation(table.to_string(), Vec::new()) }
    }
    /// A subquery or function; `columns` rename its result.
    pub fn query(alias: &str, mut outputs: Outputs, columns: &[String]) -> Self {
        for (output, name) in outputs.iter_mut().zip(columns) {
            output.0.clone_from(name);
        }
        Self { alias: alias.to_string(), kind: Kind::Query(outputs) }
    }

    fn find(&self, column: &str, names: &Names) -> Option<Vec<Origin>> {
        match &self.kind {
            Kind::Query(outputs) => {
                outputs.iter().find(|(name, _)| name == column).map(|(_, origins)| origins.clone())
            }
            Kind::Relation(table, renamed) => {
                let own = renamed
                    .iter()
                    .position(|r| r == column)
                    .and_then(|at| names.table(table)?.columns.get(at));
                let column = own.map_or(column, |c| c.name.as_str());
                let home = home(table, column, names)?;
                Some(vec![Origin::Column(home, column.to_string())])
            }
        }
    }

    fn all(&self, names: &Names) -> Outputs {
        match &self.kind {
            Kind::Query(outputs) => outputs.clone(),
            Kind::Relation(table, _) => names
                .table(table)
                .map(|t| {
                    t.columns
                        .iter()
                        .map(|c| (c.name.clone(), vec![Origin::Column(table.clone(), c.name.clone())]))
                        .collect()
                })
                .unwrap_or_default(),
        }
    }
}

/// The table a column of a table or view lives in. Behind a view the name must mean one table, or tables that agree on
/// its type.
fn home(relation: &str, column: &str, names: &Names) -> Option<String> {
    if names.table(relation).is_some() {
        return names.column(relation, column).map(|_| relation.to_string());
    }
    let behind = crate::product::postgres::grammar::relations::expand(names.catalog, [relation.to_string()]);
    let found: Vec<(&String, &str)> =
        behind.iter().filter_map(|t| names.column(t, column).map(|c| (t, c.sql_type.as_str()))).collect();
    let (first, sql_type) = found.first()?;
    found.iter().all(|(_, other)| other == sql_type).then(|| (*first).clone())
}

/// Names that an expression may use, inner ones first.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The last level is the innermost.
    levels: Vec<Vec<Source>>,
    ctes: Vec<(String, Outputs)>,
}

impl Scope {
    pub fn inner(&self) -> Self {
        let mut scope = self.clone();
        scope.levels.push(Vec::new());
        scope
    }
    pub fn depth(&self) -> usize {
        self.levels.len()
    }
    pub fn add(&mut self, source: Source) {
        match self.levels.last_mut() {
            Some(level) => level.push(source),
            None => self.levels.push(vec![source]),
        }
    }
    pub fn add_cte(&mut self, name: &str, outputs: Outputs) {
        self.ctes.push((name.to_string(), outputs));
    }
    pub fn cte(&self, name: &str) -> Option<&Outputs> {
        self.ctes.iter().rev().find(|(n, _)| n == name).map(|(_, outputs)| outputs)
    }

    pub fn column(&self, node: &Node, names: &Names) -> Vec<Origin> {
        let Some((qualifiers, column)) = sql::column(node) else { return Vec::new() };
        for level in self.levels.iter().rev() {
            let fits = |s: &&Source| match qualifiers.as_slice() {
                [] => true,
                [.., schema, table] => {
                    matches!(&s.kind, Kind::Relation(r, _) if *r == qualified(schema, table))
                        || s.alias == *table
                }
                [alias] => s.alias == *alias,
            };
            if let Some(origins) = level.iter().filter(fits).find_map(|s| s.find(&column, names)) {
                return origins;
            }
        }
        Vec::new()
    }

    /// The columns of `*` or `t.*`, and what it is written out as; `None` for anything else.
    pub fn star(&self, node: &Node, names: &Names) -> Option<(Outputs, Star)> {
        let Some(NodeEnum::ColumnRef(reference)) = node.node.as_ref() else { return None };
        let (last, before) = reference.fields.split_last()?;
        if !matches!(last.node.as_ref(), Some(NodeEnum::AStar(_))) {
            return None;
        }
        let alias = sql::texts(before).pop();
        let level = self.levels.last().map(Vec::as_slice).unwrap_or_default();
        let (mut outputs, mut columns) = (Vec::new(), Vec::new());
        let mut known = true;
        for source in level.iter().filter(|s| alias.as_ref().is_none_or(|a| s.alias == *a)) {
            let own = source.all(names);
            known &= !own.is_empty();
            let one = level.len() == 1 && alias.is_none() || source.alias.is_empty();
            let of = if one { String::new() } else { format!("{}.", sql::name(&source.alias)) };
            columns.extend(own.iter().map(|(name, _)| format!("{of}{}", sql::name(name))));
            outputs.extend(own);
        }
        let at = usize::try_from(reference.location).ok();
        let at = at.filter(|_| known && !columns.is_empty());
        Some((outputs, Star { at, columns: columns.join(", ") }))
    }
}
