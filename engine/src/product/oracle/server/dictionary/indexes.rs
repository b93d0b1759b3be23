//! Indexes.

use std::collections::BTreeMap;

use super::constraints::Keys;
use super::rows::Table as Rows;
use crate::error::Result;
use crate::product::oracle::dictionary::{Dictionary, Index};

/// Index and place in it -> what stands there.
pub type Expressions = BTreeMap<(String, i64), String>;

pub fn read(rows: &Rows, keys: &Keys, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let table = row.name("TABLE_OWNER", "TABLE_NAME")?;
        if !dictionary.tables.contains_key(&table) && !dictionary.views.contains_key(&table) {
            continue;
        }
        let name = row.name("OWNER", "INDEX_NAME")?;
        let index = Index {
            number: 0,
            table,
            columns: Vec::new(),
            unique: row.is("UNIQUENESS", "UNIQUE")?,
            bitmap: row.text("INDEX_TYPE")?.contains("BITMAP"),
            invisible: row.is("VISIBILITY", "INVISIBLE")?,
            unusable: row.is("STATUS", "UNUSABLE")?,
            local: row.is("LOCALITY", "LOCAL")?,
            of_constraint: keys.get(&name).cloned(),
        };
        dictionary.indexes.insert(name, index);
    }
    Ok(())
}

pub fn expressions(rows: &Rows) -> Result<Expressions> {
    let mut expressions = Expressions::new();
    for row in rows.rows() {
        let place = row.number("COLUMN_POSITION")?.unwrap_or(0);
        let expression = row.maybe("COLUMN_EXPRESSION")?.unwrap_or_default().trim();
        // A column in descending order is an expression to the server.
        let plain = expression.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let plain = plain.filter(|name| !name.contains('"')).unwrap_or(expression);
        expressions.insert((row.name("INDEX_OWNER", "INDEX_NAME")?, place), plain.to_owned());
    }
    Ok(expressions)
}

pub fn columns(rows: &Rows, expressions: &Expressions, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let name = row.name("INDEX_OWNER", "INDEX_NAME")?;
        let Some(index) = dictionary.indexes.get_mut(&name) else { continue };
        let place = row.number("COLUMN_POSITION")?.unwrap_or(0);
        let column = match expressions.get(&(name, place)) {
            Some(expression) => expression.clone(),
            None => row.text("COLUMN_NAME")?.to_owned(),
        };
        index.columns.push(column);
    }
    Ok(())
}
