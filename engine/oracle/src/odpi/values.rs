//! Values there and back.

use drydock_oracle_protocol::{Bind, BindType, Failure, FailureKind, Reason};
use oracle::Row;
use oracle::sql_type::{OracleType, Timestamp, ToSql};

use super::failure;
use crate::driver::Result;

pub fn row(binds: &[Bind]) -> Result<Vec<Box<dyn ToSql>>> {
    binds.iter().enumerate().map(|(at, bind)| value(bind).ok_or_else(|| wrong(at, bind))).collect()
}

fn wrong(at: usize, bind: &Bind) -> Failure {
    let why = format!("the value {} is no {:?} as it is to be written", at + 1, bind.bind_type);
    Failure::new(FailureKind::Internal, why).reason(Reason::Value)
}

fn value(bind: &Bind) -> Option<Box<dyn ToSql>> {
    let Some(text) = &bind.value else { return Some(Box::new(null(bind.bind_type))) };
    Some(match bind.bind_type {
        // The server converts numbers and moments as the session is set.
        BindType::Text
        | BindType::Clob
        | BindType::Number
        | BindType::Date
        | BindType::Timestamp
        | BindType::TimestampTz => Box::new(text.clone()),
        BindType::Double => Box::new(text.parse::<f64>().ok()?),
        BindType::Raw | BindType::Blob => Box::new(hex::decode(text).ok()?),
        BindType::Boolean => Box::new(match text.as_str() {
            "TRUE" => true,
            "FALSE" => false,
            _ => return None,
        }),
    })
}

fn null(of: BindType) -> OracleType {
    match of {
        BindType::Text
        | BindType::Clob
        | BindType::Number
        | BindType::Date
        | BindType::Timestamp
        | BindType::TimestampTz => OracleType::Varchar2(1),
        BindType::Double => OracleType::BinaryDouble,
        BindType::Raw | BindType::Blob => OracleType::Raw(1),
        BindType::Boolean => OracleType::Boolean,
    }
}

pub fn is_lob(of: &OracleType) -> bool {
    matches!(of, OracleType::CLOB | OracleType::NCLOB | OracleType::BLOB)
}

pub fn text(row: &Row, at: usize, lobs: bool) -> Result<Option<String>> {
    let Some(value) = row.sql_values().get(at) else { return Ok(None) };
    if value.is_null().map_err(failure)? {
        return Ok(None);
    }
    let text = || value.get::<String>().map_err(failure);
    let moment = || value.get::<Timestamp>().map_err(failure);
    Ok(Some(match row.column_info().get(at).map(|column| column.oracle_type()) {
        Some(OracleType::BLOB) => {
            let bytes: Vec<u8> = value.get().map_err(failure)?;
            if lobs { hex::encode_upper(bytes) } else { bytes.len().to_string() }
        }
        Some(OracleType::CLOB | OracleType::NCLOB) if !lobs => text()?.encode_utf16().count().to_string(),
        Some(OracleType::Raw(_) | OracleType::LongRaw) => {
            hex::encode_upper(value.get::<Vec<u8>>().map_err(failure)?)
        }
        Some(OracleType::Date) => date(&moment()?),
        Some(OracleType::Timestamp(_) | OracleType::TimestampLTZ(_)) => timestamp(&moment()?),
        Some(OracleType::TimestampTZ(_)) => {
            let moment = moment()?;
            let sign = if moment.tz_offset() < 0 { '-' } else { '+' };
            let (hours, minutes) = (moment.tz_hour_offset().abs(), moment.tz_minute_offset().abs());
            format!("{} {sign}{hours:02}:{minutes:02}", timestamp(&moment))
        }
        Some(OracleType::Boolean) => {
            if value.get::<bool>().map_err(failure)? { "TRUE" } else { "FALSE" }.into()
        }
        _ => text()?,
    }))
}

fn date(of: &Timestamp) -> String {
    let sign = if of.year() < 0 { "-" } else { "" };
    let (year, month, day) = (of.year().unsigned_abs(), of.month(), of.day());
    format!("{sign}{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", of.hour(), of.minute(), of.second())
}

fn timestamp(of: &Timestamp) -> String {
    format!("{}.{:09}", date(of), of.nanosecond())
}
