//! What messages are made of, as it is read. Integers carry the number of their bytes; byte strings carry their length, and long
//! ones come in chunks (crate `oracledb`, `read_buffer.rs`).

use super::packet::{Broken, Result, Wire};

const LONG: u8 = 254;
const NULL: u8 = 255;

impl Wire {
    pub fn u8(&mut self) -> Result<u8> {
        let bytes = self.take(1)?;
        Ok(bytes.first().copied().unwrap_or_default())
    }

    pub fn raw(&mut self, count: usize) -> Result<Vec<u8>> {
        Ok(self.take(count)?.to_vec())
    }

    pub fn u16be(&mut self) -> Result<u16> {
        let bytes = self.take(2)?;
        Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte)))
    }

    /// An integer of up to eight bytes, after the number of them. Clients send negative ones with the highest bit of that number.
    pub fn ub(&mut self) -> Result<u64> {
        let count = usize::from(self.u8()? & 0x7f);
        if count > 8 {
            return Err(Broken::Malformed(format!("an integer of {count} bytes")));
        }
        Ok(self.take(count)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// An integer that counts or numbers something in memory.
    pub fn size(&mut self) -> Result<usize> {
        let number = self.ub()?;
        match usize::try_from(number) {
            Ok(size) if size <= 1 << 30 => Ok(size),
            _ => Err(Broken::Malformed(format!("a size of {number}"))),
        }
    }

    /// Bytes after their length.
    pub fn chunked(&mut self) -> Result<Vec<u8>> {
        match self.u8()? {
            NULL => Ok(Vec::new()),
            LONG => {
                let mut bytes = Vec::new();
                loop {
                    match self.size()? {
                        0 => return Ok(bytes),
                        count => bytes.extend(self.take(count)?),
                    }
                }
            }
            count => self.raw(usize::from(count)),
        }
    }

    /// Bytes after their length as an integer, and that again. Nothing follows a length of nothing.
    pub fn twice_sized(&mut self) -> Result<Vec<u8>> {
        if self.ub()? == 0 { Ok(Vec::new()) } else { self.chunked() }
    }

    pub fn twice_sized_text(&mut self) -> Result<String> {
        Ok(text(&self.twice_sized()?))
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
