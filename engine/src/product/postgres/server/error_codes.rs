//! What the server's codes are about (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).

use crate::model::error_class::ErrorClass;

/// The code of an error that no server gave: the connection broke.
pub const CONNECTION: &str = "connection";
/// The code of an error that no server gave: the driver could not read or write a value.
pub const DRIVER: &str = "driver";
/// The server cannot convert a text: `character_not_in_repertoire`.
pub const NOT_IN_REPERTOIRE: &str = "22021";
/// The code of an error that comes of taking a row away first, not of the query.
pub const ROW_STAYS: &str = "row-stays";

pub fn class(code: &str) -> ErrorClass {
    match code {
        // lock_not_available, query_canceled, deadlock_detected, serialization_failure
        "55P03" | "57014" | "40P01" | "40001" => ErrorClass::Busy,
        // admin_shutdown, crash_shutdown, idle_session_timeout, idle_in_transaction_session_timeout
        CONNECTION | "57P01" | "57P02" | "57P05" | "25P03" => ErrorClass::ConnectionLost,
        // cannot_connect_now
        "57P03" => ErrorClass::StartingUp,
        // insufficient_privilege
        "42501" => ErrorClass::PermissionDenied,
        // read_only_sql_transaction
        "25006" => ErrorClass::ReadOnly,
        "23505" => ErrorClass::UniqueViolation,
        "23P01" => ErrorClass::ExclusionViolation,
        "23503" => ErrorClass::ForeignKeyViolation,
        // restrict_violation, which PostgreSQL 18 gives for ON DELETE RESTRICT
        "23001" => ErrorClass::StillReferenced,
        "23514" => ErrorClass::CheckViolation,
        "23502" => ErrorClass::NotNullViolation,
        "42703" => ErrorClass::UndefinedColumn,
        // undefined_table, undefined_function, undefined_object, invalid_schema_name
        "42P01" | "42883" | "42704" | "3F000" => ErrorClass::UndefinedObject,
        // ambiguous_column, ambiguous_function, ambiguous_parameter, indeterminate_datatype
        "42702" | "42725" | "42P08" | "42P18" => ErrorClass::Ambiguous,
        // raise_exception, assert_failure
        "P0001" | "P0004" => ErrorClass::Raised,
        // no_data_found
        "P0002" => ErrorClass::NoRow,
        "42601" => ErrorClass::SyntaxError,
        // invalid_column_reference: of a query that planned before, only what ON CONFLICT names can become one.
        "42P10" => ErrorClass::UndefinedUniqueKey,
        ROW_STAYS => ErrorClass::RowStays,
        _ => match code.get(..2) {
            Some("08") => ErrorClass::ConnectionLost,
            Some("22") => ErrorClass::DataException,
            Some("53") => ErrorClass::OutOfResources,
            _ => ErrorClass::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_class() {
        for (code, expected) in [
            ("55P03", ErrorClass::Busy),
            ("40P01", ErrorClass::Busy),
            ("08006", ErrorClass::ConnectionLost),
            ("57P01", ErrorClass::ConnectionLost),
            ("connection", ErrorClass::ConnectionLost),
            ("22008", ErrorClass::DataException),
            ("53300", ErrorClass::OutOfResources),
            ("23505", ErrorClass::UniqueViolation),
            ("42501", ErrorClass::PermissionDenied),
            ("42P10", ErrorClass::UndefinedUniqueKey),
            ("P0001", ErrorClass::Raised),
            ("P0002", ErrorClass::NoRow),
            ("42P17", ErrorClass::Other),
            ("driver", ErrorClass::Other),
            ("é", ErrorClass::Other),
        ] {
            assert_eq!(class(code), expected, "{code}");
        }
    }
}
