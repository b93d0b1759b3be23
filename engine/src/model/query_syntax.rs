//! How queries are written for a product, as far as a text has to be cut into strings, comments and parameters.

/// What a product's queries quote, and how their parameters look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuerySyntax {
    /// What stands in front of a parameter's number: `$1`, `:1`, `?1`.
    pub parameter: char,
    /// `$tag$ … $tag$` is a string.
    pub dollar_quotes: bool,
    /// `E'it\'s'` is a string.
    pub escape_strings: bool,
    pub nested_comments: bool,
    /// An `@` behind one of these belongs to an operator.
    pub operators_before_at: &'static [&'static str],
    /// `a[:n]` is a slice of an array.
    pub array_slices: bool,
    /// Names that are not quoted are kept in capitals.
    pub capitals: bool,
    /// `BEGIN … END;` and `DECLARE … END;` are one statement, whatever semicolons there are in it.
    pub code_blocks: bool,
    /// How a parameter that is an array is searched for a value; `None` where there are no arrays.
    pub array_search: Option<ArraySearch>,
}

/// What stands in the place of `IN (` and `NOT IN (` in front of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArraySearch {
    pub any: &'static str,
    pub none: &'static str,
}

impl QuerySyntax {
    /// The parameter with this number.
    pub fn placeholder(&self, number: usize) -> String {
        format!("{}{number}", self.parameter)
    }

    /// A name that people write, with or without its schema, as the catalog has it.
    pub fn catalog_name(&self, written: &str) -> String {
        if !self.capitals {
            return written.to_owned();
        }
        let part = |part: &str| match part.strip_prefix('"').and_then(|p| p.strip_suffix('"')) {
            Some(quoted) => quoted.to_owned(),
            None => part.to_uppercase(),
        };
        written.split('.').map(part).collect::<Vec<_>>().join(".")
    }
}
