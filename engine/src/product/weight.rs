//! What tables of hazards have in common: how heavy one is by the size of the table that it hurts, and how they are written down.

use crate::model::changeset::Severity;

/// How heavy a hazard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// By the table's size: Danger from 100,000 rows or 256 MiB, Warning from 10,000 rows.
    Size,
    /// By size, but never more than Warning: nobody is held up, it only takes long.
    SizeMild,
    /// Danger as soon as the table has a row (or nobody knows).
    AnyRow,
    /// The same, but Warning: it depends on what is in the rows.
    AnyRowMild,
    Always(Severity),
}

const DANGER_ROWS: u64 = 100_000;
const DANGER_BYTES: u64 = 256 * 1024 * 1024;
const WARNING_ROWS: u64 = 10_000;

impl Weight {
    /// `size`: rows and bytes of the table, where they are known.
    pub fn severity(self, size: Option<(u64, u64)>) -> Severity {
        let by_size = match size {
            Some((rows, bytes)) if rows >= DANGER_ROWS || bytes >= DANGER_BYTES => Severity::Danger,
            Some((rows, _)) if rows >= WARNING_ROWS => Severity::Warning,
            _ => Severity::Note,
        };
        match self {
            Self::Size => by_size,
            Self::SizeMild => by_size.min(Severity::Warning),
            Self::AnyRow | Self::AnyRowMild if size.is_some_and(|s| s.0 == 0) => Severity::Note,
            Self::AnyRowMild => Severity::Warning,
            Self::AnyRow => Severity::Danger,
            Self::Always(severity) => severity,
        }
    }
}

/// A product's table of hazards, of the `Rule` and the `Lock` that it has where this stands.
macro_rules! rules {
    ($($id:ident = $name:literal, $lock:ident, $weight:expr, $says:literal;)*) => {
        $(pub const $id: Rule = Rule { name: $name, lock: Lock::$lock, weight: $weight, says: $says };)*
        /// The whole table.
        pub const ALL: &[Rule] = &[$($id),*];
    };
}
pub(super) use rules;
