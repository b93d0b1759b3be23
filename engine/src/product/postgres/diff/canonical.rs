//! One spelling for definitions that the server spells differently after a dump and its restore.
//!
//! `status IN ('a', 'b')` over a `varchar` column is first kept as an array that is cast as a whole, and once its dump has
//! been read again as an array of casts:
//! `(ARRAY['a'::character varying])::text[]` and `ARRAY[('a'::character varying)::text]`.
//! The second is stable, so the first is turned into it. White space is put on one line.

use pg_query::protobuf::{KeywordKind, Token};

const OPEN: &str = "(ARRAY[";

/// The definition in its stable spelling.
pub fn normal(definition: &str) -> String {
    let mut text = one_line(definition);
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find(OPEN)).map(|at| from + at) {
        match rewritten(&text, start) {
            Some(next) => text = next,
            None => from = start + OPEN.len(),
        }
    }
    text
}

/// Turns the cast of the array at `start` into casts of its elements; `None` when it is not such a cast.
fn rewritten(text: &str, start: usize) -> Option<String> {
    let body = text.get(start + OPEN.len()..)?;
    let (elements, after) = split(body)?;
    let rest = after.strip_prefix(")::")?;
    let end = rest.find("[]")?;
    let kind = rest.get(..end)?;
    if !kind.chars().all(|c| c.is_alphanumeric() || " _.\"".contains(c)) {
        return None;
    }
    let casts: Vec<String> = elements.iter().map(|e| format!("({e})::{kind}")).collect();
    Some(format!("{}ARRAY[{}]{}", text.get(..start)?, casts.join(", "), rest.get(end + 2..)?))
}

/// Elements up to the bracket that closes the array, and what follows that bracket.
fn split(body: &str) -> Option<(Vec<&str>, &str)> {
    let (mut depth, mut quote, mut from, mut elements) = (0_usize, None, 0, Vec::new());
    for (at, c) in body.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ']') if depth == 0 => {
                elements.push(body.get(from..at)?.trim());
                return Some((elements, body.get(at + 1..)?));
            }
            (None, ')' | ']') => depth = depth.checked_sub(1)?,
            (None, ',') if depth == 0 => {
                elements.push(body.get(from..at)?.trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// Runs of white space outside quotes become one blank.
fn one_line(text: &str) -> String {
    let (mut out, mut quote, mut blank) = (String::with_capacity(text.len()), None, false);
    for c in text.trim().chars() {
        if quote.is_none() && c.is_whitespace() {
            blank = true;
            continue;
        }
        if std::mem::take(&mut blank) {
            out.push(' ');
        }
        quote = match (quote, c) {
            (Some(q), c) if q == c => None,
            (None, '\'' | '"') => Some(c),
            (q, _) => q,
        };
        out.push(c);
    }
    out
}

/// Code as its tokens: without comments and layout, and with words that are not quoted in lower case. `None` when it
/// cannot be read.
pub fn tokens(code: &str) -> Option<String> {
    let scan = pg_query::scan(code).ok()?;
    let mut out = String::with_capacity(code.len());
    for token in scan.tokens {
        let text = code.get(usize::try_from(token.start).ok()?..usize::try_from(token.end).ok()?)?;
        let kind = token.token();
        if matches!(kind, Token::SqlComment | Token::CComment) {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        let word =
            token.keyword_kind() != KeywordKind::NoKeyword || kind == Token::Ident && !text.contains('"');
        if word { out.push_str(&text.to_lowercase()) } else { out.push_str(text) }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::normal;
    use super::tokens;

    #[test]
    fn code_is_the_same_however_it_is_laid_out() {
        let one = "BEGIN\n  -- as ever\n  RETURN New . \"Id\" || 'a  B';\nEND;";
        let other = "begin return new.\"Id\"||'a  B' ; end /* x */ ;";
        assert_eq!(tokens(one), tokens(other));
        for (name, differs) in [
            ("a name", "begin return new.\"id\"||'a  B'; end;"),
            ("a string", "begin return new.\"Id\"||'a b'; end;"),
        ] {
            assert_ne!(tokens(one), tokens(differs), "{name}");
        }
    }

    #[test]
    fn a_cast_array_is_an_array_of_casts() {
        let first = "CHECK (((s)::text = ANY ((ARRAY['a, b'::character varying, 'it''s'::character varying])::text[])))";
        let again = "CHECK (((s)::text = ANY (ARRAY[('a, b'::character varying)::text, ('it''s'::character varying)::text])))";
        assert_eq!(normal(first), again);
        assert_eq!(normal(again), again);
    }

    #[test]
    fn blanks_in_quotes_stay() {
        assert_eq!(normal(" SELECT  'a  b'\n  FROM t;"), "SELECT 'a  b' FROM t;");
    }
}
