//! ROWID: 18 characters of base 64 in four groups, which are four integers on the wire (crate `oracledb`, `rowid.rs`).

use super::write::Writer;

const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Object, file, block and row. `None` for a text that is no ROWID.
pub fn write(text: &str, to: &mut Writer) -> Option<()> {
    if text.len() != 18 {
        return None;
    }
    let number = |from: usize, until: usize| -> Option<u64> {
        text.as_bytes().get(from..until)?.iter().try_fold(0, |sum, byte| {
            DIGITS.iter().position(|digit| digit == byte).map(|digit| sum << 6 | digit as u64)
        })
    };
    let (object, file, block, row) = (number(0, 6)?, number(6, 9)?, number(9, 15)?, number(15, 18)?);
    to.ub(object).ub(file).u8(0).ub(block).ub(row);
    Some(())
}

/// What stands for no row, after a statement that touched none.
pub fn write_none(to: &mut Writer) {
    to.ub(0).ub(0).u8(0).ub(0).ub(0);
}
