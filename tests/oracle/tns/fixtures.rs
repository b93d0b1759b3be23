//! Answers from JSON: an object whose keys are statements. Space counts as one blank wherever it is. A key that begins with `~` is
//! a regular expression for the whole statement, without regard to case. A value is an answer, or an array of answers: one for
//! each time that the statement comes, the last of them for all times after.
//!
//! ```json
//! { "select id, name from t": { "columns": ["ID NUMBER(10) NOT NULL", "NAME VARCHAR2(30)"], "rows": [[1, "a"], [2, null]] },
//!   "~update t set .*": { "changed": 42 },
//!   "~create or replace procedure .*": { "warning": true },
//!   "drop table t": [ { "error": [54, "ORA-00054: …", 11] }, { "done": true } ],
//!   "begin p(:1, :2); end;": { "out": { "1": ["NUMBER", 5] } },
//!   "~insert into t .* returning id into :1": { "returned": [[["NUMBER", 7]]] },
//!   "~lock table .*": { "after_ms": 200, "done": true },
//!   "select * from gone": { "drop": true } }
//! ```
//!
//! Values are written as JSON, and by the column's type: numbers of many digits and dates as strings, RAW and BLOB as hexadecimal
//! digits. A bind that comes back has its type beside it.

use std::collections::HashMap;
use std::time::Duration;

use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;

use super::answers::{Answers, Outcome};
use super::column::{Column, Kind};
use super::session::Session;
use super::value::Value;

struct Fixture {
    exact: String,
    pattern: Option<Regex>,
    answers: Vec<Outcome>,
}

/// A statement without a fixture gets an error that names the statement. ALTER SESSION needs none.
pub struct Fixtures {
    fixtures: Vec<Fixture>,
    asked: HashMap<usize, usize>,
}

impl Fixtures {
    pub fn parse(json: &str) -> Result<Self, String> {
        let json: Json = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let mut fixtures = Vec::new();
        for (statement, answer) in json.as_object().ok_or("fixtures are an object")? {
            let answers = match answer {
                Json::Array(several) => several.iter().map(outcome).collect::<Result<Vec<_>, _>>(),
                one => outcome(one).map(|one| vec![one]),
            };
            let answers = answers.map_err(|error| format!("{statement}: {error}"))?;
            let pattern = statement
                .strip_prefix('~')
                .map(|pattern| {
                    let whole = format!("^(?:{pattern})$");
                    RegexBuilder::new(&whole).case_insensitive(true).dot_matches_new_line(true).build()
                })
                .transpose()
                .map_err(|error| error.to_string())?;
            fixtures.push(Fixture { exact: one_blank(statement), pattern, answers });
        }
        Ok(Fixtures { fixtures, asked: HashMap::new() })
    }

    fn find(&mut self, sql: &str) -> Option<Outcome> {
        let sql = one_blank(sql);
        let exact = self.fixtures.iter().position(|fixture| fixture.exact == sql);
        let found = exact.or_else(|| {
            let matches = |fixture: &Fixture| fixture.pattern.as_ref().is_some_and(|it| it.is_match(&sql));
            self.fixtures.iter().position(matches)
        })?;
        let answers = &self.fixtures.get(found)?.answers;
        let times = self.asked.entry(found).or_default();
        let answer = answers.get(*times).or(answers.last()).cloned();
        *times += 1;
        answer
    }
}

impl Answers for Fixtures {
    fn execute(&mut self, _: &Session, sql: &str, _: &[Value]) -> Outcome {
        if let Some(outcome) = self.find(sql) {
            return outcome;
        }
        if one_blank(sql).to_uppercase().starts_with("ALTER SESSION ") {
            return Outcome::Done;
        }
        Outcome::error(900, &format!("no fixture for the statement: {}", one_blank(sql)))
    }
}

