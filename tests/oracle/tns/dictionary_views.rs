//! The views of a dictionary, as far as Drydock's named queries (`/* drydock NAME */`) ask them. They are answered from a dictionary in a file,
//! as the engine writes it. No query is looked at beyond its name: that it asks for what it should is not proven here.

use std::sync::{Arc, Mutex, MutexGuard};

use regex::Regex;
use serde_json::Value as Json;

use super::answers::{Answers, Outcome};
use super::column::{Column, Kind};
use super::session::Session;
use super::value::Value;

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

/// Rows under the names of their columns; `#` before a name is a number, `~` a LONG.
struct Rows {
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    fn of(names: &str) -> Self {
        let column = |written: &str| {
            let (name, kind) = match (written.strip_prefix('#'), written.strip_prefix('~')) {
                (Some(name), _) => (name, Kind::Number(None)),
                (_, Some(name)) => (name, Kind::Long),
                _ => (written, Kind::Varchar2(4000)),
            };
            Column { name: name.to_owned(), kind, nullable: true }
        };
        Rows { columns: names.split_whitespace().map(column).collect(), rows: Vec::new() }
    }

    fn add(&mut self, values: Vec<Value>) {
        assert_eq!(values.len(), self.columns.len(), "{values:?}");
        self.rows.push(values);
    }

    fn done(self) -> Option<Outcome> {
        Some(Outcome::Rows { columns: self.columns, rows: self.rows })
    }
}

fn text(json: &Json) -> Value {
    json.as_str().map_or(Value::Null, Value::from)
}

fn number(json: &Json) -> Value {
    json.as_u64().map_or(Value::Null, Value::number)
}

fn if_so(json: &Json, yes: &str, no: &str) -> Value {
    if json.as_bool() == Some(true) { yes } else { no }.into()
}

/// The objects of one kind: schema, name, and what they are.
fn all<'j>(dictionary: &'j Json, kind: &str) -> impl Iterator<Item = (&'j str, &'j str, &'j Json)> {
    let objects = dictionary[kind].as_object().into_iter().flatten();
    objects.filter_map(|(name, object)| name.split_once('.').map(|(schema, bare)| (schema, bare, object)))
}

fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

fn pair(name: &str) -> (Value, Value) {
    let (schema, bare) = name.split_once('.').unwrap_or(("", name));
    (schema.into(), bare.into())
}

