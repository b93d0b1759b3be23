//! Values of a type.

use std::sync::Arc;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::model::column_type::{ColumnType, Digits};
use crate::model::value::Value;
use crate::product::Dialect;

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
    fn days_ago(self, days: i64) -> Date {
        self.minus(days * DAY).to_zoned(TimeZone::UTC).date()
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
    dialect: Arc<dyn Dialect>,
}

impl Draw {
    pub fn new(seed: u64, now: Moment, dialect: Arc<dyn Dialect>) -> Self {
        let moment = u64::try_from(now.0.as_microsecond()).unwrap_or(0);
        let mut fresh = ChaCha8Rng::seed_from_u64(seed.rotate_left(32) ^ moment);
        let next = fresh.random_range(0..1_000_000_000);
        Self { rng: ChaCha8Rng::seed_from_u64(seed), fresh, now, next, dialect }
    }
    /// One of those given, for a value that is to be new.
    pub fn fresh_one_of<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        values.get(self.fresh.random_range(0..values.len().max(1))).copied()
    }
    /// A value in the product's text form.
    pub fn text(&self, value: &Value) -> String {
        self.dialect.value_text(value)
    }
    fn counted(&mut self, from: i64, room: i64) -> Value {
        self.next += 1;
        Value::Text((from + self.next % room).to_string())
    }
}

const DAY: i64 = 86_400_000_000;

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
pub fn fresh(of: &ColumnType, draw: &mut Draw) -> Value {
    match of {
        ColumnType::Integer { bytes: 0..=2 } => return draw.counted(1_000, 31_000),
        ColumnType::Integer { bytes: 3..=4 } => return draw.counted(1_000_000_000, 1_000_000_000),
        _ => {}
    }
    let (rng, now) = (&mut draw.fresh, draw.now);
    match of {
        ColumnType::Integer { .. } | ColumnType::Decimal { digits: None } => {
            Value::Text(rng.random_range(1_i64 << 40..1 << 61).to_string())
        }
        ColumnType::Text { longest, .. } => Value::Text(word(longest.unwrap_or(12).min(12), rng)),
        ColumnType::Timestamp { .. } => Value::Timestamp(now.minus(rng.random_range(0..20 * DAY))),
        ColumnType::Date => Value::Date(now.days_ago(rng.random_range(0..20_000))),
        ColumnType::IpAddress | ColumnType::IpNetwork => {
            let [_, a, b, c] = rng.random::<u32>().to_be_bytes();
            Value::Text(format!("10.{a}.{b}.{c}"))
        }
        ColumnType::MacAddress => {
            let [a, b, c, d] = rng.random::<u32>().to_be_bytes();
            Value::Text(format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}"))
        }
        ColumnType::Bytes => Value::Bytes(rng.random::<u128>().to_be_bytes().to_vec()),
        ColumnType::Json { .. } => Value::Text(format!("{{\"key\": \"{}\"}}", word(12, rng))),
        ColumnType::Decimal { digits: Some(_) }
        | ColumnType::Float { .. }
        | ColumnType::Boolean
        | ColumnType::Time { .. }
        | ColumnType::Interval
        | ColumnType::Uuid
        | ColumnType::Array(_)
        | ColumnType::Other { .. } => any(of, rng, now),
    }
}

/// Any value of a type.
pub fn plain(of: &ColumnType, draw: &mut Draw) -> Value {
    any(of, &mut draw.rng, draw.now)
}

