//! Which values fit a parameter: existing ones where it is compared with a column, fresh ones where it must be unique.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::Rng as _;

use crate::load::types::{Draw, fresh, plain};
use crate::load::value_pattern::{Form, another};
use crate::model::catalog::{Catalog, Column, Table};
use crate::model::column_type::ColumnType;
use crate::model::query::{ParameterRole, QueryShape, Write};
use crate::model::value::Value;
use crate::product::Dialect;

/// Existing values by table and column.
pub type Samples = BTreeMap<(String, String), Arc<Vec<String>>>;

/// So few different values are kinds of something: another one would not be taken.
const KINDS: usize = 20;

/// How the value of one parameter is made.
#[derive(Debug, Clone)]
pub enum Maker {
    Sample(Arc<Vec<String>>),
    Labels(Vec<String>),
    /// One that no row has yet, of this type.
    Fresh(ColumnType),
    /// One that no row has yet, written like the existing ones.
    Like(ColumnType, Arc<Vec<String>>, Form),
    Count,
    OfType(ColumnType),
    /// An array of three.
    Array(Box<Maker>),
}

/// Columns whose existing values help to make parameters with these roles: the columns themselves, and what they refer to.
pub fn wanted<'a>(
    roles: &'a [ParameterRole],
    catalog: &'a Catalog,
) -> impl Iterator<Item = (String, String)> + 'a {
    roles.iter().flat_map(|role| match role {
        ParameterRole::Column { table, column } => vec![(table.clone(), column.clone())],
        ParameterRole::Insert { table, column } => {
            let own = (table.clone(), column.clone());
            referred(catalog, table, column).into_iter().chain([own]).collect()
        }
        ParameterRole::Count | ParameterRole::Free => Vec::new(),
    })
}

/// The column that a foreign key on this column points to.
fn referred(catalog: &Catalog, table: &str, column: &str) -> Option<(String, String)> {
    catalog.tables.get(table)?.foreign_keys.iter().find_map(|(own, target, theirs)| {
        let at = own.iter().position(|c| c == column)?;
        Some((target.clone(), theirs.get(at)?.clone()))
    })
}

/// One maker per parameter of a query.
pub fn makers(
    shape: &QueryShape,
    roles: &[ParameterRole],
    writes: &[Write],
    catalog: &Catalog,
    samples: &Samples,
    form: Form,
    dialect: &dyn Dialect,
) -> Vec<Maker> {
    let upsert = writes.iter().any(|write| write.handles_conflicts);
    let makers = Makers { catalog, samples, upsert, form, dialect };
    let each = shape.parameters.iter().enumerate();
    each.map(|(n, sql_type)| {
        let role = roles.get(n).unwrap_or(&ParameterRole::Free);
        makers.one(&dialect.column_type(sql_type), role)
    })
    .collect()
}

struct Makers<'a> {
    catalog: &'a Catalog,
    samples: &'a Samples,
    /// The query says what happens to a row that is there already.
    upsert: bool,
    form: Form,
    dialect: &'a dyn Dialect,
}

