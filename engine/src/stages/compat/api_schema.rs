//! What an API's document says of a field, and what a column gives and takes: where the two part, and did not before.

use crate::contract::ApiField;
use crate::model::column_type::{ColumnType, TextForm, greatest_integer};
use crate::model::evidence::VerdictKind;
use crate::product::Dialect;
use VerdictKind::{Breaking, Risky};

/// How a value is written on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Integer,
    Decimal,
    Float,
    Boolean,
    Text,
    Uuid,
    Date,
    /// With a time zone, and without.
    Instant,
    Moment,
    Time,
    Span,
    Json,
    Bytes,
    List,
    Label,
    /// Domains, composites and what extensions bring: nothing is known of them.
    Other,
}

/// A column, or a column of a query's result, at one moment.
#[derive(Debug, Clone)]
pub struct Given {
    /// As the product writes it, for people.
    pub sql_type: String,
    pub column_type: ColumnType,
    pub nullable: bool,
    /// Who leaves it out need not give it.
    pub given_for_it: bool,
    pub length: Option<u64>,
    /// Of an enum.
    pub labels: Option<Vec<String>>,
    /// The greatest number it holds.
    pub greatest: f64,
    /// It holds whole numbers only.
    pub whole: bool,
}

impl Given {
    /// What the type alone says.
    pub fn of_type(sql_type: &str, dialect: &dyn Dialect) -> Self {
        let column_type = dialect.column_type(sql_type);
        let (greatest, whole) = match column_type {
            ColumnType::Integer { bytes } => (greatest_integer(bytes) as f64, true),
            ColumnType::Decimal { digits: Some(digits) } => {
                (10_f64.powi(i32::try_from(digits.whole()).unwrap_or(i32::MAX)) - 1.0, digits.scale <= 0)
            }
            _ => (f64::INFINITY, false),
        };
        let length = match column_type {
            ColumnType::Text { longest, .. } => longest.map(u64::from),
            _ => None,
        };
        let sql_type = sql_type.to_owned();
        let (nullable, given_for_it, labels) = (false, false, None);
        Self { sql_type, column_type, nullable, given_for_it, length, labels, greatest, whole }
    }

    fn wire(&self) -> Wire {
        match &self.column_type {
            ColumnType::Array(_) => Wire::List,
            _ if self.labels.is_some() => Wire::Label,
            ColumnType::Integer { .. } => Wire::Integer,
            ColumnType::Decimal { .. } => Wire::Decimal,
            ColumnType::Float { .. } => Wire::Float,
            ColumnType::Boolean => Wire::Boolean,
            ColumnType::Text { form: TextForm::OneByte, .. } => Wire::Other,
            ColumnType::Text { .. } => Wire::Text,
            ColumnType::Uuid => Wire::Uuid,
            ColumnType::Date => Wire::Date,
            ColumnType::Timestamp { zone: true } => Wire::Instant,
            ColumnType::Timestamp { zone: false } => Wire::Moment,
            ColumnType::Time { .. } => Wire::Time,
            ColumnType::Interval => Wire::Span,
            ColumnType::Json { .. } => Wire::Json,
            ColumnType::Bytes => Wire::Bytes,
            ColumnType::IpAddress
            | ColumnType::IpNetwork
            | ColumnType::MacAddress
            | ColumnType::Other { .. } => Wire::Other,
        }
    }

    /// The same type, whatever its length or precision.
    fn same_type(&self, other: &Given) -> bool {
        self.column_type.without_limits() == other.column_type.without_limits()
    }
}

/// Whether clients that go by the document can read what the column gives.
fn shows(field: &ApiField, given: &Given) -> bool {
    let wire = given.wire();
    if wire == Wire::Other {
        return true;
    }
    let kind = match field.json_type.as_deref() {
        Some("integer") => wire == Wire::Integer || wire == Wire::Decimal && given.whole,
        Some("number") => matches!(wire, Wire::Integer | Wire::Decimal | Wire::Float),
        // Decimals are often sent as strings, so that nobody rounds them.
        Some("string") => {
            !matches!(wire, Wire::Integer | Wire::Float | Wire::Boolean | Wire::Json | Wire::List)
        }
        Some("boolean") => wire == Wire::Boolean,
        Some("array") => matches!(wire, Wire::List | Wire::Json),
        Some("object") => wire == Wire::Json,
        _ => true,
    };
    kind && match field.format.as_deref() {
        Some("uuid") => wire == Wire::Uuid,
        Some("date") => wire == Wire::Date,
        Some("date-time") => matches!(wire, Wire::Instant | Wire::Moment),
        Some("time") => wire == Wire::Time,
        Some("duration") => wire == Wire::Span,
        Some("int32") => wire != Wire::Integer || given.greatest < 2_f64.powi(31),
        _ => true,
    }
}

