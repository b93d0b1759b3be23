//! How what a query takes and gives is another than before.

use crate::model::evidence::{VerdictClass, VerdictKind};
use crate::model::query::QueryShape;
use crate::product::Dialect;

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

/// How the answer or the parameters of a query change. `prepared`: statements that sessions have prepared notice another length.
pub fn compare(
    before: &QueryShape,
    after: &QueryShape,
    dialect: &dyn Dialect,
    prepared: bool,
) -> Option<Difference> {
    compare_types(before, after, dialect).or_else(|| {
        let mut both = before.columns.iter().zip(&after.columns);
        let ((name, old), (_, new)) = both.find(|((_, old), (_, new))| prepared && old != new)?;
        let reason = format!(
            "column {name} is {new} instead of {old}: a statement that a session has prepared fails once, and then works again"
        );
        Some((VerdictKind::Risky, VerdictClass::ResultType, reason, Some(name.clone())))
    })
}

fn compare_types(before: &QueryShape, after: &QueryShape, dialect: &dyn Dialect) -> Option<Difference> {
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
        let (was, is) = (dialect.column_type(old), dialect.column_type(new));
        // How long a text may be is nothing that a reader sees.
        if was.differs_in_length_only(&is) {
            continue;
        }
        let reason = format!("column {name} is {new} instead of {old}");
        let kind = if was.reads_as(&is) { VerdictKind::Risky } else { VerdictKind::Breaking };
        return Some((kind, VerdictClass::ResultType, reason, Some(name.clone())));
    }
    let (was, is) = (before.parameters.len(), after.parameters.len());
    if was != is {
        // Only what is copied in takes as many values as there are columns.
        let reason = format!("takes {is} values for each row instead of {was}");
        return Some((VerdictKind::Breaking, VerdictClass::ParameterType, reason, None));
    }
    let unlimited = |text: &str| dialect.column_type(text).without_limits();
    let changed = before
        .parameters
        .iter()
        .zip(&after.parameters)
        .enumerate()
        .find(|(_, (old, new))| unlimited(old) != unlimited(new));
    changed.map(|(n, (old, new))| {
        (
            VerdictKind::Risky,
            VerdictClass::ParameterType,
            format!("parameter {} is {new} instead of {old}", dialect.placeholder(n + 1)),
            None,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::test_dialect;

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
            let of = |kind| shape(&[("a", "integer"), ("b", kind)]);
            let found = compare(&of(old), &of(new), test_dialect().as_ref(), false);
            assert_eq!(
                found.map(|(kind, class, _, _)| (kind, class)),
                told.map(|k| (k, VerdictClass::ResultType)),
                "{old} -> {new}"
            );
        }
    }

    /// COPY without a list of columns.
    #[test]
    fn who_gives_a_value_for_each_column_gives_too_few() {
        let of = |parameters: &[&str]| QueryShape {
            parameters: parameters.iter().map(|p| (*p).to_owned()).collect(),
            columns: Vec::new(),
        };
        let told = compare(&of(&["integer"]), &of(&["integer", "text"]), test_dialect().as_ref(), false);
        let reason = "takes 2 values for each row instead of 1".to_owned();
        assert_eq!(told, Some((VerdictKind::Breaking, VerdictClass::ParameterType, reason, None)));
    }

    /// r2dbc-postgresql#382
    #[test]
    fn another_length_is_noticed_by_what_is_prepared() {
        let of = |kind| shape(&[("a", "integer"), ("b", kind)]);
        let (old, new) = (of("character varying(50)"), of("character varying(75)"));
        let said = compare(&old, &new, test_dialect().as_ref(), true)
            .map(|(kind, class, reason, _)| (kind, class, reason.contains("prepared")));
        assert_eq!(said, Some((VerdictKind::Risky, VerdictClass::ResultType, true)));
        assert_eq!(compare(&old, &old, test_dialect().as_ref(), true), None);
    }
}
