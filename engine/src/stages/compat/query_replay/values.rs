//! Values to try a query with: those of rows that production holds, and made-up ones at the edge of what a column takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::load::types::{Draw, Moment};
use crate::load::value_pattern::Form;
use crate::load::values::{self, Maker, Samples};
use crate::model::catalog::{Catalog, Column};
use crate::model::column_type::{ColumnType, Digits, greatest_integer};
use crate::model::query::{ParameterRole, QueryShape, Write};
use crate::model::sample::Rows;
use crate::model::value::Value;
use crate::product::Dialect;

/// Rows that a query is tried with.
const ROWS: usize = 8;
/// Draws for a query that reads: those that find something are kept.
const DRAWS: usize = 40;
/// The same draws each time.
const SEED: u64 = 7;

/// Values for all parameters of a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    pub values: Vec<Option<String>>,
    /// What no row of production says, for people. Without it the set is what a service may well have sent.
    pub made_up: Option<String>,
    /// A parameter that stands for no column: its value is drawn by type, and may be one that makes no sense to the query.
    pub free: Option<String>,
    /// The row that the values are of, when they are to be inserted: its table and key. It has to be away for that.
    pub again: Option<(String, Vec<(String, String)>)>,
    /// A value of production is in the other case: who finds something with it may well ask so.
    pub other_case: bool,
}

/// A query as it is tried.
pub struct Asked<'a> {
    pub sql: &'a str,
    pub shape: &'a QueryShape,
    pub roles: &'a [ParameterRole],
    pub writes: &'a [Write],
    /// Tables and columns that are otherwise now; no columns: all of it.
    pub changed: &'a [(String, Vec<String>)],
    /// It asks for an order of rows.
    pub ordered: bool,
    /// It is no query that is planned.
    pub run_only: bool,
    pub dialect: &'a Arc<dyn Dialect>,
}

impl Asked<'_> {
    fn behind(&self, parameter: usize) -> Option<(&str, &str)> {
        match self.roles.get(parameter)? {
            ParameterRole::Column { table, column } | ParameterRole::Insert { table, column } => {
                Some((table, column))
            }
            ParameterRole::Count | ParameterRole::Free => None,
        }
    }
    /// Whether a column of this name is written by it.
    fn gives(&self, table: &str, column: &str) -> bool {
        let such =
            |w: &Write| w.table == table && (w.columns.is_empty() || w.columns.iter().any(|c| c == column));
        self.writes.iter().any(such)
    }
    fn is_changed(&self, table: &str, column: &str) -> bool {
        let whole = |(of, columns): &(String, Vec<String>)| of == table && columns.is_empty();
        self.changed.iter().any(whole) || self.is_named(table, column)
    }
    fn is_named(&self, table: &str, column: &str) -> bool {
        self.changed.iter().any(|(of, columns)| of == table && columns.iter().any(|c| c == column))
    }
}

/// Columns of views that parameters are compared with: what a view shows of the sample rows is known to the database only.
pub fn of_views(roles: &[ParameterRole], catalog: &Catalog, known: &Samples) -> Vec<(String, String)> {
    let wanted = values::wanted(roles, catalog);
    wanted.filter(|key| catalog.views.contains_key(&key.0) && !known.contains_key(key)).collect()
}

/// What is lent, by column.
pub fn samples(lent: &BTreeMap<String, Rows>) -> Samples {
    let mut all = Samples::new();
    for (table, rows) in lent {
        for (place, column) in rows.columns.iter().enumerate() {
            let values: Vec<String> =
                rows.rows.iter().filter_map(|row| row.get(place).cloned().flatten()).collect();
            all.insert((table.clone(), column.clone()), Arc::new(values));
        }
    }
    all
}

