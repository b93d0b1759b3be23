//! What ALTER COLUMN … TYPE costs, from the old and the new type.
//!
//! Source: PostgreSQL manual, ALTER TABLE, notes ("changing the type … will normally cause the entire table and its indexes
//! to be rewritten … as an exception, when … the old type is either binary coercible to the new type …"), and the
//! `ATColumnChangeRequiresRewrite` rules for lengths.

use pg_query::NodeEnum;
use pg_query::protobuf::TypeName;

use crate::product::postgres::grammar::names::Names;
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
    /// Every old value fits.
    pub widens: bool,
    /// And reads the same.
    pub same: bool,
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

    /// A text of any length.
    fn is_any_text(&self) -> bool {
        self.base == "text" || self.base == "character varying" && self.modifiers.is_empty()
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

const FREE: Change = Change { rewrite: false, widens: true, same: true };
const WIDER: Change = Change { rewrite: true, widens: true, same: true };
/// Takes every value, and gives it as another.
const TAKES_ALL: Change = Change { rewrite: true, widens: true, same: false };
pub const OTHER: Change = Change { rewrite: true, widens: false, same: false };

/// What it means to change `old` to `new` without a USING of its own.
pub fn change(old: &Type, new: &Type) -> Change {
    if old == new {
        return FREE;
    }
    if old.array != new.array {
        // A text takes an array as it is written.
        return if new.is_any_text() && !new.array { TAKES_ALL } else { OTHER };
    }
    if old.array {
        let element = |of: &Type| Type { array: false, ..of.clone() };
        // Elements are looked at one by one, whatever they become.
        return Change { rewrite: true, ..change(&element(old), &element(new)) };
    }
    let (from, to) = (old.base.as_str(), new.base.as_str());
    // No modifier is the widest.
    let length = |t: &Type| t.modifiers.first().copied().unwrap_or(i64::MAX);
    let longer = length(new) >= length(old);
    let scale = |t: &Type| t.modifiers.get(1).copied().unwrap_or(0);
    let whole = |t: &Type| length(t).saturating_sub(scale(t));
    match (from, to) {
        ("character varying" | "text", "text") => FREE,
        ("character varying", "character varying") | ("bit varying", "bit varying") if longer => FREE,
        ("text", "character varying") if new.modifiers.is_empty() => FREE,
        ("numeric", "numeric") => {
            let free =
                new.modifiers.is_empty() || !old.modifiers.is_empty() && longer && scale(old) == scale(new);
            let wider = !old.modifiers.is_empty() && scale(new) >= scale(old) && whole(new) >= whole(old);
            if free {
                FREE
            } else if wider {
                WIDER
            } else {
                OTHER
            }
        }
        (a, b) if a == b && (a.starts_with("time") || a == "interval") && longer => FREE,
        ("cidr", "inet") => FREE,
        ("character", "character") if longer => WIDER,
        ("character", "text") => WIDER,
        ("character", "character varying") | ("bit", "bit varying") if longer => TAKES_ALL,
        ("smallint", "integer" | "bigint") | ("integer", "bigint") | ("real", "double precision") => WIDER,
        ("smallint" | "integer" | "bigint", "numeric") if new.modifiers.is_empty() => WIDER,
        ("smallint", "numeric") if whole(new) >= 5 => WIDER,
        ("integer", "numeric") if whole(new) >= 10 => WIDER,
        ("bigint", "numeric") if whole(new) >= 19 => WIDER,
        ("smallint", "real" | "double precision") | ("integer", "double precision") => TAKES_ALL,
        ("date", to) if to.starts_with("timestamp") => TAKES_ALL,
        ("timestamp without time zone", "timestamp with time zone")
        | ("time without time zone", "time with time zone" | "interval")
            if longer =>
        {
            TAKES_ALL
        }
        ("macaddr", "macaddr8") | ("jsonb", "json") => TAKES_ALL,
        // Every value can be written, and what is written is a text.
        _ if new.is_any_text() => TAKES_ALL,
        _ => OTHER,
    }
}

/// The same where one of the types is a domain. One without a constraint of its own is stored as the type below it.
pub fn through_domains(old: &Type, new: &Type, names: &Names) -> Change {
    let below = |of: &Type| match names.below_domain(&of.base) {
        Some((base, constrained)) => (Type { array: of.array, ..Type::from_text(&base) }, constrained),
        None => (of.clone(), false),
    };
    let (from, _) = below(old);
    let (to, constrained) = below(new);
    if constrained && old != new {
        return OTHER;
    }
    change(&from, &to)
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
