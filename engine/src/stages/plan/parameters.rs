//! Parameters of a changelog that nobody gave a value. Liquibase leaves `${name}` in the statement then.

use crate::error::{Error, Result};

/// # Errors
/// `Input` with the first parameter that has no value. What stands in a string is left alone: it may be meant so.
pub(super) fn all_set(statements: &[String]) -> Result<()> {
    match statements.iter().find_map(|sql| unset(sql)) {
        Some(name) => Err(Error::input(format!("the parameter ${{{name}}} has no value")).hint(format!(
            "give it one: --parameter {name}=VALUE, [environments.NAME.parameters] in drydock.toml, or parameter.{name} in liquibase.properties"
        ))),
        None => Ok(()),
    }
}

/// The name in the first `${name}` outside strings.
fn unset(sql: &str) -> Option<&str> {
    let mut rest = sql;
    while let Some(at) = rest.find(['\'', '$']) {
        let (_, found) = rest.split_at(at);
        if let Some(text) = found.strip_prefix('\'') {
            rest = text.split_once('\'').map_or("", |(_, after)| after);
            continue;
        }
        if let Some(name) =
            found.strip_prefix("${").and_then(|inner| inner.split_once('}')).map(|(name, _)| name)
            && !name.is_empty()
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        {
            return Some(name);
        }
        // A string between two equal tags: `$body$ … $body$`.
        let tag = found.get(1..).and_then(|inner| inner.split_once('$')).map(|(tag, _)| tag);
        let word = |tag: &&str| tag.chars().all(|c| c.is_alphanumeric() || c == '_');
        rest = match tag.filter(word) {
            Some(tag) => {
                let fence = format!("${tag}$");
                let inside = found.get(fence.len()..).unwrap_or_default();
                inside.split_once(&fence).map_or(inside, |(_, after)| after)
            }
            None => found.get(1..).unwrap_or_default(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_value_is_found_outside_strings() {
        for (sql, expected) in [
            ("alter table ${schema}.orders add column note text", Some("schema")),
            ("alter table \"${schema}\".orders add column note text", Some("schema")),
            ("select 'it''s ${not} one', ${app.name}", Some("app.name")),
            ("update t set a = '${kept}' where b = $1", None),
            ("create function f() returns text language sql as $body$ select '${x}' || ${y} $body$", None),
            ("create function f() returns text language sql as $$ select 1 $$; select ${z}", Some("z")),
            ("select $1, $2", None),
            ("select '${unfinished", None),
        ] {
            assert_eq!(unset(sql), expected, "{sql}");
        }
    }
}