fn one_blank(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn outcome(json: &Json) -> Result<Outcome, String> {
    let plain = plain_outcome(json)?;
    Ok(match json.get("after_ms").and_then(Json::as_u64) {
        Some(time) => Outcome::After(Duration::from_millis(time), Box::new(plain)),
        None => plain,
    })
}

fn plain_outcome(json: &Json) -> Result<Outcome, String> {
    let says = |key: &str| json.get(key).and_then(Json::as_bool) == Some(true);
    if let Some(columns) = json.get("columns") {
        let columns = texts(columns)?
            .iter()
            .map(|text| Column::parse(text).ok_or_else(|| format!("no column: {text}")))
            .collect::<Result<Vec<_>, _>>()?;
        let rows = array(json.get("rows").unwrap_or(&Json::Array(Vec::new())))?
            .iter()
            .map(|row| {
                let row = array(row)?;
                if row.len() != columns.len() {
                    return Err(format!("a row of {} values", row.len()));
                }
                row.iter().zip(&columns).map(|(json, column)| value(json, column.kind)).collect()
            })
            .collect::<Result<Vec<_>, _>>()?;
        return Ok(Outcome::Rows { columns, rows });
    }
    if let Some(changed) = json.get("changed").and_then(Json::as_u64) {
        return Ok(Outcome::Changed(changed));
    }
    if let Some(error) = json.get("error") {
        let error = array(error)?;
        let number = |at: usize| error.get(at).and_then(Json::as_u64);
        return Ok(Outcome::Error {
            code: number(0).and_then(|code| u32::try_from(code).ok()).ok_or("an error without a code")?,
            message: error.get(1).and_then(Json::as_str).ok_or("an error without a message")?.into(),
            position: number(2).and_then(|at| u16::try_from(at).ok()).unwrap_or_default(),
        });
    }
    if let Some(out) = json.get("out") {
        let out = out.as_object().ok_or("out is an object")?;
        let bind = |(at, json): (&String, &Json)| {
            Ok((at.parse().map_err(|_| format!("no position: {at}"))?, typed(json)?))
        };
        return Ok(Outcome::Out(out.iter().map(bind).collect::<Result<_, String>>()?));
    }
    if let Some(returned) = json.get("returned") {
        let row = |row: &Json| array(row)?.iter().map(typed).collect::<Result<Vec<_>, _>>();
        return Ok(Outcome::Returned(array(returned)?.iter().map(row).collect::<Result<_, _>>()?));
    }
    match () {
        () if says("warning") => Ok(Outcome::CompileWarning),
        () if says("drop") => Ok(Outcome::Drop),
        () if says("done") => Ok(Outcome::Done),
        () => Err(format!("no answer: {json}")),
    }
}

fn array(json: &Json) -> Result<&Vec<Json>, String> {
    json.as_array().ok_or_else(|| format!("no array: {json}"))
}

fn texts(json: &Json) -> Result<Vec<&str>, String> {
    array(json)?.iter().map(|json| json.as_str().ok_or_else(|| format!("no string: {json}"))).collect()
}

/// A type and a value of it.
fn typed(json: &Json) -> Result<Value, String> {
    match array(json)?.as_slice() {
        [of, json] => {
            let of = of.as_str().unwrap_or_default();
            let column = Column::parse(&format!("X {of}")).ok_or_else(|| format!("no type: {of}"))?;
            value(json, column.kind)
        }
        _ => Err(format!("neither type nor value: {json}")),
    }
}

fn value(json: &Json, kind: Kind) -> Result<Value, String> {
    let text = match json {
        Json::Null => return Ok(Value::Null),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let wrong = || format!("{text} is no value of {kind:?}");
    Ok(match kind {
        Kind::Varchar2(_) | Kind::Nvarchar2(_) | Kind::Char(_) | Kind::Long => Value::Text(text),
        Kind::Number(_) => match super::number::encode(&text) {
            Some(_) => Value::Number(text),
            None => return Err(wrong()),
        },
        Kind::BinaryDouble | Kind::BinaryFloat => Value::Double(text.parse().map_err(|_| wrong())?),
        Kind::Date | Kind::Timestamp(_) | Kind::TimestampTz(_) | Kind::TimestampLtz(_) => {
            Value::moment(&text).ok_or_else(wrong)?
        }
        Kind::Raw(_) | Kind::LongRaw => Value::Raw(hexadecimal(&text).ok_or_else(wrong)?),
        Kind::Blob => Value::Blob(hexadecimal(&text).ok_or_else(wrong)?),
        Kind::Clob | Kind::Nclob => Value::Clob(text),
        Kind::Rowid => Value::Rowid(text),
        Kind::Boolean => Value::Boolean(json.as_bool().ok_or_else(wrong)?),
    })
}

pub fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
