//! Values that statements take.

use drydock_oracle_protocol::{Bind, BindType, Failure, FailureKind, Reason};
use oracledb::{DbType, OracleNumber, OracleTimestamp, ToDbValue};

use crate::driver::Result;

pub type Value = Box<dyn ToDbValue>;

/// The values of one row.
pub fn row(binds: &[Bind]) -> Result<Vec<Value>> {
    binds.iter().enumerate().map(|(at, bind)| value(bind).ok_or_else(|| wrong(at, bind))).collect()
}

pub fn rows(rows: &[Vec<Bind>]) -> Result<Vec<Vec<Value>>> {
    rows.iter().map(|binds| row(binds)).collect()
}

/// Values by the names of their placeholders. One that stands in the text twice has one value.
pub fn named<'a>(names: &'a [String], values: &'a [Value]) -> Result<Vec<(&'a str, &'a dyn ToDbValue)>> {
    if names.len() != values.len() {
        let why = format!("the statement takes {} values, and {} were given", names.len(), values.len());
        return Err(Failure::new(FailureKind::Internal, why).reason(Reason::Value));
    }
    Ok(names.iter().map(String::as_str).zip(values.iter().map(AsRef::as_ref)).collect())
}

/// The value is not repeated: it may be a secret of the database.
fn wrong(at: usize, bind: &Bind) -> Failure {
    let why = format!("the value {} is no {:?} as it is to be written", at + 1, bind.bind_type);
    Failure::new(FailureKind::Internal, why).reason(Reason::Value)
}

fn value(bind: &Bind) -> Option<Value> {
    let Some(text) = &bind.value else { return Some(Box::new(null(bind.bind_type))) };
    Some(match bind.bind_type {
        BindType::Text | BindType::Clob | BindType::Date | BindType::TimestampTz => Box::new(text.clone()),
        BindType::Number => Box::new(number(text)?),
        BindType::Double => Box::new(double(text)?),
        BindType::Timestamp => Box::new(timestamp(text)?),
        BindType::Raw | BindType::Blob => Box::new(hex::decode(text).ok()?),
        BindType::Boolean => match text.as_str() {
            "TRUE" => Box::new(true),
            "FALSE" => Box::new(false),
            _ => return None,
        },
    })
}

fn null(of: BindType) -> &'static DbType {
    match of {
        BindType::Text | BindType::Clob | BindType::Date | BindType::TimestampTz => oracledb::DB_TYPE_VARCHAR,
        BindType::Number => oracledb::DB_TYPE_NUMBER,
        BindType::Double => oracledb::DB_TYPE_BINARY_DOUBLE,
        BindType::Timestamp => oracledb::DB_TYPE_TIMESTAMP,
        BindType::Raw | BindType::Blob => oracledb::DB_TYPE_RAW,
        BindType::Boolean => oracledb::DB_TYPE_BOOLEAN,
    }
}

/// The driver panics on some texts that are no number, so that none comes to it.
fn number(text: &str) -> Option<OracleNumber> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let written = [whole.trim_start_matches('0'), fraction].concat();
    let significant = written.trim_matches('0').len();
    let fits = (1..=125).contains(&whole.len()) && fraction.len() <= 125 && significant <= 40;
    (fits && plain(whole) && plain(fraction)).then(|| text.parse().ok())?
}

fn double(text: &str) -> Option<f64> {
    match text {
        "Nan" => Some(f64::NAN),
        "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        text => text.parse().ok(),
    }
}

/// `YYYY-MM-DD HH24:MI:SS` with up to nine digits of a second.
fn timestamp(text: &str) -> Option<OracleTimestamp> {
    let (date, time) = text.split_once(' ')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [year, month, day] = three(date, '-')?;
    let [hour, minute, second] = three(time, ':')?;
    let plain = fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let nanos: u32 = if plain { format!("{fraction:0<9}").parse().ok()? } else { return None };
    let small = |number: u32, range: std::ops::RangeInclusive<u32>| {
        range.contains(&number).then(|| u8::try_from(number).ok()).flatten()
    };
    let year = i16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
    let (month, day) = (small(month, 1..=12)?, small(day, 1..=31)?);
    let (hour, minute, second) = (small(hour, 0..=23)?, small(minute, 0..=59)?, small(second, 0..=59)?);
    Some(OracleTimestamp::new_timestamp(year, month, day, hour, minute, second, nanos))
}

fn three(text: &str, between: char) -> Option<[u32; 3]> {
    let mut parts = text.split(between).map(|part| part.parse().ok());
    let all = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_a_number_comes_to_the_driver() {
        let long = "9".repeat(40);
        for text in ["0", "-0", "1", "-12.50", "0.000001", "100000", "00012", long.as_str()] {
            assert!(number(text).is_some(), "{text}");
        }
        for text in ["", "-", ".", ".5", "1e5", "1,5", "NaN", "+1", "1.2.3", "1 ", "²", &"9".repeat(41)] {
            assert!(number(text).is_none(), "{text}");
        }
    }

    #[test]
    fn moments_and_bytes_are_read() {
        let moment = timestamp("2026-11-25 10:20:30.5").map(|moment| moment.to_string());
        assert_eq!(moment.as_deref(), Some("2026-11-25T10:20:30.500000000"));
        for text in ["2026-11-25", "2026-13-25 00:00:00", "2026-11-25 24:00:00", "2026-11-25 1:2:3.x", "x"] {
            assert!(timestamp(text).is_none(), "{text}");
        }
        let bytes = |hex: &str| hex::decode(hex).ok();
        assert_eq!(bytes("00fF1d"), Some(vec![0, 255, 29]));
        assert_eq!((bytes("0"), bytes("0g"), bytes("ä")), (None, None, None));
    }
}