fn without(pattern: &str, text: &str) -> String {
    Regex::new(pattern).expect("a pattern").replace(text, "").into_owned()
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
        "sequences" => {
            rows = Rows::of(
                "SEQUENCE_OWNER SEQUENCE_NAME #MIN_VALUE #MAX_VALUE #INCREMENT_BY CYCLE_FLAG ORDER_FLAG #CACHE_SIZE",
            );
            for (owner, name, sequence) in all(dictionary, "sequences") {
                let down = sequence["increment"].as_str()?.starts_with('-');
                let usual = if down {
                    ("-".to_owned() + &"9".repeat(27), "-1".to_owned())
                } else {
                    ("1".to_owned(), "9".repeat(28))
                };
                let or = |value: &Json, usual: &str| Value::number(value.as_str().unwrap_or(usual));
                rows.add(vec![
                    owner.into(),
                    name.into(),
                    or(&sequence["minimum"], &usual.0),
                    or(&sequence["maximum"], &usual.1),
                    or(&sequence["increment"], "1"),
                    if_so(&sequence["cycle"], "Y", "N"),
                    if_so(&sequence["ordered"], "Y", "N"),
                    or(&sequence["cache"], "0"),
                ]);
            }
        }
        "synonyms" => {
            rows = Rows::of("OWNER SYNONYM_NAME TABLE_OWNER TABLE_NAME");
            for (owner, name, target) in all(dictionary, "synonyms") {
                let (schema, table) = pair(target.as_str()?);
                rows.add(vec![owner.into(), name.into(), schema, table]);
            }
        }
        "source" => {
            rows = Rows::of("OWNER NAME TYPE TEXT");
            for (owner, name, code) in all(dictionary, "code") {
                let kind = code["kind"].as_str()?.to_uppercase();
                source(&mut rows, [owner, name, &kind], &code["text"]);
                source(&mut rows, [owner, name, &format!("{kind} BODY")], &code["body"]);
            }
            for (owner, name, trigger) in all(dictionary, "triggers") {
                source(&mut rows, [owner, name, "TRIGGER"], &trigger["text"]);
            }
        }
        "triggers" => {
            rows = Rows::of("OWNER TRIGGER_NAME TABLE_OWNER TABLE_NAME TRIGGERING_EVENT TRIGGER_TYPE STATUS");
            for (owner, name, trigger) in all(dictionary, "triggers") {
                let (schema, table) = pair(trigger["table"].as_str()?);
                let events = ["insert", "update", "delete"]
                    .into_iter()
                    .filter(|event| trigger["events"][event] == true);
                let events: Vec<String> = events.map(str::to_uppercase).collect();
                rows.add(vec![
                    owner.into(),
                    name.into(),
                    schema,
                    table,
                    events.join(" OR ").as_str().into(),
                    if_so(&trigger["instead"], "INSTEAD OF", "AFTER EACH ROW"),
                    if_so(&trigger["enabled"], "ENABLED", "DISABLED"),
                ]);
            }
        }
        "trigger columns" => {
            rows = Rows::of("TRIGGER_OWNER TRIGGER_NAME COLUMN_NAME");
            for (owner, name, trigger) in all(dictionary, "triggers") {
                for column in list(&trigger["columns"]) {
                    rows.add(vec![owner.into(), name.into(), text(column)]);
                }
            }
        }
        "grants" => {
            rows = Rows::of("TABLE_SCHEMA TABLE_NAME GRANTEE PRIVILEGE");
            for (owner, name, grants) in all(dictionary, "grants") {
                for (to, rights) in grants.as_object()? {
                    for right in list(rights) {
                        rows.add(vec![owner.into(), name.into(), to.as_str().into(), text(right)]);
                    }
                }
            }
        }
        "objects" => {
            rows = Rows::of("OWNER OBJECT_NAME OBJECT_TYPE #OBJECT_ID");
            for kind in ["tables", "views", "indexes", "sequences", "triggers", "code"] {
                for (owner, name, object) in all(dictionary, kind) {
                    let object_type = match (kind, object["kind"].as_str(), object["materialized"] == true) {
                        (_, Some(code), _) => code.to_uppercase(),
                        (_, _, true) => "MATERIALIZED VIEW".to_owned(),
                        ("indexes", ..) => "INDEX".to_owned(),
                        _ => kind.to_uppercase().trim_end_matches('S').to_owned(),
                    };
                    rows.add(vec![
                        owner.into(),
                        name.into(),
                        object_type.as_str().into(),
                        number(&object["number"]),
                    ]);
                }
            }
        }
        "dependencies" => rows = Rows::of("OWNER NAME TYPE REFERENCED_OWNER REFERENCED_NAME"),
        "signatures" => rows = Rows::of("OWNER OBJECT_NAME PROCEDURE_NAME #SUBPROGRAM_ID #MOST #LEAST"),
        _ => return None,
    }
    rows.done()
}

fn is_expression(column: &Json) -> bool {
    column.as_str().is_some_and(|text| text.contains(|c: char| !(c.is_alphanumeric() || "_$#".contains(c))))
}

/// A row for each line, without what was before the word that says what it is.
fn source(rows: &mut Rows, [owner, name, kind]: [&str; 3], of: &Json) {
    let Some(of) = of.as_str() else { return };
    let kept = without(r"(?is)^create\s+(or\s+replace\s+)?(editionable\s+|noneditionable\s+)?", of);
    for line in kept.split_inclusive('\n') {
        rows.add(vec![owner.into(), name.into(), kind.into(), line.into()]);
    }
}

