//! Values that statements take.

use serde::{Deserialize, Serialize};

/// A value in Oracle's form of its type, as the session is set (`NLS_DATE_FORMAT` and its like). `None` is NULL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    #[serde(rename = "type")]
    pub bind_type: BindType,
    pub value: Option<String>,
}

impl Bind {
    pub fn new(bind_type: BindType, value: impl Into<String>) -> Self {
        Self { bind_type, value: Some(value.into()) }
    }
    pub fn text(value: impl Into<String>) -> Self {
        Self::new(BindType::Text, value)
    }
    pub fn null(bind_type: BindType) -> Self {
        Self { bind_type, value: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindType {
    Text,
    /// Decimal digits without an exponent, up to 40 of them.
    Number,
    /// For BINARY_DOUBLE.
    Double,
    /// `YYYY-MM-DD HH24:MI:SS`. It is sent as text and converted by the server: the driver has no DATE, and a TIMESTAMP compared with a column
    /// of DATE keeps its index from being used.
    Date,
    /// The same with up to nine digits of a second.
    Timestamp,
    /// The same with an offset, as `+02:00`. It is sent as text.
    TimestampTz,
    /// Hexadecimal digits.
    Raw,
    Boolean,
    Clob,
    /// Hexadecimal digits.
    Blob,
}
