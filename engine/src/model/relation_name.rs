//! The names of relations and types: `schema.name`. A part with a dot or a double quote in it stands between double quotes, in which
//! each one is doubled; any other part stands as it is, in whatever case.

use std::borrow::Cow;

/// The name of two parts.
pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", part(schema), part(name))
}

fn part(name: &str) -> Cow<'_, str> {
    match name.contains(['.', '"']) {
        true => Cow::Owned(format!("\"{}\"", name.replace('"', "\"\""))),
        false => Cow::Borrowed(name),
    }
}

/// Its parts: the schema, where there is one, and the name.
pub fn split(name: &str) -> (Option<Cow<'_, str>>, Cow<'_, str>) {
    match first_dot(name).and_then(|at| name.split_at_checked(at)) {
        Some((schema, rest)) => (Some(plain(schema)), plain(rest.strip_prefix('.').unwrap_or(rest))),
        None => (None, plain(name)),
    }
}

/// The name without its schema.
pub fn bare(name: &str) -> Cow<'_, str> {
    split(name).1
}

/// The name that something else has in the same schema.
pub fn sibling(name: &str, other: &str) -> String {
    match split(name) {
        (Some(schema), _) => qualified(&schema, other),
        (None, _) => part(other).into_owned(),
    }
}

/// The first dot that is not between double quotes.
fn first_dot(name: &str) -> Option<usize> {
    let mut inside = false;
    name.char_indices().find_map(|(at, c)| {
        inside ^= c == '"';
        (c == '.' && !inside).then_some(at)
    })
}

fn plain(part: &str) -> Cow<'_, str> {
    match part.strip_prefix('"').and_then(|p| p.strip_suffix('"')) {
        Some(quoted) => Cow::Owned(quoted.replace("\"\"", "\"")),
        None => Cow::Borrowed(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_letters_are_put_together_and_taken_apart() {
        for (schema, name, whole) in [
            ("public", "orders", "public.orders"),
            ("Mixed", "Order Items", "Mixed.Order Items"),
            ("Sales.EU", "Order Items", "\"Sales.EU\".Order Items"),
            ("public", "a.b", "public.\"a.b\""),
            ("o\"k", ".", "\"o\"\"k\".\".\""),
        ] {
            assert_eq!(qualified(schema, name), whole);
            let (found, bare) = split(whole);
            assert_eq!((found.as_deref(), bare.as_ref()), (Some(schema), name));
        }
        assert_eq!(split("orders"), (None, Cow::Borrowed("orders")));
        assert_eq!(sibling("\"Sales.EU\".items", "Items.Qty"), "\"Sales.EU\".\"Items.Qty\"");
    }
}