/// The type's name, its lengths in bytes and characters with the letter of the one that was meant, its digits and scale.
fn described(sql_type: &str) -> [Value; 6] {
    let none = || Value::Null;
    let (name, inner) = match sql_type.split_once('(') {
        Some((name, rest)) => (name, rest.split(')').next().unwrap_or_default()),
        None => (sql_type, ""),
    };
    let first = inner.split([',', ' ']).next().unwrap_or_default();
    let length: i64 = first.parse().unwrap_or(0);
    match name {
        // What a view computes has a type all the same.
        "" => ["NUMBER".into(), Value::number(22), none(), none(), none(), none()],
        "VARCHAR2" | "CHAR" if inner.ends_with(" CHAR") => {
            [name.into(), Value::number(length * 4), Value::number(length), "C".into(), none(), none()]
        }
        "VARCHAR2" | "CHAR" => {
            [name.into(), Value::number(length), Value::number(length), "B".into(), none(), none()]
        }
        "NVARCHAR2" | "NCHAR" => {
            [name.into(), Value::number(length * 2), Value::number(length), "C".into(), none(), none()]
        }
        "RAW" | "UROWID" => [name.into(), Value::number(length), none(), none(), none(), none()],
        "FLOAT" => [name.into(), Value::number(22), none(), none(), Value::number(length), none()],
        "NUMBER" => {
            let digits = first.parse::<i64>().ok();
            let scale = inner.split(',').nth(1).and_then(|scale| scale.trim().parse::<i64>().ok());
            let scale = scale.or(digits.map(|_| 0));
            [name.into(), Value::number(22), none(), none(), digits.into(), scale.into()]
        }
        _ => [sql_type.into(), Value::number(11), none(), none(), none(), none()],
    }
}

fn columns(dictionary: &Json) -> Rows {
    let mut rows = Rows::of(
        "OWNER TABLE_NAME COLUMN_NAME DATA_TYPE #DATA_LENGTH #CHAR_LENGTH CHAR_USED #DATA_PRECISION #DATA_SCALE DATA_TYPE_OWNER \
         NULLABLE HIDDEN_COLUMN USER_GENERATED VIRTUAL_COLUMN DEFAULT_ON_NULL GENERATION_TYPE ENCRYPTION_ALG COMMENTS",
    );
    for (owner, name, relation) in all(dictionary, "tables").chain(all(dictionary, "views")) {
        for column in list(&relation["columns"]) {
            let identity = column["identity"].as_str();
            let on_null = column["on_null"] == true || identity == Some("by_default_on_null");
            // Of a NOT NULL that is not validated, the server says that there may be NULLs.
            let not_null = column["not_null"] == true && column["not_null_unvalidated"] != true;
            let mut row: Vec<Value> = vec![owner.into(), name.into(), text(&column["name"])];
            row.extend(described(column["sql_type"].as_str().unwrap_or_default()));
            row.extend([
                Value::Null,
                if not_null { "N" } else { "Y" }.into(),
                if_so(&column["invisible"], "YES", "NO"),
                "YES".into(),
                if_so(&column["virtual"], "YES", "NO"),
                if on_null { "YES" } else { "NO" }.into(),
                identity.map(|way| if way == "always" { "ALWAYS" } else { "BY DEFAULT" }).into(),
                (column["encrypted"] == true).then_some("AES 192 bits key").into(),
                text(&column["comment"]),
            ]);
            rows.add(row);
        }
    }
    rows
}

/// NOT NULL is a constraint of the server's.
fn not_nulls(dictionary: &Json) -> impl Iterator<Item = (&str, &str, String, &Json)> {
    all(dictionary, "tables").enumerate().flat_map(|(at, (owner, table, of))| {
        let columns = list(&of["columns"]).enumerate().filter(|(_, column)| column["not_null"] == true);
        columns.map(move |(place, column)| {
            let name = column["not_null_name"].as_str().map(str::to_owned);
            (owner, table, name.unwrap_or_else(|| format!("SYS_C9{at:04}{place:03}")), column)
        })
    })
}

