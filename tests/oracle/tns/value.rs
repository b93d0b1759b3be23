//! Values, as answers give them and binds bring them, and what they look like on the wire for a type.

use super::lob::Lobs;
use super::moment::{Moment, Precision};
use super::packet::{Broken, Result, Wire};
use super::read::text;
use super::rowid;
use super::wire_type::{WireType, code};
use super::write::Writer;

/// A value of a row or of a bind. Numbers are decimal text, so that nothing of them is lost.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Text(String),
    Number(String),
    Double(f64),
    Moment(Moment),
    Raw(Vec<u8>),
    /// 18 characters, as Oracle shows it.
    Rowid(String),
    Clob(String),
    Blob(Vec<u8>),
    Boolean(bool),
}

impl Value {
    pub fn text(text: impl Into<String>) -> Self {
        Value::Text(text.into())
    }

    pub fn number(number: impl ToString) -> Self {
        Value::Number(number.to_string())
    }

    /// `None` for a text that is no date.
    pub fn moment(text: &str) -> Option<Self> {
        Moment::parse(text).map(Value::Moment)
    }

    /// The value as text, for the types of characters.
    fn shown(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Text(text) | Value::Number(text) | Value::Rowid(text) | Value::Clob(text) => text.clone(),
            Value::Double(number) => number.to_string(),
            Value::Moment(moment) => moment.to_string(),
            Value::Raw(bytes) | Value::Blob(bytes) => {
                bytes.iter().map(|byte| format!("{byte:02X}")).collect()
            }
            Value::Boolean(yes) => if *yes { "TRUE" } else { "FALSE" }.into(),
        }
    }

    /// The bytes of the value as this type has them. `None` is NULL; an error is a value that the type cannot have, which is a
    /// mistake in a test's answer.
    fn bytes(&self, of: WireType) -> std::result::Result<Option<Vec<u8>>, String> {
        let wrong = || format!("{self:?} cannot be sent as type {}", of.code);
        Ok(Some(match (of.code, self) {
            (_, Value::Null) => return Ok(None),
            (code::NUMBER | code::BINARY_INTEGER | code::VARNUM, Value::Double(number)) => {
                super::number::encode(&number.to_string()).ok_or_else(wrong)?
            }
            (code::NUMBER | code::BINARY_INTEGER | code::VARNUM, Value::Boolean(yes)) => {
                super::number::encode(&u8::from(*yes).to_string()).ok_or_else(wrong)?
            }
            (code::NUMBER | code::BINARY_INTEGER | code::VARNUM, Value::Number(text) | Value::Text(text)) => {
                super::number::encode(text).ok_or_else(wrong)?
            }
            (code::BINARY_DOUBLE, Value::Double(number)) => ordered(number.to_be_bytes().to_vec()),
            (code::BINARY_DOUBLE, Value::Number(text)) => {
                ordered(text.parse::<f64>().map_err(|_| wrong())?.to_be_bytes().to_vec())
            }
            (code::BINARY_FLOAT, Value::Double(number)) => ordered((*number as f32).to_be_bytes().to_vec()),
            (code::DATE, Value::Moment(moment)) => moment.encode(Precision::Seconds),
            (code::TIMESTAMP | code::TIMESTAMP_LTZ, Value::Moment(moment)) => moment.encode(Precision::Nanos),
            (code::TIMESTAMP_TZ, Value::Moment(moment)) => moment.encode(Precision::WithOffset),
            (code::RAW | code::LONG_RAW, Value::Raw(bytes) | Value::Blob(bytes)) => bytes.clone(),
            (code::VARCHAR | code::CHAR | code::LONG, value) => of.encode_text(&value.shown()),
            (code::BOOLEAN, Value::Boolean(yes)) => vec![u8::from(*yes)],
            _ => return Err(wrong()),
        }))
    }

    /// As a column of a row.
    pub fn write_column(
        &self,
        of: WireType,
        prefetch: u64,
        lobs: &mut Lobs,
        to: &mut Writer,
    ) -> std::result::Result<(), String> {
        match of.code {
            code::ROWID => match self {
                Value::Null => {
                    to.u8(0);
                }
                _ => rowid::write(&self.shown(), to.u8(14)).ok_or("no ROWID of 18 characters")?,
            },
            code::CLOB | code::BLOB => lobs.write_locator(self, prefetch, to),
            _ => {
                to.chunked(&self.bytes(of)?.unwrap_or_default());
            }
        }
        if of.is_long() {
            // An indicator of NULL and a return code (crate `oracledb`, `db_value.rs`).
            to.ub_zeros(2);
        }
        Ok(())
    }

    /// As a bind that comes back: how many bytes were cut off comes after it, and none are.
    pub fn write_bind(
        &self,
        of: WireType,
        lobs: &mut Lobs,
        to: &mut Writer,
    ) -> std::result::Result<(), String> {
        match of.code {
            code::CLOB | code::BLOB => lobs.write_locator(self, 0, to),
            code::ROWID => {
                to.chunked(self.shown().as_bytes());
            }
            _ => {
                to.chunked(&self.bytes(of)?.unwrap_or_default());
            }
        }
        to.ub(0);
        Ok(())
    }

    /// A bind that a client sends.
    pub fn read(of: WireType, lobs: &Lobs, from: &mut Wire) -> Result<Self> {
        if matches!(of.code, code::CLOB | code::BLOB) {
            let locator = from.twice_sized()?;
            return Ok(if locator.is_empty() { Value::Null } else { lobs.value(&locator) });
        }
        if of.code == code::BOOLEAN && from.peek() == Some(253) {
            // NULL is an escape and a one (python-oracledb, `base.pyx`, `_write_bind_params_column`).
            from.take(2)?;
            return Ok(Value::Null);
        }
        let bytes = from.chunked()?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        let malformed = || Broken::Malformed(format!("a bind of type {}: {bytes:?}", of.code));
        Ok(match of.code {
            code::VARCHAR | code::CHAR | code::LONG => Value::Text(of.decode_text(&bytes)),
            code::ROWID => Value::Rowid(text(&bytes)),
            code::NUMBER | code::BINARY_INTEGER | code::VARNUM => {
                Value::Number(super::number::decode(&bytes).ok_or_else(malformed)?)
            }
            code::BINARY_DOUBLE => {
                Value::Double(f64::from_be_bytes(unordered(&bytes).try_into().map_err(|_| malformed())?))
            }
            code::BINARY_FLOAT => {
                let bytes = unordered(&bytes).try_into().map_err(|_| malformed())?;
                Value::Double(f64::from(f32::from_be_bytes(bytes)))
            }
            code::DATE | code::TIMESTAMP | code::TIMESTAMP_LTZ | code::TIMESTAMP_TZ => {
                Value::Moment(Moment::decode(&bytes).ok_or_else(malformed)?)
            }
            code::RAW | code::LONG_RAW => Value::Raw(bytes),
            code::BOOLEAN => Value::Boolean(bytes.last() == Some(&1)),
            _ => return Err(malformed()),
        })
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::number(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Double(number)
    }
}

/// Floating point numbers are sent so that their bytes sort as the numbers do.
fn ordered(mut bytes: Vec<u8>) -> Vec<u8> {
    match bytes.first_mut() {
        Some(first) if *first & 0x80 == 0 => *first |= 0x80,
        _ => bytes.iter_mut().for_each(|byte| *byte = !*byte),
    }
    bytes
}

fn unordered(bytes: &[u8]) -> Vec<u8> {
    match bytes.split_first() {
        Some((first, rest)) if first & 0x80 != 0 => [&[first & 0x7f], rest].concat(),
        _ => bytes.iter().map(|byte| !byte).collect(),
    }
}
