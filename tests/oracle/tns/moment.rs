//! DATE and the timestamps: seven bytes to the second, four more for nanoseconds, two more for the offset, which moves the rest to
//! UTC. (Crate `oracledb`, `ora_type/timestamp.rs`; python-oracledb, `decoders.pyx`, `decode_date`.)

use std::fmt;

/// A moment as its session sees it. The offset is in minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    pub year: i32,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub nanos: u32,
    pub offset: Option<i32>,
}

/// How much of it a type keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    Seconds,
    Nanos,
    WithOffset,
}

impl Moment {
    /// `2026-11-25`, `2026-11-25 10:20:30`, `2026-11-25T10:20:30.123456789+02:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, time) = match text.split_once([' ', 'T']) {
            Some((date, time)) => (date, time.trim()),
            None => (text, ""),
        };
        let mut moment = Moment::default();
        let mut parts = date.splitn(3, '-');
        moment.year = parts.next()?.parse().ok()?;
        moment.month = parts.next()?.parse().ok()?;
        moment.day = parts.next()?.parse().ok()?;
        let (clock, offset) = match time.find(['Z', '+', '-']) {
            Some(at) => (time.get(..at)?.trim(), time.get(at..)?),
            None => (time, ""),
        };
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let mut parts = clock.split(':').map(|part| part.parse::<u8>().unwrap_or_default());
        moment.hour = parts.next().unwrap_or_default();
        moment.minute = parts.next().unwrap_or_default();
        moment.second = parts.next().unwrap_or_default();
        if !fraction.is_empty() {
            moment.nanos = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        }
        moment.offset = match offset {
            "" => None,
            "Z" => Some(0),
            _ => {
                let (hours, minutes) = offset.get(1..)?.split_once(':')?;
                let minutes = hours.parse::<i32>().ok()? * 60 + minutes.parse::<i32>().ok()?;
                Some(if offset.starts_with('-') { -minutes } else { minutes })
            }
        };
        Some(moment)
    }

    pub fn encode(&self, precision: Precision) -> Vec<u8> {
        let offset = self.offset.unwrap_or(0);
        let at = if precision == Precision::WithOffset { self.moved(-offset) } else { *self };
        let mut bytes = vec![
            (at.year / 100 + 100) as u8,
            (at.year % 100 + 100) as u8,
            at.month,
            at.day,
            at.hour + 1,
            at.minute + 1,
            at.second + 1,
        ];
        if precision != Precision::Seconds {
            bytes.extend(at.nanos.to_be_bytes());
        }
        if precision == Precision::WithOffset {
            bytes.extend([(offset / 60 + 20) as u8, (offset % 60 + 60) as u8]);
        }
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let &[century, year, month, day, hour, minute, second, ref rest @ ..] = bytes else { return None };
        let mut moment = Moment {
            year: (i32::from(century) - 100) * 100 + i32::from(year) - 100,
            month,
            day,
            hour: hour.checked_sub(1)?,
            minute: minute.checked_sub(1)?,
            second: second.checked_sub(1)?,
            nanos: 0,
            offset: None,
        };
        let (nanos, zone) = match rest {
            &[a, b, c, d, ref zone @ ..] => (u32::from_be_bytes([a, b, c, d]), zone),
            _ => (0, &[][..]),
        };
        moment.nanos = nanos;
        if let &[hours, minutes] = zone {
            let offset = (i32::from(hours) - 20) * 60 + i32::from(minutes) - 60;
            moment = moment.moved(offset);
            moment.offset = Some(offset);
        }
        Some(moment)
    }

    /// The same moment with the clock put forward. Days are counted as in Howard Hinnant's `days_from_civil`.
    fn moved(&self, minutes: i32) -> Self {
        let shifted_year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year - era * 400;
        let month = (i32::from(self.month) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i32::from(self.day) - 1;
        let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let clock = i32::from(self.hour) * 60 + i32::from(self.minute) + minutes;
        let (days, clock) = (days + clock.div_euclid(1440), clock.rem_euclid(1440));
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Moment {
            year: year_of_era + era * 400 + i32::from(month <= 2),
            month: month as u8,
            day: (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u8,
            hour: (clock / 60) as u8,
            minute: (clock % 60) as u8,
            ..*self
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Moment { year, month, day, hour, minute, second, nanos, offset } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
        if *nanos > 0 {
            write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))?;
        }
        match offset {
            Some(offset) => {
                let sign = if *offset < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, Precision};

    #[test]
    fn moments_come_back() {
        for (text, precision) in [
            ("2026-11-25 10:20:30", Precision::Seconds),
            ("0099-01-01 00:00:00", Precision::Seconds),
            ("2026-11-25 10:20:30.000001", Precision::Nanos),
            ("2024-02-29 23:30:00.5-01:30", Precision::WithOffset),
            ("2027-01-01 00:15:00+05:45", Precision::WithOffset),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(Moment::decode(&moment.encode(precision)), Some(moment));
            assert_eq!(moment.to_string(), text);
        }
    }

    /// 15 minutes past midnight in Kathmandu is the evening of the year before in Greenwich.
    #[test]
    fn an_offset_moves_the_wire_to_utc() {
        let moment = Moment::parse("2027-01-01 00:15:00+05:45").unwrap();
        assert_eq!(moment.encode(Precision::WithOffset).get(..7), Some(&[120, 126, 12, 31, 19, 31, 1][..]));
    }
}
