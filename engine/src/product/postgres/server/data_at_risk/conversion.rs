//! What `ALTER COLUMN … TYPE` makes of the values of a column, as a query.

use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableType, RangeVar, TypeName};

use crate::product::postgres::grammar::sql;
use crate::product::postgres::server::moved_rows::expression;

/// A query over the rows whose value another type does not hold as it is: made the other type and its own again, it is another one. `list`
/// gives what is selected, from what the table is called there and what the column becomes. `sql_type`: of the column as it is now;
/// `schema`: of the table, where the statement names none. `None` where that cannot be asked for without doing anything.
pub fn converted_query(
    text: &str,
    column: &str,
    sql_type: &str,
    schema: Option<&str>,
    list: impl FnOnce(&str, &[(String, Option<String>)]) -> String,
) -> Option<String> {
    let NodeEnum::AlterTableStmt(alter) = sql::parse_one(text).ok()?? else { return None };
    let relation = alter.relation.as_ref()?;
    let mut changes = alter.cmds.iter().filter_map(|command| match command.node.as_ref()? {
        NodeEnum::AlterTableCmd(command)
            if command.subtype() == AlterTableType::AtAlterColumnType && command.name == column =>
        {
            Some(command)
        }
        _ => None,
    });
    let NodeEnum::ColumnDef(definition) = changes.next_back()?.def.as_deref()?.node.as_ref()? else {
        return None;
    };
    let name = sql::quote(&relation.relname);
    let own = format!("{name}.{}", sql::quote(column));
    let value = match definition.raw_default.as_deref() {
        Some(using) => expression(using)?,
        None => own.clone(),
    };
    let becomes = format!("(({value})::{})", type_text(definition.type_name.as_ref()?)?);
    let list = list(&name, &[(column.to_owned(), Some(becomes.clone()))]);
    let from = written(relation, schema);
    // Equality is not defined for all types; their text is the same for the same value.
    Some(format!(
        "SELECT {list} FROM {from} WHERE ({becomes})::{sql_type}::text IS DISTINCT FROM {own}::text"
    ))
}

fn written(relation: &RangeVar, schema: Option<&str>) -> String {
    let own = Some(relation.schemaname.as_str()).filter(|schema| !schema.is_empty());
    let schema = own.or(schema).map(|schema| format!("{}.", sql::quote(schema))).unwrap_or_default();
    format!("{}{schema}{}", if relation.inh { "" } else { "ONLY " }, sql::quote(&relation.relname))
}

/// A type as a cast writes it.
fn type_text(name: &TypeName) -> Option<String> {
    const CAST: &str = "SELECT NULL::";
    let NodeEnum::SelectStmt(mut select) = sql::parse_one(&format!("{CAST}int")).ok()?? else { return None };
    for target in &mut select.target_list {
        if let Some(NodeEnum::ResTarget(target)) = &mut target.node
            && let Some(NodeEnum::TypeCast(cast)) = target.val.as_mut().and_then(|value| value.node.as_mut())
        {
            cast.type_name = Some(name.clone());
        }
    }
    sql::unparse(NodeEnum::SelectStmt(select))?.strip_prefix(CAST).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_another_type_does_not_hold_are_asked_for() {
        let query = |statement: &str, column: &str, sql_type: &str| {
            converted_query(statement, column, sql_type, Some("shop"), |_, _| "count(*)".to_owned())
        };
        for (statement, column, sql_type, wanted) in [
            (
                "alter table cust alter rate type numeric(10,2)",
                "rate",
                "numeric(12,4)",
                Some(
                    "SELECT count(*) FROM \"shop\".\"cust\" WHERE (((\"cust\".\"rate\")::numeric(10, 2)))::numeric(12,4)::text \
                     IS DISTINCT FROM \"cust\".\"rate\"::text",
                ),
            ),
            (
                "alter table only app.cust alter id type int, alter note type varchar(10) using left(note, 10)",
                "note",
                "text",
                Some(
                    "SELECT count(*) FROM ONLY \"app\".\"cust\" WHERE (((\"left\"(note, 10))::varchar(10)))::text::text \
                     IS DISTINCT FROM \"cust\".\"note\"::text",
                ),
            ),
            ("alter table cust alter note type text using app.made(note)", "note", "text", None),
            ("alter table cust alter note set not null", "note", "text", None),
            ("update cust set note = ''", "note", "text", None),
        ] {
            assert_eq!(query(statement, column, sql_type).as_deref(), wanted, "{statement}");
        }
    }
}
