//! Values as text: parameters go out as text, and results that came in binary form are written as the server would (ISO
//! dates, UTC).

use std::error::Error;
use std::fmt::Write;

use crate::model::hex;
use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

type Unreadable = Box<dyn Error + Sync + Send>;

/// A parameter in text form: the server's own input function of its type reads it.
#[derive(Debug)]
pub struct AsText<'a>(pub Option<&'a str>);

impl ToSql for AsText<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Unreadable> {
        Ok(match self.0 {
            Some(text) => {
                out.put_slice(text.as_bytes());
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }
    to_sql_checked!();
}

/// The driver's type for the name that `format_type` gives a built-in one.
pub fn builtin(name: &str) -> Option<Type> {
    Some(match name {
        "boolean" => Type::BOOL,
        "smallint" => Type::INT2,
        "integer" => Type::INT4,
        "bigint" => Type::INT8,
        "real" => Type::FLOAT4,
        "double precision" => Type::FLOAT8,
        "numeric" => Type::NUMERIC,
        "text" => Type::TEXT,
        "character varying" => Type::VARCHAR,
        "character" => Type::BPCHAR,
        "uuid" => Type::UUID,
        "date" => Type::DATE,
        "timestamp without time zone" => Type::TIMESTAMP,
        "timestamp with time zone" => Type::TIMESTAMPTZ,
        "time without time zone" => Type::TIME,
        "interval" => Type::INTERVAL,
        "json" => Type::JSON,
        "jsonb" => Type::JSONB,
        "bytea" => Type::BYTEA,
        "integer[]" => Type::INT4_ARRAY,
        "bigint[]" => Type::INT8_ARRAY,
        "text[]" => Type::TEXT_ARRAY,
        "character varying[]" => Type::VARCHAR_ARRAY,
        "uuid[]" => Type::UUID_ARRAY,
        _ => return None,
    })
}

/// The text form of any value. What is not known here comes as `\x` and hexadecimal.
pub struct Text(pub String);

impl<'a> FromSql<'a> for Text {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Unreadable> {
        Ok(Self(text(kind, raw)?))
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

fn text(kind: &Type, raw: &[u8]) -> Result<String, Unreadable> {
    if let Kind::Domain(base) = kind.kind() {
        return text(base, raw);
    }
    if matches!(kind.kind(), Kind::Enum(_)) {
        return Ok(String::from_utf8(raw.to_vec())?);
    }
    // The binary form has the number of the elements' type in it, which is another after a change and nothing that is read.
    if let Kind::Array(_) = kind.kind()
        && let Ok(elements) = Vec::<Option<Text>>::from_sql(kind, raw)
    {
        return Ok(array(&elements));
    }
    Ok(match *kind {
        Type::BOOL => if raw == [0] { "f" } else { "t" }.to_owned(),
        Type::INT2 => i16::from_sql(kind, raw)?.to_string(),
        Type::INT4 => i32::from_sql(kind, raw)?.to_string(),
        Type::INT8 => i64::from_sql(kind, raw)?.to_string(),
        Type::OID => u32::from_sql(kind, raw)?.to_string(),
        Type::FLOAT4 => f32::from_sql(kind, raw)?.to_string(),
        Type::FLOAT8 => f64::from_sql(kind, raw)?.to_string(),
        Type::NUMERIC => numeric(raw).ok_or("a numeric that cannot be read")?,
        Type::UUID => uuid(raw),
        Type::JSONB => String::from_utf8(raw.get(1..).unwrap_or_default().to_vec())?,
        Type::DATE => date(i32::from_sql(&Type::INT4, raw)?),
        Type::TIMESTAMP => timestamp(i64::from_sql(&Type::INT8, raw)?, ""),
        Type::TIMESTAMPTZ => timestamp(i64::from_sql(&Type::INT8, raw)?, "+00"),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::JSON | Type::XML | Type::UNKNOWN => {
            String::from_utf8(raw.to_vec())?
        }
        _ if kind.name() == "citext" => String::from_utf8(raw.to_vec())?,
        _ => format!("\\x{}", hex(raw)),
    })
}

/// As `array_out` writes it: elements are quoted where they could be taken for something else.
fn array(elements: &[Option<Text>]) -> String {
    let special = |c: char| "{},\"\\".contains(c) || c.is_ascii_whitespace();
    let one = |element: &Option<Text>| match element {
        None => "NULL".to_owned(),
        Some(Text(text))
            if text.is_empty() || text.eq_ignore_ascii_case("null") || text.contains(special) =>
        {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Some(Text(text)) => text.clone(),
    };
    format!("{{{}}}", elements.iter().map(one).collect::<Vec<_>>().join(","))
}

fn uuid(raw: &[u8]) -> String {
    let digits = hex(raw);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

fn date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".into(),
        i32::MIN => "-infinity".into(),
        _ => jiff::civil::date(2000, 1, 1)
            .checked_add(jiff::Span::new().days(days))
            .map_or_else(|_| format!("2000-01-01 + {days} days"), |d| d.to_string()),
    }
}

fn timestamp(micros: i64, zone: &str) -> String {
    match micros {
        i64::MAX => "infinity".into(),
        i64::MIN => "-infinity".into(),
        _ => jiff::Span::new()
            .try_microseconds(micros)
            .and_then(|span| jiff::civil::date(2000, 1, 1).at(0, 0, 0, 0).checked_add(span))
            .map_or_else(
                |_| format!("2000-01-01 + {micros} us"),
                |t| format!("{}{zone}", t.to_string().replace('T', " ")),
            ),
    }
}

/// Base 10,000 digits (`src/backend/utils/adt/numeric.c`).
fn numeric(raw: &[u8]) -> Option<String> {
    let mut words = raw.chunks_exact(2).map(|pair| <[u8; 2]>::try_from(pair).map(i16::from_be_bytes));
    let mut word = || words.next()?.ok();
    let (count, weight, sign, scale) = (word()?, word()?, word()?, word()?);
    let sign = u16::from_be_bytes(sign.to_be_bytes());
    match sign {
        0xC000 => return Some("NaN".into()),
        0xD000 => return Some("Infinity".into()),
        0xF000 => return Some("-Infinity".into()),
        _ => {}
    }
    let digits: Vec<i16> = (0..count).map(|_| word()).collect::<Option<_>>()?;
    let at = |place: i32| {
        usize::try_from(i32::from(weight) - place).ok().and_then(|i| digits.get(i)).copied().unwrap_or(0)
    };
    let mut text = String::new();
    for place in (0..=i32::from(weight).max(0)).rev() {
        let _ = write!(text, "{:04}", at(place));
    }
    let whole = text.trim_start_matches('0');
    let mut text = if whole.is_empty() { "0".to_owned() } else { whole.to_owned() };
    if scale > 0 {
        let groups = (i32::from(scale) + 3) / 4;
        let mut fraction: String = String::new();
        for place in 1..=groups {
            let _ = write!(fraction, "{:04}", at(-place));
        }
        fraction.truncate(usize::try_from(scale).ok()?);
        text = format!("{text}.{fraction}");
    }
    Some(if sign == 0x4000 { format!("-{text}") } else { text })
}
