//! Columns of a query, as an answer declares them and as a client is told of them.

use super::version::Version;
use super::wire_type::{WireType, code, has_long_scale};
use super::write::Writer;

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    pub nullable: bool,
}

/// Lengths are in characters, of RAW in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Varchar2(u32),
    Nvarchar2(u32),
    Char(u32),
    /// Digits and scale; NUMBER without either has neither.
    Number(Option<(u8, i8)>),
    BinaryFloat,
    BinaryDouble,
    Date,
    Timestamp(u8),
    TimestampTz(u8),
    TimestampLtz(u8),
    Raw(u32),
    Long,
    LongRaw,
    Clob,
    Nclob,
    Blob,
    Rowid,
    /// From 23 on.
    Boolean,
}

impl Column {
    /// As a table declares it: `NAME VARCHAR2(30) NOT NULL`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.trim().split_once(char::is_whitespace)?;
        let rest = rest.trim().to_uppercase();
        let (rest, nullable) = match rest.strip_suffix("NOT NULL") {
            Some(rest) => (rest.trim().to_owned(), false),
            None => (rest, true),
        };
        Some(Column { name: name.trim_matches('"').into(), kind: Kind::parse(&rest)?, nullable })
    }
}

impl Kind {
    fn parse(text: &str) -> Option<Self> {
        let (name, numbers, tail) = match text.split_once('(') {
            Some((name, rest)) => {
                let (numbers, tail) = rest.split_once(')')?;
                (name.trim(), numbers, tail.trim())
            }
            None => match text.strip_prefix("TIMESTAMP") {
                Some(tail) => ("TIMESTAMP", "", tail.trim()),
                None => (text, "", ""),
            },
        };
        let mut numbers = numbers
            .split(',')
            .filter_map(|part| part.split_whitespace().next().and_then(|part| part.parse::<i64>().ok()));
        let first = numbers.next();
        let second = numbers.next();
        let length = |default: u32| first.and_then(|first| u32::try_from(first).ok()).unwrap_or(default);
        let fraction = first.and_then(|first| u8::try_from(first).ok()).unwrap_or(6);
        Some(match (name, tail) {
            ("VARCHAR2", _) => Kind::Varchar2(length(4000)),
            ("NVARCHAR2", _) => Kind::Nvarchar2(length(2000)),
            ("CHAR", _) => Kind::Char(length(1)),
            ("NUMBER", _) => Kind::Number(match first {
                Some(digits) => Some((u8::try_from(digits).ok()?, i8::try_from(second.unwrap_or(0)).ok()?)),
                None => None,
            }),
            ("INTEGER", _) => Kind::Number(Some((38, 0))),
            ("BINARY_FLOAT", _) => Kind::BinaryFloat,
            ("BINARY_DOUBLE", _) => Kind::BinaryDouble,
            ("DATE", _) => Kind::Date,
            ("TIMESTAMP", "") => Kind::Timestamp(fraction),
            ("TIMESTAMP", "WITH TIME ZONE") => Kind::TimestampTz(fraction),
            ("TIMESTAMP", "WITH LOCAL TIME ZONE") => Kind::TimestampLtz(fraction),
            ("RAW", _) => Kind::Raw(length(2000)),
            ("LONG", _) => Kind::Long,
            ("LONG RAW", _) => Kind::LongRaw,
            ("CLOB", _) => Kind::Clob,
            ("NCLOB", _) => Kind::Nclob,
            ("BLOB", _) => Kind::Blob,
            ("ROWID", _) => Kind::Rowid,
            ("BOOLEAN", _) => Kind::Boolean,
            _ => return None,
        })
    }

