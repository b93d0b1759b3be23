//! Values of a type in its text form.

use jiff::{SignedDuration, Timestamp};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

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

/// What values are drawn from. Fresh ones depend on the moment too: the same seed is used again on a database that keeps
/// what an earlier run wrote.
pub struct Draw {
    pub rng: ChaCha8Rng,
    fresh: ChaCha8Rng,
    now: Moment,
    /// Small types have too few values to find free ones by chance: they count on from a place of their own.
    next: i64,
}

impl Draw {
    pub fn new(seed: u64, now: Moment) -> Self {
        let moment = u64::try_from(now.0.as_microsecond()).unwrap_or(0);
        let mut fresh = ChaCha8Rng::seed_from_u64(seed.rotate_left(32) ^ moment);
        let next = fresh.random_range(0..1_000_000_000);
        Self { rng: ChaCha8Rng::seed_from_u64(seed), fresh, now, next }
    }
    /// One of those given, for a value that is to be new.
    pub fn fresh_one_of<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        values.get(self.fresh.random_range(0..values.len().max(1))).copied()
    }
    fn counted(&mut self, from: i64, room: i64) -> String {
        self.next += 1;
        (from + self.next % room).to_string()
    }
}

const DAY: i64 = 86_400_000_000;

/// Types whose text forms are read alike.
pub fn class(sql_type: &str) -> &str {
    let bare = sql_type.split('(').next().unwrap_or(sql_type).trim();
    match bare {
        "smallint" | "integer" | "bigint" | "int2" | "int4" | "int8" => "integer",
        "numeric" | "real" | "double precision" | "float4" | "float8" | "decimal" => "numeric",
        "text" | "character varying" | "varchar" | "character" | "bpchar" | "name" | "\"char\""
        | "citext" => "text",
        _ if bare.starts_with("timestamp") => "timestamp",
        _ if bare.starts_with("time ") || bare == "timetz" => "time",
        _ if bare.starts_with("interval") => "interval",
        "bool" => "boolean",
        "bit varying" | "varbit" => "bit",
        _ => bare.rsplit('.').next().unwrap_or(bare).trim_matches('"'),
    }
}

/// Whether values of this type are ordered as numbers.
pub fn is_numeric(sql_type: &str) -> bool {
    ["integer", "numeric"].contains(&class(sql_type))
}

/// Whether fresh values of this type can be made from nothing; those of a domain cannot.
pub fn known_type(sql_type: &str) -> bool {
    const KNOWN: [&str; 14] = [
        "integer",
        "numeric",
        "text",
        "timestamp",
        "date",
        "time",
        "interval",
        "uuid",
        "inet",
        "cidr",
        "macaddr",
        "bytea",
        "json",
        "jsonb",
    ];
    KNOWN.contains(&class(sql_type))
}

/// An array's text form; every element is quoted.
pub fn array(values: &[String]) -> String {
    let quoted: Vec<String> =
        values.iter().map(|v| format!("\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\""))).collect();
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
pub fn fresh(shape: &Shape, draw: &mut Draw) -> String {
    let bare = shape.sql_type.as_str();
    match (class(bare), bare) {
        ("integer", "smallint" | "int2") => return draw.counted(1_000, 31_000),
        ("integer", "integer" | "int4") => return draw.counted(1_000_000_000, 1_000_000_000),
        _ => {}
    }
    let (rng, now) = (&mut draw.fresh, draw.now);
    match class(bare) {
        "integer" => rng.random_range(1_i64 << 40..1 << 61).to_string(),
        "numeric" if shape.digits.is_none() && bare.starts_with("numeric") => {
            rng.random_range(1_i64 << 40..1 << 61).to_string()
        }
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
        _ => any(shape, rng, now),
    }
}

/// Any value of a type.
pub fn plain(shape: &Shape, draw: &mut Draw) -> String {
    any(shape, &mut draw.rng, draw.now)
}

fn any(shape: &Shape, rng: &mut ChaCha8Rng, now: Moment) -> String {
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
        Some(longest) if class(bare) == "text" => {
            text.chars().take(usize::try_from(longest).unwrap_or(usize::MAX)).collect()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(sql_type: &str) -> Shape {
        Shape { sql_type: sql_type.to_owned(), longest: None, digits: None }
    }

    #[test]
    fn the_same_seed_gives_the_same_values() {
        let make = |seed| {
            let mut draw = Draw::new(seed, Moment::at(1_700_000_000));
            let types = [
                "bigint",
                "uuid",
                "text",
                "timestamp with time zone",
                "date",
                "inet",
                "time without time zone",
            ];
            types.map(|t| fresh(&shape(t), &mut draw))
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
        let another_run = |second| fresh(&shape("uuid"), &mut Draw::new(7, Moment::at(second)));
        assert_ne!(another_run(1_700_000_000), another_run(1_700_000_001));
    }

    #[test]
    fn values_read_as_their_types() {
        let mut draw = Draw::new(1, Moment::at(1_700_000_000));
        for _ in 0..200 {
            for make in [fresh as fn(&Shape, &mut Draw) -> String, plain] {
                let mut of = |sql_type: &str| make(&shape(sql_type), &mut draw);
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
                assert_eq!(
                    (uuid.len(), uuid.as_bytes().get(14), uuid.matches('-').count()),
                    (36, Some(&b'4'), 4)
                );
                let small = make(&Shape { longest: Some(3), ..shape("character varying") }, &mut draw);
                assert_eq!(small.len(), 3);
                let share = make(&Shape { digits: Some(0), ..shape("numeric") }, &mut draw);
                assert!(share.parse::<f64>().is_ok_and(|f| f > 0.0 && f < 1.0), "{share}");
            }
        }
    }

    #[test]
    fn arrays_take_any_text() {
        assert_eq!(array(&["a\"b".to_owned(), "c\\d".to_owned()]), r#"{"a\"b","c\\d"}"#);
    }
}
