//! Values of a type in its text form.

use jiff::{SignedDuration, Timestamp};
use rand::Rng;

/// What a value is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    pub sql_type: String,
    /// Greatest length in characters.
    pub longest: Option<u32>,
    /// Greatest number of digits before the point.
    pub digits: Option<i64>,
}

/// The moment that times are counted from: fixed, so that the same seed gives the same values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(Timestamp);

impl Moment {
    pub fn now() -> Self {
        Self(Timestamp::now())
    }
    #[cfg(test)]
    pub fn at(second: i64) -> Self {
        Self(Timestamp::from_second(second).unwrap_or_default())
    }
    fn minus(self, micros: i64) -> Timestamp {
        self.0.checked_sub(SignedDuration::from_micros(micros)).unwrap_or(self.0)
    }
}

const DAY: i64 = 86_400_000_000;

/// Types whose text forms are read alike.
pub fn class(sql_type: &str) -> &str {
    let bare = sql_type.split('(').next().unwrap_or(sql_type).trim();
    match bare {
        "smallint" | "integer" | "bigint" | "int2" | "int4" | "int8" => "integer",
        "numeric" | "real" | "double precision" | "float4" | "float8" | "decimal" => "numeric",
        "text" | "character varying" | "varchar" | "character" | "bpchar" | "name" | "\"char\"" | "citext" => "text",
        _ if bare.starts_with("timestamp") => "timestamp",
        _ if bare.starts_with("time ") || bare == "timetz" => "time",
        _ if bare.starts_with("interval") => "interval",
        "bool" => "boolean",
        "bit varying" | "varbit" => "bit",
        _ => bare.rsplit('.').next().unwrap_or(bare).trim_matches('"'),
    }
}

/// An array's text form; every element is quoted.
pub fn array(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|v| format!("\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("{{{}}}", quoted.join(","))
}

fn word(length: u32, rng: &mut impl Rng) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let letter = |at: usize| char::from(LETTERS.get(at).copied().unwrap_or(b'A'));
    (0..length).map(|_| letter(rng.random_range(0..LETTERS.len()))).collect()
}

fn uuid(rng: &mut impl Rng) -> String {
    let n: u128 = rng.random();
    // Version 4, variant 1 (RFC 9562).
    let n = (n & !(0xf << 76) | (4 << 76)) & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{n:032x}");
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default().to_owned()).join("-")
}

/// A value that no row has yet, as far as its type has room for it. Times lie in the past: many a check forbids the future.
pub fn fresh<R: Rng>(shape: &Shape, rng: &mut R, now: Moment) -> String {
    let bare = shape.sql_type.as_str();
    match class(bare) {
        "integer" if matches!(bare, "smallint" | "int2") => rng.random_range(1_000..32_000_i64).to_string(),
        "integer" if matches!(bare, "integer" | "int4") => rng.random_range(1_000_000_000..2_000_000_000_i64).to_string(),
        "integer" => rng.random_range(1_i64 << 40..1 << 61).to_string(),
        "numeric" if shape.digits.is_none() && bare.starts_with("numeric") => rng.random_range(1_i64 << 40..1 << 61).to_string(),
        "text" if bare == "\"char\"" => word(1, rng),
        "text" => word(shape.longest.unwrap_or(12).min(12), rng),
        "timestamp" => now.minus(rng.random_range(0..20 * DAY)).to_string(),
        "date" => now.minus(rng.random_range(0..20_000) * DAY).strftime("%Y-%m-%d").to_string(),
        "inet" | "cidr" => {
            let [_, a, b, c] = rng.random::<u32>().to_be_bytes();
            format!("10.{a}.{b}.{c}")
        }
        "macaddr" => {
            let [a, b, c, d] = rng.random::<u32>().to_be_bytes();
            format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
        }
        "bytea" => format!("\\x{:032x}", rng.random::<u128>()),
        "json" | "jsonb" => format!("{{\"key\": \"{}\"}}", word(12, rng)),
        _ => plain(shape, rng, now),
    }
}

