//! Stand-in.

use crate::database::Catalog;
use crate::error::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyShape {
    In { table: String, columns: Vec<String> },
    Out { query: String },
}

pub fn relations(_: &str, _: &Catalog) -> Result<Vec<String>> {
    Ok(Vec::new())
}

pub fn copy_shape(sql: &str) -> Option<CopyShape> {
    let rest = sql.trim().strip_prefix("COPY ")?;
    if let Some(query) = rest.strip_prefix('(') {
        return Some(CopyShape::Out { query: query.rsplit_once(')')?.0.to_owned() });
    }
    let (table, rest) = rest.split_once('(')?;
    let columns = rest.split_once(')')?.0.split(',').map(|c| c.trim().to_owned()).collect();
    Some(CopyShape::In { table: table.trim().to_owned(), columns })
}
