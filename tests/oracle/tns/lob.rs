//! LOBs. A row has a locator, and clients read and write behind it in calls of their own. The stand-in keeps what it has handed
//! out until the connection ends.

use std::collections::HashMap;

use super::packet::{Broken, Result, Wire};
use super::value::Value;
use super::wire_type::code;
use super::write::Writer;

/// Operations (crate `oracledb`, `constants.rs`, `TTC_LOB_OP_*`).
const GET_LENGTH: u64 = 0x0001;
const READ: u64 = 0x0002;
const TRIM: u64 = 0x0020;
const WRITE: u64 = 0x0040;
const CREATE_TEMPORARY: u64 = 0x0110;
const FREE_TEMPORARY: u64 = 0x0111;
const GET_CHUNK_SIZE: u64 = 0x4000;
const OPEN: u64 = 0x8000;
const CLOSE: u64 = 0x1_0000;
const IS_OPEN: u64 = 0x1_1000;
const ON_ARRAY: u64 = 0x8_0000;

/// Flags of a locator, in its bytes 4 to 7 (the same, `TTC_LOB_LOC_FLAGS_*`).
const BLOB: u8 = 0x01;
const CLOB: u8 = 0x02;
const INITIALISED: u8 = 0x08;
const WIDE_CHARACTERS: u8 = 0x80;
const TEMPORARY: u8 = 0x01;

const CHUNK_SIZE: u64 = 8132;
const AL16UTF16: u64 = 2000;
const AL32UTF8: u64 = 873;
const LOCATOR_SIZE: usize = 40;

/// Characters are UTF-16, as a server with AL32UTF8 has them, and count as its units.
#[derive(Clone)]
enum Lob {
    Characters(Vec<u16>),
    Bytes(Vec<u8>),
}

impl Lob {
    fn length(&self) -> usize {
        match self {
            Lob::Characters(units) => units.len(),
            Lob::Bytes(bytes) => bytes.len(),
        }
    }

    fn bytes(&self, from: usize, until: usize) -> Vec<u8> {
        let until = until.min(self.length());
        match self {
            Lob::Characters(units) => units
                .get(from..until)
                .unwrap_or_default()
                .iter()
                .flat_map(|unit| unit.to_be_bytes())
                .collect(),
            Lob::Bytes(bytes) => bytes.get(from..until).unwrap_or_default().to_vec(),
        }
    }
}

#[derive(Default)]
pub struct Lobs {
    lobs: HashMap<u64, (Lob, bool)>,
    last: u64,
}

/// A call about one LOB.
pub struct Operation {
    operation: u64,
    locator: Vec<u8>,
    offset: usize,
    amount: Option<u64>,
    has_character_set: bool,
    asks_flag: bool,
    /// The type of a temporary one.
    temporary_type: u64,
    data: Option<Vec<u8>>,
}

impl Operation {
    /// (Crate `oracledb`, `messages/lob_op.rs`, `serialize`, and `client/mod.rs`, `write_piggyback_close_temp_lobs`.)
    pub fn read(from: &mut Wire) -> Result<Self> {
        from.u8()?;
        let size = from.size()?;
        from.u8()?;
        from.ub()?;
        from.ub()?;
        from.ub()?;
        let has_character_set = from.u8()? != 0;
        from.u8()?;
        let asks_flag = from.u8()? != 0;
        let operation = from.ub()?;
        let has_numbers = from.u8()? != 0;
        let numbers = from.size()?;
        let offset = from.size()?;
        let temporary_type = from.ub()?;
        let has_amount = from.u8()? != 0;
        from.take(6)?;
        let locator = from.raw(size)?;
        if has_character_set {
            from.ub()?;
        }
        if has_numbers {
            for _ in 0..numbers {
                from.ub()?;
            }
        }
        let amount = if has_amount { Some(from.ub()?) } else { None };
        let data = if operation == WRITE {
            from.u8()?;
            Some(from.chunked()?)
        } else {
            None
        };
        Ok(Operation {
            operation,
            locator,
            offset,
            amount,
            has_character_set,
            asks_flag,
            temporary_type,
            data,
        })
    }
}

impl Lobs {
    fn keep(&mut self, lob: Lob) -> Vec<u8> {
        self.last += 1;
        let mut locator = vec![0; LOCATOR_SIZE];
        let flags = match lob {
            Lob::Bytes(_) => [BLOB, INITIALISED, 0, 0],
            Lob::Characters(_) => [CLOB, INITIALISED, WIDE_CHARACTERS, 0],
        };
        self.lobs.insert(self.last, (lob, false));
        for (place, byte) in locator.iter_mut().skip(10).zip(self.last.to_be_bytes()) {
            *place = byte;
        }
        for (place, byte) in locator.iter_mut().zip([0, 38, 0, 1].into_iter().chain(flags)) {
            *place = byte;
        }
        locator
    }

