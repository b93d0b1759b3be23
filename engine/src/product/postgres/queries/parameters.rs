//! What stands behind each parameter of a query: the column it is compared with or written into, found by following
//! columns and parameters through aliases, subqueries, CTEs, VALUES and views.

use std::collections::BTreeMap;

use pg_query::NodeEnum;
use pg_query::protobuf::{InsertStmt, MergeStmt, Node, OnConflictClause, SelectStmt, UpdateStmt};

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::query::{ParameterRole, ResultSources};
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::relations;
use crate::product::postgres::grammar::scope::{Origin, Scope, Source};
use crate::product::postgres::grammar::sql;

/// One role per parameter, `$1` first. Of several uses, what is inserted goes before what is compared, and that before a
/// count.
pub fn of_trees(trees: &[NodeEnum], sql: &str, catalog: &Catalog) -> Vec<ParameterRole> {
    let names = Names::new(catalog);
    let mut roles = Roles::new(&names, sql);
    for tree in trees {
        roles.statement(tree, &Scope::default());
    }
    roles.found
}

/// The statement with each `*` of a result written out as the columns that it stands for now, as far as they are known.
///
/// # Errors
/// `Input` when the grammar does not take the query.
pub fn spell_out(sql: &str, catalog: &Catalog) -> Result<String> {
    let names = Names::new(catalog);
    let mut roles = Roles::new(&names, sql);
    for tree in &sql::trees(sql)? {
        roles.statement(tree, &Scope::default());
    }
    let tokens = sql::tokens(sql);
    let mut out = sql.to_owned();
    for (at, columns) in roles.stars.iter().rev() {
        let star = tokens.iter().find(|(start, end)| start >= at && sql.get(*start..*end) == Some("*"));
        if let Some((_, end)) =
            star.filter(|(_, end)| out.is_char_boundary(*at) && out.is_char_boundary(*end))
        {
            out.replace_range(*at..*end, columns);
        }
    }
    Ok(out)
}

/// By result column: the columns of tables that its values are, passed on or through what leaves their kind as it is.
///
/// # Errors
/// `Input` when the grammar does not take the query.
pub fn result_sources(sql: &str, catalog: &Catalog) -> Result<ResultSources> {
    let names = Names::new(catalog);
    let mut roles = Roles::new(&names, sql);
    let of_table = |origin| match origin {
        Origin::Column(table, column) => Some((table, column)),
        Origin::Parameter(_) => None,
    };
    let mut sources = Vec::new();
    for parsed in sql::parse(sql)? {
        let outputs = parsed.tree.as_ref().map(|t| roles.statement(t, &Scope::default())).unwrap_or_default();
        sources.extend(
            outputs.into_iter().map(|(name, o)| (name, o.into_iter().filter_map(of_table).collect())),
        );
    }
    Ok(sources)
}

/// Roles as they are found.
pub(in crate::product::postgres) struct Roles<'a> {
    pub names: &'a Names<'a>,
    found: Vec<ParameterRole>,
    /// What each `*` stands for, by where it begins.
    stars: BTreeMap<usize, String>,
}

fn rank(role: &ParameterRole) -> u8 {
    match role {
        ParameterRole::Insert { .. } => 3,
        ParameterRole::Column { .. } => 2,
        ParameterRole::Count => 1,
        ParameterRole::Free => 0,
    }
}

impl<'a> Roles<'a> {
    fn new(names: &'a Names<'a>, sql: &str) -> Self {
        let found = vec![ParameterRole::Free; sql::highest_parameter(sql)];
        Self { names, found, stars: BTreeMap::new() }
    }
}

