//! What is written to a view is written to what is behind it.

use crate::model::catalog::Catalog;
use crate::model::query::{ParameterRole, Write};

/// What is written to a view ends in the tables behind it, under the same names where they have them.
pub fn writes(writes: Vec<Write>, catalog: &Catalog) -> Vec<Write> {
    let mut all = Vec::new();
    let mut open = writes;
    while let Some(write) = open.pop() {
        if let Some(behind) = catalog.views.get(&write.table).filter(|_| all.len() < 100) {
            let tables =
                behind.iter().filter(|b| catalog.tables.contains_key(*b) || catalog.views.contains_key(*b));
            open.extend(tables.map(|table| Write { table: table.clone(), ..write.clone() }));
        }
        all.push(write);
    }
    all
}

/// What is written to a view's column ends in the column of the same name behind it, where there is one.
pub fn parameters(roles: &mut [ParameterRole], catalog: &Catalog) {
    for role in roles {
        let (ParameterRole::Column { table, column } | ParameterRole::Insert { table, column }) = role else {
            continue;
        };
        let has = |name: &&String| {
            catalog.tables.get(*name).is_some_and(|t| t.columns.iter().any(|c| c.name == *column))
        };
        if let Some(behind) = catalog.views.get(table).and_then(|relations| relations.iter().find(has)) {
            table.clone_from(behind);
        }
    }
}