/// Sets to try, those of production first.
pub fn sets(
    asked: &Asked<'_>,
    catalog: &Catalog,
    lent: &BTreeMap<String, Rows>,
    samples: &Samples,
    form: Form,
) -> Vec<Set> {
    let Asked { shape, roles, writes, dialect, .. } = asked;
    let makers = values::makers(shape, roles, writes, catalog, samples, form, dialect.as_ref());
    if makers.is_empty() {
        return vec![Set::default()];
    }
    let invented = invented(asked, &makers);
    let free = makers
        .iter()
        .enumerate()
        .position(|(n, maker)| matches!(maker, Maker::OfType(_)) && asked.behind(n).is_none());
    let free = free.map(|n| invented_at(asked, n));
    let mut draw = Draw::new(SEED, Moment::now(), Arc::clone(dialect));
    let mut drawn = || makers.iter().map(|m| m.make(&mut draw)).collect::<Vec<_>>();
    let (focus, rows) = match focus(asked, lent) {
        Some((name, rows)) => (Some(name), chosen(asked, catalog, name, rows, lent)),
        None => (None, Vec::new()),
    };
    let mut sets = again(asked, catalog, &makers, focus, &rows, &mut drawn, lent);
    let set = |values| Set { values, made_up: invented.clone(), free: free.clone(), ..Set::default() };
    if let (Some(focus), Some(row)) = (focus, rows.first()) {
        let mut values = drawn();
        lay(asked, &makers, focus, row, lent, &mut values, false);
        sets.extend(in_the_other_case(asked, &set(values)));
    }
    // One that finds nothing says little.
    let draws = if asked.writes.is_empty() { DRAWS } else { 3 };
    for n in 0..rows.len().max(draws) {
        let mut values = drawn();
        if let (Some(focus), Some(row)) = (focus, rows.get(n)) {
            lay(asked, &makers, focus, row, lent, &mut values, false);
        }
        sets.push(set(values));
    }
    let Some(base) = sets.iter().find(|s| s.again.is_none() && !s.other_case).cloned() else { return sets };
    // Rows that are there, for who counts on conflicts.
    if let Some(focus) = focus.filter(|focus| handles_conflicts(asked, focus)) {
        let made_up = invented_beside(asked, &makers, focus);
        sets.extend(rows.iter().map(|row| {
            let mut values = drawn();
            lay(asked, &makers, focus, row, lent, &mut values, true);
            Set { values, made_up: made_up.clone(), ..Set::default() }
        }));
    }
    // What one row has, given to another.
    if let Some(focus) = focus.filter(|_| !asked.writes.is_empty()) {
        for (one, other) in rows.iter().zip(rows.iter().skip(1)).take(ROWS / 2) {
            let mut values = drawn();
            lay(asked, &makers, focus, one, lent, &mut values, false);
            let mut mixed = values.clone();
            lay(asked, &makers, focus, other, lent, &mut mixed, false);
            for (n, value) in mixed.into_iter().enumerate() {
                let given = asked.behind(n).is_some_and(|(t, c)| asked.gives(t, c));
                if let Some(slot) = values.get_mut(n).filter(|_| given && !is_key(asked, n, catalog)) {
                    *slot = value;
                }
            }
            sets.push(Set {
                values,
                made_up: Some("what one row has, given to another".to_owned()),
                ..Set::default()
            });
        }
    }
    for n in 0..makers.len() {
        let Some((table, column)) = asked.behind(n) else { continue };
        if !asked.gives(table, column) || !asked.is_changed(table, column) {
            continue;
        }
        let known = catalog.tables.get(table).and_then(|t| t.columns.iter().find(|c| c.name == column));
        for edge in known.map(|k| edges(k, catalog, dialect.as_ref())).unwrap_or_default() {
            let mut set = base.clone();
            let told = match edge.as_deref() {
                None => "NULL".to_owned(),
                Some(text) if text.chars().count() > 40 => {
                    format!("a text of {} characters", text.chars().count())
                }
                Some(text) => format!("'{text}'"),
            };
            if let Some(slot) = set.values.get_mut(n) {
                *slot = edge;
            }
            set.made_up = Some(format!("{table}.{column} = {told}"));
            sets.push(set);
        }
    }
    sets
}

/// What is compared with a column that is otherwise now, in the other case: its type or its collation may have begun to tell that.
fn in_the_other_case(asked: &Asked<'_>, set: &Set) -> Vec<Set> {
    let other = |text: &String| -> String {
        let swap = |c: char| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        text.chars().map(swap).collect()
    };
    let compared = (0..set.values.len()).filter(|n| {
        asked
            .behind(*n)
            .is_some_and(|(table, column)| asked.is_named(table, column) && !asked.gives(table, column))
    });
    let swapped = |n: usize| {
        let mut set = Set { other_case: true, ..set.clone() };
        let slot = set.values.get_mut(n)?;
        let swapped = slot.as_ref().map(other).filter(|swapped| Some(swapped) != slot.as_ref())?;
        *slot = Some(swapped);
        Some(set)
    };
    compared.filter_map(swapped).collect()
}