    pub fn wire_type(self) -> WireType {
        let (code, form) = match self {
            Kind::Varchar2(_) => (code::VARCHAR, 1),
            Kind::Nvarchar2(_) => (code::VARCHAR, 2),
            Kind::Char(_) => (code::CHAR, 1),
            Kind::Number(_) => (code::NUMBER, 0),
            Kind::BinaryFloat => (code::BINARY_FLOAT, 0),
            Kind::BinaryDouble => (code::BINARY_DOUBLE, 0),
            Kind::Date => (code::DATE, 0),
            Kind::Timestamp(_) => (code::TIMESTAMP, 0),
            Kind::TimestampTz(_) => (code::TIMESTAMP_TZ, 0),
            Kind::TimestampLtz(_) => (code::TIMESTAMP_LTZ, 0),
            Kind::Raw(_) => (code::RAW, 0),
            Kind::Long => (code::LONG, 1),
            Kind::LongRaw => (code::LONG_RAW, 0),
            Kind::Clob => (code::CLOB, 1),
            Kind::Nclob => (code::CLOB, 2),
            Kind::Blob => (code::BLOB, 0),
            Kind::Rowid => (code::ROWID, 0),
            Kind::Boolean => (code::BOOLEAN, 0),
        };
        WireType { code, form }
    }

    /// Digits and scale, as clients are told of them. NUMBER without either has a scale of -127; the timestamps have how many
    /// digits of a second they keep in the place of the scale.
    fn digits(self) -> (u8, i8) {
        match self {
            Kind::Number(Some(digits)) => digits,
            Kind::Number(None) => (0, -127),
            Kind::Timestamp(fraction) | Kind::TimestampTz(fraction) | Kind::TimestampLtz(fraction) => {
                (0, i8::try_from(fraction).unwrap_or(9))
            }
            _ => (0, 0),
        }
    }

    /// The most bytes that a value can have, and the most characters. A client takes a column of no bytes for NULL in every row.
    fn sizes(self) -> (u32, u32) {
        match self {
            Kind::Varchar2(length) | Kind::Char(length) => (length.max(1) * 4, length),
            Kind::Nvarchar2(length) => (length.max(1) * 2, length),
            Kind::Raw(length) => (length.max(1), 0),
            Kind::Number(_) => (22, 0),
            Kind::BinaryFloat => (4, 0),
            Kind::BinaryDouble => (8, 0),
            Kind::Date => (7, 0),
            Kind::Timestamp(_) | Kind::TimestampLtz(_) => (11, 0),
            Kind::TimestampTz(_) => (13, 0),
            Kind::Long | Kind::LongRaw => (0x7fff_ffff, 0),
            Kind::Clob | Kind::Nclob | Kind::Blob => (4000, 0),
            Kind::Rowid => (18, 0),
            Kind::Boolean => (1, 0),
        }
    }
}

/// The message that describes a query's columns (crate `oracledb`, `metadata.rs`, `from_response`, and `statement/mod.rs`,
/// `populate_from_describe_info`).
pub fn describe(columns: &[Column], version: Version, to_ojdbc: bool, to: &mut Writer) {
    to.u8(16).chunked(&[0; 23]);
    to.ub(columns.iter().map(|column| u64::from(column.kind.sizes().0)).sum::<u64>().min(0xffff_ffff));
    to.size(columns.len());
    if !columns.is_empty() {
        to.u8(0);
    }
    for (position, column) in columns.iter().enumerate() {
        let wire_type = column.kind.wire_type();
        let (digits, scale) = column.kind.digits();
        let (bytes, characters) = column.kind.sizes();
        to.u8(wire_type.code).u8(0).u8(digits);
        if to_ojdbc && has_long_scale(wire_type.code) {
            to.sb(i64::from(scale));
        } else {
            to.raw(&scale.to_be_bytes());
        }
        to.ub(u64::from(bytes));
        to.ub_zeros(2); // number of elements, flags
        to.ub_zeros(2); // object type, its version
        to.ub(match wire_type.form {
            0 => 0,
            2 => 2000, // AL16UTF16
            _ => 873,  // AL32UTF8
        });
        to.u8(wire_type.form).ub(u64::from(characters));
        to.ub(0); // since 12.2
        to.u8(u8::from(column.nullable)).u8(column.name.len().min(255) as u8);
        to.twice_sized(column.name.as_bytes());
        to.ub_zeros(2); // schema and name of the object type
        to.size(position).ub(0);
        if version.has_domains() {
            to.ub_zeros(2);
        }
        if version.has_annotations() {
            to.ub(0);
        }
        if version.has_vectors() {
            to.ub(0).u8(0).u8(0);
        }
    }
    to.twice_sized(&[120, 126, 11, 25, 1, 1, 1]); // a date
    to.ub_zeros(5);
}
