//! The types of the protocol, and how binds and defines name them.

use super::packet::{Broken, Result, Wire};
use super::read::text;

/// The numbers of types (crate `oracledb`, `constants.rs`, `ORA_TYPE_NUM_*`).
pub mod code {
    pub const VARCHAR: u8 = 1;
    pub const NUMBER: u8 = 2;
    pub const BINARY_INTEGER: u8 = 3;
    pub const VARNUM: u8 = 6;
    pub const LONG: u8 = 8;
    pub const ROWID: u8 = 11;
    pub const DATE: u8 = 12;
    pub const RAW: u8 = 23;
    pub const LONG_RAW: u8 = 24;
    pub const CHAR: u8 = 96;
    pub const BINARY_FLOAT: u8 = 100;
    pub const BINARY_DOUBLE: u8 = 101;
    pub const CLOB: u8 = 112;
    pub const BLOB: u8 = 113;
    pub const TIMESTAMP: u8 = 180;
    pub const TIMESTAMP_TZ: u8 = 181;
    pub const TIMESTAMP_LTZ: u8 = 231;
    pub const BOOLEAN: u8 = 252;
}

/// The national character set, in which NVARCHAR2 is sent as UTF-16.
const NATIONAL: u8 = 2;
const BIND_IS_ARRAY: u8 = 0x40;

/// What the wire is told of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireType {
    pub code: u8,
    /// 0 for no characters, 1 for the database's character set, 2 for the national one.
    pub form: u8,
}

impl WireType {
    pub fn is_long(self) -> bool {
        matches!(self.code, code::LONG | code::LONG_RAW)
    }

    pub fn is_lob(self) -> bool {
        matches!(self.code, code::CLOB | code::BLOB)
    }

    pub fn encode_text(self, text: &str) -> Vec<u8> {
        if self.form == NATIONAL {
            text.encode_utf16().flat_map(u16::to_be_bytes).collect()
        } else {
            text.as_bytes().to_vec()
        }
    }

    pub fn decode_text(self, bytes: &[u8]) -> String {
        if self.form == NATIONAL {
            let units: Vec<u16> = bytes
                .chunks(2)
                .map(|pair| pair.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte)))
                .collect();
            String::from_utf16_lossy(&units)
        } else {
            text(bytes)
        }
    }
}

/// What a client says of a bind or of a column that it fetches.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    pub wire_type: WireType,
    pub size: u64,
    /// How much of a LOB is to come along with its locator.
    pub prefetch: u64,
}

impl Declared {
    /// (Crate `oracledb`, `metadata.rs`, `write_to_buf`.)
    pub fn read(from: &mut Wire, is_ojdbc: bool) -> Result<Self> {
        let code = from.u8()?;
        let flags = from.u8()?;
        from.u8()?; // precision
        if is_ojdbc && has_long_scale(code) {
            from.ub()?;
        } else {
            from.u8()?;
        }
        let size = from.ub()?;
        from.ub()?; // number of elements
        from.ub()?; // flags, among them that of prefetched LOBs
        from.twice_sized()?; // object type
        from.ub()?; // its version
        from.ub()?; // character set
        let form = from.u8()?;
        let prefetch = from.ub()?;
        from.ub()?; // column, since 12.2
        if flags & BIND_IS_ARRAY != 0 {
            return Err(Broken::Malformed("arrays of PL/SQL are not read".into()));
        }
        Ok(Declared { wire_type: WireType { code, form }, size, prefetch })
    }
}

/// The types whose scale ojdbc writes and reads as an integer with its size.
pub fn has_long_scale(of: u8) -> bool {
    matches!(of, code::NUMBER | code::TIMESTAMP | code::TIMESTAMP_TZ | code::TIMESTAMP_LTZ)
}