fn constraints(dictionary: &Json) -> Rows {
    let mut rows = Rows::of(
        "OWNER TABLE_NAME CONSTRAINT_NAME CONSTRAINT_TYPE SEARCH_CONDITION_VC R_OWNER R_CONSTRAINT_NAME R_TABLE_NAME DELETE_RULE \
         STATUS VALIDATED DEFERRABLE GENERATED INDEX_OWNER INDEX_NAME",
    );
    for (owner, table, name, column) in not_nulls(dictionary) {
        let condition = format!("\"{}\" IS NOT NULL", column["name"].as_str().unwrap_or_default());
        let mut row: Vec<Value> = vec![owner.into(), table.into(), name.as_str().into(), "C".into()];
        row.extend([condition.as_str().into(), Value::Null, Value::Null, Value::Null, Value::Null]);
        row.extend([
            "ENABLED".into(),
            if_so(&column["not_null_unvalidated"], "NOT VALIDATED", "VALIDATED"),
            "NOT DEFERRABLE".into(),
            if column["not_null_name"].is_string() { "USER NAME" } else { "GENERATED NAME" }.into(),
            Value::Null,
            Value::Null,
        ]);
        rows.add(row);
    }
    for (owner, table, of) in all(dictionary, "tables") {
        for constraint in list(&of["constraints"]) {
            let kind = match constraint["kind"].as_str() {
                Some("primary_key") => "P",
                Some("unique") => "U",
                Some("foreign_key") => "R",
                _ => "C",
            };
            let references = constraint["references"][0]
                .as_str()
                .map(|parent| (parent, key_of(dictionary, parent, &constraint["references"][1])));
            let (r_owner, r_table) =
                references.as_ref().map_or((Value::Null, Value::Null), |(parent, _)| pair(parent));
            let held = all(dictionary, "indexes").find(|(_, _, index)| {
                index["of_constraint"] == constraint["name"] && index["table"] == format!("{owner}.{table}")
            });
            let held = held.filter(|_| kind == "P" || kind == "U");
            rows.add(vec![
                owner.into(),
                table.into(),
                text(&constraint["name"]),
                kind.into(),
                text(&constraint["condition"]),
                r_owner,
                references.map(|(_, key)| key).map_or(Value::Null, Value::Text),
                r_table,
                match constraint["on_delete"].as_str() {
                    Some("cascade") => "CASCADE".into(),
                    Some("set_null") => "SET NULL".into(),
                    _ if kind == "R" => "NO ACTION".into(),
                    _ => Value::Null,
                },
                if_so(&constraint["enabled"], "ENABLED", "DISABLED"),
                if_so(&constraint["validated"], "VALIDATED", "NOT VALIDATED"),
                if_so(&constraint["deferrable"], "DEFERRABLE", "NOT DEFERRABLE"),
                if_so(&constraint["generated_name"], "GENERATED NAME", "USER NAME"),
                held.map(|(schema, ..)| schema).into(),
                held.map(|(_, name, _)| name).into(),
            ]);
        }
    }
    rows
}

/// The name of the key over these columns.
fn key_of(dictionary: &Json, table: &str, columns: &Json) -> String {
    let constraints = list(&dictionary["tables"][table]["constraints"]);
    let mut keys = constraints
        .filter(|c| c["columns"] == *columns && (c["kind"] == "primary_key" || c["kind"] == "unique"));
    keys.next().and_then(|key| key["name"].as_str()).unwrap_or_default().to_owned()
}

fn constraint_columns(dictionary: &Json) -> Rows {
    let mut rows = Rows::of("OWNER CONSTRAINT_NAME COLUMN_NAME");
    for (owner, _, name, column) in not_nulls(dictionary) {
        rows.add(vec![owner.into(), name.as_str().into(), text(&column["name"])]);
    }
    for (owner, _, table) in all(dictionary, "tables") {
        for constraint in list(&table["constraints"]) {
            for column in list(&constraint["columns"]) {
                rows.add(vec![owner.into(), text(&constraint["name"]), text(column)]);
            }
        }
    }
    rows
}
