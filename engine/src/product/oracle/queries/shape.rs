//! What a query takes and gives, and whether it stands, by the dictionary alone.

use std::collections::BTreeMap;

use super::usage::number;
use crate::model::query::{QueryError, QueryShape};
use crate::product::oracle::dictionary::{CodeKind, Dictionary, Missing, max_length};
use crate::product::oracle::error_codes;
use crate::product::oracle::grammar::facts::{BindRole, Constant, Query, Read, Write};

/// The type of a result that is computed. What it is, only the server knows; it is the same as long as the query is.
const COMPUTED: &str = "computed";

pub type Described = Result<QueryShape, QueryError>;

pub fn error(code: &str, message: impl Into<String>) -> QueryError {
    QueryError {
        code: code.to_owned(),
        class: error_codes::class(code),
        message: message.into(),
        column: None,
        table: None,
        constraint: None,
    }
}

fn no_relation(name: &str) -> QueryError {
    QueryError {
        table: Some(name.to_owned()),
        ..error("ORA-00942", format!("table or view {name} does not exist"))
    }
}

fn no_column(relation: Option<&str>, column: &str) -> QueryError {
    let bare = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let of = relation.map(|name| format!("{}.", bare(name))).unwrap_or_default();
    QueryError {
        column: Some(column.to_owned()),
        table: relation.map(bare),
        ..error("ORA-00904", format!("{of}{column}: invalid identifier"))
    }
}

/// Describes a query that was read.
pub fn describe(read: &Read, dictionary: &Dictionary) -> Described {
    let empty = Query::default();
    let query = read.query.as_ref().unwrap_or(&empty);
    for relation in &read.relations {
        relation_stands(relation, dictionary)?;
    }
    for read in &query.reads {
        columns_stand(&read.relation, &read.columns, dictionary)?;
    }
    for write in &query.writes {
        columns_stand(&write.table, &write.columns, dictionary)?;
        values_fit(write, dictionary)?;
        triggers_stand(write, dictionary)?;
    }
    if let Some(column) = query.unresolved.first() {
        let (relation, column) = match column.rsplit_once('.') {
            Some((relation, column)) => (Some(relation), column),
            None => (None, column.as_str()),
        };
        return Err(no_column(relation, column));
    }
    if let Some(column) = query.ambiguous.first() {
        return Err(QueryError {
            column: Some(column.clone()),
            ..error("ORA-00918", format!("{column}: column ambiguously specified"))
        });
    }
    let own = |name: &str| dictionary.schema_of(name) == dictionary.schema;
    if let Some(sequence) = query.sequences.iter().find(|s| own(s) && !dictionary.sequences.contains_key(*s))
    {
        return Err(error("ORA-02289", format!("sequence {sequence} does not exist")));
    }
    for call in &query.calls {
        call_stands(call, dictionary)?;
    }
    for given in &query.arguments {
        arguments_fit(&given.routine, &given.counts, dictionary)?;
    }
    for constant in &query.constants {
        constant_fits(constant, dictionary)?;
    }
    let columns = query.result.iter().map(|column| {
        let origin = column.1.first().filter(|_| column.2);
        let known = origin.and_then(|(relation, name)| dictionary.column(relation, name));
        let sql_type = known.map(|c| c.sql_type.clone()).filter(|t| !t.is_empty());
        (column.0.clone(), sql_type.unwrap_or_else(|| COMPUTED.to_owned()))
    });
    Ok(QueryShape { parameters: parameters(query, dictionary), columns: columns.collect() })
}

/// Of other schemas and the server's own nothing is known: what is theirs stands.
fn relation_stands(relation: &str, dictionary: &Dictionary) -> Result<(), QueryError> {
    if dictionary.columns(relation).is_none() {
        let known = dictionary.schemas().any(|schema| schema == dictionary.schema_of(relation));
        return if known { Err(no_relation(relation)) } else { Ok(()) };
    }
    match dictionary.invalid(relation) {
        Some(Missing::Column(of, column)) => Err(QueryError {
            column: Some(column.clone()),
            table: Some(of.rsplit('.').next().unwrap_or(&of).to_owned()),
            ..error("ORA-04063", format!("view {relation} has errors: {of} has no column {column}"))
        }),
        Some(missing) => Err(error("ORA-04063", format!("view {relation} has errors: {missing}"))),
        None => Ok(()),
    }
}

fn columns_stand(relation: &str, columns: &[String], dictionary: &Dictionary) -> Result<(), QueryError> {
    /// They belong to every relation.
    const PSEUDO: [&str; 3] = ["ROWID", "ORA_ROWSCN", "ROWNUM"];
    let Some(known) = dictionary.columns(relation) else { return Ok(()) };
    let there =
        |column: &&String| PSEUDO.contains(&column.as_str()) || known.iter().any(|k| k.name == **column);
    match columns.iter().find(|column| !there(column)) {
        Some(column) => Err(no_column(Some(relation), column)),
        None => Ok(()),
    }
}

