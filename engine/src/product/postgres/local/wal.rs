//! Finds the place in the log that stands for a snapshot.
//!
//! A snapshot and a restore point are taken one after the other, and transactions end in between; worse, a transaction is in
//! the log a moment before others see it. So after both were taken the log itself is read: if every commit before the restore
//! point is in the snapshot, restoring to it gives exactly what the snapshot saw; else the place before the first commit that
//! is not does, as long as no commit that is comes after it.

use std::collections::BTreeSet;

/// A position in the write-ahead log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lsn(pub u64);

impl Lsn {
    /// `16/B374D848`.
    pub fn parse(text: &str) -> Option<Self> {
        let (high, low) = text.trim().split_once('/')?;
        let (high, low) = (u64::from_str_radix(high, 16).ok()?, u64::from_str_radix(low, 16).ok()?);
        Some(Self((high << 32) | low))
    }

    /// The same place for a reader that is to end here: `pg_waldump` trips over an end that lies just behind the header of a
    /// page (24 bytes, 40 at the start of a segment), where nothing begins that lies before it.
    pub fn as_end(self) -> Self {
        const PAGE: u64 = 8192;
        match self.0 % PAGE {
            header @ (24 | 40) => Self(self.0 - header),
            _ => self,
        }
    }
}

impl std::fmt::Display for Lsn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

/// `xmin:xmax:xip,…` (<https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    next: u64,
    running: BTreeSet<u64>,
}

impl Snapshot {
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (_, next, running) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let running =
            running.split(',').filter(|x| !x.is_empty()).map(str::parse).collect::<Result<_, _>>().ok()?;
        Some(Self { next, running })
    }

    /// Whether a committed transaction, as the log names it (32 bits), is seen.
    fn sees(&self, xid: u32) -> bool {
        let mut full = (self.next & !0xFFFF_FFFF) | u64::from(xid);
        // The counter has gone round between the transaction and the snapshot.
        if full > self.next.saturating_add(1 << 31) {
            full = full.saturating_sub(1 << 32);
        }
        full < self.next && !self.running.contains(&full)
    }
}

/// Where to restore to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// At the restore point.
    There,
    /// Just before the record at this place.
    Before(Lsn),
    /// There is no place that equals the snapshot.
    Nowhere,
}

/// `dump`: lines of `pg_waldump --rmgr=Transaction` up to the restore point. `consistent`: where the base backup ends.
pub fn target(dump: &str, snapshot: &Snapshot, consistent: Lsn) -> Target {
    let mut last_seen = None;
    let mut first_unseen = None;
    for (at, xid) in dump.lines().filter_map(commit) {
        if snapshot.sees(xid) {
            last_seen = Some(at);
        } else {
            first_unseen = first_unseen.or(Some(at));
        }
    }
    match (last_seen, first_unseen) {
        (_, None) => Target::There,
        (seen, Some(unseen)) if seen.is_none_or(|s| s < unseen) && unseen > consistent => {
            Target::Before(unseen)
        }
        _ => Target::Nowhere,
    }
}

/// `rmgr: Transaction len (rec/tot): 34/34, tx: 745, lsn: 0/0154A2C8, prev 0/0154A290, desc: COMMIT 2024-…`
fn commit(line: &str) -> Option<(Lsn, u32)> {
    let (head, description) = line.split_once("desc: COMMIT")?;
    let field =
        |name: &str| head.split_once(name).and_then(|(_, rest)| rest.split(',').next()).map(str::trim);
    let at = Lsn::parse(field("lsn: ")?)?;
    let xid = match description.strip_prefix("_PREPARED ") {
        Some(prepared) => prepared.split(':').next()?.trim().parse().ok()?,
        None => field("tx: ")?.parse().ok()?,
    };
    Some((at, xid))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(xid: u32, at: u64) -> String {
        format!(
            "rmgr: Transaction len (rec/tot):     34/    34, tx:  {xid}, lsn: {}, prev 0/0154A290, desc: COMMIT 2024-01-01 00:00:00 UTC",
            Lsn(at)
        )
    }

    #[test]
    fn the_place_that_equals_the_snapshot() {
        let snapshot = Snapshot::parse("100:105:102").unwrap();
        let ends = |order: &[u32]| {
            let dump: Vec<String> = order.iter().zip(10..).map(|(x, at)| line(*x, at)).collect();
            target(&dump.join("\n"), &snapshot, Lsn(5))
        };
        assert_eq!(ends(&[100, 101, 104]), Target::There);
        assert_eq!(ends(&[100, 101, 105, 106]), Target::Before(Lsn(12)));
        assert_eq!(ends(&[100, 102, 107]), Target::Before(Lsn(11)));
        // 105 was written before 104, but 104 was seen first.
        assert_eq!(ends(&[100, 105, 104]), Target::Nowhere);
        assert_eq!(target(&line(105, 4), &snapshot, Lsn(5)), Target::Nowhere);
    }

    #[test]
    fn no_reader_ends_behind_a_header() {
        assert_eq!(Lsn::parse("0/6000028").map(Lsn::as_end), Some(Lsn(0x600_0000)));
        assert_eq!(Lsn::parse("1/6002018").map(|l| l.as_end().to_string()).as_deref(), Some("1/6002000"));
        assert_eq!(Lsn(0x600_0090).as_end(), Lsn(0x600_0090));
    }

    #[test]
    fn the_counter_goes_round() {
        let snapshot = Snapshot::parse("4294967290:4294967300:").unwrap();
        assert!(snapshot.sees(4_294_967_295) && snapshot.sees(3) && !snapshot.sees(4));
    }

    #[test]
    fn prepared_transactions_commit_under_their_own_number() {
        let text = "rmgr: Transaction len (rec/tot): 54/54, tx: 0, lsn: 0/01F0, prev 0/0, desc: COMMIT_PREPARED 733: 2024-01-01";
        assert_eq!(commit(text), Some((Lsn(0x1F0), 733)));
    }
}
