//! What ends a response: the message with the code of an error, of which zero is none (crate `oracledb`,
//! `response/error_info.rs`).

use super::rowid;
use super::version::Version;
use super::write::Writer;

const IN_TRANSACTION: u64 = 2;
/// A warning, and that it is this one.
const COMPILED_WITH_ERRORS: u8 = 0x01 | 0x20;

#[derive(Default)]
pub struct Ending {
    pub in_transaction: bool,
    /// The number of the call, sent back. ojdbc looks at it.
    pub call: u8,
    pub rows: u64,
    pub cursor: u64,
    pub code: u32,
    pub message: String,
    pub position: u16,
    pub compiled_with_errors: bool,
}

impl Ending {
    pub fn write(&self, version: Version, to: &mut Writer) {
        let code = u64::from(self.code);
        to.u8(4).ub(if self.in_transaction { IN_TRANSACTION } else { 0 }).ub(u64::from(self.call));
        to.ub(self.rows.min(0xffff_ffff)).ub(code.min(0xffff)).ub_zeros(2);
        to.ub(self.cursor).ub(u64::from(self.position));
        to.zeros(5).u8(if self.compiled_with_errors { COMPILED_WITH_ERRORS } else { 0 });
        rowid::write_none(to);
        to.ub(0).u8(0).u8(self.call).ub(0).ub(0); // of the operating system, statement, call, padding, iterations
        to.ub(0); // logical ROWID
        to.ub_zeros(3); // errors of single rows of binds
        to.ub(code).ub(self.rows);
        if version.has_sql_type_in_errors() {
            to.ub_zeros(2);
        }
        if self.code != 0 {
            to.chunked(format!("{}\n", self.message).as_bytes());
        }
    }
}

/// Numbers that a client of today reads and does not use. `counts`, if it wants them: how many rows changed for each row of binds.
pub fn parameters(cursor: u64, counts: Option<&[u64]>, to: &mut Writer) {
    to.u8(8).ub(6);
    for _ in 0..6 {
        to.ub(cursor);
    }
    to.ub_zeros(3);
    if let Some(counts) = counts {
        to.size(counts.len());
        for count in counts {
            to.ub(*count);
        }
    }
}

/// A warning beside a success (crate `oracledb`, `response/mod.rs`, `deserialize_warning`).
pub fn warning(code: u16, message: &str, to: &mut Writer) {
    to.u8(15).ub(u64::from(code)).size(message.len()).ub(0).chunked(message.as_bytes());
}