/// An INSERT without a list gives a value to each column that a `*` shows.
fn values_fit(write: &Write, dictionary: &Dictionary) -> Result<(), QueryError> {
    let (Some(values), true) = (write.values, write.inserts && write.columns.is_empty()) else {
        return Ok(());
    };
    let Some(table) = dictionary.tables.get(&write.table) else { return Ok(()) };
    let shown = table.columns.iter().filter(|c| !c.invisible).count();
    let of = &write.table;
    match values.cmp(&shown) {
        std::cmp::Ordering::Less => Err(error(
            "ORA-00947",
            format!("not enough values: {of} has {shown} columns, {values} are given"),
        )),
        std::cmp::Ordering::Greater => {
            Err(error("ORA-00913", format!("too many values: {of} has {shown} columns, {values} are given")))
        }
        std::cmp::Ordering::Equal => Ok(()),
    }
}

/// A trigger that does not compile refuses what would set it off.
fn triggers_stand(write: &Write, dictionary: &Dictionary) -> Result<(), QueryError> {
    let deletes = write.kind == "delete";
    let on = |name: &str| match name {
        "insert" => write.inserts,
        "delete" => deletes,
        _ => !write.inserts && !deletes,
    };
    for (name, trigger) in &dictionary.triggers {
        let events = trigger.events;
        let fires =
            events.insert && on("insert") || events.update && on("update") || events.delete && on("delete");
        if trigger.table != write.table || !trigger.enabled || !fires {
            continue;
        }
        if let Some(missing) = dictionary.invalid_code(&trigger.uses) {
            return Err(error(
                "ORA-04098",
                format!("trigger {name} on {} is invalid and failed re-validation: {missing}", trigger.table),
            ));
        }
    }
    Ok(())
}

fn call_stands(call: &str, dictionary: &Dictionary) -> Result<(), QueryError> {
    if let Some(name) = dictionary.routine(call, &dictionary.schema) {
        let missing = dictionary.code.get(name).and_then(|code| dictionary.invalid_code(&code.uses));
        return match missing {
            Some(missing) => Err(error("ORA-06575", format!("{name} is in an invalid state: {missing}"))),
            None => Ok(()),
        };
    }
    // Packages of other schemas and of the server are not known here.
    let of_server = |name: &str| {
        ["DBMS_", "UTL_", "SDO_", "APEX_", "OWA_", "CTX_", "ORD", "XML", "JSON_", "HT"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    let first = call.split('.').next().unwrap_or(call);
    let others =
        call.contains('.') && !dictionary.schemas().any(|schema| schema == first) && of_server(first);
    if others || dictionary.synonyms.contains_key(&format!("PUBLIC.{first}")) {
        return Ok(());
    }
    Err(error("ORA-00904", format!("{call}: invalid identifier")))
}

/// Types of arguments are not looked at.
fn arguments_fit(call: &str, counts: &[usize], dictionary: &Dictionary) -> Result<(), QueryError> {
    let found = dictionary.routine(call, &dictionary.schema);
    let Some((name, code)) = found.and_then(|name| Some((name, dictionary.code.get(name)?))) else {
        return Ok(());
    };
    let own = call.rsplit('.').next().unwrap_or(call);
    let full = if code.kind == CodeKind::Package { format!("{name}.{own}") } else { name.to_owned() };
    let mut all = code.signatures.iter().filter(|s| s.name == full).peekable();
    if code.signatures.is_empty() {
        return Ok(());
    }
    if all.peek().is_none() {
        return Err(error("PLS-00302", format!("component {own} of {name} must be declared")));
    }
    let all: Vec<_> = all.collect();
    let fits = |count: &usize| all.iter().any(|s| (s.least..=s.most).contains(count));
    match counts.iter().find(|count| !fits(count)) {
        Some(count) => {
            Err(error("PLS-00306", format!("wrong number of arguments in call to {full}: {count} are given")))
        }
        None => Ok(()),
    }
}

/// A string that is too long is refused whenever the query runs.
fn constant_fits(constant: &Constant, dictionary: &Dictionary) -> Result<(), QueryError> {
    let Some(column) = dictionary.column(&constant.table, &constant.column) else { return Ok(()) };
    match max_length(&column.sql_type).filter(|longest| *longest < constant.length) {
        Some(longest) => Err(QueryError {
            column: Some(constant.column.clone()),
            table: Some(constant.table.rsplit('.').next().unwrap_or(&constant.table).to_owned()),
            ..error(
                "ORA-12899",
                format!(
                    "value too large for column {}.{} (actual: {}, maximum: {longest})",
                    constant.table, constant.column, constant.length
                ),
            )
        }),
        None => Ok(()),
    }
}

/// The types of the parameters: those of the columns behind them.
fn parameters(query: &Query, dictionary: &Dictionary) -> Vec<String> {
    let mut types: BTreeMap<usize, String> = BTreeMap::new();
    for bind in &query.binds {
        let Some(number) = number(bind) else { continue };
        let column = match (&bind.table, &bind.column) {
            (Some(table), Some(column)) => dictionary.column(table, column).map(|c| c.sql_type.clone()),
            _ => None,
        };
        let told = match bind.role {
            BindRole::Count => Some("NUMBER".to_owned()),
            BindRole::Column | BindRole::Insert => column,
            BindRole::Free => None,
        };
        if let Some(told) = told {
            types.entry(number).or_insert(told);
        } else {
            types.entry(number).or_default();
        }
    }
    let count = types.keys().max().copied().unwrap_or(0);
    let named = |n: usize| types.get(&n).filter(|t| !t.is_empty()).cloned();
    (1..=count).map(|n| named(n).unwrap_or_else(|| "VARCHAR2(4000)".to_owned())).collect()
}
