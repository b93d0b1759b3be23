//! Sample rows from production.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::endpoint::{Endpoint, Secret};

/// Columns with more different values than this tell no kinds apart.
const KINDS: usize = 12;

/// A scratch database with some of production's rows, and who tries things out there.
#[derive(Debug, Clone)]
pub struct SampleData {
    /// A template, as the owner of what is in it.
    pub template: Endpoint,
    /// May read and write rows, and nothing else.
    pub user: String,
    pub password: Secret,
    /// Roles it may run queries as: those of services that are known here.
    pub roles: BTreeSet<String>,
    /// By `schema.name`.
    pub tables: BTreeMap<String, Rows>,
}

/// Some rows of a table, all values as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|own| own == column)
    }

    /// One row of each kind, where a column tells few kinds apart.
    pub fn kinds(&self, column: &str) -> Vec<usize> {
        let Some(place) = self.place(column) else { return Vec::new() };
        let mut first: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            first.entry(row.get(place).and_then(Option::as_deref)).or_insert(at);
        }
        if first.len() > KINDS { Vec::new() } else { first.into_values().collect() }
    }

    /// Some rows, in no order that the data could have too.
    pub fn some(&self, most: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.rows.len()).collect();
        places.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
        places.truncate(most);
        places
    }

    /// Rows that hold the least, the greatest and the longest value of a column, and one that holds none.
    pub fn edges(&self, column: &str, numeric: bool) -> Vec<usize> {
        let Some(place) = self.place(column) else { return Vec::new() };
        let value = |row: &[Option<String>]| row.get(place).cloned().flatten();
        let held = || self.rows.iter().enumerate().filter_map(|(at, row)| Some((at, value(row)?)));
        let number = |text: &str| text.parse::<f64>().unwrap_or(0.0);
        let order = |a: &(usize, String), b: &(usize, String)| match numeric {
            true => number(&a.1).total_cmp(&number(&b.1)),
            false => a.1.cmp(&b.1),
        };
        let edges = [
            self.rows.iter().position(|row| value(row).is_none()),
            held().min_by(order).map(|h| h.0),
            held().max_by(order).map(|h| h.0),
            held().max_by_key(|h| h.1.len()).map(|h| h.0),
        ];
        edges.into_iter().flatten().collect()
    }
}
