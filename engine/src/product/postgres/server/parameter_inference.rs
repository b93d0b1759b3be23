//! Types of parameters that once were constants: the server knew what `14` was, and does not know what `$1` is.

use std::ops::Range;

use pg_query::protobuf::Token;
use tokio_postgres::Client;

use crate::error::Result;
use crate::product::postgres::grammar::sql;
use crate::product::postgres::server::connect::failed;
use crate::product::postgres::server::grouped_constants;

/// Types that are written before a literal of theirs.
const BEFORE: [&str; 12] = [
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "numeric",
    "json",
    "jsonb",
    "uuid",
    "inet",
    "bytea",
];
/// What a constant without a type most often was.
const LIKELY: [&str; 5] = ["integer", "text", "interval", "date", "numeric"];
/// Ambiguous function, indeterminate data type, undefined function, ambiguous parameter
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
const UNTYPED: [&str; 4] = ["42725", "42P18", "42883", "42P08"];
/// Grouping error, invalid column reference.
const GROUPING: [&str; 2] = ["42803", "42P10"];
/// Most tries for one statement.
const TRIES: usize = 400;

/// A token with where it stands; a text that cannot be read has none.
pub(super) struct Piece<'a> {
    pub at: Range<usize>,
    pub kind: Token,
    pub text: &'a str,
}

pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let Ok(scan) = pg_query::scan(text) else { return Vec::new() };
    let piece = |token: &pg_query::protobuf::ScanToken| {
        let at = usize::try_from(token.start).ok()?..usize::try_from(token.end).ok()?;
        Some(Piece { kind: token.token(), text: text.get(at.clone())?, at })
    };
    scan.tokens.iter().filter_map(piece).collect()
}

