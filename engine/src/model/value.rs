//! Values before the product writes them.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};

/// A value of a column or a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// What is its own text form: texts, numbers, labels, and whatever the product has written itself.
    Text(String),
    Boolean(bool),
    Timestamp(Timestamp),
    Date(Date),
    Time(Time),
    Interval(SignedDuration),
    Bytes(Vec<u8>),
    Array(Vec<Value>),
}
