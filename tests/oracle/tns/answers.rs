//! What a test decides: how statements are answered. The stand-in itself knows no table and no row.

use std::time::Duration;

use super::column::Column;
use super::session::Session;
use super::value::Value;

/// Answers statements. One object answers all connections of a server, one statement after the other; what takes time is said
/// with [`Outcome::After`], which keeps nobody else waiting.
pub trait Answers: Send {
    /// `binds` are in the order of the statement's placeholders, those that only return something left out. A statement with
    /// many rows of binds is asked about once for each row.
    fn execute(&mut self, session: &Session, sql: &str, binds: &[Value]) -> Outcome;

    /// The client asks for the columns and runs nothing. `rows` of the outcome are not looked at.
    fn describe(&mut self, session: &Session, sql: &str) -> Outcome {
        self.execute(session, sql, &[])
    }

    /// The transaction ends.
    fn ended(&mut self, _session: &Session, _committed: bool) {}
}

impl<F: FnMut(&Session, &str, &[Value]) -> Outcome + Send> Answers for F {
    fn execute(&mut self, session: &Session, sql: &str, binds: &[Value]) -> Outcome {
        self(session, sql, binds)
    }
}

impl Answers for Box<dyn Answers> {
    fn execute(&mut self, session: &Session, sql: &str, binds: &[Value]) -> Outcome {
        (**self).execute(session, sql, binds)
    }

    fn describe(&mut self, session: &Session, sql: &str) -> Outcome {
        (**self).describe(session, sql)
    }

    fn ended(&mut self, session: &Session, committed: bool) {
        (**self).ended(session, committed);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Rows {
        columns: Vec<Column>,
        rows: Vec<Vec<Value>>,
    },
    /// So many rows were inserted, updated, deleted or merged.
    Changed(u64),
    /// The same, with what RETURNING gives: for each row that changed, a value for each bind after INTO.
    Returned(Vec<Vec<Value>>),
    /// A block of PL/SQL ran. What it put into binds, by their position from 0.
    Out(Vec<(usize, Value)>),
    /// A statement that counts nothing ran.
    Done,
    /// PL/SQL was stored and does not compile: the server says so and no more.
    CompileWarning,
    Error {
        code: u32,
        message: String,
        /// Where in the statement, in bytes from 0.
        position: u16,
    },
    /// Nothing is said for so long, then this. A client that breaks in gets ORA-01013.
    After(Duration, Box<Outcome>),
    /// The connection is cut.
    Drop,
}

impl Outcome {
    pub fn error(code: u32, message: &str) -> Self {
        let message = format!("ORA-{code:05}: {message}");
        Outcome::Error { code, message, position: 0 }
    }

    pub fn rows(columns: &[&str], rows: Vec<Vec<Value>>) -> Self {
        let columns = columns
            .iter()
            .map(|text| Column::parse(text).unwrap_or_else(|| panic!("no column: {text}")))
            .collect();
        Outcome::Rows { columns, rows }
    }

    /// Nothing is said for so long.
    pub fn hang(time: Duration) -> Self {
        Outcome::After(time, Box::new(Outcome::Done))
    }
}
