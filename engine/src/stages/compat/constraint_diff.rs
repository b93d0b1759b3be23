//! Columns that refuse what they took, and who gives it to them.

use crate::model::catalog::{Catalog, Column};
use crate::model::evidence::VerdictKind;
use crate::model::query::Write;

/// A column that refuses more than it did.
pub struct Tightened {
    table: String,
    column: String,
    /// An INSERT that leaves it out fails now.
    must_be_given: bool,
    /// It was not there before.
    new: bool,
    reason: String,
}

pub fn tightened(before: &Catalog, after: &Catalog) -> Vec<Tightened> {
    let mut found = Vec::new();
    for (name, table) in &after.tables {
        let Some(old_table) = before.tables.get(name) else { continue };
        for (place, column) in table.columns.iter().enumerate() {
            let old = old_table.columns.iter().find(|c| c.name == column.name);
            // One that has another name only is given by whoever gave it; who names it does not plan.
            let renamed = old_table.columns.get(place).is_some_and(|was| {
                was.sql_type == column.sql_type && !table.columns.iter().any(|c| c.name == was.name)
            });
            if old.is_none() && renamed {
                continue;
            }
            let must = |c: &Column| c.not_null && !c.has_default && !c.generated;
            let tight = |must_be_given, reason: String| Tightened {
                table: name.clone(),
                column: column.name.clone(),
                must_be_given,
                new: old.is_none(),
                reason,
            };
            if must(column) && !old.is_some_and(must) {
                found.push(tight(true, format!("{name}.{} is required now", column.name)));
            }
            if let Some(old) = old {
                if column.not_null && !old.not_null {
                    found.push(tight(false, format!("{name}.{} no longer accepts NULL", column.name)));
                }
                if let (Some(now), was) = (column.max_length, old.max_length)
                    && was.is_none_or(|was| now < was)
                {
                    found.push(tight(
                        false,
                        format!("{name}.{} takes at most {now} characters now", column.name),
                    ));
                }
            }
        }
    }
    found
}

/// What is refused of what others write for a query: what it sets off, or calls. `writes`: whether they may write to a table.
pub fn refused_on_its_behalf(
    writes: impl Fn(&str) -> bool,
    tightened: &[Tightened],
) -> impl Iterator<Item = (String, String)> {
    let reached = tightened.iter().filter(move |tight| writes(&tight.table));
    reached.map(|tight| {
        (
            format!("what it sets off writes there, and {}", tight.reason),
            format!("{}.{}", tight.table, tight.column),
        )
    })
}

/// What is refused of what a query writes itself.
pub fn refused_writes(writes: &[Write], tightened: &[Tightened]) -> Vec<(VerdictKind, String, String)> {
    let mut found = Vec::new();
    for write in writes {
        for tight in tightened.iter().filter(|t| t.table == write.table) {
            // Without a list an INSERT gives values to the columns that there were when it was written.
            let listless = write.inserts && write.columns.is_empty() && !tight.new;
            let gives = write.columns.contains(&tight.column) || listless;
            let column = format!("{}.{}", tight.table, tight.column);
            if tight.must_be_given && write.inserts && !gives {
                found.push((
                    VerdictKind::Breaking,
                    format!("the INSERT leaves it out, and {}", tight.reason),
                    column,
                ));
            } else if !tight.must_be_given && gives {
                found.push((
                    VerdictKind::Risky,
                    format!("it writes the column, and {}", tight.reason),
                    column,
                ));
            }
        }
    }
    found
}
