//! Errors of the server as those of a query: what they are about, and the names in them.

use crate::error::Error;
use crate::model::error_class::ErrorClass;
use crate::model::query::QueryError;
use crate::product::oracle::error_codes::{self, unread};
use crate::product::oracle::session::failure::offset;

/// An error of this statement.
pub fn told(sql: &str, error: &Error) -> QueryError {
    let code = error.code.clone().unwrap_or_else(|| "oracle".to_owned());
    let class = error_codes::class(&code);
    let message = innermost(error);
    let mut told = QueryError { code, class, ..unread(&message) };
    match class {
        ErrorClass::ConnectionLost => "connection".clone_into(&mut told.code),
        ErrorClass::UndefinedColumn => {
            let mut parts = quoted(&message);
            told.column = parts.pop();
            told.table = parts.pop();
            if told.column.is_none() {
                told.column = message.split(": ").nth(1).map(str::to_owned).filter(|name| is_name(name));
            }
        }
        ErrorClass::UndefinedObject => {
            // Before 23ai the name is told only by its place.
            let placed = || offset(error).and_then(|at| name_at(sql, usize::try_from(at).ok()?));
            told.table = quoted(&message).pop().map(|name| bare(&name)).or_else(placed);
        }
        ErrorClass::NotNullViolation | ErrorClass::DataException => {
            if let [.., table, column] = quoted(&message).as_slice() {
                told.table = Some(table.clone());
                told.column = Some(column.clone());
            }
        }
        ErrorClass::UniqueViolation
        | ErrorClass::ForeignKeyViolation
        | ErrorClass::StillReferenced
        | ErrorClass::CheckViolation => {
            let inside = message.split_once(" constraint (").and_then(|(_, rest)| rest.split_once(')'));
            told.constraint = inside.map(|(name, _)| bare(name).into_boxed_str());
            let table = message.split_once(" on table ").map(|(_, rest)| rest);
            told.table = table.and_then(|rest| rest.split_whitespace().next()).map(bare);
        }
        _ => {}
    }
    told.message = without_values(&told.message);
    told
}

/// What the server said itself.
fn innermost(error: &Error) -> String {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        message = inner.to_string();
        cause = inner.source();
    }
    message
}

/// From 23ai on, a second line tells the values of the row that was in the way (ORA-03301). They are nobody's business.
fn without_values(message: &str) -> String {
    let kept = message.lines().filter(|line| !line.contains("ORA-03301"));
    kept.collect::<Vec<_>>().join("\n")
}

/// The names in double quotes.
fn quoted(message: &str) -> Vec<String> {
    message.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn bare(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).trim_matches('"').to_owned()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_$#".contains(c))
}

/// The name that stands at a place of a statement, as the dictionary has it.
fn name_at(sql: &str, at: usize) -> Option<String> {
    let rest = sql.get(at..)?.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || "_$#.\"".contains(c))).unwrap_or(rest.len());
    let named = rest.get(..end)?;
    let last = named.rsplit('.').next()?;
    let name = match last.strip_prefix('"') {
        Some(quoted) => quoted.trim_end_matches('"').to_owned(),
        None => last.to_uppercase(),
    };
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_messages() {
        for (code, message, expected) in [
            ("ORA-00904", "ORA-00904: \"T\".\"GONE\": invalid identifier", "T|GONE|"),
            ("ORA-00904", "ORA-00904: \"GONE\": invalid identifier", "|GONE|"),
            ("ORA-00942", "ORA-00942: table or view \"APP\".\"T\" does not exist", "T||"),
            ("ORA-00942", "ORA-00942: table or view does not exist", "||"),
            ("ORA-00001", "ORA-00001: unique constraint (APP.T_PK) violated", "||T_PK"),
            (
                "ORA-00001",
                "ORA-00001: unique constraint (APP.T_PK) violated on table APP.T columns (ID)\nORA-03301: (ORA-00001 details) row \
                 with column values (ID:1) already exists",
                "T||T_PK",
            ),
            (
                "ORA-02291",
                "ORA-02291: integrity constraint (APP.T_F) violated - parent key not found",
                "||T_F",
            ),
            ("ORA-02290", "ORA-02290: check constraint (APP.T_C) violated", "||T_C"),
            ("ORA-01400", "ORA-01400: cannot insert NULL into (\"APP\".\"T\".\"A\")", "T|A|"),
            (
                "ORA-12899",
                "ORA-12899: value too large for column \"APP\".\"T\".\"A\" (actual: 9, maximum: 4)",
                "T|A|",
            ),
            ("ORA-04063", "ORA-04063: view \"APP.V\" has errors", "V||"),
            ("ORA-00933", "ORA-00933: SQL command not properly ended", "||"),
        ] {
            let told = told("select 1 from dual", &Error::failed(message).code(code));
            let text = |name: Option<String>| name.unwrap_or_default();
            let constraint = told.constraint.map(String::from).unwrap_or_default();
            assert_eq!(
                format!("{}|{}|{constraint}", text(told.table), text(told.column)),
                expected,
                "{message}"
            );
            assert!(!told.message.contains("ID:1"), "{}", told.message);
            assert_eq!(told.code, code);
        }
    }

    #[test]
    fn a_name_is_found_at_its_place() {
        for (sql, at, expected) in [
            ("select a from gone", 14, Some("GONE")),
            ("select a from app.\"Gone\" g", 14, Some("Gone")),
            ("select a from app.gone", 14, Some("GONE")),
            ("select a from ", 14, None),
            ("select", 99, None),
        ] {
            assert_eq!(name_at(sql, at).as_deref(), expected, "{sql}");
        }
    }
}
