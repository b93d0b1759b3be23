//! Expressions of a query: which columns and parameters meet in a comparison.

use pg_query::NodeEnum;
use pg_query::protobuf::{AExpr, AExprKind, Node, WithClause};

use crate::product::postgres::grammar::scope::{Origin, Outputs, Scope, Source};
use crate::product::postgres::grammar::sql;
use crate::product::postgres::queries::parameters::Roles;

/// Functions whose result is of the kind of their argument, so that a value of the column still makes sense.
const TRANSPARENT: &[&str] = &[
    "lower",
    "upper",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "unaccent",
    "date",
    "unnest",
    "any_value",
    "min",
    "max",
    "nullif",
    "greatest",
    "least",
    "initcap",
    "abs",
    "round",
    "concat",
    "quote_literal",
];

/// Those of which one argument only is the value: the first, or the last.
const FIRST: &[&str] = &["string_to_array", "split_part", "replace", "substring", "left", "right"];
const LAST: &[&str] = &["date_trunc"];

/// Scalar subqueries are followed this deep.
const DEEPEST: usize = 6;

const COMPARISONS: &[&str] = &[
    "=", "<>", "!=", "<", ">", "<=", ">=", "~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*", "@>", "<@",
    "&&",
];

impl Roles<'_> {
    /// CTEs of a statement, each seeing those before it.
    pub fn with(&mut self, clause: Option<&WithClause>, outer: &Scope) -> Scope {
        let mut scope = outer.inner();
        for cte in clause.map(|c| c.ctes.as_slice()).unwrap_or_default() {
            let Some(NodeEnum::CommonTableExpr(cte)) = cte.node.as_ref() else { continue };
            let columns = sql::texts(&cte.aliascolnames);
            let mut inside = scope.clone();
            if clause.is_some_and(|c| c.recursive) {
                // Its own rows are those of its first branch.
                if let Some(NodeEnum::SelectStmt(select)) =
                    cte.ctequery.as_deref().and_then(|q| q.node.as_ref())
                    && let Some(first) = select.larg.as_deref()
                {
                    let outputs = rename(self.select(first, &scope), &columns);
                    inside.add_cte(&cte.ctename, outputs);
                }
            }
            let outputs = rename(self.inner(cte.ctequery.as_deref(), &inside), &columns);
            scope.add_cte(&cte.ctename, outputs);
        }
        scope
    }

    pub fn from(&mut self, items: &[Node], scope: &mut Scope) {
        for item in items {
            match item.node.as_ref() {
                Some(NodeEnum::RangeVar(range)) => {
                    let cte =
                        if range.schemaname.is_empty() { scope.cte(&range.relname).cloned() } else { None };
                    scope.add(match cte {
                        Some(outputs) => {
                            let alias = range.alias.as_ref();
                            let columns = alias.map(|a| sql::texts(&a.colnames)).unwrap_or_default();
                            Source::query(alias.map_or(&range.relname, |a| &a.aliasname), outputs, &columns)
                        }
                        None => Source::table(range, self.names),
                    });
                }
                Some(NodeEnum::RangeSubselect(sub)) => {
                    let outputs = self.inner(sub.subquery.as_deref(), scope);
                    let alias = sub.alias.as_ref();
                    let columns = alias.map(|a| sql::texts(&a.colnames)).unwrap_or_default();
                    scope.add(Source::query(alias.map_or("", |a| &a.aliasname), outputs, &columns));
                }
                Some(NodeEnum::JoinExpr(join)) => {
                    let sides = [join.larg.as_deref(), join.rarg.as_deref()];
                    for side in sides.into_iter().flatten() {
                        self.from(std::slice::from_ref(side), scope);
                    }
                    self.expression(join.quals.as_deref(), scope);
                }
                Some(NodeEnum::RangeFunction(function)) => {
                    let mut outputs: Outputs = Vec::new();
                    for node in &function.functions {
                        // Each is a list of the call and its column definitions.
                        let call = match node.node.as_ref() {
                            Some(NodeEnum::List(list)) => list.items.first(),
                            _ => Some(node),
                        };
                        let Some(call) = call else { continue };
                        self.expression(Some(call), scope);
                        outputs.extend(self.rows_of(call, scope));
                    }
                    let alias = function.alias.as_ref();
                    let name = alias.map_or("", |a| &a.aliasname);
                    let mut columns = alias.map(|a| sql::texts(&a.colnames)).unwrap_or_default();
                    if columns.is_empty() && outputs.len() == 1 && !name.is_empty() {
                        columns = vec![name.to_string()];
                    }
                    scope.add(Source::query(name, outputs, &columns));
                }
                Some(NodeEnum::RangeTableSample(sample)) => {
                    if let Some(relation) = sample.relation.as_deref() {
                        self.from(std::slice::from_ref(relation), scope);
                    }
                }
                _ => {}
            }
        }
    }

    /// `unnest(a, b)` gives a column for each argument.
    fn rows_of(&mut self, call: &Node, scope: &Scope) -> Outputs {
        match call.node.as_ref() {
            Some(NodeEnum::FuncCall(f)) if sql::texts(&f.funcname).last().is_some_and(|n| n == "unnest") => {
                f.args.iter().map(|arg| ("unnest".to_string(), self.origins(arg, scope))).collect()
            }
            Some(NodeEnum::FuncCall(f)) => {
                vec![(sql::texts(&f.funcname).pop().unwrap_or_default(), Vec::new())]
            }
            _ => Vec::new(),
        }
    }

    /// Columns and parameters that a value is made of, through whatever leaves its kind as it is.
    pub fn origins(&mut self, node: &Node, scope: &Scope) -> Vec<Origin> {
        match node.node.as_ref() {
            Some(NodeEnum::ParamRef(p)) => {
                usize::try_from(p.number).map(|n| vec![Origin::Parameter(n)]).unwrap_or_default()
            }
            Some(NodeEnum::ColumnRef(_)) => scope.column(node, self.names),
            Some(NodeEnum::TypeCast(cast)) => self.origins_of(cast.arg.as_deref(), scope),
            Some(NodeEnum::CollateClause(c)) => self.origins_of(c.arg.as_deref(), scope),
            Some(NodeEnum::NamedArgExpr(a)) => self.origins_of(a.arg.as_deref(), scope),
            Some(NodeEnum::CoalesceExpr(c)) => self.origins_all(&c.args, scope),
            Some(NodeEnum::MinMaxExpr(m)) => self.origins_all(&m.args, scope),
            Some(NodeEnum::AArrayExpr(a)) => self.origins_all(&a.elements, scope),
            Some(NodeEnum::List(l)) => self.origins_all(&l.items, scope),
            Some(NodeEnum::FuncCall(f)) => {
                let name = sql::texts(&f.funcname).pop().unwrap_or_default();
                match name.as_str() {
                    n if TRANSPARENT.contains(&n) => self.origins_all(&f.args, scope),
                    n if FIRST.contains(&n) => self.origins_of(f.args.first(), scope),
                    n if LAST.contains(&n) => self.origins_of(f.args.last(), scope),
                    _ => Vec::new(),
                }
            }
            Some(NodeEnum::AExpr(e)) if e.kind() == AExprKind::AexprNullif => self.sides(e, scope),
            // '%' || $1 || '%'
            Some(NodeEnum::AExpr(e)) if sql::texts(&e.name).last().is_some_and(|o| o == "||") => {
                self.sides(e, scope)
            }
            Some(NodeEnum::CaseExpr(case)) => {
                let mut all = self.origins_of(case.defresult.as_deref(), scope);
                for when in &case.args {
                    if let Some(NodeEnum::CaseWhen(when)) = when.node.as_ref() {
                        all.extend(self.origins_of(when.result.as_deref(), scope));
                    }
                }
                all
            }
            Some(NodeEnum::SubLink(link)) if link.testexpr.is_none() && scope.depth() <= DEEPEST => {
                // The statement itself is read by `expression`; noting its roles twice changes nothing.
                self.inner(link.subselect.as_deref(), scope)
                    .into_iter()
                    .next()
                    .map(|(_, o)| o)
                    .unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn origins_of(&mut self, node: Option<&Node>, scope: &Scope) -> Vec<Origin> {
        node.map(|n| self.origins(n, scope)).unwrap_or_default()
    }
    fn origins_all(&mut self, nodes: &[Node], scope: &Scope) -> Vec<Origin> {
        nodes.iter().flat_map(|n| self.origins(n, scope)).collect()
    }
    fn sides(&mut self, e: &AExpr, scope: &Scope) -> Vec<Origin> {
        let mut all = self.origins_of(e.lexpr.as_deref(), scope);
        all.extend(self.origins_of(e.rexpr.as_deref(), scope));
        all
    }

    /// Reads an expression for comparisons, whatever it is made of.
    pub fn expression(&mut self, node: Option<&Node>, scope: &Scope) {
        let Some(tree) = node.and_then(|n| n.node.as_ref()) else { return };
        match tree {
            NodeEnum::AExpr(e) => {
                self.expression(e.lexpr.as_deref(), scope);
                self.expression(e.rexpr.as_deref(), scope);
                self.comparison(e, scope);
            }
            NodeEnum::BoolExpr(b) => self.each(&b.args, scope),
            NodeEnum::List(l) => self.each(&l.items, scope),
            NodeEnum::RowExpr(r) => self.each(&r.args, scope),
            NodeEnum::AArrayExpr(a) => self.each(&a.elements, scope),
            NodeEnum::CoalesceExpr(c) => {
                self.each(&c.args, scope);
                // COALESCE($1, col): both are of one kind.
                let all = self.origins_all(&c.args, scope);
                self.meet(&all, &all);
            }
            NodeEnum::MinMaxExpr(m) => {
                self.each(&m.args, scope);
                let all = self.origins_all(&m.args, scope);
                self.meet(&all, &all);
            }
            NodeEnum::NullTest(t) => self.expression(t.arg.as_deref(), scope),
            NodeEnum::BooleanTest(t) => self.expression(t.arg.as_deref(), scope),
            NodeEnum::TypeCast(c) => self.expression(c.arg.as_deref(), scope),
            NodeEnum::CollateClause(c) => self.expression(c.arg.as_deref(), scope),
            NodeEnum::NamedArgExpr(a) => self.expression(a.arg.as_deref(), scope),
            NodeEnum::AIndirection(i) => self.expression(i.arg.as_deref(), scope),
            NodeEnum::SortBy(s) => self.expression(s.node.as_deref(), scope),
            NodeEnum::ResTarget(r) => self.expression(r.val.as_deref(), scope),
            NodeEnum::FuncCall(f) => {
                self.each(&f.args, scope);
                self.each(&f.agg_order, scope);
                self.expression(f.agg_filter.as_deref(), scope);
            }
            NodeEnum::CaseExpr(case) => {
                let subject = self.origins_of(case.arg.as_deref(), scope);
                self.expression(case.defresult.as_deref(), scope);
                for when in &case.args {
                    if let Some(NodeEnum::CaseWhen(when)) = when.node.as_ref() {
                        self.expression(when.expr.as_deref(), scope);
                        self.expression(when.result.as_deref(), scope);
                        let tested = self.origins_of(when.expr.as_deref(), scope);
                        self.meet(&subject, &tested);
                    }
                }
            }
            NodeEnum::SubLink(link) => {
                self.expression(link.testexpr.as_deref(), scope);
                let outputs = self.inner(link.subselect.as_deref(), scope);
                // col IN (SELECT unnest($1))
                let tested = match link.testexpr.as_deref().and_then(|t| t.node.as_ref()) {
                    Some(NodeEnum::RowExpr(row)) => row.args.iter().map(|a| self.origins(a, scope)).collect(),
                    _ => vec![self.origins_of(link.testexpr.as_deref(), scope)],
                };
                for (left, (_, right)) in tested.iter().zip(&outputs) {
                    self.meet(left, right);
                }
            }
            _ => {}
        }
    }

    fn each(&mut self, nodes: &[Node], scope: &Scope) {
        for node in nodes {
            self.expression(Some(node), scope);
        }
    }

    fn comparison(&mut self, e: &AExpr, scope: &Scope) {
        let operator = sql::texts(&e.name).pop().unwrap_or_default();
        let (Some(left), Some(right)) = (e.lexpr.as_deref(), e.rexpr.as_deref()) else { return };
        match e.kind() {
            AExprKind::AexprOp if !COMPARISONS.contains(&operator.as_str()) => return,
            // $1 = ANY(tags): the parameter is an element, the column an array of them.
            AExprKind::AexprOpAny | AExprKind::AexprOpAll
                if !self.origins(left, scope).iter().any(is_column) =>
            {
                return;
            }
            _ => {}
        }
        self.pair(left, right, scope);
    }

    /// Rows are compared column by column, lists with each of their items.
    fn pair(&mut self, left: &Node, right: &Node, scope: &Scope) {
        match (left.node.as_ref(), right.node.as_ref()) {
            (Some(NodeEnum::RowExpr(l)), Some(NodeEnum::RowExpr(r))) => {
                for (a, b) in l.args.iter().zip(&r.args) {
                    self.pair(a, b, scope);
                }
            }
            (_, Some(NodeEnum::List(list))) => {
                for item in &list.items {
                    self.pair(left, item, scope);
                }
            }
            _ => {
                let (a, b) = (self.origins(left, scope), self.origins(right, scope));
                self.meet(&a, &b);
            }
        }
    }
}

fn is_column(origin: &Origin) -> bool {
    matches!(origin, Origin::Column(..))
}

fn rename(mut outputs: Outputs, columns: &[String]) -> Outputs {
    for (output, name) in outputs.iter_mut().zip(columns) {
        output.0.clone_from(name);
    }
    outputs
}