/// Rows inserted once more, just as they are.
fn again(
    asked: &Asked<'_>,
    catalog: &Catalog,
    makers: &[Maker],
    focus: Option<&str>,
    rows: &[Held<'_>],
    drawn: &mut impl FnMut() -> Vec<Option<String>>,
    lent: &BTreeMap<String, Rows>,
) -> Vec<Set> {
    let inserts = |name: &&str| asked.writes.iter().any(|w| w.inserts && w.table == **name);
    let Some(name) = focus.filter(inserts) else { return Vec::new() };
    let key = catalog.tables.get(name).map_or(&[][..], |t| &t.primary_key);
    let made_up = invented_beside(asked, makers, name);
    let mut sets = Vec::new();
    for row in rows {
        let held = |c: &String| Some((c.clone(), row.get(c.as_str()).copied().flatten()?.to_owned()));
        let key: Option<Vec<_>> = key.iter().map(held).collect();
        let Some(key) = key.filter(|key| !key.is_empty()) else { continue };
        let mut values = drawn();
        lay(asked, makers, name, row, lent, &mut values, true);
        let again = Some((name.to_owned(), key));
        sets.push(Set { values, made_up: made_up.clone(), again, ..Set::default() });
    }
    sets
}

/// What no row has where the values of a whole row of the table are given.
fn invented_beside(asked: &Asked<'_>, makers: &[Maker], table: &str) -> Option<String> {
    let invented = makers.iter().enumerate().find(|(n, maker)| {
        matches!(maker, Maker::OfType(_) | Maker::Labels(_))
            && asked.behind(*n).is_none_or(|(t, _)| t != table)
    });
    invented.map(|(n, _)| invented_at(asked, n))
}

fn handles_conflicts(asked: &Asked<'_>, table: &str) -> bool {
    asked.writes.iter().any(|w| w.inserts && w.handles_conflicts && w.table == table)
}

/// Whether a set of rows' values holds something that no row has, where it matters.
fn invented(asked: &Asked<'_>, makers: &[Maker]) -> Option<String> {
    makers.iter().enumerate().find_map(|(n, maker)| {
        let free = matches!(maker, Maker::OfType(_) | Maker::Labels(_)) && !asked.writes.is_empty();
        let fresh = matches!(maker, Maker::Fresh(_) | Maker::Like(..))
            && asked.behind(n).is_some_and(|(t, c)| asked.is_named(t, c));
        let from_row = asked.behind(n).is_some() && !matches!(maker, Maker::Fresh(_) | Maker::Like(..));
        (free && !from_row || fresh).then(|| invented_at(asked, n))
    })
}

fn invented_at(asked: &Asked<'_>, parameter: usize) -> String {
    format!("an invented {}", asked.dialect.placeholder(parameter + 1))
}

fn is_key(asked: &Asked<'_>, parameter: usize, catalog: &Catalog) -> bool {
    asked.behind(parameter).is_some_and(|(table, column)| {
        catalog.tables.get(table).is_some_and(|t| t.primary_key.iter().any(|k| k == column))
    })
}

/// The table that is written, or else the one most parameters speak of.
fn focus<'a>(asked: &Asked<'_>, lent: &'a BTreeMap<String, Rows>) -> Option<(&'a str, &'a Rows)> {
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    for n in 0..asked.roles.len() {
        if let Some((table, _)) = asked.behind(n) {
            let weight = if asked.writes.iter().any(|w| w.table == table) { 100 } else { 1 };
            *votes.entry(table).or_default() += weight;
        }
    }
    let (most, _) = votes
        .into_iter()
        .filter(|(t, _)| lent.get(*t).is_some_and(|r| !r.rows.is_empty()))
        .max_by_key(|v| v.1)?;
    lent.get_key_value(most).map(|(name, rows)| (name.as_str(), rows))
}

/// A row's values by column.
type Held<'a> = BTreeMap<&'a str, Option<&'a str>>;

