//! The views of a dictionary, as far as Drydock's named queries (`/* drydock NAME */`) ask them. They are answered from a dictionary in a file,
//! as the engine writes it. No query is looked at beyond its name: that it asks for what it should is not proven here.

mod objects;
mod rows;
mod tables;

use std::sync::{Arc, Mutex, MutexGuard};

use regex::Regex;
use serde_json::Value as Json;

use super::answers::{Answers, Outcome};
use super::session::Session;
use super::value::Value;
use rows::{Rows, all, if_so, list, pair, text};
use tables::{columns, constraint_columns, constraints};

/// A dictionary that a test may change while the server runs.
#[derive(Clone)]
pub struct SharedDictionary(Arc<Mutex<Json>>);

impl SharedDictionary {
    /// # Panics
    /// When it is no dictionary.
    pub fn parse(json: &str) -> Self {
        SharedDictionary(Arc::new(Mutex::new(serde_json::from_str(json).expect("a dictionary"))))
    }

    /// Puts another one in its place.
    ///
    /// # Panics
    /// When it is no dictionary.
    pub fn set(&self, json: &str) {
        *self.locked() = serde_json::from_str(json).expect("a dictionary");
    }

    fn locked(&self) -> MutexGuard<'_, Json> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

pub struct DictionaryViews<A> {
    dictionary: SharedDictionary,
    others: A,
}

impl<A: Answers> DictionaryViews<A> {
    pub fn before(dictionary: SharedDictionary, others: A) -> Self {
        DictionaryViews { dictionary, others }
    }
}

impl<A: Answers> Answers for DictionaryViews<A> {
    fn execute(&mut self, session: &Session, sql: &str, binds: &[Value]) -> Outcome {
        let named = sql.strip_prefix("/* drydock ").and_then(|rest| rest.split_once(" */"));
        let answer = named.and_then(|(name, _)| answer(name, session, &self.dictionary.locked()));
        answer.unwrap_or_else(|| match sql {
            "SET TRANSACTION READ ONLY" => Outcome::Done,
            _ => self.others.execute(session, sql, binds),
        })
    }

