//! Foreign keys that a script adds to tables that are there.

use pg_query::NodeEnum;
use pg_query::protobuf::ConstrType;

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::change::Reference;
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::sql;

/// # Errors
/// `Input` when the grammar does not take it.
pub fn added(text: &str, catalog: &Catalog) -> Result<Vec<Reference>> {
    let names = Names::new(catalog);
    let mut found = Vec::new();
    for tree in sql::trees(text)? {
        let NodeEnum::AlterTableStmt(alter) = tree else { continue };
        let Some(table) = alter.relation.as_ref().map(|r| names.range(r)) else { continue };
        for command in alter.cmds.iter().filter_map(|c| c.node.as_ref()) {
            let NodeEnum::AlterTableCmd(command) = command else { continue };
            let Some(NodeEnum::Constraint(key)) = command.def.as_deref().and_then(|d| d.node.as_ref()) else {
                continue;
            };
            if key.contype() != ConstrType::ConstrForeign {
                continue;
            }
            let Some(parent) = key.pktable.as_ref().map(|r| names.range(r)) else { continue };
            let mut theirs = sql::texts(&key.pk_attrs);
            if theirs.is_empty() {
                theirs = catalog.tables.get(&parent).map(|t| t.primary_key.clone()).unwrap_or_default();
            }
            let columns = sql::texts(&key.fk_attrs);
            found.push(Reference { table: table.clone(), columns, parent, theirs });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::catalog::Table;

    #[test]
    fn keys_are_found_with_what_they_point_to() {
        let orders = Table { primary_key: vec!["id".to_owned()], ..Table::default() };
        let catalog = Catalog { tables: [("public.orders".to_owned(), orders)].into(), ..Catalog::default() };
        let sql = "alter table lines add constraint c foreign key (order_id) references orders not valid,
                   add check (n > 0); alter table s.x add foreign key (a, b) references y (c, d); drop table z";
        let found: Vec<String> = added(sql, &catalog)
            .unwrap()
            .iter()
            .map(|r| format!("{}({}) -> {}({})", r.table, r.columns.join(","), r.parent, r.theirs.join(",")))
            .collect();
        assert_eq!(found, ["public.lines(order_id) -> public.orders(id)", "s.x(a,b) -> public.y(c,d)"]);
    }
}
