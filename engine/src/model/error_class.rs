//! What errors of a database are about. A product maps its own codes to them.

/// What an error of the database is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// A limit was reached or another session was in the way: a lock wait, the time of a statement, a deadlock, a serialisation.
    Busy,
    /// Memory, disk or connections have run out.
    OutOfResources,
    ConnectionLost,
    /// The server takes no queries yet.
    StartingUp,
    PermissionDenied,
    /// The session or the server does not write.
    ReadOnly,
    UniqueViolation,
    ExclusionViolation,
    /// What a row refers to is not there.
    ForeignKeyViolation,
    /// Rows that are there refer to the one that was to go.
    StillReferenced,
    CheckViolation,
    NotNullViolation,
    /// Code in the database, or a changelog's own, says that something is wrong.
    Raised,
    /// Code in the database looked for a row that is not there.
    NoRow,
    /// A value that its type or a function does not take.
    DataException,
    UndefinedColumn,
    /// A relation, routine, type or schema.
    UndefinedObject,
    /// Several columns or routines fit a name, or the type of a parameter cannot be told.
    Ambiguous,
    SyntaxError,
    /// No unique key is on the columns that the query names as such.
    UndefinedUniqueKey,
    /// A row that was to be taken away before the query ran could not be: that is not of the query.
    RowStays,
    Other,
}

impl ErrorClass {
    /// Whether a later try of the same may succeed.
    pub fn may_pass(self) -> bool {
        match self {
            Self::Busy => true,
            Self::OutOfResources
            | Self::ConnectionLost
            | Self::StartingUp
            | Self::PermissionDenied
            | Self::ReadOnly
            | Self::UniqueViolation
            | Self::ExclusionViolation
            | Self::ForeignKeyViolation
            | Self::StillReferenced
            | Self::CheckViolation
            | Self::NotNullViolation
            | Self::DataException
            | Self::UndefinedColumn
            | Self::UndefinedObject
            | Self::Ambiguous
            | Self::SyntaxError
            | Self::UndefinedUniqueKey
            | Self::RowStays
            | Self::Raised
            | Self::NoRow
            | Self::Other => false,
        }
    }

    /// Whether tables without rows may be the reason.
    pub fn may_lack_rows(self) -> bool {
        match self {
            Self::ForeignKeyViolation
            | Self::NotNullViolation
            | Self::CheckViolation
            | Self::ExclusionViolation
            | Self::DataException
            | Self::Raised
            | Self::NoRow => true,
            Self::Busy
            | Self::OutOfResources
            | Self::ConnectionLost
            | Self::StartingUp
            | Self::PermissionDenied
            | Self::ReadOnly
            | Self::UniqueViolation
            | Self::StillReferenced
            | Self::UndefinedColumn
            | Self::UndefinedObject
            | Self::Ambiguous
            | Self::SyntaxError
            | Self::UndefinedUniqueKey
            | Self::RowStays
            | Self::Other => false,
        }
    }
}