    fn ended(&mut self, session: &Session, committed: bool) {
        self.others.ended(session, committed);
    }
}
/// The query of a view, which the server keeps without what is before it.
fn query(text: &str) -> String {
    let made = Regex::new(r"(?is)^create\b.*?\bas\s+((?:select|with|\().*)$").expect("a pattern");
    made.captures(text).map_or_else(|| text.to_owned(), |found| found[1].to_owned())
}

#[allow(clippy::too_many_lines, reason = "one arm for each query")]
fn answer(name: &str, session: &Session, dictionary: &Json) -> Option<Outcome> {
    let mut rows;
    match name {
        "environment" => {
            rows = Rows::of("CURRENT_SCHEMA LENGTH_SEMANTICS");
            let semantics = if_so(&dictionary["lengths_in_characters"], "CHAR", "BYTE");
            rows.add(vec![session.current_schema.as_str().into(), semantics]);
        }
        "server" => {
            rows = Rows::of("SESSION_USER DATABASE_ROLE CHARACTER_SET #ADMINISTRATOR #SEES_SESSIONS #BYTES");
            let (user, zero) = (session.user.as_str().into(), Value::number(0));
            rows.add(vec![
                user,
                "PRIMARY".into(),
                "AL32UTF8".into(),
                zero.clone(),
                zero,
                Value::number(8_192),
            ]);
        }
        // Nobody has been granted it.
        "open" => return Some(Outcome::error(942, "table or view does not exist")),
        "histories" => rows = Rows::of("OWNER TABLE_NAME #DEPLOYMENTS"),
        "tables" => {
            rows = Rows::of(
                "OWNER TABLE_NAME #NUM_ROWS #AVG_ROW_LEN PARTITIONED TEMPORARY IOT_TYPE EXTERNAL READ_ONLY COMMENTS",
            );
            for (owner, name, table) in all(dictionary, "tables") {
                let (count, bytes) =
                    (table["rows"].as_u64().unwrap_or(0), table["bytes"].as_u64().unwrap_or(0));
                rows.add(vec![
                    owner.into(),
                    name.into(),
                    Value::number(count),
                    Value::number(bytes.checked_div(count).unwrap_or(0)),
                    if_so(&table["partitioned"], "YES", "NO"),
                    if_so(&table["temporary"], "Y", "N"),
                    (table["index_organized"] == true).then_some("IOT").into(),
                    if_so(&table["external"], "YES", "NO"),
                    if_so(&table["read_only"], "YES", "NO"),
                    text(&table["comment"]),
                ]);
            }
        }
        "views" => {
            rows = Rows::of("OWNER VIEW_NAME READ_ONLY EDITIONING_VIEW ~TEXT");
            for (owner, name, view) in
                all(dictionary, "views").filter(|(.., view)| view["materialized"] != true)
            {
                rows.add(vec![
                    owner.into(),
                    name.into(),
                    if_so(&view["read_only"], "Y", "N"),
                    if_so(&view["editioning"], "Y", "N"),
                    query(view["text"].as_str()?).as_str().into(),
                ]);
            }
        }
        "materialized views" => {
            rows = Rows::of("OWNER MVIEW_NAME ~QUERY");
            for (owner, name, view) in
                all(dictionary, "views").filter(|(.., view)| view["materialized"] == true)
            {
                rows.add(vec![owner.into(), name.into(), query(view["text"].as_str()?).as_str().into()]);
            }
        }
        "columns" => rows = columns(dictionary),
        "column defaults" => {
            rows = Rows::of("OWNER TABLE_NAME COLUMN_NAME ~DATA_DEFAULT");
            for (owner, name, table) in all(dictionary, "tables") {
                for column in list(&table["columns"]) {
                    let own = match column["identity"].as_str() {
                        Some(_) => Value::from("\"APP\".\"ISEQ$$_1\".nextval"),
                        None => text(&column["default"]),
                    };
                    if own != Value::Null {
                        rows.add(vec![owner.into(), name.into(), text(&column["name"]), own]);
                    }
                }
            }
        }
        "constraints" => rows = constraints(dictionary),
        "constraint columns" => rows = constraint_columns(dictionary),
        "log groups" => {
            rows = Rows::of("OWNER TABLE_NAME");
            for (owner, name, _) in
                all(dictionary, "tables").filter(|(.., t)| t["supplemental_logging"] == true)
            {
                rows.add(vec![owner.into(), name.into()]);
            }
        }
        "indexes" => {
            rows = Rows::of(
                "OWNER INDEX_NAME TABLE_OWNER TABLE_NAME INDEX_TYPE UNIQUENESS VISIBILITY STATUS LOCALITY",
            );
            for (owner, name, index) in all(dictionary, "indexes") {
                let (table_owner, table) = pair(index["table"].as_str()?);
                rows.add(vec![
                    owner.into(),
                    name.into(),
                    table_owner,
                    table,
                    if_so(&index["bitmap"], "BITMAP", "NORMAL"),
                    if_so(&index["unique"], "UNIQUE", "NONUNIQUE"),
                    if_so(&index["invisible"], "INVISIBLE", "VISIBLE"),
                    if_so(&index["unusable"], "UNUSABLE", "VALID"),
                    (index["local"] == true).then_some("LOCAL").into(),
                ]);
            }
        }
        "index columns" => {
            rows = Rows::of("INDEX_OWNER INDEX_NAME COLUMN_NAME #COLUMN_POSITION");
            for (owner, name, index) in all(dictionary, "indexes") {
                for (at, column) in (1..).zip(list(&index["columns"])) {
                    let own = if is_expression(column) {
                        format!("SYS_NC{at:05}$").as_str().into()
                    } else {
                        text(column)
                    };
                    rows.add(vec![owner.into(), name.into(), own, Value::number(at)]);
                }
            }
        }
        "index expressions" => {
            rows = Rows::of("INDEX_OWNER INDEX_NAME #COLUMN_POSITION ~COLUMN_EXPRESSION");
            for (owner, name, index) in all(dictionary, "indexes") {
                for (at, column) in
                    (1..).zip(list(&index["columns"])).filter(|(_, column)| is_expression(column))
                {
                    rows.add(vec![owner.into(), name.into(), Value::number(at), text(column)]);
                }
            }
        }
        _ => return objects::answer(name, dictionary),
    }
    rows.done()
}

fn is_expression(column: &Json) -> bool {
    column.as_str().is_some_and(|text| text.contains(|c: char| !(c.is_alphanumeric() || "_$#".contains(c))))
}
