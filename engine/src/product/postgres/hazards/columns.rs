//! ALTER TABLE on columns: what rewrites, what scans, what refuses rows.

use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableCmd, ColumnDef, ConstrType, Constraint, DropBehavior, Node};

use crate::model::schema_action::SchemaAction;
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::sql;
use crate::product::postgres::hazards::create;
use crate::product::postgres::hazards::statement_builder::StatementBuilder;
use crate::product::postgres::hazards::type_change::{self, Type};
use crate::product::postgres::hazards::{self, Lock};

/// Functions known to be stable or immutable, so that a default made of them is computed once. Any other counts as
/// volatile: a false alarm is cheaper than a rewrite nobody expected.
const STEADY: &[&str] = &[
    "now",
    "current_timestamp",
    "transaction_timestamp",
    "statement_timestamp",
    "current_date",
    "localtimestamp",
    "timezone",
    "to_char",
    "to_date",
    "to_timestamp",
    "to_number",
    "date_trunc",
    "date_part",
    "extract",
    "age",
    "make_date",
    "make_interval",
    "make_timestamp",
    "make_timestamptz",
    "lower",
    "upper",
    "initcap",
    "concat",
    "concat_ws",
    "format",
    "md5",
    "sha256",
    "encode",
    "decode",
    "length",
    "char_length",
    "substring",
    "substr",
    "left",
    "right",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "lpad",
    "rpad",
    "replace",
    "regexp_replace",
    "split_part",
    "repeat",
    "reverse",
    "translate",
    "abs",
    "ceil",
    "ceiling",
    "floor",
    "round",
    "trunc",
    "mod",
    "power",
    "sqrt",
    "pi",
    "json_build_object",
    "jsonb_build_object",
    "json_build_array",
    "jsonb_build_array",
    "to_json",
    "to_jsonb",
    "array_append",
    "array_cat",
    "array_remove",
    "string_to_array",
    "array_to_string",
    "current_setting",
    "current_user",
    "session_user",
    "current_schema",
    "current_database",
    "uuid_nil",
    "to_tsvector",
    "daterange",
    "tsrange",
    "tstzrange",
    "int4range",
    "int8range",
    "numrange",
    "row_to_json",
    "array_length",
    "cardinality",
    "greatest",
    "least",
    "coalesce",
    "nullif",
    "point",
    "hashtext",
    "quote_literal",
    "quote_ident",
    "strpos",
    "position",
    "overlay",
    "ascii",
    "chr",
];

pub fn is_steady(function: &str) -> bool {
    STEADY.contains(&function)
}

/// Whether it may give another value for every row; the function that makes it so.
pub fn volatile(expression: &Node) -> Option<String> {
    sql::functions(expression).into_iter().find(|f| !is_steady(f))
}

pub fn add(command: &AlterTableCmd, table: &str, names: &Names, s: &mut StatementBuilder) {
    let Some(NodeEnum::ColumnDef(column)) = command.def.as_deref().and_then(|d| d.node.as_ref()) else {
        return;
    };
    let constraints: Vec<&Constraint> = column.constraints.iter().filter_map(create::as_constraint).collect();
    let has = |kind: ConstrType| constraints.iter().find(|c| c.contype() == kind).copied();
    let column_type = column.type_name.as_ref().map(Type::from_tree);
    let default =
        has(ConstrType::ConstrDefault).and_then(|c| c.raw_expr.as_deref()).filter(|e| !sql::is_null(e));
    let filled = filling(column, column_type.as_ref(), default, &constraints);

    let has_value = default.is_some() || filled.is_some();
    let not_null = has(ConstrType::ConstrNotnull).is_some() || has(ConstrType::ConstrPrimary).is_some();
    let required = not_null && !has_value;
    s.act(SchemaAction::AddColumn { table: table.to_owned(), column: column.colname.clone(), required });
    // IF NOT EXISTS of one that exists does nothing.
    if command.missing_ok && names.column(table, &column.colname).is_some() {
        return;
    }

    json(table, column, names, s);
    if let Some(what) = &filled {
        s.hurt(names, &hazards::ADD_COLUMN_REWRITE, table, what);
    } else if let Some(other) = column_type.as_ref().filter(|t| !t.built_in()) {
        let known =
            names.parts(&other.base.split('.').map(str::to_string).collect::<Vec<_>>()).unwrap_or_default();
        if names.catalog.enums.contains_key(&known) || names.is_fresh(&known) {
            s.touch(known);
        } else {
            s.hurt(names, &hazards::ADD_COLUMN_TYPE, table, &other.base);
        }
    }
    if required {
        s.contract(names, table);
        s.hurt(names, &hazards::ADD_NOT_NULL, table, &column.colname);
    }
    if has(ConstrType::ConstrCheck).is_some() && filled.is_none() {
        s.hurt(names, &hazards::ADD_COLUMN_CHECK, table, &format!("{} comes with a CHECK", column.colname));
    }
    if has(ConstrType::ConstrUnique).is_some() || has(ConstrType::ConstrPrimary).is_some() {
        s.hurt(names, &hazards::ADD_UNIQUE, table, "");
        // Writers that do not know it all write the same value.
        if default.is_some() && filled.is_none() {
            s.contract(names, table);
        }
    }
    if let Some(key) = has(ConstrType::ConstrForeign) {
        let target = create::referenced(key, table, std::slice::from_ref(&column.colname), names, s);
        if has_value {
            let what = target.unwrap_or_default();
            s.hurt(names, &hazards::ADD_FOREIGN_KEY, table, &what);
        }
    }
}

