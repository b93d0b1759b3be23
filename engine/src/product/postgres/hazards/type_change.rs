//! What ALTER COLUMN … TYPE costs, from the old and the new type.
//!
//! Source: PostgreSQL manual, ALTER TABLE, notes ("changing the type … will normally cause the entire table and its indexes
//! to be rewritten … as an exception, when … the old type is either binary coercible to the new type …"), and the
//! `ATColumnChangeRequiresRewrite` rules for lengths.

use pg_query::NodeEnum;
use pg_query::protobuf::TypeName;

use crate::product::postgres::grammar::sql;

/// A type taken apart: `character varying(40)[]` is base `character varying`, modifiers `[40]`, an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    pub base: String,
    pub modifiers: Vec<i64>,
    pub array: bool,
}

/// What a change of type means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Every row is written anew.
    pub rewrite: bool,
    /// Every old value fits and reads the same.
    pub widens: bool,
}

/// The engine's names for short and internal ones.
const ALIASES: &[(&str, &str)] = &[
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int", "integer"),
    ("int8", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("bool", "boolean"),
    ("bpchar", "character"),
    ("char", "\"char\""),
    ("varchar", "character varying"),
    ("decimal", "numeric"),
    ("varbit", "bit varying"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
];

/// Types the engine brings along; any other may be a domain, which can carry checks.
const BUILT_IN: &[&str] = &[
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "boolean",
    "character",
    "\"char\"",
    "character varying",
    "numeric",
    "bit",
    "bit varying",
    "timestamp without time zone",
    "timestamp with time zone",
    "time without time zone",
    "time with time zone",
    "text",
    "date",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "bytea",
    "inet",
    "cidr",
    "macaddr",
    "money",
    "xml",
    "tsvector",
    "tsquery",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "oid",
    "name",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "hstore",
    "citext",
    "geometry",
    "geography",
    "ltree",
    "smallserial",
    "serial",
    "bigserial",
    "serial2",
    "serial4",
    "serial8",
    "pg_lsn",
    "jsonpath",
    "macaddr8",
];

impl Type {
    /// From the parser.
    pub fn from_tree(name: &TypeName) -> Self {
        let parts = sql::texts(&name.names);
        let named = match parts.as_slice() {
            [schema, base] if schema == "pg_catalog" => base.clone(),
            parts => parts.join("."),
        };
        let base = ALIASES
            .iter()
            .find(|(short, _)| *short == named)
            .map_or(named.clone(), |(_, long)| (*long).to_string());
        let modifiers = match base.as_str() {
            // The grammar gives INTERVAL's fields as a bit mask before the precision.
            "interval" => name.typmods.iter().skip(1).filter_map(|m| sql::literal(m)?.parse().ok()).collect(),
            _ => name.typmods.iter().filter_map(|m| sql::literal(m)?.parse().ok()).collect(),
        };
        Self { base, modifiers, array: !name.array_bounds.is_empty() }
    }

    /// From the catalog's text, e.g. `timestamp(3) with time zone`.
    pub fn from_text(text: &str) -> Self {
        let array = text.trim_end().ends_with("[]");
        let text = text.trim().trim_end_matches("[]");
        let (base, modifiers) = match (text.split_once('('), text.rsplit_once(')')) {
            (Some((before, _)), Some((inner, after))) => {
                let numbers = inner.get(before.len() + 1..).unwrap_or_default();
                (
                    format!("{before}{after}"),
                    numbers.split(',').filter_map(|n| n.trim().parse().ok()).collect(),
                )
            }
            _ => (text.to_string(), Vec::new()),
        };
        let base = ALIASES
            .iter()
            .find(|(short, _)| *short == base)
            .map_or(base.clone(), |(_, long)| (*long).to_string());
        Self { base, modifiers, array }
    }

    pub fn built_in(&self) -> bool {
        BUILT_IN.contains(&self.base.as_str())
    }

    pub fn serial(&self) -> bool {
        ["smallserial", "serial", "bigserial", "serial2", "serial4", "serial8"].contains(&self.base.as_str())
    }

    /// The type to cast a key to: no length or precision, which would cut.
    pub fn cast(&self) -> String {
        match self.base.as_str() {
            "character" => "bpchar".to_string(),
            base => base.to_string(),
        }
    }
}

/// What it means to change `old` to `new` without a USING of its own.
pub fn change(old: &Type, new: &Type) -> Change {
    const FREE: Change = Change { rewrite: false, widens: true };
    const WIDER: Change = Change { rewrite: true, widens: true };
    const OTHER: Change = Change { rewrite: true, widens: false };
    if old == new {
        return FREE;
    }
    if old.array || new.array {
        return OTHER;
    }
    let (from, to) = (old.base.as_str(), new.base.as_str());
    // No modifier is the widest.
    let length = |t: &Type| t.modifiers.first().copied().unwrap_or(i64::MAX);
    let longer = length(new) >= length(old);
    match (from, to) {
        ("character varying" | "text", "text") => FREE,
        ("character varying", "character varying") | ("bit varying", "bit varying") if longer => FREE,
        ("text", "character varying") if new.modifiers.is_empty() => FREE,
        ("numeric", "numeric") => {
            let scale = |t: &Type| t.modifiers.get(1).copied().unwrap_or(0);
            let free =
                new.modifiers.is_empty() || !old.modifiers.is_empty() && longer && scale(old) == scale(new);
            let wider = !old.modifiers.is_empty()
                && scale(new) >= scale(old)
                && length(new).saturating_sub(scale(new)) >= length(old).saturating_sub(scale(old));
            if free { FREE } else { Change { rewrite: true, widens: wider } }
        }
        (a, b) if a == b && (a.starts_with("time") || a == "interval") && longer => FREE,
        ("cidr", "inet") => FREE,
        ("character", "character") if longer => WIDER,
        ("character", "text") => WIDER,
        ("smallint", "integer" | "bigint") | ("integer", "bigint") | ("real", "double precision") => WIDER,
        ("smallint" | "integer" | "bigint", "numeric") if new.modifiers.is_empty() => WIDER,
        _ => OTHER,
    }
}

/// Whether USING says no more than the implicit conversion: `USING col` or `USING col::newtype`.
pub fn plain_using(using: &pg_query::protobuf::Node, column: &str, new: &Type) -> bool {
    match using.node.as_ref() {
        Some(NodeEnum::ColumnRef(_)) => sql::column(using).is_some_and(|(_, name)| name == column),
        Some(NodeEnum::TypeCast(cast)) => {
            let same = cast.type_name.as_ref().is_some_and(|t| {
                let cast = Type::from_tree(t);
                cast == *new || cast.base == new.base && cast.modifiers.is_empty()
            });
            same && cast.arg.as_deref().is_some_and(|arg| plain_using(arg, column, new))
        }
        _ => false,
    }
}