/// Rows at the edges of what changed, and some more.
fn chosen<'a>(
    asked: &Asked<'_>,
    catalog: &Catalog,
    name: &str,
    rows: &'a Rows,
    lent: &'a BTreeMap<String, Rows>,
) -> Vec<Held<'a>> {
    let known = catalog.tables.get(name);
    let numeric = |column: &String| {
        let column = known.and_then(|t| t.columns.iter().find(|c| c.name == *column));
        column.is_some_and(|c| asked.dialect.column_type(&c.sql_type).is_numeric())
    };
    let mut places: Vec<usize> = Vec::new();
    for column in rows.columns.iter().filter(|c| asked.is_changed(name, c)) {
        places.extend(rows.edges(column, numeric(column)));
        places.extend(rows.kinds(column));
    }
    places.truncate(ROWS * 2);
    places.extend(rows.some(ROWS));
    let mut seen = BTreeSet::new();
    places.retain(|p| seen.insert(*p));
    let held = |of: &'a Rows, at: usize| -> Option<Held<'a>> {
        let row = of.rows.get(at)?.iter().map(Option::as_deref);
        Some(of.columns.iter().map(String::as_str).zip(row).collect())
    };
    // Whose partition is another, or none.
    let parts: BTreeSet<&String> = asked.changed.iter().map(|(of, _)| of).collect();
    let parts = parts.into_iter().filter(|of| *of != name && catalog.root(of) == Some(name));
    let moved = parts
        .filter_map(|of| lent.get(of))
        .flat_map(|part| part.some(ROWS / 2).into_iter().filter_map(move |at| held(part, at)));
    moved.chain(places.iter().filter_map(|at| held(rows, *at))).collect()
}

/// Puts what a row has in the place of what was drawn, and what the rows have that it refers to.
fn lay(
    asked: &Asked<'_>,
    makers: &[Maker],
    focus: &str,
    row: &Held<'_>,
    lent: &BTreeMap<String, Rows>,
    values: &mut [Option<String>],
    whole: bool,
) {
    for (n, slot) in values.iter_mut().enumerate() {
        let Some((table, column)) = asked.behind(n) else { continue };
        if !whole && matches!(makers.get(n), Some(Maker::Fresh(_) | Maker::Like(..)) | None) {
            continue;
        }
        let value = match table == focus {
            true => row.get(column).copied(),
            // The same word means the same thing more often than not: `orders.customer_id` beside `lines.customer_id`.
            false => row.get(column).copied().filter(|v| {
                let other = lent.get(table);
                let place = other.and_then(|o| o.place(column));
                other.zip(place).is_some_and(|(o, p)| {
                    o.rows.iter().any(|r| r.get(p).is_some_and(|held| held.as_deref() == *v))
                })
            }),
        };
        let Some(value) = value else { continue };
        let inserts = matches!(asked.roles.get(n), Some(ParameterRole::Insert { .. }));
        *slot = match (value, makers.get(n)) {
            (Some(value), Some(Maker::Array(_))) => {
                Some(asked.dialect.value_text(&Value::Array(vec![Value::Text(value.to_owned())])))
            }
            (None, _) if !inserts && !asked.gives(table, column) => continue,
            (value, _) => value.map(str::to_owned),
        };
    }
}

/// What a column takes at most, at least, and in between: whatever is refused later was taken before.
fn edges(column: &Column, catalog: &Catalog, dialect: &dyn Dialect) -> Vec<Option<String>> {
    let numbers = |greatest: Option<String>| {
        let all = ["0", "-1", "1"].map(str::to_owned).into_iter().chain(greatest);
        all.map(Some).collect::<Vec<_>>()
    };
    let mut found = match dialect.column_type(&column.sql_type) {
        ColumnType::Integer { bytes } => numbers(Some(greatest_integer(bytes).to_string())),
        ColumnType::Decimal { digits } => numbers(digits.and_then(greatest_decimal)),
        ColumnType::Float { .. } => numbers(None),
        ColumnType::Text { .. } => {
            let length = column.max_length.and_then(|l| usize::try_from(l).ok()).unwrap_or(300);
            vec![Some(String::new()), Some("x".repeat(length.min(10_000)))]
        }
        ColumnType::Boolean => {
            [true, false].map(|truth| Some(dialect.value_text(&Value::Boolean(truth)))).to_vec()
        }
        ColumnType::Other { name, .. } => {
            catalog.labels(&name).into_iter().flatten().map(|label| Some(label.clone())).collect()
        }
        ColumnType::Timestamp { .. }
        | ColumnType::Date
        | ColumnType::Time { .. }
        | ColumnType::Interval
        | ColumnType::Uuid
        | ColumnType::Bytes
        | ColumnType::Json { .. }
        | ColumnType::IpAddress
        | ColumnType::IpNetwork
        | ColumnType::MacAddress
        | ColumnType::Array(_) => Vec::new(),
    };
    if !column.not_null {
        found.push(None);
    }
    found
}

/// Nines in all places.
fn greatest_decimal(digits: Digits) -> Option<String> {
    let (whole, scale) = (usize::try_from(digits.whole()).ok()?, usize::try_from(digits.scale).ok()?);
    let text = format!("{}.{}", "9".repeat(whole), "9".repeat(scale));
    Some(text.trim_end_matches('.').to_owned())
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;