impl Makers<'_> {
    fn one(&self, parameter: &ColumnType, role: &ParameterRole) -> Maker {
        let (name, column, inserts) = match role {
            ParameterRole::Column { table, column } => (table, column, false),
            ParameterRole::Insert { table, column } => (table, column, true),
            ParameterRole::Count => return Maker::Count,
            ParameterRole::Free => return self.of_type(parameter, None),
        };
        let table = self.catalog.tables.get(name);
        let known = table.and_then(|t| t.columns.iter().find(|c| c.name == *column));
        let existing = |key: (String, String)| self.samples.get(&key).filter(|values| !values.is_empty());
        let own = existing((name.clone(), column.clone()));
        let values = if inserts {
            // Rows that refer to nothing yet say less than what they may refer to.
            referred(self.catalog, name, column).and_then(existing).or(own)
        } else {
            own
        };
        let (Some(table), Some(known)) = (table, known) else { return self.of_type(parameter, None) };
        let column_type = self.dialect.column_type(&known.sql_type);
        let element = parameter.element().filter(|_| column_type.element().is_none());
        let wanted = element.unwrap_or(parameter);
        let limits = Some((&column_type, known));
        let maker = if inserts && self.must_be_fresh(table, column, own) {
            let limited = limited(wanted, limits);
            match own.filter(|_| wanted.is_text() || !wanted.has_new_values()) {
                Some(values) => Maker::Like(limited, Arc::clone(values), self.form),
                None => Maker::Fresh(limited),
            }
        } else {
            match values.filter(|values| fits(&column_type, wanted) || self.read_as(values, wanted)) {
                Some(values) => Maker::Sample(Arc::clone(values)),
                None => self.of_type(wanted, limits),
            }
        };
        if element.is_some() { Maker::Array(Box::new(maker)) } else { maker }
    }

    /// A column of a unique set that points nowhere: two rows must not share its value. In a set of several columns a kind
    /// of something is met again, and any value is when the query says what happens then.
    fn must_be_fresh(&self, table: &Table, column: &str, own: Option<&Arc<Vec<String>>>) -> bool {
        let holds = |set: &[String]| set.iter().any(|c| c == column);
        let again = self.upsert || own.is_some_and(|values| values.len() <= KINDS);
        let unique = table
            .unique
            .iter()
            .chain([&table.primary_key])
            .any(|set| holds(set) && (set.len() == 1 || !again));
        unique && !table.foreign_keys.iter().any(|(own, ..)| holds(own))
    }

    fn of_type(&self, of: &ColumnType, limits: Option<(&ColumnType, &Column)>) -> Maker {
        if let Some(element) = of.element() {
            return Maker::Array(Box::new(self.of_type(element, None)));
        }
        let labels = match of {
            ColumnType::Other { name, .. } => self.catalog.labels(name),
            _ => None,
        };
        match labels {
            Some(labels) if !labels.is_empty() => Maker::Labels(labels.clone()),
            _ => Maker::OfType(limited(of, limits)),
        }
    }

    /// Whether the values themselves read as this type: those of a domain do not say so by its name.
    fn read_as(&self, values: &[String], parameter: &ColumnType) -> bool {
        match parameter {
            ColumnType::Integer { .. } => values.iter().all(|v| v.parse::<i32>().is_ok()),
            ColumnType::Decimal { .. } | ColumnType::Float { .. } => {
                values.iter().all(|v| v.parse::<f64>().is_ok_and(f64::is_finite))
            }
            ColumnType::Boolean => {
                let truths = [true, false].map(|truth| self.dialect.value_text(&Value::Boolean(truth)));
                values.iter().all(|v| truths.contains(v))
            }
            _ => false,
        }
    }
}

/// The type of a parameter with the limits of the column behind it: a parameter's own type seldom has any.
fn limited(parameter: &ColumnType, limits: Option<(&ColumnType, &Column)>) -> ColumnType {
    let Some((column_type, column)) = limits else { return parameter.clone() };
    match (parameter, column_type) {
        (ColumnType::Text { form, longest }, _) => {
            ColumnType::Text { form: *form, longest: column.max_length.or(*longest) }
        }
        (
            ColumnType::Decimal { .. } | ColumnType::Float { .. },
            ColumnType::Decimal { digits: digits @ Some(_) },
        ) => ColumnType::Decimal { digits: *digits },
        _ => parameter.clone(),
    }
}

/// Whether values of a column can be given, as text, to a parameter of this type.
fn fits(column: &ColumnType, parameter: &ColumnType) -> bool {
    use ColumnType::{Decimal, Float, Integer};
    let widened = matches!((column, parameter), (Integer { .. }, Decimal { .. } | Float { .. }));
    column.written_as(parameter) || parameter.is_text() || widened
}

impl Maker {
    pub fn make(&self, draw: &mut Draw) -> Option<String> {
        let value = self.value(draw);
        Some(draw.text(&value))
    }

    fn value(&self, draw: &mut Draw) -> Value {
        match self {
            Maker::Sample(values) => Value::Text(pick(values, draw)),
            Maker::Labels(values) => Value::Text(pick(values, draw)),
            Maker::Fresh(of) => fresh(of, draw),
            Maker::Like(of, values, form) => another(of, values, *form, draw),
            Maker::Count => Value::Text(draw.rng.random_range(1..=20).to_string()),
            Maker::OfType(of) => plain(of, draw),
            Maker::Array(element) => Value::Array((0..3).map(|_| element.value(draw)).collect()),
        }
    }

    /// Whether values are written like existing ones, which a check may not take all the same.
    pub fn guesses(&self) -> bool {
        match self {
            Maker::Like(..) => true,
            Maker::Array(element) => element.guesses(),
            _ => false,
        }
    }
}