    fn number(locator: &[u8]) -> u64 {
        locator.get(10..18).unwrap_or_default().iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }

    /// What a bound locator stands for.
    pub fn value(&self, locator: &[u8]) -> Value {
        match self.lobs.get(&Self::number(locator)) {
            Some((Lob::Characters(units), _)) => Value::Clob(String::from_utf16_lossy(units)),
            Some((Lob::Bytes(bytes), _)) => Value::Blob(bytes.clone()),
            None => Value::Null,
        }
    }

    /// As a column of a row: length, size of the chunks, locator. Before the locator, as much of the value as is to come along;
    /// of characters also in which character set that is (ojdbc, by what it accepts).
    pub fn write_locator(&mut self, value: &Value, prefetch: u64, to: &mut Writer) {
        let lob = match value {
            Value::Null => {
                to.ub(0);
                return;
            }
            Value::Blob(bytes) | Value::Raw(bytes) => Lob::Bytes(bytes.clone()),
            Value::Clob(text) | Value::Text(text) => Lob::Characters(text.encode_utf16().collect()),
            other => Lob::Characters(format!("{other:?}").encode_utf16().collect()),
        };
        to.size(LOCATOR_SIZE).size(lob.length()).ub(CHUNK_SIZE);
        if prefetch > 0 {
            if let Lob::Characters(_) = lob {
                to.u8(1).ub(AL16UTF16).u8(1);
            }
            to.chunked(&lob.bytes(0, usize::try_from(prefetch).unwrap_or(usize::MAX)));
        }
        let locator = self.keep(lob);
        to.chunked(&locator);
    }

    /// Does what the call asks, and writes what it returns.
    pub fn answer(&mut self, asked: &Operation, to: &mut Writer) -> Result<()> {
        let mut locator = asked.locator.clone();
        let mut amount = asked.amount;
        let wanted = usize::try_from(asked.amount.unwrap_or_default()).unwrap_or(usize::MAX);
        let mut is_open = false;
        if asked.operation & ON_ARRAY != 0 {
            return Ok(());
        }
        if asked.operation == CREATE_TEMPORARY {
            locator = self.keep(if asked.temporary_type == u64::from(code::BLOB) {
                Lob::Bytes(Vec::new())
            } else {
                Lob::Characters(Vec::new())
            });
            if let Some(flags) = locator.get_mut(7) {
                *flags |= TEMPORARY;
            }
            // The client has left so much room for it.
            locator.resize(asked.locator.len(), 0);
        }
        let number = Self::number(&locator);
        let (lob, open) = self
            .lobs
            .get_mut(&number)
            .ok_or_else(|| Broken::Malformed(format!("a locator of no LOB: {number}")))?;
        let from = asked.offset.saturating_sub(1).min(lob.length());
        match asked.operation {
            READ => {
                let until = from.saturating_add(wanted).min(lob.length());
                amount = Some((until - from) as u64);
                let bytes = lob.bytes(from, until);
                to.u8(14).chunked(&bytes);
            }
            WRITE => {
                let data = asked.data.as_deref().unwrap_or_default();
                match lob {
                    Lob::Characters(units) => {
                        let pair = |pair: &[u8]| pair.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte));
                        overwrite(units, from, data.chunks(2).map(pair).collect());
                    }
                    Lob::Bytes(bytes) => overwrite(bytes, from, data.to_vec()),
                }
            }
            TRIM => match lob {
                Lob::Characters(units) => units.truncate(wanted),
                Lob::Bytes(bytes) => bytes.truncate(wanted),
            },
            GET_LENGTH => amount = Some(lob.length() as u64),
            GET_CHUNK_SIZE => amount = Some(CHUNK_SIZE),
            OPEN => *open = true,
            CLOSE => *open = false,
            IS_OPEN => is_open = *open,
            CREATE_TEMPORARY => {}
            FREE_TEMPORARY => drop(self.lobs.remove(&number)),
            other => return Err(Broken::Malformed(format!("operation {other:#x} on a LOB"))),
        }
        to.u8(8).raw(&locator);
        if asked.has_character_set {
            to.ub(AL32UTF8);
        }
        if asked.amount.is_some() {
            to.ub(amount.unwrap_or_default());
        }
        if asked.asks_flag {
            to.u8(u8::from(is_open));
        }
        Ok(())
    }
}

fn overwrite<T>(old: &mut Vec<T>, from: usize, new: Vec<T>) {
    let until = (from + new.len()).min(old.len());
    old.splice(from..until, new);
}