impl Roles<'_> {
    fn note(&mut self, parameter: usize, role: ParameterRole) {
        if let Some(slot) = parameter.checked_sub(1).and_then(|at| self.found.get_mut(at))
            && rank(&role) > rank(slot)
        {
            *slot = role;
        }
    }

    /// Every parameter on one side belongs to the first column on the other.
    pub fn meet(&mut self, left: &[Origin], right: &[Origin]) {
        for (these, those) in [(left, right), (right, left)] {
            let column = those.iter().find_map(|o| match o {
                Origin::Column(table, column) => Some((table.clone(), column.clone())),
                Origin::Parameter(_) => None,
            });
            let Some((table, column)) = column else { continue };
            for origin in these {
                if let Origin::Parameter(n) = origin {
                    self.note(*n, ParameterRole::Column { table: table.clone(), column: column.clone() });
                }
            }
        }
    }

    pub fn count(&mut self, node: Option<&Node>, scope: &Scope) {
        for origin in node.map(|n| self.origins(n, scope)).unwrap_or_default() {
            if let Origin::Parameter(n) = origin {
                self.note(n, ParameterRole::Count);
            }
        }
    }

    fn write(&mut self, origins: &[Origin], table: &str, column: &str, insert: bool) {
        for origin in origins {
            if let Origin::Parameter(n) = origin {
                let (table, column) = (table.to_string(), column.to_string());
                let role = if insert {
                    ParameterRole::Insert { table, column }
                } else {
                    ParameterRole::Column { table, column }
                };
                self.note(*n, role);
            }
        }
    }

    pub fn statement(&mut self, tree: &NodeEnum, outer: &Scope) -> Vec<(String, Vec<Origin>)> {
        match tree {
            NodeEnum::SelectStmt(select) => self.select(select, outer),
            NodeEnum::InsertStmt(insert) => self.insert(insert, outer),
            NodeEnum::UpdateStmt(update) => self.update(update, outer),
            NodeEnum::DeleteStmt(delete) => {
                let mut scope = self.with(delete.with_clause.as_ref(), outer);
                if let Some(range) = &delete.relation {
                    scope.add(Source::table(range, self.names));
                }
                self.from(&delete.using_clause, &mut scope);
                self.expression(delete.where_clause.as_deref(), &scope);
                self.outputs(&delete.returning_list, &scope)
            }
            NodeEnum::MergeStmt(merge) => self.merge(merge, outer),
            NodeEnum::ExplainStmt(explain) => self.inner(explain.query.as_deref(), outer),
            NodeEnum::CopyStmt(copy) => self.inner(copy.query.as_deref(), outer),
            NodeEnum::CreateTableAsStmt(create) => self.inner(create.query.as_deref(), outer),
            _ => Vec::new(),
        }
    }

    pub fn inner(&mut self, node: Option<&Node>, outer: &Scope) -> Vec<(String, Vec<Origin>)> {
        match node.and_then(|n| n.node.as_ref()) {
            Some(tree) => self.statement(tree, outer),
            None => Vec::new(),
        }
    }

    pub fn select(&mut self, select: &SelectStmt, outer: &Scope) -> Vec<(String, Vec<Origin>)> {
        let mut scope = self.with(select.with_clause.as_ref(), outer);
        self.count(select.limit_count.as_deref(), &scope);
        self.count(select.limit_offset.as_deref(), &scope);
        if let (Some(left), Some(right)) = (select.larg.as_deref(), select.rarg.as_deref()) {
            let mut outputs = self.select(left, &scope);
            let others = self.select(right, &scope);
            for ((_, mine), (_, theirs)) in outputs.iter_mut().zip(others) {
                mine.extend(theirs);
            }
            return outputs;
        }
        if !select.values_lists.is_empty() {
            return self.values(&select.values_lists, &scope);
        }
        self.from(&select.from_clause, &mut scope);
        self.expression(select.where_clause.as_deref(), &scope);
        self.expression(select.having_clause.as_deref(), &scope);
        for node in select.group_clause.iter().chain(&select.sort_clause).chain(&select.distinct_clause) {
            self.expression(Some(node), &scope);
        }
        self.outputs(&select.target_list, &scope)
    }

    fn values(&mut self, lists: &[Node], scope: &Scope) -> Vec<(String, Vec<Origin>)> {
        let mut outputs: Vec<(String, Vec<Origin>)> = Vec::new();
        for list in lists {
            let Some(NodeEnum::List(list)) = list.node.as_ref() else { continue };
            for (at, node) in list.items.iter().enumerate() {
                self.expression(Some(node), scope);
                let origins = self.origins(node, scope);
                match outputs.get_mut(at) {
                    Some((_, all)) => all.extend(origins),
                    None => outputs.push((format!("column{}", at + 1), origins)),
                }
            }
        }
        outputs
    }

    /// The result columns of a target list, by name.
    pub fn outputs(&mut self, targets: &[Node], scope: &Scope) -> Vec<(String, Vec<Origin>)> {
        let mut outputs = Vec::new();
        for node in targets {
            let Some(NodeEnum::ResTarget(target)) = node.node.as_ref() else { continue };
            let Some(value) = target.val.as_deref() else { continue };
            if let Some((all, star)) = scope.star(value, self.names) {
                outputs.extend(all);
                self.stars.extend(star.at.map(|at| (at, star.columns)));
                continue;
            }
            self.expression(Some(value), scope);
            let name = match target.name.as_str() {
                "" => sql::column(value)
                    .map(|(_, name)| name)
                    .or_else(|| sql::functions(value).pop())
                    .unwrap_or_default(),
                name => name.to_string(),
            };
            outputs.push((name, self.origins(value, scope)));
        }
        outputs
    }

    fn insert(&mut self, insert: &InsertStmt, outer: &Scope) -> Vec<(String, Vec<Origin>)> {
        let mut scope = self.with(insert.with_clause.as_ref(), outer);
        let Some(range) = &insert.relation else { return Vec::new() };
        let table = self.names.range(range);
        let columns = relations::insert_columns(insert, &table, self.names);
        let outputs = self.inner(insert.select_stmt.as_deref(), &scope);
        for (column, (_, origins)) in columns.iter().zip(&outputs) {
            self.write(origins, &table, column, true);
        }
        scope.add(Source::table(range, self.names));
        if let Some(conflict) = insert.on_conflict_clause.as_deref() {
            self.conflict(conflict, &table, &scope);
        }
        self.outputs(&insert.returning_list, &scope)
    }

    fn conflict(&mut self, conflict: &OnConflictClause, table: &str, scope: &Scope) {
        let mut scope = scope.clone();
        scope.add(Source::named("excluded", table));
        self.assign(&conflict.target_list, table, &scope);
        self.expression(conflict.where_clause.as_deref(), &scope);
        if let Some(infer) = conflict.infer.as_deref() {
            self.expression(infer.where_clause.as_deref(), &scope);
        }
    }

    fn update(&mut self, update: &UpdateStmt, outer: &Scope) -> Vec<(String, Vec<Origin>)> {
        let mut scope = self.with(update.with_clause.as_ref(), outer);
        let Some(range) = &update.relation else { return Vec::new() };
        scope.add(Source::table(range, self.names));
        self.from(&update.from_clause, &mut scope);
        self.assign(&update.target_list, &self.names.range(range), &scope);
        self.expression(update.where_clause.as_deref(), &scope);
        self.outputs(&update.returning_list, &scope)
    }

    /// SET a = …, (b, c) = (…, …)
    fn assign(&mut self, targets: &[Node], table: &str, scope: &Scope) {
        for node in targets {
            let Some(NodeEnum::ResTarget(target)) = node.node.as_ref() else { continue };
            let Some(value) = target.val.as_deref() else { continue };
            // A part of a column (an element, a field) has a type of its own.
            if !target.indirection.is_empty() {
                self.expression(Some(value), scope);
                continue;
            }
            let origins = match value.node.as_ref() {
                Some(NodeEnum::MultiAssignRef(multi)) => {
                    self.nth(multi.source.as_deref(), multi.colno, scope)
                }
                _ => {
                    self.expression(Some(value), scope);
                    self.origins(value, scope)
                }
            };
            self.write(&origins, table, &target.name, false);
        }
    }

    fn nth(&mut self, source: Option<&Node>, number: i32, scope: &Scope) -> Vec<Origin> {
        let Some(at) = usize::try_from(number).ok().and_then(|n| n.checked_sub(1)) else { return Vec::new() };
        match source.and_then(|s| s.node.as_ref()) {
            Some(NodeEnum::RowExpr(row)) => row
                .args
                .get(at)
                .map(|node| {
                    self.expression(Some(node), scope);
                    self.origins(node, scope)
                })
                .unwrap_or_default(),
            Some(NodeEnum::SubLink(link)) => self
                .inner(link.subselect.as_deref(), scope)
                .into_iter()
                .nth(at)
                .map(|(_, o)| o)
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    fn merge(&mut self, merge: &MergeStmt, outer: &Scope) -> Vec<(String, Vec<Origin>)> {
        let mut scope = self.with(merge.with_clause.as_ref(), outer);
        let Some(range) = &merge.relation else { return Vec::new() };
        let table = self.names.range(range);
        scope.add(Source::table(range, self.names));
        if let Some(source) = merge.source_relation.as_deref() {
            self.from(std::slice::from_ref(source), &mut scope);
        }
        self.expression(merge.join_condition.as_deref(), &scope);
        for clause in &merge.merge_when_clauses {
            let Some(NodeEnum::MergeWhenClause(clause)) = clause.node.as_ref() else { continue };
            self.expression(clause.condition.as_deref(), &scope);
            if clause.values.is_empty() {
                self.assign(&clause.target_list, &table, &scope);
                continue;
            }
            let mut columns: Vec<String> =
                clause.target_list.iter().filter_map(relations::target_name).collect();
            if columns.is_empty() {
                columns = self
                    .names
                    .table(&table)
                    .map(|t| t.columns.iter().map(|c| c.name.clone()).collect())
                    .unwrap_or_default();
            }
            for (column, value) in columns.iter().zip(&clause.values) {
                self.expression(Some(value), &scope);
                let origins = self.origins(value, &scope);
                self.write(&origins, &table, column, true);
            }
        }
        self.outputs(&merge.returning_list, &scope)
    }
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;
