//! Types of columns and parameters, as far as generic code tells them apart. A product maps its own names to them.

/// The type of a column, a parameter or a column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// Signed whole numbers of this many bytes.
    Integer {
        bytes: u32,
    },
    /// Exact numbers; without digits they may have any number of them.
    Decimal {
        digits: Option<Digits>,
    },
    Float {
        bytes: u32,
    },
    Text {
        form: TextForm,
        /// Greatest length in characters.
        longest: Option<u32>,
    },
    Boolean,
    Timestamp {
        zone: bool,
    },
    Date,
    Time {
        zone: bool,
    },
    Interval,
    Uuid,
    Bytes,
    /// `parsed`: stored as a value, not as the text that was given.
    Json {
        parsed: bool,
    },
    IpAddress,
    IpNetwork,
    MacAddress,
    Array(Box<ColumnType>),
    /// Enums, domains, composites, types of extensions, and those of the product that nothing generic is known of.
    Other {
        /// Without length and quotes; with its schema where the product shows one.
        name: String,
        /// A value of the type in its text form, where the product knows one.
        example: Option<&'static str>,
    },
}

/// Digits of a decimal type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    pub precision: u32,
    /// Those after the point; negative where the last ones before it are rounded off.
    pub scale: i32,
}

impl Digits {
    /// Those before the point.
    pub fn whole(self) -> i64 {
        i64::from(self.precision) - i64::from(self.scale)
    }
}

/// How a text type keeps and compares its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// Of any length.
    Unlimited,
    /// Up to a length that the type may have.
    Varying,
    /// Filled up with blanks to the length of the type.
    Padded,
    /// Upper and lower case are equal.
    IgnoresCase,
    /// Names of the product's own catalog.
    Identifier,
    OneByte,
}

/// The greatest signed integer of this many bytes.
pub fn greatest_integer(bytes: u32) -> i128 {
    (1_i128 << (bytes.clamp(1, 15) * 8 - 1)) - 1
}

impl ColumnType {
    /// Whether its values are ordered as numbers.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Self::Integer { .. } | Self::Decimal { .. } | Self::Float { .. })
    }

    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text { .. })
    }

    /// The type of an array's elements.
    pub fn element(&self) -> Option<&ColumnType> {
        match self {
            Self::Array(element) => Some(element),
            _ => None,
        }
    }

    /// The type of what is in an array, however deep; any other type is its own.
    fn innermost(&self) -> &ColumnType {
        self.element().map_or(self, ColumnType::innermost)
    }

    /// The type without its length or precision: those change what fits, not what a client sees.
    #[must_use]
    pub fn without_limits(&self) -> ColumnType {
        match self {
            Self::Decimal { .. } => Self::Decimal { digits: None },
            Self::Text { form, .. } => Self::Text { form: *form, longest: None },
            Self::Array(element) => Self::Array(Box::new(element.without_limits())),
            other => other.clone(),
        }
    }

    /// Whether a client gets the same values from both: a text of any length and one with a limit are the same bytes, and a string
    /// for every driver.
    pub fn reads_as(&self, other: &ColumnType) -> bool {
        fn read(of: &ColumnType) -> ColumnType {
            match of.without_limits() {
                ColumnType::Text { form: TextForm::Varying, longest } => {
                    ColumnType::Text { form: TextForm::Unlimited, longest }
                }
                ColumnType::Array(element) => ColumnType::Array(Box::new(read(&element))),
                other => other,
            }
        }
        read(self) == read(other)
    }

    /// Whether both are the same text type, whatever its length.
    pub fn differs_in_length_only(&self, other: &ColumnType) -> bool {
        self.innermost().is_text() && self.without_limits() == other.without_limits()
    }

    /// Whether values of both are written in the same form.
    pub fn written_as(&self, other: &ColumnType) -> bool {
        use ColumnType::{Array, Decimal, Float, Integer, Other, Text, Time, Timestamp};
        fn unqualified(name: &str) -> &str {
            name.rsplit('.').next().unwrap_or(name)
        }
        match (self, other) {
            (Integer { .. }, Integer { .. })
            | (Decimal { .. } | Float { .. }, Decimal { .. } | Float { .. })
            | (Text { .. }, Text { .. })
            | (Timestamp { .. }, Timestamp { .. })
            | (Time { .. }, Time { .. }) => true,
            (Array(one), Array(two)) => one.written_as(two),
            (Other { name: one, .. }, Other { name: two, .. }) => unqualified(one) == unqualified(two),
            (one, two) => one == two,
        }
    }

    /// Whether new values of this type can be made from nothing; those of a domain cannot.
    pub fn has_new_values(&self) -> bool {
        match self {
            Self::Integer { .. }
            | Self::Decimal { .. }
            | Self::Float { .. }
            | Self::Text { .. }
            | Self::Timestamp { .. }
            | Self::Date
            | Self::Time { .. }
            | Self::Interval
            | Self::Uuid
            | Self::Bytes
            | Self::Json { .. }
            | Self::IpAddress
            | Self::IpNetwork
            | Self::MacAddress => true,
            Self::Boolean | Self::Array(_) | Self::Other { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(form: TextForm, longest: Option<u32>) -> ColumnType {
        ColumnType::Text { form, longest }
    }

    fn array(of: ColumnType) -> ColumnType {
        ColumnType::Array(Box::new(of))
    }

    #[test]
    fn a_client_sees_no_limits() {
        use TextForm::{Padded, Unlimited, Varying};
        let limited = text(Varying, Some(9));
        assert!(limited.reads_as(&text(Unlimited, None)) && !limited.reads_as(&text(Padded, Some(9))));
        assert!(array(limited.clone()).reads_as(&array(text(Unlimited, None))));
        assert!(!array(limited.clone()).reads_as(&limited));
        assert!(limited.differs_in_length_only(&text(Varying, None)));
        assert!(array(limited.clone()).differs_in_length_only(&array(text(Varying, Some(3)))));
        assert!(!limited.differs_in_length_only(&text(Unlimited, None)));
        let decimal = |precision| ColumnType::Decimal { digits: Some(Digits { precision, scale: 2 }) };
        assert!(decimal(9).reads_as(&decimal(5)) && !decimal(9).differs_in_length_only(&decimal(5)));
        assert!(!ColumnType::Integer { bytes: 4 }.reads_as(&ColumnType::Integer { bytes: 8 }));
    }

    #[test]
    fn values_are_written_alike_across_sizes_and_schemas() {
        let other = |name: &str| ColumnType::Other { name: name.to_owned(), example: None };
        assert!(other("app.state").written_as(&other("state")) && !other("state").written_as(&other("kind")));
        let (small, large) = (ColumnType::Integer { bytes: 2 }, ColumnType::Integer { bytes: 8 });
        assert!(small.written_as(&large) && array(small.clone()).written_as(&array(large.clone())));
        assert!(!small.written_as(&ColumnType::Float { bytes: 8 }) && !array(small).written_as(&large));
        assert!(!ColumnType::Json { parsed: true }.written_as(&ColumnType::Json { parsed: false }));
    }

    #[test]
    fn integers_have_a_greatest() {
        assert_eq!([2, 4, 8].map(greatest_integer), [32_767, 2_147_483_647, 9_223_372_036_854_775_807]);
    }
}