fn any(of: &ColumnType, rng: &mut ChaCha8Rng, now: Moment) -> Value {
    Value::Text(match of {
        ColumnType::Integer { .. } => rng.random_range(1..100).to_string(),
        ColumnType::Decimal { digits } => number(*digits, rng),
        ColumnType::Float { .. } => number(None, rng),
        ColumnType::Text { longest, .. } => word(longest.unwrap_or(4).min(4), rng),
        ColumnType::Boolean => return Value::Boolean(rng.random_bool(0.5)),
        ColumnType::Uuid => uuid(rng),
        ColumnType::Json { .. } => "{}".to_owned(),
        ColumnType::Timestamp { .. } => return Value::Timestamp(now.minus(rng.random_range(0..DAY))),
        ColumnType::Date => return Value::Date(now.days_ago(rng.random_range(0..20))),
        ColumnType::Time { .. } => {
            let time = Time::new(rng.random_range(0..24), rng.random_range(0..60), 0, 0);
            return Value::Time(time.unwrap_or_default());
        }
        ColumnType::Interval => return Value::Interval(SignedDuration::from_hours(1)),
        ColumnType::Bytes => return Value::Bytes(vec![0x00, 0xff]),
        ColumnType::IpAddress | ColumnType::IpNetwork => "192.0.2.1".to_owned(),
        ColumnType::MacAddress => "08:00:2b:01:02:03".to_owned(),
        ColumnType::Array(element) => return Value::Array(vec![any(element, rng, now)]),
        ColumnType::Other { example: Some(example), .. } => (*example).to_owned(),
        ColumnType::Other { example: None, .. } => word(4, rng),
    })
}

/// A number with two digits after the point, and no more before it than there is room for.
fn number(digits: Option<Digits>, rng: &mut impl Rng) -> String {
    let most = match digits.map(Digits::whole) {
        Some(..=0) => 1,
        Some(1) => 9,
        _ => 50,
    };
    format!("{}.{:02}", rng.random_range(0..most), rng.random_range(1..100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::test_dialect;

    fn draw(seed: u64, second: i64) -> Draw {
        Draw::new(seed, Moment::at(second), test_dialect())
    }

    fn text(make: fn(&ColumnType, &mut Draw) -> Value, sql_type: &str, draw: &mut Draw) -> String {
        let value = make(&test_dialect().column_type(sql_type), draw);
        draw.text(&value)
    }

    #[test]
    fn the_same_seed_gives_the_same_values() {
        let make = |seed| {
            let mut draw = draw(seed, 1_700_000_000);
            let types = [
                "bigint",
                "uuid",
                "text",
                "timestamp with time zone",
                "date",
                "inet",
                "time without time zone",
            ];
            types.map(|t| text(fresh, t, &mut draw))
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
        let another_run = |second| text(fresh, "uuid", &mut draw(7, second));
        assert_ne!(another_run(1_700_000_000), another_run(1_700_000_001));
    }

    #[test]
    fn values_read_as_their_types() {
        let mut draw = draw(1, 1_700_000_000);
        for _ in 0..200 {
            for make in [fresh as fn(&ColumnType, &mut Draw) -> Value, plain] {
                let mut of = |sql_type: &str| text(make, sql_type, &mut draw);
                assert!(of("smallint").parse::<i16>().is_ok());
                assert!(of("integer").parse::<i32>().is_ok());
                assert!(of("bigint").parse::<i64>().is_ok());
                assert!(of("double precision").parse::<f64>().is_ok_and(|f| f > 0.0));
                assert!(of("timestamp with time zone").parse::<Timestamp>().is_ok());
                assert!(of("date").parse::<Date>().is_ok());
                assert!(of("time without time zone").parse::<Time>().is_ok());
                assert!(of("inet").parse::<std::net::IpAddr>().is_ok());
                assert!(serde_json::from_str::<serde_json::Value>(&of("jsonb")).is_ok());
                assert_eq!(of("\"char\"").len(), 1);
                let uuid = of("uuid");
                assert_eq!(
                    (uuid.len(), uuid.as_bytes().get(14), uuid.matches('-').count()),
                    (36, Some(&b'4'), 4)
                );
                assert_eq!(of("character varying(3)").len(), 3);
                let share = of("numeric(2,2)");
                assert!(share.parse::<f64>().is_ok_and(|f| f > 0.0 && f < 1.0), "{share}");
                assert!(of("integer[]").starts_with('{'));
            }
        }
    }
}
