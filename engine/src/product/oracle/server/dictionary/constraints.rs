//! Constraints. A NOT NULL is a constraint of the server's, and part of its column here.

use std::collections::BTreeMap;

use super::rows::{Row, Table as Rows};
use crate::error::Result;
use crate::product::oracle::dictionary::{Constraint, ConstraintKind, Dictionary, Table};

/// The columns of constraints, by `OWNER.NAME`.
pub type Columns = BTreeMap<String, Vec<String>>;
/// The index that holds a key -> the key, for those that have one name: they came together.
pub type Keys = BTreeMap<String, String>;

pub fn columns(rows: &Rows) -> Result<Columns> {
    let mut columns = Columns::new();
    for row in rows.rows() {
        let of = columns.entry(row.name("OWNER", "CONSTRAINT_NAME")?).or_default();
        of.push(row.text("COLUMN_NAME")?.to_owned());
    }
    Ok(columns)
}

pub fn read(rows: &Rows, columns: &Columns, dictionary: &mut Dictionary) -> Result<Keys> {
    let mut keys = Keys::new();
    for row in rows.rows() {
        let Some(table) = dictionary.tables.get_mut(&row.name("OWNER", "TABLE_NAME")?) else { continue };
        let constraint = constraint(row, columns)?;
        if not_null(&constraint, table) {
            continue;
        }
        if let Some(index) = row.maybe("INDEX_NAME")?
            && index == constraint.name
        {
            let owner = row.maybe("INDEX_OWNER")?.unwrap_or(row.text("OWNER")?);
            keys.insert(format!("{owner}.{index}"), constraint.name.clone());
        }
        table.constraints.push(constraint);
    }
    Ok(keys)
}

fn constraint(row: Row<'_>, columns: &Columns) -> Result<Constraint> {
    let of = |name: &str| columns.get(name).cloned().unwrap_or_default();
    let references = match (row.maybe("R_OWNER")?, row.maybe("R_TABLE_NAME")?) {
        (Some(owner), Some(table)) => {
            Some((format!("{owner}.{table}"), of(&row.name("R_OWNER", "R_CONSTRAINT_NAME")?)))
        }
        // The key that it refers to may not be seen.
        _ => None,
    };
    Ok(Constraint {
        name: row.text("CONSTRAINT_NAME")?.to_owned(),
        kind: match row.text("CONSTRAINT_TYPE")? {
            "P" => ConstraintKind::PrimaryKey,
            "U" => ConstraintKind::Unique,
            "R" => ConstraintKind::ForeignKey,
            _ => ConstraintKind::Check,
        },
        columns: of(&row.name("OWNER", "CONSTRAINT_NAME")?),
        condition: row.maybe("SEARCH_CONDITION_VC")?.map(str::to_owned),
        references,
        on_delete: match row.maybe("DELETE_RULE")? {
            Some("CASCADE") => Some("cascade".to_owned()),
            Some("SET NULL") => Some("set_null".to_owned()),
            _ => None,
        },
        enabled: row.is("STATUS", "ENABLED")?,
        validated: row.is("VALIDATED", "VALIDATED")?,
        deferrable: row.is("DEFERRABLE", "DEFERRABLE")?,
        generated_name: row.is("GENERATED", "GENERATED NAME")?,
    })
}

/// Whether it is a NOT NULL, which the server writes in one way only; its column is told then.
fn not_null(constraint: &Constraint, table: &mut Table) -> bool {
    let [column] = constraint.columns.as_slice() else { return false };
    let says = constraint.condition.as_deref() == Some(&format!("\"{column}\" IS NOT NULL"));
    if constraint.kind != ConstraintKind::Check || !says {
        return false;
    }
    let Some(column) = table.columns.iter_mut().find(|c| c.name == *column) else { return false };
    // Of one that is not validated, the server says that the column may be NULL.
    column.not_null |= constraint.enabled;
    column.not_null_unvalidated = constraint.enabled && !constraint.validated;
    column.not_null_name = (!constraint.generated_name).then(|| constraint.name.clone());
    true
}
