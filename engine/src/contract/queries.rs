//! Query files in sqlc's convention: `-- name: LatestEvent :one` over each query.

use std::path::Path;

use super::{Arity, Query};
use crate::error::{Error, Result};

/// Reads the queries of a file.
///
/// # Errors
/// `Input` with file and line for a name line that cannot be read or a name without a query.
pub fn parse(text: &str, file: &Path) -> Result<Vec<Query>> {
    let mut queries: Vec<Query> = Vec::new();
    let mut body = String::new();
    for (number, line) in (1_u64..).zip(text.lines()) {
        let at = || format!("{}:{number}", file.display());
        let Some(head) = comment(line).and_then(|c| c.strip_prefix("name:")) else {
            if let Some(target) = comment(line).and_then(|c| c.strip_prefix("ack:")) {
                let ack = target.trim().rsplit_once('.').map(|(t, c)| (t.to_owned(), c.to_owned()));
                if ack.is_none() {
                    return Err(Error::input(format!("{}: \"ack:\" names no table.column", at()))
                        .hint("write -- ack: orders.id"));
                }
                if let Some(query) = queries.last_mut() {
                    query.ack = ack;
                }
                continue;
            }
            body.push_str(line);
            body.push('\n');
            continue;
        };
        finish(&mut queries, &mut body)?;
        let mut words = head.split_whitespace();
        let (name, arity) = match (words.next(), words.next().and_then(arity)) {
            (Some(name), Some(arity)) => (name.to_owned(), arity),
            _ => {
                return Err(Error::input(format!("{}: this is no query's name line", at()))
                    .hint("write -- name: NameOfQuery :one (or :many, :exec, :execrows, :copyfrom)"));
            }
        };
        queries.push(Query {
            name,
            arity,
            sql: String::new(),
            file: file.to_path_buf(),
            line: number,
            ack: None,
        });
    }
    finish(&mut queries, &mut body)?;
    Ok(queries)
}

fn comment(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("--").map(str::trim_start)
}

fn arity(word: &str) -> Option<Arity> {
    Some(match word {
        ":one" | ":batchone" => Arity::One,
        ":many" | ":batchmany" => Arity::Many,
        ":exec" | ":execresult" | ":execlastid" | ":batchexec" => Arity::Exec,
        ":execrows" => Arity::ExecRows,
        ":copyfrom" => Arity::CopyFrom,
        _ => return None,
    })
}

/// Gives the text gathered so far to the query it belongs to. What stands before the first name is a heading.
fn finish(queries: &mut [Query], body: &mut String) -> Result<()> {
    let text = std::mem::take(body);
    let Some(query) = queries.last_mut() else { return Ok(()) };
    query.sql = numbered(text.trim().trim_end_matches(';').trim_end());
    if query.sql.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with("--")) {
        return Err(Error::input(format!(
            "{}:{}: {} has no query",
            query.file.display(),
            query.line,
            query.name
        ))
        .hint("the statement follows its name line"));
    }
    Ok(())
}

/// Named parameters (`@name`, `sqlc.arg(name)`, `sqlc.narg(name)`, `sqlc.slice(name)`) become `$n`, numbered by their first
/// appearance after the highest number used. Strings, comments and quoted names are left alone.
fn numbered(sql: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    let highest = highest(sql);
    let mut number = |name: &str| {
        let at = names.iter().position(|n| n == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        format!("${}", highest + at + 1)
    };
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let skipped = opaque(rest);
        if skipped > 0 {
            let (whole, tail) = rest.split_at(skipped);
            out.push_str(whole);
            rest = tail;
            before = ' ';
            continue;
        }
        let boundary = !before.is_alphanumeric() && before != '_';
        if c == '@' && boundary && !"@<>!=&|".contains(before) {
            let name: String =
                rest.chars().skip(1).take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_') {
                out.push_str(&number(&name));
                rest = rest.get(1 + name.len()..).unwrap_or_default();
                before = 'x';
                continue;
            }
        }
        if boundary && let Some((kind, name, length)) = call(rest) {
            if kind == "slice" {
                // `IN (sqlc.slice('ids'))` takes any number of values: as an array, `= ANY ($n)`.
                if let Some(head) = out.trim_end().strip_suffix('(').map(str::trim_end)
                    && let Some(cut) = head.len().checked_sub(2)
                    && head.get(cut..).is_some_and(|w| w.eq_ignore_ascii_case("in"))
                {
                    out = format!("{}= ANY (", head.get(..cut).unwrap_or_default());
                }
            }
            out.push_str(&number(&name));
            rest = rest.get(length..).unwrap_or_default();
            before = ')';
            continue;
        }
        out.push(c);
        before = c;
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    out
}

