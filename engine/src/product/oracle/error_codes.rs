//! What the server's codes are about (<https://docs.oracle.com/en/error-help/db/>).

use crate::model::error_class::ErrorClass;
use crate::model::query::QueryError;

/// Of what cannot be looked at, so that the server has no code for it.
pub fn unread(message: &str) -> QueryError {
    QueryError {
        code: "unread".to_owned(),
        class: ErrorClass::Other,
        message: message.to_owned(),
        column: None,
        table: None,
        constraint: None,
    }
}

pub fn class(code: &str) -> ErrorClass {
    let number = code.strip_prefix("ORA-").and_then(|digits| digits.parse::<u32>().ok());
    match number {
        // resource busy, deadlock, time limits, cannot serialize, cancelled
        Some(54 | 60 | 4_021 | 8_177 | 30_006 | 1_013 | 2_049 | 14_411) => ErrorClass::Busy,
        // shared pool, PGA, tablespaces, undo, processes, sessions
        Some(
            4_031 | 4_030 | 4_036 | 1_652..=1_655 | 1_658 | 1_659 | 1_688 | 1_691 | 30_036 | 1_555 | 20 | 18,
        ) => ErrorClass::OutOfResources,
        Some(
            3_113 | 3_114 | 3_135 | 12_170 | 12_537 | 12_541 | 12_547 | 12_570 | 12_571 | 28 | 1_012 | 2_396
            | 2_399,
        ) => ErrorClass::ConnectionLost,
        Some(1_033 | 1_034 | 1_089 | 1_090 | 1_109 | 12_528 | 12_514 | 12_526) => ErrorClass::StartingUp,
        Some(1_031 | 1_017 | 28_000 | 28_001 | 1_045 | 41_900) => ErrorClass::PermissionDenied,
        Some(16_000 | 12_081 | 1_456) => ErrorClass::ReadOnly,
        Some(1) => ErrorClass::UniqueViolation,
        Some(2_291) => ErrorClass::ForeignKeyViolation,
        Some(2_292 | 2_266 | 2_449) => ErrorClass::StillReferenced,
        Some(2_290 | 2_293 | 1_402 | 2_298) => ErrorClass::CheckViolation,
        Some(1_400 | 1_407 | 1_451 | 2_296 | 1_758) => ErrorClass::NotNullViolation,
        Some(20_000..=20_999) => ErrorClass::Raised,
        Some(1_403 | 100) => ErrorClass::NoRow,
        // numbers, dates, lengths, division, characters, JSON
        Some(
            1_438
            | 1_426
            | 1_476
            | 1_722
            | 1_858
            | 1_861
            | 1_830..=1_865
            | 12_899
            | 1_461
            | 6_502
            | 1_465
            | 1_489
            | 1_427
            | 1_422
            | 932
            | 40_441
            | 40_474
            | 40_478
            | 12_728,
        ) => ErrorClass::DataException,
        Some(904) => ErrorClass::UndefinedColumn,
        Some(
            942 | 4_043 | 2_289 | 4_063 | 4_098 | 6_575 | 6_550 | 4_061 | 4_068 | 2_443 | 1_418 | 2_430 | 980,
        ) => ErrorClass::UndefinedObject,
        Some(918) => ErrorClass::Ambiguous,
        Some(900 | 903 | 905 | 906 | 907 | 911 | 917 | 920 | 921 | 922 | 923 | 933 | 936 | 947 | 913) => {
            ErrorClass::SyntaxError
        }
        _ => match code {
            "connection" => ErrorClass::ConnectionLost,
            "time limit" => ErrorClass::Busy,
            _ => ErrorClass::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_class() {
        let cases = [
            ("ORA-00054", ErrorClass::Busy),
            ("ORA-00001", ErrorClass::UniqueViolation),
            ("ORA-02291", ErrorClass::ForeignKeyViolation),
            ("ORA-01400", ErrorClass::NotNullViolation),
            ("ORA-20001", ErrorClass::Raised),
            ("ORA-00904", ErrorClass::UndefinedColumn),
            ("ORA-00942", ErrorClass::UndefinedObject),
            ("ORA-12899", ErrorClass::DataException),
            ("ORA-03113", ErrorClass::ConnectionLost),
            ("ORA-16000", ErrorClass::ReadOnly),
            ("connection", ErrorClass::ConnectionLost),
            ("ORA-99999", ErrorClass::Other),
            ("", ErrorClass::Other),
        ];
        for (code, expected) in cases {
            assert_eq!(class(code), expected, "{code}");
        }
    }
}
