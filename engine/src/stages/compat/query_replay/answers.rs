//! Answers before and after a change, and what they show together.

use crate::model::error_class::ErrorClass;
use crate::model::query::{Answer, QueryError};
use crate::stages::compat::query_replay::values::Asked;

/// What running it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It does not work with any values that we have.
    Untried,
    /// As before, each time.
    Same { times: usize },
    /// It worked and does not any more.
    Fails { error: QueryError, with: With },
    /// It answers otherwise.
    Differs { what: String },
    /// The same rows come in another order, though it asks for one: rows that are equal in it may.
    Reordered,
}

/// Which values show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum With {
    /// Those that a row of production has: a service may well send them again.
    Production,
    /// Whatever it is given.
    Anything,
    /// Only such as no row of production has, or that depend on other rows.
    MadeUp(String),
}

/// What a query may fail for that worked before a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Nothing but the change can be the reason.
    Change,
    /// Other rows or sessions.
    Others,
    /// The value that was given.
    Value,
    /// The rights of whoever asks.
    Rights,
    /// What was done before the query ran.
    Preparation,
}

impl Cause {
    pub fn of(class: ErrorClass) -> Self {
        match class {
            ErrorClass::UniqueViolation
            | ErrorClass::ExclusionViolation
            | ErrorClass::ForeignKeyViolation
            | ErrorClass::Busy
            | ErrorClass::OutOfResources => Self::Others,
            ErrorClass::DataException => Self::Value,
            ErrorClass::PermissionDenied => Self::Rights,
            ErrorClass::RowStays => Self::Preparation,
            // Production has the rows that refer to it as well.
            ErrorClass::StillReferenced
            | ErrorClass::ConnectionLost
            | ErrorClass::StartingUp
            | ErrorClass::ReadOnly
            | ErrorClass::CheckViolation
            | ErrorClass::NotNullViolation
            | ErrorClass::UndefinedColumn
            | ErrorClass::UndefinedObject
            | ErrorClass::Ambiguous
            | ErrorClass::SyntaxError
            | ErrorClass::UndefinedUniqueKey
            | ErrorClass::Raised
            | ErrorClass::NoRow
            | ErrorClass::Other => Self::Change,
        }
    }
}

/// How an answer is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    Rows(String),
    Order,
}

/// A set that works no more.
pub struct Failure {
    pub error: QueryError,
    /// What was made up about it.
    pub made_up: Option<String>,
    /// It may be for the values or for other rows, whatever the change.
    pub doubtful: bool,
}

/// How the sets did that worked before.
#[derive(Default)]
pub struct Seen {
    pub fails: Vec<Failure>,
    /// What is another about the answer.
    pub answers: Vec<(Option<Difference>, Option<String>)>,
    /// Answers that were not empty, to values that production holds.
    pub said: usize,
}

impl Seen {
    pub fn outcome(self) -> Outcome {
        if let Some(failure) = self.fails.iter().find(|f| f.made_up.is_none()) {
            return Outcome::Fails { error: failure.error.clone(), with: With::Production };
        }
        let any = self.fails.first().filter(|_| self.answers.is_empty());
        if let Some(failure) = any.filter(|_| self.fails.iter().all(|f| !f.doubtful)) {
            return Outcome::Fails { error: failure.error.clone(), with: With::Anything };
        }
        // An answer that is another for all values is so for those of production.
        let all = self.answers.iter().all(|(what, _)| what.is_some());
        let told = self.answers.iter().filter(|(_, made_up)| made_up.is_none() || all);
        let told: Vec<&Difference> = told.filter_map(|(what, _)| what.as_ref()).collect();
        if let Some(Difference::Rows(what)) = told.iter().find(|d| ***d != Difference::Order) {
            return Outcome::Differs { what: what.clone() };
        }
        if !told.is_empty() {
            return Outcome::Reordered;
        }
        if let Some(Failure { error, made_up, .. }) = self.fails.into_iter().next() {
            return Outcome::Fails { error, with: With::MadeUp(made_up.unwrap_or_default()) };
        }
        match self.answers.len() {
            0 => Outcome::Untried,
            // An answer without rows shows nothing.
            _ => Outcome::Same { times: self.said },
        }
    }
}

/// `1.50` and `1.5` are the same number.
fn plain(rows: &[Vec<Option<String>>]) -> Vec<Vec<Option<String>>> {
    let number = |text: &String| {
        let decimal = text.contains('.') && text.parse::<f64>().is_ok();
        if decimal { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.clone() }
    };
    rows.iter().map(|row| row.iter().map(|cell| cell.as_ref().map(number)).collect()).collect()
}

