//! Answers of the server, whose columns are told by their names.

use std::collections::BTreeMap;

use drydock_oracle_protocol::Rows;

use crate::error::{Error, Result};

/// What a query has given.
pub struct Table {
    /// The query's, for errors.
    name: &'static str,
    columns: BTreeMap<String, usize>,
    rows: Vec<Vec<Option<String>>>,
}

/// One row of it.
#[derive(Clone, Copy)]
pub struct Row<'t> {
    table: &'t Table,
    values: &'t [Option<String>],
}

impl Table {
    pub fn new(name: &'static str, rows: Rows) -> Self {
        let columns = rows.columns.into_iter().enumerate();
        Self { name, columns: columns.map(|(at, column)| (column.name, at)).collect(), rows: rows.rows }
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|values| Row { table: self, values })
    }

    /// The only row.
    ///
    /// # Errors
    /// `Failed` when there is none.
    pub fn one(&self) -> Result<Row<'_>> {
        self.rows().next().ok_or_else(|| self.wrong("has no row"))
    }

    fn wrong(&self, how: &str) -> Error {
        Error::failed(format!("the dictionary cannot be read: the answer to \"{}\" {how}", self.name))
    }
}

impl<'t> Row<'t> {
    /// # Errors
    /// `Failed` when the answer has no such column.
    pub fn maybe(self, column: &str) -> Result<Option<&'t str>> {
        let at = self.table.columns.get(column);
        let value = at.and_then(|at| self.values.get(*at));
        let value = value.ok_or_else(|| self.table.wrong(&format!("has no column {column}")))?;
        Ok(value.as_deref())
    }

    /// # Errors
    /// `Failed` too when it is NULL.
    pub fn text(self, column: &str) -> Result<&'t str> {
        self.maybe(column)?.ok_or_else(|| self.table.wrong(&format!("has no value in {column}")))
    }

    /// # Errors
    /// As of `maybe`, and when it is no whole number.
    pub fn number(self, column: &str) -> Result<Option<i64>> {
        let parsed = self.maybe(column)?.map(|text| text.trim().parse());
        parsed.transpose().map_err(|_| self.table.wrong(&format!("has no number in {column}")))
    }

    /// # Errors
    /// As of `maybe`.
    pub fn is(self, column: &str, value: &str) -> Result<bool> {
        Ok(self.maybe(column)? == Some(value))
    }

    /// `OWNER.NAME`.
    ///
    /// # Errors
    /// As of `text`.
    pub fn name(self, owner: &str, name: &str) -> Result<String> {
        Ok(format!("{}.{}", self.text(owner)?, self.text(name)?))
    }
}
