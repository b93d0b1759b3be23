//! How what a query takes and gives is another than before.

use crate::model::evidence::{VerdictClass, VerdictKind};
use crate::model::query::QueryShape;

pub type Difference = (VerdictKind, VerdictClass, String, Option<String>);

/// Which columns came, went or moved.
fn columns_differ(old: &[String], new: &[String]) -> String {
    let missing = |from: &[String], of: &[String]| -> Vec<String> {
        from.iter().filter(|c| !of.contains(c)).cloned().collect()
    };
    let (gone, come) = (missing(old, new), missing(new, old));
    let mut said = Vec::new();
    if !gone.is_empty() {
        said.push(format!("no longer gives {}", gone.join(", ")));
    }
    if !come.is_empty() {
        said.push(format!("also gives {}", come.join(", ")));
    }
    if said.is_empty() || !new.starts_with(old) && gone.is_empty() {
        said.push("gives its columns in another order".to_owned());
    }
    said.join("; ")
}

/// How the answer or the parameters of a query change.
pub fn compare(before: &QueryShape, after: &QueryShape) -> Option<Difference> {
    let names = |shape: &QueryShape| shape.columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (old, new) = (names(before), names(after));
    if old != new {
        let grown = new.starts_with(&old);
        let kind = if grown { VerdictKind::Risky } else { VerdictKind::Breaking };
        return Some((kind, VerdictClass::ResultColumns, columns_differ(&old, &new), None));
    }
    for ((name, old), (_, new)) in before.columns.iter().zip(&after.columns) {
        if old == new {
            continue;
        }
        let reason = format!("column {name} is {new} instead of {old}");
        let kind = if kin(old) == kin(new) { VerdictKind::Risky } else { VerdictKind::Breaking };
        // How long a text may be is nothing that a reader sees.
        if bare(old) == bare(new) && bare(old).starts_with("char") {
            continue;
        }
        return Some((kind, VerdictClass::ResultType, reason, Some(name.clone())));
    }
    let changed = before
        .parameters
        .iter()
        .zip(&after.parameters)
        .enumerate()
        .find(|(_, (old, new))| bare(old) != bare(new));
    changed.map(|(n, (old, new))| {
        (
            VerdictKind::Risky,
            VerdictClass::ParameterType,
            format!("parameter ${} is {new} instead of {old}", n + 1),
            None,
        )
    })
}

/// What a client sees of a type: `text` and `character varying` are the same bytes, and a string for every driver.
fn kin(sql_type: &str) -> String {
    bare(sql_type).replace("character varying", "text")
}

/// A type without its length or precision: those change what fits, not what a client sees.
fn bare(sql_type: &str) -> String {
    match (sql_type.find('('), sql_type.find(')')) {
        (Some(open), Some(close)) if open < close => {
            format!(
                "{}{}",
                sql_type.get(..open).unwrap_or_default(),
                sql_type.get(close + 1..).unwrap_or_default()
            )
        }
        _ => sql_type.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(columns: &[(&str, &str)]) -> QueryShape {
        let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect();
        QueryShape { columns, parameters: Vec::new() }
    }

    #[test]
    fn a_type_differs_where_a_client_sees_it() {
        use VerdictKind::{Breaking, Risky};
        let cases = [
            ("character varying(40)", "character varying(20)", None),
            ("character varying(40)", "text", Some(Risky)),
            ("text[]", "character varying(9)[]", Some(Risky)),
            ("text", "citext", Some(Breaking)),
            ("character varying(9)", "character(9)", Some(Breaking)),
            ("numeric(10,2)", "numeric(12,2)", Some(Risky)),
            ("integer", "bigint", Some(Breaking)),
            ("timestamp without time zone", "timestamp with time zone", Some(Breaking)),
        ];
        for (old, new, told) in cases {
            let found =
                compare(&shape(&[("a", "integer"), ("b", old)]), &shape(&[("a", "integer"), ("b", new)]));
            assert_eq!(
                found.map(|(kind, class, _, _)| (kind, class)),
                told.map(|k| (k, VerdictClass::ResultType)),
                "{old} -> {new}"
            );
        }
    }
}
