//! After the ACCEPT both sides say what they can: the protocol message, then the data types. A client that was offered it sends
//! both together with the first half of logging on, and gets all three answers in one.

use super::packet::{Broken, Result, Wire};
use super::read::text;
use super::version::Version;
use super::write::Writer;

pub const PROTOCOL: u8 = 1;
pub const DATA_TYPES: u8 = 2;
pub const FAST: u8 = 34;

/// Compile-time capabilities that clients look at (crate `oracledb`, `client/capabilities.rs`, `CCAP_IX_*`).
const LOGON_TYPES: usize = 4;
const FIELD_VERSION: usize = 7;
const TTC1: usize = 15;
const LOB: usize = 23;
const WIDE_TYPES: usize = 27;
/// Chunks of long values have a size of up to four bytes; without it ojdbc takes it for one.
const TTC3: usize = 37;
const BIG_CHUNKS: u8 = 0x20;
const TTC4: usize = 40;
const END_OF_RESPONSE: u8 = 0x20;
const LONG_STRINGS: u8 = 0x04;

/// Reads the client's protocol message, and returns the name under which the client comes.
pub fn read_protocol(from: &mut Wire) -> Result<String> {
    let mut until_zero = || -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            match from.u8()? {
                0 => return Ok(bytes),
                byte => bytes.push(byte),
            }
        }
    };
    until_zero()?; // versions of the protocol
    Ok(text(&until_zero()?))
}

/// (Crate `oracledb`, `messages/protocol.rs`, for what the client makes of it.)
pub fn write_protocol(version: Version, to: &mut Writer) {
    let mut compiled = [0; 55];
    let mut running = [0; 11];
    for (place, byte) in [
        (LOGON_TYPES, 0xea),
        (FIELD_VERSION, version.field_version()),
        (TTC1, 0x29),
        (LOB, 0xcf),
        (WIDE_TYPES, 1),
        (TTC3, BIG_CHUNKS),
    ] {
        if let Some(capability) = compiled.get_mut(place) {
            *capability = byte;
        }
    }
    for (place, byte) in [(0, 2), (6, LONG_STRINGS)] {
        if let Some(capability) = running.get_mut(place) {
            *capability = byte;
        }
    }
    to.u8(PROTOCOL).u8(6).u8(0).raw(b"x86_64/Linux 2.4.xx\0");
    to.u16le(873).u8(1).u16le(0); // AL32UTF8, flags, no graph of character sets
    to.u16be(11).zeros(9).u16be(2000); // AL16UTF16 for national characters
    to.chunked(&compiled).chunked(&running);
}

/// Reads what the client says of each data type, which is what every client says, and what it can. Whether it wants to be told
/// of the end of each response.
pub fn read_data_types(from: &mut Wire) -> Result<bool> {
    from.take(5)?; // character sets and flags
    let can = from.chunked()?;
    from.chunked()?;
    loop {
        if from.u16be()? == 0 {
            return Ok(can.get(TTC4).is_some_and(|flags| flags & END_OF_RESPONSE != 0));
        }
        if from.u16be()? != 0 {
            from.take(4)?;
        }
    }
}

/// No data type is converted.
pub fn write_data_types(to: &mut Writer) {
    to.u8(DATA_TYPES).u16be(0);
}

/// What begins the message that has all in one.
pub struct Fast {
    pub client: String,
    /// By which version of the fields the first half of logging on is written, which follows.
    pub written_by: u8,
    pub wants_the_end: bool,
}

pub fn read_fast(from: &mut Wire) -> Result<Fast> {
    from.take(3)?; // version, flags
    expect(from, PROTOCOL)?;
    let client = read_protocol(from)?;
    from.take(5)?; // character sets
    let written_by = from.u8()?;
    expect(from, DATA_TYPES)?;
    let wants_the_end = read_data_types(from)?;
    Ok(Fast { client, written_by, wants_the_end })
}

fn expect(from: &mut Wire, kind: u8) -> Result<()> {
    match from.u8()? {
        found if found == kind => Ok(()),
        found => Err(Broken::Malformed(format!("message {found} in the place of {kind}"))),
    }
}
