//! What messages are made of, as it is written: the counterpart of `read` (crate `oracledb`, `write_buffer.rs`).

const CHUNK: usize = 32_767;
const LONGEST_SHORT: usize = 252;

#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn u8(&mut self, byte: u8) -> &mut Self {
        self.0.push(byte);
        self
    }

    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }

    pub fn zeros(&mut self, count: usize) -> &mut Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    pub fn u16be(&mut self, number: u16) -> &mut Self {
        self.raw(&number.to_be_bytes())
    }

    pub fn u16le(&mut self, number: u16) -> &mut Self {
        self.raw(&number.to_le_bytes())
    }

    pub fn u32be(&mut self, number: u32) -> &mut Self {
        self.raw(&number.to_be_bytes())
    }

    /// Nothing, one, two, four or eight bytes after the number of them. The clients write no other number.
    pub fn ub(&mut self, number: u64) -> &mut Self {
        let bytes = number.to_be_bytes();
        let count = match number {
            0 => 0,
            1..=0xff => 1,
            0x100..=0xffff => 2,
            0x1_0000..=0xffff_ffff => 4,
            _ => 8,
        };
        self.u8(count);
        self.raw(bytes.get(8 - usize::from(count)..).unwrap_or_default())
    }

    /// The highest bit of the number of bytes says that the integer is negative.
    pub fn sb(&mut self, number: i64) -> &mut Self {
        let at = self.0.len();
        self.ub(number.unsigned_abs());
        if let Some(count) = self.0.get_mut(at).filter(|_| number < 0) {
            *count |= 0x80;
        }
        self
    }

    pub fn size(&mut self, number: usize) -> &mut Self {
        self.ub(number as u64)
    }

    /// So many integers of nothing.
    pub fn ub_zeros(&mut self, count: usize) -> &mut Self {
        self.zeros(count)
    }

    pub fn chunked(&mut self, bytes: &[u8]) -> &mut Self {
        if bytes.len() <= LONGEST_SHORT {
            return self.u8(bytes.len() as u8).raw(bytes);
        }
        self.u8(254);
        for chunk in bytes.chunks(CHUNK) {
            self.size(chunk.len()).raw(chunk);
        }
        self.ub(0)
    }

    pub fn twice_sized(&mut self, bytes: &[u8]) -> &mut Self {
        self.size(bytes.len());
        if bytes.is_empty() { self } else { self.chunked(bytes) }
    }
}