/// `sqlc.arg(name)` and its like at the start of the text: kind, name, length.
fn call(text: &str) -> Option<(&str, String, usize)> {
    let tail = text.strip_prefix("sqlc.")?;
    let (kind, tail) = tail.split_once('(')?;
    if !matches!(kind, "arg" | "narg" | "slice") {
        return None;
    }
    let (inside, after) = tail.split_once(')')?;
    let name = inside.trim().trim_matches(['\'', '"']).to_owned();
    Some((kind, name, text.len() - after.len()))
}

fn highest(sql: &str) -> usize {
    let mut most = 0;
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let skipped = opaque(rest).max(if c == '$' { 0 } else { c.len_utf8() });
        if skipped > 0 {
            rest = rest.get(skipped..).unwrap_or_default();
            continue;
        }
        let digits: String = rest.chars().skip(1).take_while(char::is_ascii_digit).collect();
        most = most.max(digits.parse().unwrap_or(0));
        rest = rest.get(1 + digits.len()..).unwrap_or_default();
    }
    most
}

/// Length of the string, quoted name, comment or dollar quote at the start of the text; 0 when there is none.
fn opaque(text: &str) -> usize {
    let closed = |open: usize, close: &str| {
        text.get(open..).and_then(|t| t.find(close)).map_or(text.len(), |at| open + at + close.len())
    };
    if text.starts_with('\'') {
        return closed(1, "'");
    }
    if text.starts_with('"') {
        return closed(1, "\"");
    }
    if text.starts_with("--") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return closed(2, "*/");
    }
    if let Some(tail) = text.strip_prefix('$')
        && let Some(end) = tail.find('$')
    {
        let tag = tail.get(..end).unwrap_or_default();
        if !tag.starts_with(|c: char| c.is_ascii_digit())
            && tag.chars().all(|c| c.is_alphanumeric() || c == '_')
        {
            let quote = format!("${tag}$");
            return closed(quote.len(), &quote);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parameters_get_numbers_and_operators_stay() {
        let cases = [
            ("select $1, @name, @other, @name", "select $1, $2, $3, $2"),
            (
                "select a @> $1, b @@ c, '@x', \"@y\", $$ @z $$ -- @w",
                "select a @> $1, b @@ c, '@x', \"@y\", $$ @z $$ -- @w",
            ),
            ("where id in (sqlc.slice('ids')) and b = sqlc.narg(b)", "where id = ANY ($1) and b = $2"),
            ("select 'it''s @a' , @b", "select 'it''s @a' , $1"),
            ("select user@host, x.sqlc.argument(a)", "select user@host, x.sqlc.argument(a)"),
        ];
        for (sql, expected) in cases {
            assert_eq!(numbered(sql), expected);
        }
    }

    #[test]
    fn names_lines_and_acknowledgements() {
        let text = "-- queries of a service\n\n-- name: A :one\n-- ack: t.id\ninsert into t (a) values ($1) returning id;\n\n-- name: B :many\nselect 1\n";
        let queries = parse(text, Path::new("q.sql")).unwrap();
        assert_eq!(queries.len(), 2);
        assert_eq!((queries[0].name.as_str(), queries[0].line), ("A", 3));
        assert_eq!(queries[0].ack, Some(("t".to_owned(), "id".to_owned())));
        assert_eq!(queries[0].sql, "insert into t (a) values ($1) returning id");
        assert_eq!((queries[1].arity, queries[1].sql.as_str()), (Arity::Many, "select 1"));
    }

    proptest! {
        #[test]
        fn it_never_panics(text in "\\PC*") {
            let _ = parse(&text, Path::new("q.sql"));
            let _ = numbered(&text);
        }

        #[test]
        fn names_and_lines_survive(names in prop::collection::vec("[A-Z][a-z]{1,8}", 1..20), gaps in prop::collection::vec(0usize..3, 20)) {
            let mut text = String::new();
            let mut lines = Vec::new();
            for (name, gap) in names.iter().zip(&gaps) {
                text.push_str(&"\n".repeat(*gap));
                lines.push(text.lines().count() as u64 + 1);
                text.push_str(&format!("-- name: {name} :exec\nselect 1;\n"));
            }
            let queries = parse(&text, Path::new("q.sql")).unwrap();
            let found: Vec<_> = queries.iter().map(|q| (q.name.clone(), q.line)).collect();
            prop_assert_eq!(found, names.into_iter().zip(lines).collect::<Vec<_>>());
        }
    }
}
