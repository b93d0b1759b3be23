//! What a query writes, and to which columns: also inside WITH and by COPY.

use pg_query::NodeEnum;
use pg_query::protobuf::{CmdType, Node, RangeVar, WithClause};

use crate::model::catalog::Catalog;
use crate::model::query::Write;
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::relations::target_name;
use crate::product::postgres::grammar::sql;

/// Every table that queries write to.
pub fn of_trees(trees: &[NodeEnum], catalog: &Catalog) -> Vec<Write> {
    let names = Names::new(catalog);
    let mut found = Vec::new();
    for tree in trees {
        collect(tree, &names, &mut found);
    }
    found
}

fn collect(tree: &NodeEnum, names: &Names, found: &mut Vec<Write>) {
    let write = |relation: &Option<RangeVar>, columns: &[Node]| {
        relation.as_ref().map(|relation| Write {
            table: names.range(relation),
            columns: columns.iter().filter_map(target_name).collect(),
            inserts: false,
            handles_conflicts: false,
        })
    };
    let inserted = |write: Write| Write { inserts: true, ..write };
    let with = match tree {
        NodeEnum::InsertStmt(insert) => {
            let conflict = insert.on_conflict_clause.as_ref();
            let handles_conflicts = conflict.is_some();
            let rows = write(&insert.relation, &insert.cols).map(inserted);
            found.extend(rows.map(|rows| Write { handles_conflicts, ..rows }));
            found.extend(conflict.and_then(|conflict| write(&insert.relation, &conflict.target_list)));
            &insert.with_clause
        }
        NodeEnum::UpdateStmt(update) => {
            found.extend(write(&update.relation, &update.target_list));
            &update.with_clause
        }
        NodeEnum::DeleteStmt(delete) => {
            found.extend(write(&delete.relation, &[]));
            &delete.with_clause
        }
        NodeEnum::MergeStmt(merge) => {
            for clause in &merge.merge_when_clauses {
                let Some(NodeEnum::MergeWhenClause(clause)) = &clause.node else { continue };
                let one = write(&merge.relation, &clause.target_list);
                match clause.command_type() {
                    CmdType::CmdInsert => found.extend(one.map(inserted)),
                    CmdType::CmdUpdate | CmdType::CmdDelete => found.extend(one),
                    _ => {}
                }
            }
            &merge.with_clause
        }
        NodeEnum::CopyStmt(copy) if copy.is_from => {
            let columns = copy.attlist.iter().filter_map(sql::text).map(str::to_owned).collect();
            let rows = write(&copy.relation, &[]).map(inserted);
            found.extend(rows.map(|rows| Write { columns, ..rows }));
            return;
        }
        NodeEnum::SelectStmt(select) => &select.with_clause,
        _ => return,
    };
    inside(with, names, found);
}

fn inside(with: &Option<WithClause>, names: &Names, found: &mut Vec<Write>) {
    for node in with.iter().flat_map(|w| &w.ctes) {
        if let Some(NodeEnum::CommonTableExpr(cte)) = &node.node
            && let Some(query) = cte.ctequery.as_ref().and_then(|q| q.node.as_ref())
        {
            collect(query, names, found);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn writes_are_found_wherever_they_stand() {
        type Written = (&'static str, &'static str, bool);
        let cases: [(&str, &[Written]); 7] = [
            ("select 1 from t", &[]),
            ("insert into t (a, b) values (1, 2)", &[("public.t", "a,b", true)]),
            (
                "insert into t (a) values (1) on conflict (a) do update set c = 1",
                &[("public.t", "a", true), ("public.t", "c", false)],
            ),
            (
                "with d as (delete from u returning id) update s.t set a = 1",
                &[("s.t", "a", false), ("public.u", "", false)],
            ),
            (
                "merge into t using u on u.id = t.id when matched and u.gone then delete when matched then update set a = u.a
                 when not matched then insert (id, a) values (u.id, u.a) when not matched and u.id = 1 then do nothing",
                &[("public.t", "", false), ("public.t", "a", false), ("public.t", "id,a", true)],
            ),
            ("copy t (a, b) from stdin", &[("public.t", "a,b", true)]),
            (
                "with i as (insert into t (a) select 1 returning a) select a from i",
                &[("public.t", "a", true)],
            ),
        ];
        for (sql, expected) in cases {
            let found = of_trees(&sql::trees(sql).unwrap(), &Catalog::default());
            let found: Vec<_> =
                found.iter().map(|w| (w.table.as_str(), w.columns.join(","), w.inserts)).collect();
            let expected: Vec<_> = expected.iter().map(|(t, c, i)| (*t, (*c).to_owned(), *i)).collect();
            assert_eq!(found, expected, "{sql}");
        }
    }

    #[test]
    fn an_insert_says_whether_it_handles_conflicts() {
        let handled = |sql: &str| {
            let found = of_trees(&sql::trees(sql).unwrap(), &Catalog::default());
            found.iter().any(|write| write.handles_conflicts)
        };
        assert!(handled("insert into t (a) values (1) on\n conflict do nothing"));
        assert!(handled("with i as (insert into t values (1) on conflict (a) do update set b = 1) select 1"));
        assert!(!handled("insert into t (a) values ('on conflict')"));
    }
}
