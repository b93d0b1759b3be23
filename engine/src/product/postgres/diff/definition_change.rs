//! What it comes to that an object has another definition in the fingerprint of the schema.

use std::collections::BTreeSet;

use super::beside::ORDER;
use super::names::identifiers;
use crate::model::difference::DefinitionChange;
use crate::model::relation_name::qualified;

/// Reads an object's identity and its definitions as `objects.rs` writes them.
pub fn read(object: &str, before: &str, after: &str) -> DefinitionChange {
    if object.starts_with(ORDER) {
        let columns =
            |definition: &str| -> BTreeSet<String> { definition.split(", ").map(str::to_owned).collect() };
        let same = columns(before) == columns(after);
        return if same { DefinitionChange::ColumnsReordered } else { DefinitionChange::Implied };
    }
    let (kind, rest) = object.split_once(' ').unwrap_or((object, ""));
    match (kind, identifiers(rest).as_slice()) {
        ("type", [schema, name]) => match (labels(before), labels(after)) {
            (Some(was), Some(is)) => added(&was, &is).map_or(DefinitionChange::Other, |labels| {
                DefinitionChange::LabelsAdded { enumeration: qualified(schema, name), labels }
            }),
            _ => DefinitionChange::Other,
        },
        ("constraint", [schema, table, constraint]) if is_validated(before, after) => {
            DefinitionChange::Validated { table: qualified(schema, table), constraint: constraint.clone() }
        }
        _ => DefinitionChange::Other,
    }
}

fn is_validated(before: &str, after: &str) -> bool {
    before.strip_suffix(" (not validated)").and_then(|b| b.strip_suffix(" NOT VALID")) == Some(after)
}

/// The labels of an enum, which stand there as string literals.
fn labels(definition: &str) -> Option<Vec<String>> {
    let mut rest = definition.strip_prefix("enum ")?.chars().peekable();
    let mut all = Vec::new();
    loop {
        let mut label = String::new();
        let mut escapes = false;
        loop {
            match rest.next()? {
                'E' => escapes = true,
                ' ' | ',' => {}
                '\'' => break,
                _ => return None,
            }
        }
        loop {
            match rest.next()? {
                '\'' if rest.peek() == Some(&'\'') => label.extend(rest.next()),
                '\'' => break,
                '\\' if escapes => label.extend(rest.next()),
                other => label.push(other),
            }
        }
        all.push(label);
        if rest.peek().is_none() {
            return Some(all);
        }
    }
}

/// The labels that came to others, which are all still there in their order.
fn added(was: &[String], is: &[String]) -> Option<Vec<String>> {
    let mut old = was.iter().peekable();
    let new: Vec<String> = is.iter().filter(|label| old.next_if_eq(label).is_none()).cloned().collect();
    (old.peek().is_none() && !new.is_empty()).then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_came_are_told_from_labels_that_went() {
        let change = |before: &str, after: &str| read("type public.\"a.b\"", before, after);
        let came = |labels: &[&str]| DefinitionChange::LabelsAdded {
            enumeration: "public.\"a.b\"".to_owned(),
            labels: labels.iter().map(|l| (*l).to_owned()).collect(),
        };
        assert_eq!(change("enum 'a', 'b'", "enum 'a', 'x, ''y', 'b', 'c'"), came(&["x, 'y", "c"]));
        assert_eq!(change("enum 'a', 'b'", "enum 'a', 'b',  E'c\\\\d'"), came(&["c\\d"]));
        for after in ["enum 'b', 'a', 'c'", "enum 'a', 'c'", "enum 'a', 'b'", "composite"] {
            assert_eq!(change("enum 'a', 'b'", after), DefinitionChange::Other, "{after}");
        }
    }

    #[test]
    fn a_constraint_is_validated_and_otherwise_the_same() {
        let before = "CHECK ((a > 0)) NOT VALID (not validated)";
        let change = |after| read("constraint public.t c", before, after);
        let validated =
            DefinitionChange::Validated { table: "public.t".to_owned(), constraint: "c".to_owned() };
        assert_eq!(change("CHECK ((a > 0))"), validated);
        assert_eq!(change("CHECK ((a > 1))"), DefinitionChange::Other);
    }
}