/// Whether the column takes what clients that go by the document send.
fn takes(field: &ApiField, given: &Given) -> bool {
    let wire = given.wire();
    if wire == Wire::Other {
        return true;
    }
    match (field.json_type.as_deref(), field.format.as_deref()) {
        (Some("integer"), _) => matches!(wire, Wire::Integer | Wire::Decimal | Wire::Float),
        (Some("number"), _) => matches!(wire, Wire::Decimal | Wire::Float),
        (Some("boolean"), _) => wire == Wire::Boolean,
        (Some("array"), _) => matches!(wire, Wire::List | Wire::Json),
        (Some("object"), _) => wire == Wire::Json,
        (Some("string"), Some("uuid")) => matches!(wire, Wire::Uuid | Wire::Text),
        (Some("string"), Some("date" | "date-time")) => {
            matches!(wire, Wire::Date | Wire::Instant | Wire::Moment | Wire::Text)
        }
        (Some("string"), Some("time")) => matches!(wire, Wire::Time | Wire::Text),
        (Some("string"), Some("duration")) => matches!(wire, Wire::Span | Wire::Text),
        (Some("string"), Some("byte" | "binary")) => matches!(wire, Wire::Bytes | Wire::Text),
        (Some("string"), Some("decimal" | "number")) => {
            matches!(wire, Wire::Decimal | Wire::Float | Wire::Text)
        }
        // Which labels it takes is looked at on its own.
        (Some("string"), _) => matches!(wire, Wire::Text | Wire::Label),
        _ => true,
    }
}

/// What is broken after and was not before, each with a sentence. `None`: there is no such column.
pub fn newly_broken(field: &ApiField, was: Option<&Given>, is: Option<&Given>) -> Vec<(VerdictKind, String)> {
    let Some(was) = was else { return Vec::new() };
    let Some(is) = is else { return vec![(Breaking, "what stands behind the field is gone".to_owned())] };
    let mut found = Vec::new();
    if field.response {
        found.extend(shown(field, was, is));
    }
    if field.request || field.parameter {
        found.extend(taken(field, was, is));
    }
    // Of one that goes both ways a type is told once.
    found.dedup_by(|a, b| a.1 == b.1);
    found
}

/// Lengths, numbers and labels have rules of their own.
fn other_type(
    field: &ApiField,
    was: &Given,
    is: &Given,
    fits: fn(&ApiField, &Given) -> bool,
) -> Option<(VerdictKind, String)> {
    let promised = match (&field.json_type, &field.format) {
        (Some(kind), Some(format)) => format!("{kind} ({format})"),
        (Some(kind), None) => kind.clone(),
        (None, Some(format)) => format.clone(),
        (None, None) => String::new(),
    };
    let instead = format!("it is {} instead of {}", is.sql_type, was.sql_type);
    let (before, after) = (fits(field, was), fits(field, is));
    if before && !after {
        return Some((Breaking, format!("{instead}, and the document says {promised}")));
    }
    if was.wire() == is.wire() && (was.wire() != Wire::Other || was.same_type(is)) {
        return None;
    }
    // Both fit and are written otherwise, or nobody can tell.
    let known = field.json_type.is_some() && before || is.wire() == Wire::Other || was.wire() == Wire::Other;
    Some((if known { Risky } else { Breaking }, instead))
}

