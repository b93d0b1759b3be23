//! Named parameters become numbers; the little of SQL's lexis that this takes.

use crate::model::query_syntax::QuerySyntax;

/// What stands at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// One character.
    Plain,
    /// A string, a quoted name or a dollar quote.
    Quoted,
    Comment,
    /// A string, name or comment that the text does not close.
    Open,
}

/// Length and kind of what stands at the start of a text that is not empty. `before` is the character in front of it.
pub(super) fn token(syntax: &QuerySyntax, text: &str, before: char) -> (usize, Token) {
    let first = text.chars().next().unwrap_or(' ');
    let ended =
        |length: Option<usize>, kind| length.map_or((text.len(), Token::Open), |length| (length, kind));
    let word = before.is_alphanumeric() || before == '_' || before == '$';
    if text.starts_with("--") {
        return (text.find('\n').unwrap_or(text.len()), Token::Comment);
    }
    if text.starts_with("/*") {
        return ended(block_comment(text, syntax.nested_comments), Token::Comment);
    }
    if syntax.escape_strings && !word && (text.starts_with("E'") || text.starts_with("e'")) {
        return ended(escaped(text), Token::Quoted);
    }
    if first == '\'' || first == '"' {
        // A doubled quote reads as two strings, one behind the other.
        return ended(text.get(1..).and_then(|t| t.find(first)).map(|at| at + 2), Token::Quoted);
    }
    if syntax.dollar_quotes && first == '$' && !word {
        let tail = text.get(1..).unwrap_or_default();
        let tag: String = tail.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let opens = !tag.starts_with(|c: char| c.is_ascii_digit())
            && tail.get(tag.len()..).is_some_and(|t| t.starts_with('$'));
        if opens {
            let quote = format!("${tag}$");
            let body = text.get(quote.len()..).unwrap_or_default();
            return ended(body.find(&quote).map(|at| at + 2 * quote.len()), Token::Quoted);
        }
    }
    (first.len_utf8(), Token::Plain)
}

/// The length of the comment that a text starts with.
fn block_comment(text: &str, nested: bool) -> Option<usize> {
    if !nested {
        return text.get(2..)?.find("*/").map(|at| at + 4);
    }
    let mut depth = 0_u32;
    let mut pairs = text.bytes().zip(text.bytes().skip(1)).enumerate();
    while let Some((at, pair)) = pairs.next() {
        match pair {
            (b'/', b'*') => depth += 1,
            (b'*', b'/') => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return Some(at + 2);
        }
        pairs.next();
    }
    None
}