pub fn pick(values: &[String], draw: &mut Draw) -> String {
    let at = draw.rng.random_range(0..values.len().max(1));
    values.get(at).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::load::types::Moment;
    use crate::product::test_dialect;

    fn column(name: &str, sql_type: &str, max_length: Option<u32>) -> Column {
        Column { name: name.to_owned(), sql_type: sql_type.to_owned(), max_length, ..Column::default() }
    }

    fn set(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    fn catalog() -> Catalog {
        let lines = Table {
            columns: vec![
                column("id", "bigint", None),
                column("order_id", "uuid", None),
                column("line_no", "integer", None),
                column("sku", "character varying(6)", Some(6)),
                column("state", "app.state", None),
                column("share", "numeric(3,2)", None),
                column("code", "text", None),
                column("score", "app.score", None),
            ],
            primary_key: set(&["id"]),
            unique: vec![set(&["id"]), set(&["order_id", "line_no"]), set(&["code"])],
            foreign_keys: vec![(set(&["order_id"]), "app.orders".to_owned(), set(&["id"]))],
            ..Table::default()
        };
        Catalog {
            tables: [("app.lines".to_owned(), lines)].into(),
            enums: [("app.state".to_owned(), set(&["new", "done"]))].into(),
            search_path: set(&["app"]),
            ..Catalog::default()
        }
    }

    /// `verb`: what the query does.
    fn values(verb: &str, parameters: &[(&str, &str)], samples: &[(&str, &str, &[&str])]) -> Vec<String> {
        let catalog = catalog();
        let write = |handles_conflicts| {
            let table = "app.lines".to_owned();
            Write { table, columns: Vec::new(), inserts: true, handles_conflicts }
        };
        let writes = match verb {
            "upsert" => vec![write(true)],
            "insert" => vec![write(false)],
            _ => Vec::new(),
        };
        let role = |name: &str| match name.split_at_checked(1) {
            Some(("+", column)) => {
                ParameterRole::Insert { table: "app.lines".to_owned(), column: column.to_owned() }
            }
            Some(("#", _)) => ParameterRole::Count,
            Some(("-", _)) => ParameterRole::Free,
            _ => ParameterRole::Column { table: "app.lines".to_owned(), column: name.to_owned() },
        };
        let roles: Vec<_> = parameters.iter().map(|(name, _)| role(name)).collect();
        let shape = QueryShape {
            parameters: parameters.iter().map(|(_, t)| (*t).to_owned()).collect(),
            columns: Vec::new(),
        };
        let samples = samples
            .iter()
            .map(|(table, column, values)| {
                (((*table).to_owned(), (*column).to_owned()), Arc::new(set(values)))
            })
            .collect();
        let mut draw = Draw::new(3, Moment::at(1_700_000_000), test_dialect());
        makers(&shape, &roles, &writes, &catalog, &samples, Form::Alike, test_dialect().as_ref())
            .iter()
            .map(|m| m.make(&mut draw).unwrap())
            .collect()
    }

    #[test]
    fn existing_values_where_they_are_compared_and_of_the_type_where_there_are_none() {
        let samples: &[(&str, &str, &[&str])] =
            &[("app.lines", "sku", &["K1"]), ("app.lines", "score", &["7"]), ("app.lines", "id", &["5"])];
        let parameters = [
            ("sku", "text"),
            ("id", "bigint[]"),
            ("score", "integer"),
            ("state", "app.state"),
            ("#", "bigint"),
            ("-", "state[]"),
        ];
        let found = values("select", &parameters, samples);
        let [sku, ids, score, state, count, states] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((sku.as_str(), ids.as_str(), score.as_str()), ("K1", r#"{"5","5","5"}"#, "7"));
        assert!(
            ["new", "done"].contains(&state.as_str())
                && states.contains("\"new\"") | states.contains("\"done\""),
            "{found:?}"
        );
        assert!((1..=20).contains(&count.parse::<u32>().unwrap()));
        let without =
            values("select", &[("sku", "character varying"), ("share", "numeric"), ("+sku", "text")], &[]);
        assert!(without.iter().all(|v| v.len() <= 6), "{without:?}");
        assert!(without.get(1).unwrap().parse::<f64>().unwrap() < 10.0, "{without:?}");
    }

    #[test]
    fn fresh_values_where_they_must_be_unique() {
        let lines: Vec<String> = (1..=30).map(|n| n.to_string()).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let samples: &[(&str, &str, &[&str])] = &[
            ("app.lines", "id", &["5"]),
            ("app.lines", "line_no", &lines),
            ("app.lines", "order_id", &["old"]),
            ("app.orders", "id", &["parent"]),
            ("app.lines", "code", &["SHP-7"]),
        ];
        let parameters = [
            ("+id", "bigint"),
            ("+order_id", "uuid"),
            ("+line_no", "integer"),
            ("+code", "text"),
            ("+id", "bigint[]"),
        ];
        let found = values("insert", &parameters, samples);
        let [id, order, line, code, ids] = found.as_slice() else { panic!("{found:?}") };
        assert!(id.parse::<i64>().unwrap() >= 1 << 40 && line.parse::<i32>().unwrap() > 30);
        assert_eq!(order, "parent");
        assert_eq!(code.len(), 12);
        assert_eq!(ids.matches(',').count(), 2);
        // What meets a row again is updated.
        assert!(values("upsert", &parameters, samples).get(2).unwrap().parse::<i32>().unwrap() <= 30);
        // A line that is one of a few is a kind.
        assert_eq!(values("insert", &parameters, &[("app.lines", "line_no", &["1"])]).get(2).unwrap(), "1");
    }
}