/// A column of a type that cannot be compared.
pub fn json(table: &str, column: &ColumnDef, names: &Names, s: &mut StatementBuilder) {
    if column.type_name.as_ref().is_some_and(|t| Type::from_tree(t).base == "json") {
        let what = format!("{table}.{}", column.colname);
        s.remark(names, &hazards::JSON_COLUMN, table, &what);
    }
}

/// What gives each row a value of its own, which is a rewrite.
fn filling(
    column: &ColumnDef,
    column_type: Option<&Type>,
    default: Option<&Node>,
    constraints: &[&Constraint],
) -> Option<String> {
    let name = &column.colname;
    if column_type.is_some_and(Type::serial) {
        return Some(format!("{name} is serial"));
    }
    if constraints.iter().any(|c| c.contype() == ConstrType::ConstrIdentity) {
        return Some(format!("{name} is an identity column"));
    }
    if constraints.iter().any(|c| c.contype() == ConstrType::ConstrGenerated) {
        return Some(format!("{name} is a stored generated column"));
    }
    volatile(default?)
        .map(|f| format!("the default of {name} calls {f}(), which gives each row a value of its own"))
}

pub fn drop(command: &AlterTableCmd, table: &str, names: &Names, s: &mut StatementBuilder) {
    s.act(SchemaAction::DropColumn { table: table.to_owned(), column: command.name.clone() });
    s.contract(names, table);
    let what = format!("{table}.{}", command.name);
    s.hurt(names, &hazards::DROP_COLUMN, table, &what);
    if command.behavior() == DropBehavior::DropCascade && !names.is_fresh(table) {
        s.warn(names, &hazards::CASCADE, &what);
    }
    // Dropping a column with a foreign key takes that key's triggers off the other table.
    let keys = names.table(table).map(|t| t.foreign_keys.clone()).unwrap_or_default();
    for (own, target, _) in keys {
        if own.contains(&command.name) && target != table {
            s.lock(names, &target, Lock::AccessExclusive);
        }
    }
}

pub fn set_not_null(command: &AlterTableCmd, table: &str, names: &Names, s: &mut StatementBuilder) {
    s.act(SchemaAction::SetNotNull { table: table.to_owned(), column: command.name.clone() });
    let column = names.column(table, &command.name);
    if column.is_some_and(|c| c.not_null) {
        return;
    }
    s.contract(names, table);
    if !names.is_proven_not_null(table, &command.name) {
        s.hurt(names, &hazards::SET_NOT_NULL, table, &command.name);
    }
}

pub fn identity(command: &AlterTableCmd, table: &str, names: &Names, s: &mut StatementBuilder) {
    // 'a' is ALWAYS, which refuses values that writers give.
    let always = sql::value(&command.def).to_string();
    if always.contains("\"defname\":\"restart\"") {
        s.act(SchemaAction::RestartSequence);
    }
    if always.contains("\"generated_when\":\"a\"")
        || always.contains("\"defname\":\"generated\"") && always.contains("97")
    {
        s.contract(names, table);
    }
}

pub fn change_type(command: &AlterTableCmd, table: &str, names: &Names, s: &mut StatementBuilder) {
    let Some(NodeEnum::ColumnDef(definition)) = command.def.as_deref().and_then(|d| d.node.as_ref()) else {
        return;
    };
    let Some(new) = definition.type_name.as_ref().map(Type::from_tree) else { return };
    s.act(SchemaAction::ChangeColumnType { table: table.to_owned(), column: command.name.clone() });
    let written = definition.type_name.as_ref().map(written).unwrap_or_default();
    if new.base == "json" {
        s.remark(names, &hazards::JSON_COLUMN, table, &format!("{table}.{}", command.name));
    }
    let old = names.column(table, &command.name).map(|c| Type::from_text(&c.sql_type));
    let plain = definition
        .raw_default
        .as_deref()
        .is_none_or(|using| type_change::plain_using(using, &command.name, &new));
    let change = match &old {
        Some(old) if plain => type_change::through_domains(old, &new, names),
        _ => type_change::OTHER,
    };
    let what = match names.column(table, &command.name) {
        Some(column) => format!("{} from {} to {written}", command.name, column.sql_type),
        None => format!("{} to {written}", command.name),
    };
    if change.rewrite {
        s.hurt(names, &hazards::TYPE_REWRITE, table, &what);
    } else if definition.coll_clause.is_some() {
        s.hurt(names, &hazards::TYPE_REINDEX, table, &what);
    }
    if !change.same {
        s.contract(names, table);
    }
    if !change.widens {
        s.hurt(names, &hazards::TYPE_NARROWS, table, &what);
    }
    // Foreign keys from it and to it are built again.
    let keys = names.table(table).map(|t| t.foreign_keys.clone()).unwrap_or_default();
    for (own, target, _) in keys {
        if own.contains(&command.name) && target != table {
            s.lock(names, &target, Lock::AccessExclusive);
        }
    }
    for other in names.referencing(table).into_iter().filter(|o| o != table) {
        let keys = names.table(&other).map(|t| t.foreign_keys.as_slice()).unwrap_or_default();
        if keys.iter().any(|(_, to, columns)| to == names.origin(table) && columns.contains(&command.name)) {
            s.lock(names, &other, Lock::AccessExclusive);
            s.hurt(names, &hazards::KEY_AGAIN, &other, &what);
        }
    }
}

/// The type as a person would write it.
fn written(name: &pg_query::protobuf::TypeName) -> String {
    let parsed = Type::from_tree(name);
    let modifiers: Vec<String> = parsed.modifiers.iter().map(ToString::to_string).collect();
    let modifiers = if modifiers.is_empty() { String::new() } else { format!("({})", modifiers.join(",")) };
    format!("{}{modifiers}{}", parsed.base, if parsed.array { "[]" } else { "" })
}
