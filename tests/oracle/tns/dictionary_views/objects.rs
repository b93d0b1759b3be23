//! Sequences, synonyms, code, triggers and rights.

use regex::Regex;
use serde_json::Value as Json;

use super::super::answers::Outcome;
use super::super::value::Value;
use super::rows::{Rows, all, if_so, list, number, pair, text};

fn without(pattern: &str, text: &str) -> String {
    Regex::new(pattern).expect("a pattern").replace(text, "").into_owned()
}

/// `None` for the name of another query.
pub fn answer(name: &str, dictionary: &Json) -> Option<Outcome> {
    let mut rows;
    match name {
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

/// A row for each line, without what was before the word that says what it is.
fn source(rows: &mut Rows, [owner, name, kind]: [&str; 3], of: &Json) {
    let Some(of) = of.as_str() else { return };
    let kept = without(r"(?is)^create\s+(or\s+replace\s+)?(editionable\s+|noneditionable\s+)?", of);
    for line in kept.split_inclusive('\n') {
        rows.add(vec![owner.into(), name.into(), kind.into(), line.into()]);
    }
}
