//! A statement that the server knows, and what is left of its rows.

use super::column::Column;
use super::lob::Lobs;
use super::value::Value;
use super::wire_type::Declared;
use super::write::Writer;

/// Which way a bind goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    In,
    /// It brings a value, and the server has put another into it.
    InOut,
    /// It takes what RETURNING gives.
    Returned,
}

#[derive(Clone, Copy, Debug)]
pub struct Slot {
    pub declared: Declared,
    pub direction: Direction,
}

#[derive(Debug, Default)]
pub struct Cursor {
    pub sql: String,
    pub slots: Vec<Slot>,
    pub defines: Vec<Declared>,
    pub columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
    sent: usize,
}

impl Cursor {
    pub fn new(sql: String) -> Self {
        Cursor { sql, ..Default::default() }
    }

    /// The rows of an execution. Whether the columns are others than the client knows.
    pub fn fill(&mut self, columns: Vec<Column>, rows: Vec<Vec<Value>>) -> bool {
        let changed = columns != self.columns;
        if changed {
            self.defines.clear();
        }
        (self.columns, self.rows, self.sent) = (columns, rows, 0);
        changed
    }

    /// LOBs are not sent before the client has said how it wants them.
    pub fn waits_for_defines(&self) -> bool {
        self.defines.is_empty() && self.columns.iter().any(|column| column.kind.wire_type().is_lob())
    }

    pub fn sent(&self) -> u64 {
        self.sent as u64
    }

    pub fn is_at_end(&self) -> bool {
        self.sent >= self.rows.len()
    }

    /// Writes the next rows, a header before them.
    pub fn write_rows(&mut self, most: usize, lobs: &mut Lobs, to: &mut Writer) -> Result<(), String> {
        let rows: Vec<Vec<Value>> = self.rows.iter().skip(self.sent).take(most.max(1)).cloned().collect();
        self.sent += rows.len();
        if rows.is_empty() {
            return Ok(());
        }
        to.u8(6).u8(0).size(self.columns.len()).ub(0).size(rows.len()).ub_zeros(3);
        for row in rows {
            if row.len() != self.columns.len() {
                return Err(format!("a row of {} values for {} columns", row.len(), self.columns.len()));
            }
            to.u8(7);
            for (at, (value, column)) in row.iter().zip(&self.columns).enumerate() {
                // Only for LOBs: what python-oracledb says of a ROWID it does not mean.
                let own = column.kind.wire_type();
                let wanted = self.defines.get(at).filter(|_| own.is_lob());
                let wire_type = wanted.map_or(own, |wanted| wanted.wire_type);
                let prefetch = wanted.map_or(0, |wanted| wanted.prefetch);
                value
                    .write_column(wire_type, prefetch, lobs, to)
                    .map_err(|error| format!("{}: {error}", column.name))?;
            }
        }
        Ok(())
    }
}
