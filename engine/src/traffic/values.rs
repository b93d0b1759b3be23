//! Values that fit a parameter: existing ones where it is compared with a column, fresh ones where it must be unique.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::Rng;

use crate::database::{Catalog, ParameterRole, QueryShape, Table};

/// Existing values by table and column.
pub type Samples = BTreeMap<(String, String), Arc<Vec<String>>>;

/// How the value of one parameter is made.
#[derive(Debug, Clone)]
pub enum Maker {
    Sample(Arc<Vec<String>>),
    /// An array of a few existing values.
    SampleArray(Arc<Vec<String>>),
    Labels(Vec<String>),
    /// One that no row has yet.
    Fresh(String, Option<u32>),
    Count,
    OfType(String),
}

/// So few different values are kinds of something: another one would not be taken.
const KINDS: usize = 20;

/// One maker per parameter of a query.
pub fn makers(
    sql: &str,
    shape: &QueryShape,
    roles: &[ParameterRole],
    catalog: &Catalog,
    samples: &Samples,
) -> Vec<Maker> {
    let upserts = sql.to_ascii_lowercase().contains("on conflict");
    shape
        .parameters
        .iter()
        .enumerate()
        .map(|(n, sql_type)| {
            maker(sql_type, upserts, roles.get(n).unwrap_or(&ParameterRole::Free), catalog, samples)
        })
        .collect()
}

fn maker(sql_type: &str, upserts: bool, role: &ParameterRole, catalog: &Catalog, samples: &Samples) -> Maker {
    let (table, column, inserts) = match role {
        ParameterRole::Column { table, column } => (table, column, false),
        ParameterRole::Insert { table, column } => (table, column, true),
        ParameterRole::Count => return Maker::Count,
        ParameterRole::Free => return of_type(sql_type, catalog),
    };
    let known =
        catalog.tables.get(table).and_then(|t| t.columns.iter().find(|c| c.name == *column).map(|c| (t, c)));
    let values = samples.get(&(table.clone(), column.clone())).filter(|values| !values.is_empty());
    if let Some((table, column)) = known
        && inserts
        && let Some(alone) = must_be_fresh(table, &column.name)
        && (alone || !(upserts || values.is_some_and(|v| v.len() <= KINDS)))
    {
        return Maker::Fresh(sql_type.to_owned(), column.max_length);
    }
    match (values, known) {
        (Some(values), Some((_, column))) if fits(&column.sql_type, sql_type) => {
            Maker::Sample(Arc::clone(values))
        }
        (Some(values), Some((_, column))) if array_of(&column.sql_type, sql_type) => {
            Maker::SampleArray(Arc::clone(values))
        }
        _ => of_type(sql_type, catalog),
    }
}

/// A column of a unique set that points nowhere: two rows must not share its value. `Some(true)` when it is the whole set.
fn must_be_fresh(table: &Table, column: &str) -> Option<bool> {
    let points = table.foreign_keys.iter().any(|(own, ..)| own.iter().any(|c| c == column));
    let mut sets = table.unique.iter().filter(|set| set.iter().any(|c| c == column)).peekable();
    sets.peek()?;
    (!points).then(|| sets.any(|set| set.len() == 1))
}

fn array_of(column: &str, parameter: &str) -> bool {
    parameter.strip_suffix("[]").is_some_and(|element| fits(column, element))
}

/// Whether values of a column can be given, as text, to a parameter of this type.
fn fits(column: &str, parameter: &str) -> bool {
    let (column, parameter) = (class(column), class(parameter));
    column == parameter || parameter == "text" || (column == "integer" && parameter == "numeric")
}

/// Types whose text forms are read alike.
fn class(sql_type: &str) -> &str {
    let bare = sql_type.split('(').next().unwrap_or(sql_type).trim();
    match bare {
        "smallint" | "integer" | "bigint" => "integer",
        "numeric" | "real" | "double precision" => "numeric",
        "text" | "character varying" | "character" | "name" | "\"char\"" => "text",
        _ if sql_type.starts_with("timestamp") => "timestamp",
        _ => bare.rsplit('.').next().unwrap_or(bare),
    }
}

fn of_type(sql_type: &str, catalog: &Catalog) -> Maker {
    let bare = sql_type.trim_matches('"');
    let labels =
        catalog.enums.iter().find(|(name, _)| name.as_str() == bare || name.rsplit('.').next() == Some(bare));
    match labels {
        Some((_, labels)) if !labels.is_empty() => Maker::Labels(labels.clone()),
        _ => Maker::OfType(sql_type.to_owned()),
    }
}