fn shown(field: &ApiField, was: &Given, is: &Given) -> Vec<(VerdictKind, String)> {
    let mut found = Vec::new();
    let labels_of_text = (was.wire(), is.wire()) == (Wire::Text, Wire::Label);
    let told = other_type(field, was, is, shows);
    // Labels are text; a number with places that ends in none is one all the same.
    let same = labels_of_text || (was.wire(), is.wire()) == (Wire::Label, Wire::Text);
    let told = told.filter(|(kind, _)| *kind == Breaking && field.json_type.is_some() || !same);
    let other = told.is_some();
    found.extend(told);
    if is.nullable && !was.nullable && !field.nullable {
        found.push((Risky, "it can be NULL now, and the document does not say nullable".to_owned()));
    }
    if let Some(most) = field.max_length
        && wider(is.length, was.length)
        && wider(is.length, Some(most))
        && !other
    {
        let now = is.length.map_or("of any length".to_owned(), |n| format!("of {n} characters"));
        found.push((Risky, format!("it may be {now} now, and the document says at most {most}")));
    }
    let integers = (was.wire(), is.wire()) == (Wire::Integer, Wire::Integer);
    let grown = is.greatest > was.greatest && !other;
    if let Some(most) = field.maximum {
        if grown && is.greatest > most {
            found.push((Risky, format!("it is {} now, and the document says at most {most}", is.sql_type)));
        }
    } else if grown && integers && field.json_type.as_deref() != Some("number") && field.format.is_none() {
        let now = &is.sql_type;
        found.push((Risky, format!("it is {now} now, and the document does not say how large it gets")));
    }
    if !field.labels.is_empty() {
        match (&was.labels, &is.labels) {
            (Some(old), Some(new)) => {
                let unknown = |l: &&String| !old.contains(l) && !field.labels.contains(l);
                let come: Vec<&String> = new.iter().filter(unknown).collect();
                if !come.is_empty() {
                    found.push((
                        Risky,
                        format!("it may be {}, which the document does not list", list(&come)),
                    ));
                }
            }
            (Some(_), None) if !other => {
                found.push((Risky, "it may be any text now, and the document lists what it is".to_owned()));
            }
            _ => {}
        }
    }
    found
}

fn taken(field: &ApiField, was: &Given, is: &Given) -> Vec<(VerdictKind, String)> {
    let mut found = Vec::new();
    let told = other_type(field, was, is, takes);
    // What a wider text or number takes is more than before.
    let wider_type = matches!(
        (was.wire(), is.wire()),
        (Wire::Label, Wire::Text) | (Wire::Integer, Wire::Decimal) | (Wire::Uuid | Wire::Date, Wire::Text)
    );
    let told = told.filter(|_| !wider_type).filter(|_| (was.wire(), is.wire()) != (Wire::Text, Wire::Label));
    let other = told.is_some();
    found.extend(told);
    let written = field.request;
    if written && !is.nullable && was.nullable && field.nullable {
        found.push((Breaking, "it no longer accepts NULL, and a request may give null".to_owned()));
    }
    let must = |g: &Given| !g.nullable && !g.given_for_it;
    if written && must(is) && !must(was) && field.optional {
        found.push((Breaking, "it is required now, and a request may leave it out".to_owned()));
    } else if written && !is.nullable && was.nullable && field.optional && !field.nullable {
        found.push((Risky, "it no longer accepts NULL, and a request may leave it out".to_owned()));
    }
    if written && wider(was.length, is.length) && wider(field.max_length, is.length) && !other {
        let now = is.length.unwrap_or_default();
        found.push(match field.max_length {
            Some(most) => {
                (Breaking, format!("it takes at most {now} characters now, and a request may give {most}"))
            }
            None => (Risky, format!("it takes at most {now} characters now, and the document sets no limit")),
        });
    }
    let said = field.maximum.or_else(|| match field.format.as_deref() {
        Some("int32") => Some(2_f64.powi(31) - 1.0),
        Some("int64") => Some(2_f64.powi(63) - 1.0),
        _ => None,
    });
    if is.greatest < was.greatest && said.is_none_or(|most| is.greatest < most) && !other {
        let kind = if said.is_some() { Breaking } else { Risky };
        found.push((kind, format!("it is {} now, and a request may give a greater number", is.sql_type)));
    }
    if let Some(new) = &is.labels {
        let takes_all = field.labels.is_empty();
        let gone: Vec<&String> = match &was.labels {
            Some(old) if takes_all => old.iter().filter(|l| !new.contains(l)).collect(),
            Some(old) => field.labels.iter().filter(|l| old.contains(l) && !new.contains(l)).collect(),
            None => field.labels.iter().filter(|l| !new.contains(l)).collect(),
        };
        if !gone.is_empty() {
            let kind = if takes_all { Risky } else { Breaking };
            found
                .push((kind, format!("it does not take {} any more, which a request may give", list(&gone))));
        } else if takes_all && was.labels.is_none() {
            found.push((Breaking, "it takes labels only now, and a request may give any text".to_owned()));
        }
    }
    found
}

/// Whether the first takes longer texts than the second; no limit takes the longest.
fn wider(one: Option<u64>, other: Option<u64>) -> bool {
    one.unwrap_or(u64::MAX) > other.unwrap_or(u64::MAX)
}

fn list(labels: &[&String]) -> String {
    labels.iter().map(|l| format!("'{l}'")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "api_schema_tests.rs"]
mod tests;