/// The text with some places of it written otherwise.
pub(super) fn rewritten(text: &str, changes: &[(Range<usize>, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, with) in changes {
        out.push_str(text.get(copied..at.start).unwrap_or_default());
        out.push_str(with);
        copied = at.end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

/// `interval $1` becomes `$1::interval`, and `extract($1 from x)` `date_part($1, x)`: as they stand they are no SQL.
pub(in crate::product::postgres) fn with_parameters(text: &str) -> String {
    literals_cast(text, &[Token::Param], false)
}

/// `names`: also where extract has the name of its field.
fn literals_cast(text: &str, kinds: &[Token], names: bool) -> String {
    let pieces = pieces(text);
    let is = |n: usize, word: &str| pieces.get(n).is_some_and(|p| p.text.eq_ignore_ascii_case(word));
    let literal = |n: usize| pieces.get(n).filter(|p| kinds.contains(&p.kind));
    let field = |n: usize| names || literal(n).is_some();
    let mut changes = Vec::new();
    for (n, piece) in pieces.iter().enumerate() {
        let word = piece.text.to_lowercase();
        if let (true, Some(next)) = (BEFORE.contains(&word.as_str()), literal(n + 1)) {
            changes.push((piece.at.start..next.at.end, format!("{}::{word}", next.text)));
        } else if word == "extract" && is(n + 1, "(") && field(n + 2) && is(n + 3, "from") {
            changes.push((piece.at.clone(), "date_part".to_owned()));
        } else if word == "from" && n >= 3 && is(n - 3, "extract") && field(n - 1) {
            if names && literal(n - 1).is_none() {
                changes.extend(pieces.get(n - 1).map(|p| (p.at.clone(), "$1".to_owned())));
            }
            changes.push((piece.at.clone(), ",".to_owned()));
        }
    }
    rewritten(text, &changes)
}

/// Parameters and constants without the type that is written with them.
pub(in crate::product::postgres) fn without_casts(text: &str) -> String {
    let text = literals_cast(text, &[Token::Param, Token::Sconst], true);
    let pieces = pieces(&text);
    let mut changes = Vec::new();
    for (n, piece) in pieces.iter().enumerate() {
        let literal = matches!(piece.kind, Token::Param | Token::Sconst | Token::Iconst | Token::Fconst);
        if !literal || pieces.get(n + 1).is_none_or(|p| p.kind != Token::Typecast) {
            continue;
        }
        let Some(mut end) = pieces.get(n + 2) else { continue };
        // numeric(10, 2) and text[]
        let mut rest = pieces.iter().skip(n + 3).peekable();
        for (open, close) in [("(", ")"), ("[", "]")] {
            if rest.peek().is_some_and(|p| p.text == open)
                && let Some(closed) = rest.by_ref().find(|p| p.text == close)
            {
                end = closed;
            }
        }
        changes.push((piece.at.end..end.at.end, String::new()));
    }
    rewritten(&text, &changes)
}

/// Every `$n` with a type.
fn cast(text: &str, parameter: usize, sql_type: &str) -> String {
    let name = format!("${parameter}");
    let pieces = pieces(text);
    let named = pieces.iter().filter(|p| p.kind == Token::Param && p.text == name);
    let changes: Vec<_> = named.map(|p| (p.at.clone(), format!("{name}::{sql_type}"))).collect();
    rewritten(text, &changes)
}

/// The statement as the server plans it: with types for parameters of which it cannot tell what they are. A statement that
/// nothing helps stays as it was.
///
/// # Errors
/// `Failed` when the connection breaks.
pub(in crate::product::postgres) async fn known(client: &Client, text: String) -> Result<String> {
    let Some(mut refused) = refusal(client, &text).await? else { return Ok(text) };
    let mut text = text;
    if refused == Refusal::Grouping
        && let Some(other) = grouped_constants::put_back(&text)
    {
        text = other;
        match refusal(client, &text).await? {
            Some(next) => refused = next,
            None => return Ok(text),
        }
    }
    let mut better = text.clone();
    // The server names the one that it cannot tell: a string, since anything else would have been seen from its form.
    for _ in 0..16 {
        let Refusal::Parameter(parameter) = refused else { break };
        better = cast(&better, parameter, "text");
        match refusal(client, &better).await? {
            Some(next) => refused = next,
            None => return Ok(better),
        }
    }
    if matches!(refused, Refusal::Other | Refusal::Grouping) {
        return Ok(text);
    }
    let parameters = sql::highest_parameter(&better);
    let one = |base: &str, parameter: usize| LIKELY.map(|sql_type| cast(base, parameter, sql_type));
    // The last ones first: constants are numbered behind a service's own parameters.
    let singles = (1..=parameters).rev().flat_map(|n| one(&better, n));
    let pairs = (1..=parameters).rev().flat_map(|n| {
        let bases = one(&better, n);
        (1..n).rev().flat_map(move |m| bases.clone().into_iter().flat_map(move |base| one(&base, m)))
    });
    for candidate in singles.chain(pairs).take(TRIES) {
        if refusal(client, &candidate).await?.is_none() {
            return Ok(candidate);
        }
    }
    Ok(text)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// The type of this one is not known.
    Parameter(usize),
    /// Types do not fit, and none is named.
    Types,
    /// Something of the result is not among what it is grouped or sorted by.
    Grouping,
    Other,
}

/// Why the server does not plan it; `None` when it does. Nothing is run.
async fn refusal(client: &Client, text: &str) -> Result<Option<Refusal>> {
    // COPY is not planned.
    if text.trim_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case("copy")) {
        return Ok(None);
    }
    let Err(error) = client.prepare(text).await else { return Ok(None) };
    let Some(told) = error.as_db_error() else { return Err(failed("a query cannot be planned", &error)) };
    if GROUPING.contains(&told.code().code()) {
        return Ok(Some(Refusal::Grouping));
    }
    if !UNTYPED.contains(&told.code().code()) {
        return Ok(Some(Refusal::Other));
    }
    let named = told.message().split_once('$').and_then(|(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    Ok(Some(named.map_or(Refusal::Types, Refusal::Parameter)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn constants_become_parameters_that_the_grammar_takes() {
        let cases = [
            ("select now() - interval $1", "select now() - $1::interval"),
            ("where at > DATE $2 and date = $3", "where at > $2::date and date = $3"),
            ("select extract($1 from created_at), $2", "select date_part($1 , created_at), $2"),
            ("select 'interval $1', \"date\" -- date $1", "select 'interval $1', \"date\" -- date $1"),
        ];
        for (text, expected) in cases {
            assert_eq!(with_parameters(text), expected);
        }
    }

    #[test]
    fn casts_come_and_go() {
        assert_eq!(
            cast("select $1, $11, '$1', $1 + 2", 1, "date"),
            "select $1::date, $11, '$1', $1::date + 2"
        );
        let cases = [
            ("select $1::int, a::int, '{}'::text[] , 2::numeric(10, 2)", "select $1, a::int, '{}' , 2"),
            ("select date '2026-01-01', x.date", "select '2026-01-01', x.date"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_casts(text), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "(select |from |interval |extract\\(|\\$1|::|int|\\PC|['\"(),; \\[\\]]){0,20}") {
            let _ = cast(&without_casts(&with_parameters(&text)), 1, "int");
        }
    }
}