impl Maker {
    pub fn make(&self, rng: &mut impl Rng) -> Option<String> {
        Some(match self {
            Maker::Sample(values) => pick(values, rng),
            Maker::Labels(values) => pick(values, rng),
            Maker::SampleArray(values) => array((0..3).map(|_| pick(values, rng))),
            Maker::Fresh(sql_type, longest) => fresh(sql_type, *longest, rng),
            Maker::Count => rng.random_range(1..=20).to_string(),
            Maker::OfType(sql_type) => plain(sql_type, rng),
        })
    }
}

fn pick(values: &[String], rng: &mut impl Rng) -> String {
    let at = rng.random_range(0..values.len().max(1));
    values.get(at).cloned().unwrap_or_default()
}

fn array(values: impl Iterator<Item = String>) -> String {
    let quoted: Vec<String> =
        values.map(|v| format!("\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("{{{}}}", quoted.join(","))
}

fn word(length: u32, rng: &mut impl Rng) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    (0..length)
        .map(|_| char::from(LETTERS.get(rng.random_range(0..LETTERS.len())).copied().unwrap_or(b'A')))
        .collect()
}

fn uuid(rng: &mut impl Rng) -> String {
    let n: u128 = rng.random();
    // Version 4, variant 1 (RFC 9562).
    let n = (n & !(0xf << 76) | (4 << 76)) & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{n:032x}");
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default().to_owned()).join("-")
}

fn moment(seconds_from_now: i64) -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    now.checked_add(jiff::SignedDuration::from_secs(seconds_from_now)).unwrap_or(now)
}

fn fresh(sql_type: &str, longest: Option<u32>, rng: &mut impl Rng) -> String {
    match class(sql_type) {
        "integer" if sql_type == "smallint" => rng.random_range(1_000..32_000).to_string(),
        "integer" if sql_type == "integer" => rng.random_range(1_000_000_000..2_000_000_000).to_string(),
        "integer" => rng.random_range(1_i64 << 40..1 << 61).to_string(),
        "text" => word(longest.unwrap_or(12).min(12), rng),
        "timestamp" => moment(rng.random_range(0..1_000_000)).to_string(),
        "date" => moment(rng.random_range(0..86_400 * 40_000)).strftime("%Y-%m-%d").to_string(),
        _ => plain(sql_type, rng),
    }
}

/// Any value of a type, in its text form.
fn plain(sql_type: &str, rng: &mut impl Rng) -> String {
    if let Some(element) = sql_type.strip_suffix("[]") {
        return array((0..2).map(|_| plain(element, rng)).collect::<Vec<_>>().into_iter());
    }
    match class(sql_type) {
        "integer" => rng.random_range(1..100).to_string(),
        "numeric" => format!("{}.{:02}", rng.random_range(1..50), rng.random_range(0..100)),
        "boolean" => rng.random_bool(0.5).to_string(),
        "uuid" => uuid(rng),
        "json" | "jsonb" => "{}".to_owned(),
        "timestamp" => moment(-rng.random_range(0..86_400)).to_string(),
        "date" => moment(-rng.random_range(0..86_400 * 20)).strftime("%Y-%m-%d").to_string(),
        "time" | "time without time zone" | "time with time zone" => "12:00:00".to_owned(),
        "interval" => "1 hour".to_owned(),
        "bytea" => "\\x00ff".to_owned(),
        "inet" | "cidr" => "192.0.2.1".to_owned(),
        "macaddr" => "08:00:2b:01:02:03".to_owned(),
        "bit" | "bit varying" => "1".to_owned(),
        "point" => "(1,2)".to_owned(),
        "tsquery" | "tsvector" => "word".to_owned(),
        "int4range" | "int8range" | "numrange" => "[1,5)".to_owned(),
        "daterange" | "tsrange" | "tstzrange" => "[2026-01-01,2026-02-01)".to_owned(),
        "money" => "1.00".to_owned(),
        "oid" | "regclass" => "0".to_owned(),
        "xml" => "<a/>".to_owned(),
        _ => word(4, rng),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_same_seed_gives_the_same_values() {
        let make = |seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let maker = Maker::Fresh("bigint".to_owned(), None);
            (0..9).map(|_| maker.make(&mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
    }

    #[test]
    fn arrays_take_any_text() {
        assert_eq!(array(["a\"b".to_owned(), "c\\d".to_owned()].into_iter()), r#"{"a\"b","c\\d"}"#);
    }

    #[test]
    fn a_unique_column_gets_fresh_values_unless_it_points_somewhere() {
        let table = Table {
            unique: vec![vec!["id".to_owned()], vec!["order_id".to_owned(), "line_no".to_owned()]],
            foreign_keys: vec![(
                vec!["order_id".to_owned()],
                "public.orders".to_owned(),
                vec!["id".to_owned()],
            )],
            ..Table::default()
        };
        let found = ["id", "order_id", "line_no", "sku"].map(|c| must_be_fresh(&table, c));
        assert_eq!(found, [Some(true), None, Some(false), None]);
    }
}