/// Any value of a type.
pub fn plain<R: Rng>(shape: &Shape, rng: &mut R, now: Moment) -> String {
    let bare = shape.sql_type.as_str();
    let text = match class(bare) {
        "integer" => rng.random_range(1..100).to_string(),
        "numeric" => {
            let most = match shape.digits {
                Some(..=0) => 1,
                Some(1) => 9,
                _ => 50,
            };
            format!("{}.{:02}", rng.random_range(0..most), rng.random_range(1..100))
        }
        "boolean" => rng.random_bool(0.5).to_string(),
        "uuid" => uuid(rng),
        "json" | "jsonb" => "{}".to_owned(),
        "jsonpath" => "$.a".to_owned(),
        "timestamp" => now.minus(rng.random_range(0..DAY)).to_string(),
        "date" => now.minus(rng.random_range(0..20) * DAY).strftime("%Y-%m-%d").to_string(),
        "time" => format!("{:02}:{:02}:00", rng.random_range(0..24), rng.random_range(0..60)),
        "interval" => "1 hour".to_owned(),
        "bytea" => "\\x00ff".to_owned(),
        "inet" | "cidr" => "192.0.2.1".to_owned(),
        "macaddr" => "08:00:2b:01:02:03".to_owned(),
        "macaddr8" => "08:00:2b:01:02:03:04:05".to_owned(),
        "bit" => "1".to_owned(),
        "point" => "(1,2)".to_owned(),
        "box" | "lseg" => "(1,2),(3,4)".to_owned(),
        "path" | "polygon" => "((1,2),(3,4),(5,0))".to_owned(),
        "circle" => "<(1,2),3>".to_owned(),
        "line" => "{1,2,3}".to_owned(),
        "tsquery" | "tsvector" => "word".to_owned(),
        "int4range" | "int8range" | "numrange" => "[1,5)".to_owned(),
        "int4multirange" | "int8multirange" | "nummultirange" => "{[1,5)}".to_owned(),
        "daterange" | "tsrange" | "tstzrange" => "[2026-01-01,2026-02-01)".to_owned(),
        "datemultirange" | "tsmultirange" | "tstzmultirange" => "{[2026-01-01,2026-02-01)}".to_owned(),
        "money" => "1.00".to_owned(),
        "oid" | "regclass" | "xid" | "cid" => "0".to_owned(),
        "xml" => "<a/>".to_owned(),
        "hstore" => "a=>1".to_owned(),
        "ltree" => "a.b".to_owned(),
        "text" if bare == "\"char\"" => word(1, rng),
        _ => word(4, rng),
    };
    match shape.longest {
        Some(longest) if class(bare) == "text" => text.chars().take(usize::try_from(longest).unwrap_or(usize::MAX)).collect(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn shape(sql_type: &str) -> Shape {
        Shape { sql_type: sql_type.to_owned(), longest: None, digits: None }
    }

    #[test]
    fn the_same_seed_gives_the_same_values() {
        let make = |seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let types = ["bigint", "uuid", "text", "timestamp with time zone", "date", "inet", "time without time zone"];
            types.map(|t| fresh(&shape(t), &mut rng, Moment::at(1_700_000_000)))
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
    }

    #[test]
    fn values_read_as_their_types() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let now = Moment::at(1_700_000_000);
        for _ in 0..200 {
            for make in [fresh::<ChaCha8Rng>, plain::<ChaCha8Rng>] {
                let mut of = |sql_type: &str| make(&shape(sql_type), &mut rng, now);
                assert!(of("smallint").parse::<i16>().is_ok());
                assert!(of("integer").parse::<i32>().is_ok());
                assert!(of("bigint").parse::<i64>().is_ok());
                assert!(of("double precision").parse::<f64>().is_ok_and(|f| f > 0.0));
                assert!(of("timestamp with time zone").parse::<Timestamp>().is_ok());
                assert!(of("date").parse::<jiff::civil::Date>().is_ok());
                assert!(of("time without time zone").parse::<jiff::civil::Time>().is_ok());
                assert!(of("inet").parse::<std::net::IpAddr>().is_ok());
                assert!(serde_json::from_str::<serde_json::Value>(&of("jsonb")).is_ok());
                assert_eq!(of("\"char\"").len(), 1);
                let uuid = of("uuid");
                assert_eq!((uuid.len(), uuid.as_bytes().get(14), uuid.matches('-').count()), (36, Some(&b'4'), 4));
                let small = make(&Shape { longest: Some(3), ..shape("character varying") }, &mut rng, now);
                assert_eq!(small.len(), 3);
                let share = make(&Shape { digits: Some(0), ..shape("numeric") }, &mut rng, now);
                assert!(share.parse::<f64>().is_ok_and(|f| f > 0.0 && f < 1.0), "{share}");
            }
        }
    }

    #[test]
    fn arrays_take_any_text() {
        assert_eq!(array(&["a\"b".to_owned(), "c\\d".to_owned()]), r#"{"a\"b","c\\d"}"#);
    }
}