/// What is another about an answer, in names only.
pub fn differs(asked: &Asked<'_>, before: &Answer, after: &Answer) -> Option<Difference> {
    if before == after {
        return None;
    }
    if before.count != after.count {
        return Some(Difference::Rows(format!("{} rows instead of {}", after.count, before.count)));
    }
    let widths = |answer: &Answer| answer.rows.first().map(Vec::len);
    if widths(before) != widths(after) {
        // Other columns are told as such.
        return None;
    }
    let (mut was, mut is) = (plain(&before.rows), plain(&after.rows));
    if was == is {
        return None;
    }
    was.sort();
    is.sort();
    if was == is {
        return asked.ordered.then_some(Difference::Order);
    }
    let columns = &asked.shape.columns;
    let column = was.iter().zip(&is).find_map(|(a, b)| a.iter().zip(b).position(|(a, b)| a != b));
    let whole = widths(before) == Some(columns.len());
    let name = column.filter(|_| whole).and_then(|n| columns.get(n)).map(|(name, _)| name.as_str());
    let said = name.map_or_else(|| "other values".to_owned(), |name| format!("other values of {name}"));
    Some(Difference::Rows(said))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::query::QueryShape;
    use crate::product::test_dialect;

    fn error(code: &str) -> QueryError {
        let message = "no".to_owned();
        let (code, class) = (code.to_owned(), ErrorClass::Other);
        QueryError { code, class, message, column: None, table: None, constraint: None }
    }

    #[test]
    fn what_production_holds_goes_before_what_is_made_up() {
        let invented = || Some("an edge".to_owned());
        let rows = || Some(Difference::Rows("2 rows instead of 1".to_owned()));
        let fails = |with| Outcome::Fails { error: error("23514"), with };
        let differs = Outcome::Differs { what: "2 rows instead of 1".to_owned() };
        let cases = [
            (vec![], vec![], Outcome::Untried),
            (vec![], vec![(None, None), (None, invented())], Outcome::Same { times: 1 }),
            (vec![("23514", None)], vec![(None, None)], fails(With::Production)),
            (vec![("23514", invented())], vec![(None, None)], fails(With::MadeUp("an edge".to_owned()))),
            (vec![("23514", invented())], vec![], fails(With::Anything)),
            (vec![], vec![(rows(), None), (None, None)], differs.clone()),
            (vec![], vec![(rows(), invented()), (None, None)], Outcome::Same { times: 1 }),
            (vec![], vec![(rows(), invented())], differs),
            (vec![], vec![(Some(Difference::Order), None)], Outcome::Reordered),
        ];
        for (fails, answers, expected) in cases {
            let failure = |(code, made_up)| Failure { error: error(code), made_up, doubtful: false };
            let fails = fails.into_iter().map(failure).collect();
            let seen = Seen { fails, answers, said: 1 };
            assert_eq!(seen.outcome(), expected);
        }
        // Which rows are there is not the change's doing.
        let failure = Failure { error: error("23505"), made_up: invented(), doubtful: true };
        let duplicate = Seen { fails: vec![failure], ..Seen::default() };
        assert_eq!(
            duplicate.outcome(),
            Outcome::Fails { error: error("23505"), with: With::MadeUp("an edge".to_owned()) }
        );
    }

    #[test]
    fn answers_are_the_same_when_nobody_could_tell() {
        let shape = QueryShape {
            parameters: Vec::new(),
            columns: vec![
                ("id".to_owned(), "integer".to_owned()),
                ("price".to_owned(), "numeric".to_owned()),
            ],
        };
        let answer = |rows: &[(&str, &str)]| Answer {
            rows: rows.iter().map(|(a, b)| vec![Some((*a).to_owned()), Some((*b).to_owned())]).collect(),
            count: u64::try_from(rows.len()).unwrap(),
        };
        let before = answer(&[("1", "1.50"), ("2", "3")]);
        let told = |text: &str| Some(Difference::Rows(text.to_owned()));
        for (sql, after, expected) in [
            ("select", answer(&[("1", "1.50"), ("2", "3")]), None),
            ("select", answer(&[("1", "1.5"), ("2", "3.00")]), None),
            ("select", answer(&[("2", "3"), ("1", "1.5")]), None),
            ("select … ORDER BY id", answer(&[("2", "3"), ("1", "1.5")]), Some(Difference::Order)),
            ("select", answer(&[("1", "1.5")]), told("1 rows instead of 2")),
            ("select", answer(&[("1", "1.5"), ("2", "4")]), told("other values of price")),
        ] {
            let (shape, dialect, ordered) = (&shape, &test_dialect(), sql.contains("ORDER BY"));
            let asked = Asked {
                sql,
                shape,
                roles: &[],
                writes: &[],
                changed: &[],
                ordered,
                run_only: false,
                dialect,
            };
            assert_eq!(differs(&asked, &before, &after), expected, "{after:?}");
        }
    }
}
