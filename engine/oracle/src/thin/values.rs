//! Values of rows, as text in Oracle's forms.

use std::io::{self, Read};

use drydock_oracle_protocol::{Column, ColumnFacts, Failure, FailureKind, Reason};
use oracledb::{FromDbValue, JsonValue, Lob, OracleIntervalDS, OracleIntervalYM, OracleTimestamp, Row};

use super::failure::calling;
use super::json;
use crate::driver::Result;

/// A character takes up to three bytes for each unit that the driver asks for, and it wants room for all of them.
const PIECE: usize = 96 * 1024;

/// The value of a column; the lengths of LOBs where `lobs` is not set.
pub fn text(row: &mut Row, at: usize, facts: &ColumnFacts, lobs: bool) -> Result<Option<String>> {
    match facts.code {
        1 | 2 | 8 | 69 | 96 | 208 => get::<String>(row, at),
        12 => Ok(get::<OracleTimestamp>(row, at)?.map(|moment| date(&moment))),
        180 | 231 => Ok(get::<OracleTimestamp>(row, at)?.map(|moment| timestamp(&moment))),
        // The driver leaves the offset out, and gives the moment in UTC.
        181 => Ok(get::<OracleTimestamp>(row, at)?.map(|moment| format!("{} +00:00", timestamp(&moment)))),
        182 => Ok(get::<OracleIntervalYM>(row, at)?.map(|interval| years(&interval))),
        183 => Ok(get::<OracleIntervalDS>(row, at)?.map(|interval| days(&interval))),
        100 => Ok(get::<f32>(row, at)?.map(|number| float(f64::from(number), format!("{number:?}")))),
        101 => Ok(get::<f64>(row, at)?.map(|number| float(number, format!("{number:?}")))),
        23 | 24 => Ok(get::<Vec<u8>>(row, at)?.map(hex::encode_upper)),
        252 => Ok(get::<bool>(row, at)?.map(|yes| if yes { "TRUE" } else { "FALSE" }.to_owned())),
        119 => Ok(get::<JsonValue>(row, at)?.map(|value| json::text(&value))),
        112 | 113 => match row.take::<Option<Lob>>(at).map_err(calling)? {
            None => Ok(None),
            Some(mut lob) if !lobs => Ok(Some(lob.get_size().map_err(calling)?.to_string())),
            Some(mut lob) => contents(&mut lob, facts.code == 113).map(Some),
        },
        _ => {
            Err(Failure::new(FailureKind::Internal, "values of this type cannot be read")
                .reason(Reason::Value))
        }
    }
}

/// Which column it is about.
pub fn of_column(failure: Failure, column: Option<&Column>) -> Failure {
    match (failure.reason, column) {
        (Some(Reason::Value), Some(Column { name, type_name, .. })) => {
            let message = format!("the column {name} of type {type_name} cannot be read");
            Failure { message, ..failure }
        }
        _ => failure,
    }
}

fn get<'a, T: FromDbValue<'a>>(row: &'a Row, at: usize) -> Result<Option<T>> {
    row.get::<Option<T>>(at).map_err(calling)
}

/// The driver cuts text between any two units of UTF-16. It cannot read a piece that has half of a character at its end, and then stays where
/// it was: a piece that is shorter by one unit ends before that character.
fn contents(lob: &mut Lob, binary: bool) -> Result<String> {
    let (mut all, mut piece) = (Vec::new(), vec![0; PIECE]);
    let mut size = PIECE;
    loop {
        match lob.read(piece.get_mut(..size).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => all.extend_from_slice(piece.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData && size == PIECE => {
                size = PIECE - 3;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(malformed()),
            Err(error) => {
                let why = format!("a LOB cannot be read: {error}");
                return Err(Failure::new(FailureKind::Connection, why).reason(Reason::Lost));
            }
        }
        size = PIECE;
    }
    if binary {
        return Ok(hex::encode_upper(all));
    }
    String::from_utf8(all).map_err(|_| malformed())
}

fn malformed() -> Failure {
    Failure::new(FailureKind::Internal, "the text is malformed").reason(Reason::Value)
}

fn date(of: &OracleTimestamp) -> String {
    let sign = if of.year() < 0 { "-" } else { "" };
    let (year, month, day) = (of.year().unsigned_abs(), of.month(), of.day());
    let (hour, minute, second) = (of.hour(), of.minute(), of.second());
    format!("{sign}{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

fn timestamp(of: &OracleTimestamp) -> String {
    format!("{}.{:09}", date(of), of.nanoseconds())
}

fn years(of: &OracleIntervalYM) -> String {
    let sign = if of.years() < 0 || of.months() < 0 { '-' } else { '+' };
    format!("{sign}{:02}-{:02}", of.years().unsigned_abs(), of.months().unsigned_abs())
}

fn days(of: &OracleIntervalDS) -> String {
    let negative =
        of.days() < 0 || of.hours() < 0 || of.minutes() < 0 || of.seconds() < 0 || of.nanoseconds() < 0;
    let (days, hours, minutes) =
        (of.days().unsigned_abs(), of.hours().unsigned_abs(), of.minutes().unsigned_abs());
    let (seconds, nanos) = (of.seconds().unsigned_abs(), of.nanoseconds().unsigned_abs());
    let sign = if negative { '-' } else { '+' };
    format!("{sign}{days:02} {hours:02}:{minutes:02}:{seconds:02}.{nanos:09}")
}

/// Oracle's words for what is no number.
fn float(number: f64, shown: String) -> String {
    if number.is_nan() {
        "Nan".into()
    } else if number.is_infinite() {
        if number < 0.0 { "-Inf" } else { "Inf" }.into()
    } else {
        shown.strip_suffix(".0").unwrap_or(&shown).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_intervals_have_oracles_form() {
        let moment = OracleTimestamp::new_timestamp(2026, 2, 3, 4, 5, 6, 7_000);
        assert_eq!(date(&moment), "2026-02-03 04:05:06");
        assert_eq!(timestamp(&moment), "2026-02-03 04:05:06.000007000");
        assert_eq!(date(&OracleTimestamp::new_date(-44, 3, 15)), "-0044-03-15 00:00:00");
        assert_eq!(years(&OracleIntervalYM::new(2, 3)), "+02-03");
        assert_eq!(years(&OracleIntervalYM::new(0, -3)), "-00-03");
        assert_eq!(days(&OracleIntervalDS::new(1, 2, 3, 4, 500_000_000)), "+01 02:03:04.500000000");
        assert_eq!(days(&OracleIntervalDS::new(0, 0, -1, -2, -5)), "-00 00:01:02.000000005");
    }

    #[test]
    fn floating_point_numbers_are_short_and_whole() {
        for (number, text) in
            [(0.25, "0.25"), (1.0, "1"), (-1e300, "-1e300"), (f64::NAN, "Nan"), (f64::NEG_INFINITY, "-Inf")]
        {
            assert_eq!(float(number, format!("{number:?}")), text);
        }
        // The shortest text that means this number of 32 bits, not the digits of the same number in 64.
        assert_eq!(float(f64::from(0.1_f32), format!("{:?}", 0.1_f32)), "0.1");
    }
}