/// A string in which a backslash takes the next character's meaning: `E'it\'s'`.
fn escaped(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().skip(2);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            b'\'' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Named parameters (`@name`, `:name`, `sqlc.arg(name)`, `sqlc.narg(name)`, `sqlc.slice(name)`) become numbered parameters, in the order of their
/// first appearance after the highest number used; `sqlc.embed(t)` becomes `t.*`. Strings, comments, quoted names and operators
/// with an `@` are left alone.
pub(super) fn numbered(syntax: &QuerySyntax, sql: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    let highest = highest(syntax, sql);
    let mut number = |name: &str| {
        let at = names.iter().position(|n| n == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        syntax.placeholder(highest + at + 1)
    };
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while !rest.is_empty() {
        let before = out.chars().next_back().unwrap_or(' ');
        let (length, kind) = token(syntax, rest, before);
        let word = before.is_alphanumeric() || before == '_';
        let replaced = match kind {
            Token::Plain if rest.starts_with('@') && !word && !operator(syntax, &out) => {
                marker(rest).map(|(name, length)| {
                    out.push_str(&number(&name));
                    length
                })
            }
            Token::Plain if rest.starts_with(':') && !word && before != ':' && !slice(syntax, &out) => {
                marker(rest).map(|(name, length)| {
                    out.push_str(&number(&name));
                    length
                })
            }
            Token::Plain if !word && before != '.' => call(rest).map(|(kind, name, length)| {
                match kind {
                    "embed" => out.push_str(&format!("{name}.*")),
                    _ => {
                        if kind == "slice" {
                            open_array(syntax, &mut out);
                        }
                        out.push_str(&number(&name));
                    }
                }
                length
            }),
            _ => None,
        };
        let taken = replaced.unwrap_or_else(|| {
            out.push_str(rest.get(..length).unwrap_or_default());
            length
        });
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Whether an `@` behind this text belongs to an operator.
fn operator(syntax: &QuerySyntax, before: &str) -> bool {
    syntax.operators_before_at.iter().any(|end| before.ends_with(end))
}

/// Whether a `:` behind this text is the one of a slice, `a[:n]`.
fn slice(syntax: &QuerySyntax, before: &str) -> bool {
    let head = before.strip_suffix('[').filter(|_| syntax.array_slices);
    head.is_some_and(|head| !head.to_lowercase().ends_with("array"))
}

/// `@name` or `:name` at the start of the text: name, length.
fn marker(text: &str) -> Option<(String, usize)> {
    let name: String = text.chars().skip(1).take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let first = name.chars().next()?;
    (first.is_alphabetic() || first == '_').then(|| (name.clone(), 1 + name.len()))
}

/// `sqlc.arg(name)` and its like at the start of the text: kind, name, length.
fn call(text: &str) -> Option<(&str, String, usize)> {
    let tail = text.strip_prefix("sqlc.")?;
    let (kind, tail) = tail.split_once('(')?;
    let kind = kind.trim_end();
    if !matches!(kind, "arg" | "narg" | "slice" | "embed") {
        return None;
    }
    let (inside, after) = tail.split_once(')')?;
    let name = inside.trim().trim_matches(['\'', '"']).to_owned();
    Some((kind, name, text.len() - after.len()))
}

/// `IN (sqlc.slice('ids'))` takes any number of values: as one array, where the product has arrays.
fn open_array(syntax: &QuerySyntax, out: &mut String) {
    fn without<'a>(text: &'a str, word: &str) -> Option<&'a str> {
        let text = text.trim_end();
        let cut = text.len().checked_sub(word.len())?;
        let (head, tail) = text.split_at_checked(cut)?;
        let ends =
            tail.eq_ignore_ascii_case(word) && !head.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        ends.then_some(head)
    }
    let Some(search) = syntax.array_search else { return };
    let Some(head) = out.trim_end().strip_suffix('(').and_then(|head| without(head, "in")) else { return };
    *out = match without(head, "not") {
        Some(head) => format!("{head}{}", search.none),
        None => format!("{head}{}", search.any),
    };
}

fn highest(syntax: &QuerySyntax, sql: &str) -> usize {
    let mut most = 0;
    renumbered(syntax, sql, |n| {
        most = most.max(n);
        n
    });
    most
}

/// Parameters numbered from 1 without gaps, in the order of their numbers.
pub(super) fn dense(syntax: &QuerySyntax, sql: &str) -> String {
    let mut used = std::collections::BTreeSet::new();
    renumbered(syntax, sql, |n| {
        used.insert(n);
        n
    });
    renumbered(syntax, sql, |n| used.iter().take_while(|u| **u <= n).count())
}

/// The text with every parameter outside strings and comments given another number.
fn renumbered(syntax: &QuerySyntax, sql: &str, mut number: impl FnMut(usize) -> usize) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let before = out.chars().next_back().unwrap_or(' ');
        let (mut length, kind) = token(syntax, rest, before);
        let word = before.is_alphanumeric() || before == '_';
        let digits = rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        let parameter = (c == syntax.parameter && kind == Token::Plain && !word)
            .then(|| rest.get(c.len_utf8()..c.len_utf8() + digits).and_then(|d| d.parse::<usize>().ok()))
            .flatten()
            // More than 65535 parameters no server takes.
            .filter(|n| *n <= 65_535);
        match parameter {
            Some(n) => {
                length = c.len_utf8() + digits;
                out.push_str(&syntax.placeholder(number(n)));
            }
            None => out.push_str(rest.get(..length).unwrap_or_default()),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::test_syntax;
    use crate::model::query_syntax::ArraySearch;
    use proptest::prelude::*;

    fn numbered(sql: &str) -> String {
        super::numbered(test_syntax(), sql)
    }

    #[test]
    fn another_product_has_another_lexis() {
        let syntax = QuerySyntax {
            parameter: ':',
            dollar_quotes: false,
            escape_strings: false,
            nested_comments: false,
            operators_before_at: &[],
            array_slices: false,
            capitals: false,
            code_blocks: false,
            array_search: None,
        };
        let cases = [
            ("select :2, @name, :other", "select :2, :3, :4"),
            ("select $$ @a $$, E'\\' , @b", "select $$ :1 $$, E'\\' , :2"),
            ("select /* /* @a */ @b */", "select /* /* @a */ :1 */"),
            ("where a <@x and id in (sqlc.slice(ids))", "where a <:1 and id in (:2)"),
        ];
        for (sql, expected) in cases {
            assert_eq!(super::numbered(&syntax, sql), expected);
        }
        assert_eq!(dense(&syntax, "a = :7 and b = :3"), "a = :2 and b = :1");
        let arrays =
            QuerySyntax { array_search: Some(ArraySearch { any: "= SOME (", none: "<> ALL (" }), ..syntax };
        assert_eq!(super::numbered(&arrays, "id in (sqlc.slice(ids))"), "id = SOME (:1)");
    }

    #[test]
    fn parameters_get_numbers_and_operators_stay() {
        let cases = [
            ("select $1, @name, @other, @name", "select $1, $2, $3, $2"),
            (
                "a=@a and b>=@b and c<>@c and d||@d||'x' and (@e)",
                "a=$1 and b>=$2 and c<>$3 and d||$4||'x' and ($5)",
            ),
            (
                "select a @> $1, b @@ c, b @@c, a <@b, '@x', \"@y\", $$ @z $$ -- @w",
                "select a @> $1, b @@ c, b @@c, a <@b, '@x', \"@y\", $$ @z $$ -- @w",
            ),
            (
                "select @-@ path, @ -5, a @? b, /* @x /* @y */ @z */ @v::int",
                "select @-@ path, @ -5, a @? b, /* @x /* @y */ @z */ $1::int",
            ),
            ("where id in (sqlc.slice('ids')) and b = sqlc.narg(b)", "where id = ANY ($1) and b = $2"),
            (
                "where id NOT IN ( sqlc.slice(ids) ) and min(sqlc.arg ('ids'))",
                "where id <> ALL ($1 ) and min($1)",
            ),
            ("select sqlc.embed(t), 1", "select t.*, 1"),
            ("select 'it''s @a' , @b", "select 'it''s @a' , $1"),
            ("select E'it\\'s @a' , @b", "select E'it\\'s @a' , $1"),
            (
                "select user@host, x.sqlc.argument(a), a$1, a[:n], a[1:n], b::int, ':x'",
                "select user@host, x.sqlc.argument(a), a$1, a[:n], a[1:n], b::int, ':x'",
            ),
            ("select :name::int, array[:b], x=:name", "select $1::int, array[$2], x=$1"),
            ("select $tag$ $1 @a $tag$, @b, $3", "select $tag$ $1 @a $tag$, $4, $3"),
        ];
        for (sql, expected) in cases {
            assert_eq!(numbered(sql), expected);
        }
    }

    proptest! {
        #[test]
        fn it_never_panics(sql in "(\\PC|[@$'\"()é]|sqlc\\.(arg|slice|embed)\\(| in \\(|\\$a\\$){0,40}") {
            let _ = numbered(&sql);
        }

        #[test]
        fn without_names_nothing_changes(sql in "[a-z0-9 ,()'$\\n-]{0,80}") {
            prop_assert_eq!(numbered(&sql), sql);
        }
    }
}
