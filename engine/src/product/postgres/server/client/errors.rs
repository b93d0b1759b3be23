//! What the server says of a query that it refuses.

use std::error::Error as StdError;

use tokio_postgres::error::DbError;

use crate::model::error_class::ErrorClass;
use crate::model::query::QueryError;
use crate::model::relation_name;
use crate::product::postgres::server::connect::{self, cause};
use crate::product::postgres::server::error_codes;

/// What the server said, or that it is gone.
pub(in crate::product::postgres) fn query_error(error: tokio_postgres::Error) -> QueryError {
    match error.as_db_error() {
        Some(db) => {
            let code = db.code().code();
            let class = match error_codes::class(code) {
                ErrorClass::ForeignKeyViolation if keeps_row(db.message()) => ErrorClass::StillReferenced,
                class => class,
            };
            let (table, column) = match class {
                ErrorClass::UndefinedColumn => undefined(db.message()),
                _ => (None, None),
            };
            QueryError {
                code: code.to_owned(),
                class,
                message: raised(db).unwrap_or_else(|| db.message().to_owned()),
                column: db.column().map(str::to_owned).or(column),
                table: db.table().map(|table| qualified(db.schema(), table)).or(table),
                constraint: db.constraint().map(Box::from),
            }
        }
        None => {
            let broken = error.is_closed() || is_io(&error);
            let code = if broken { error_codes::CONNECTION } else { error_codes::DRIVER };
            QueryError {
                code: code.to_owned(),
                class: error_codes::class(code),
                message: cause(&error),
                column: None,
                table: None,
                constraint: None,
            }
        }
    }
}

/// Where code of the database raised the error, which may say anything in it: values of rows too. `None`: the server's own error.
fn raised(db: &DbError) -> Option<String> {
    if db.routine() != Some("exec_stmt_raise") {
        return None;
    }
    let place = db.where_().and_then(|text| text.lines().find(|line| line.starts_with("PL/pgSQL function")));
    Some(format!("{} raises an error", place.unwrap_or("code of the database")))
}

/// The error of a query that ran, without values: what it quotes and the query itself does not say.
pub(super) fn without_values(mut error: QueryError, sql: &str) -> QueryError {
    if error.class == ErrorClass::DataException {
        error.message = connect::without_values(&error.message, sql);
    }
    error
}

/// Whether the row that a foreign key points to was to go. Both sides of a key have one code, and no other field tells them apart. The
/// servers that queries are run on are ours and speak English.
fn keeps_row(message: &str) -> bool {
    message.starts_with("update or delete on table")
}

fn qualified(schema: Option<&str>, table: &str) -> String {
    schema.map_or_else(|| table.to_owned(), |schema| relation_name::qualified(schema, table))
}

/// The column that is missing and what the query calls its table: `column "c"`, `column t.c` or `column "c" of relation "t"`.
/// The server has no field for them.
fn undefined(message: &str) -> (Option<String>, Option<String>) {
    let mut words = message.split_whitespace().skip_while(|w| *w != "column").skip(1);
    let Some(said) = words.next().map(|w| w.replace('"', "")) else { return (None, None) };
    let relation = words.skip_while(|w| *w != "relation").nth(1).map(|w| w.replace('"', ""));
    match said.rsplit_once('.') {
        Some((table, column)) => (relation.or(Some(table.to_owned())), Some(column.to_owned())),
        None => (relation, Some(said)),
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut source = StdError::source(error);
    while let Some(inner) = source {
        if inner.is::<std::io::Error>() {
            return true;
        }
        source = inner.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_quotes_is_shown_only_where_the_query_says_it() {
        let told = |class, message: &str| {
            let (code, message) = (String::new(), message.to_owned());
            let error = QueryError { code, class, message, column: None, table: None, constraint: None };
            without_values(error, "select to_date(name, 'YYYY') from t where mood = 'glad'").message
        };
        assert_eq!(
            told(ErrorClass::DataException, "invalid value \"alic\" for \"YYYY\""),
            "invalid value \"…\" for \"YYYY\""
        );
        assert_eq!(
            told(ErrorClass::DataException, "invalid input value for enum mood: \"glad\""),
            "invalid input value for enum mood: \"glad\""
        );
        assert_eq!(
            told(ErrorClass::UndefinedObject, "relation \"alic\" does not exist"),
            "relation \"alic\" does not exist"
        );
    }

    #[test]
    fn the_missing_column_and_its_table_are_read_from_the_message() {
        let cases = [
            ("column \"title\" does not exist", None, Some("title")),
            ("column m.title does not exist", Some("m"), Some("title")),
            ("column \"title\" of relation \"news\" does not exist", Some("news"), Some("title")),
            ("record \"new\" has no field \"title\"", None, None),
        ];
        for (message, table, column) in cases {
            let (found, of) = undefined(message);
            assert_eq!((found.as_deref(), of.as_deref()), (table, column), "{message}");
        }
    }
}
