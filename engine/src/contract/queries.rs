//! Query files in sqlc's convention: `-- name: LatestEvent :one` over each query
//! (<https://docs.sqlc.dev/en/latest/reference/query-annotations.html>), with `-- variant: …` for dynamic parts.

use std::path::Path;

use crate::contract::placeholders::{Token, numbered, token};
use crate::contract::variants::{self, Variant, Wrong};
use crate::contract::{Arity, Query};
use crate::error::{Error, Result};
use crate::model::query_syntax::QuerySyntax;

/// Reads the queries of a file. Strings, comments and dollar quotes may hold anything; what stands before the first name
/// is a heading.
///
/// # Errors
/// `Input` with file and line for a name line that cannot be read, a name without a query or with two, and a string or
/// comment that is not closed.
pub fn parse(text: &str, file: &Path, syntax: &QuerySyntax) -> Result<Vec<Query>> {
    Ok(read(text, file, syntax, None)?.0)
}

/// Queries that statements without a name follow, and the line of the first.
type PassedOver = Vec<(String, u64)>;

/// The same for a file of sqlc, which passes over what has no name; that is given too.
///
/// # Errors
/// As of `parse`, but for a second statement.
pub fn parse_loosely(text: &str, file: &Path, syntax: &QuerySyntax) -> Result<(Vec<Query>, PassedOver)> {
    read(text, file, syntax, Some(Vec::new()))
}

fn read(
    text: &str,
    file: &Path,
    syntax: &QuerySyntax,
    passed_over: Option<PassedOver>,
) -> Result<(Vec<Query>, PassedOver)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        file,
        syntax,
        queries: Vec::new(),
        variants: Vec::new(),
        body: String::new(),
        end: 0,
        closed: false,
        passed_over,
    };
    let mut rest = text;
    let mut line = 1_u64;
    let mut before = '\n';
    let mut starts_line = true;
    while let Some(c) = rest.chars().next() {
        let (length, kind) = token(syntax, rest, before);
        let (piece, tail) = rest.split_at(length);
        match kind {
            Token::Open => return Err(reader.open(piece, line)),
            Token::Comment => {
                let words = if starts_line { annotation(piece) } else { None };
                match words {
                    Some(("name", words)) => reader.name(words, line)?,
                    Some(("variant", words)) => reader.variant(words, line)?,
                    Some((_, words)) => reader.ack(words, line)?,
                    None => reader.comment(piece),
                }
            }
            Token::Plain if c == ';' && reader.is_in_block() => reader.text(piece, line)?,
            Token::Plain if c == '/' && reader.is_in_block() && alone(before, tail) => reader.closed = true,
            Token::Plain if c == ';' => reader.closed = !reader.body.is_empty(),
            Token::Plain if c.is_whitespace() => reader.space(c),
            Token::Plain | Token::Quoted => reader.text(piece, line)?,
        }
        line += u64::try_from(piece.matches('\n').count()).unwrap_or(0);
        starts_line = piece.ends_with('\n') || (starts_line && c.is_whitespace());
        before = piece.chars().next_back().unwrap_or(c);
        rest = tail;
    }
    reader.finish()?;
    Ok((reader.queries, reader.passed_over.unwrap_or_default()))
}

/// Whether what stands here is alone on its line, with this before it and this behind.
fn alone(before: char, behind: &str) -> bool {
    before == '\n' && behind.split('\n').next().is_none_or(|rest| rest.trim().is_empty())
}

/// `-- name: ...`, `-- ack: ...` or `-- variant: ...`, also as `/* name: ... */`.
fn annotation(comment: &str) -> Option<(&str, &str)> {
    let inside = match comment.strip_prefix("--") {
        Some(inside) => inside,
        None => comment.strip_prefix("/*")?.strip_suffix("*/")?,
    };
    let (key, words) = inside.trim().split_once(':')?;
    matches!(key, "name" | "ack" | "variant").then_some((key, words.trim()))
}

pub(super) fn arity(word: &str) -> Option<Arity> {
    Some(match word {
        ":one" | ":batchone" => Arity::One,
        ":many" | ":batchmany" => Arity::Many,
        ":exec" | ":execresult" | ":execlastid" | ":batchexec" => Arity::Exec,
        ":execrows" => Arity::ExecRows,
        ":copyfrom" => Arity::CopyFrom,
        _ => return None,
    })
}

struct Reader<'a> {
    file: &'a Path,
    syntax: &'a QuerySyntax,
    queries: Vec<Query>,
    /// Of the query that is read.
    variants: Vec<Variant>,
    /// The statement so far.
    body: String,
    /// Length of the statement up to its last word that is no comment.
    end: usize,
    /// Its semicolon was seen.
    closed: bool,
    /// Queries that statements without a name follow, where that is no mistake.
    passed_over: Option<PassedOver>,
}

impl Reader<'_> {
    fn wrong(&self, line: u64, what: &str) -> Error {
        Error::input(format!("{}:{line}: {what}", self.file.display()))
    }

    fn open(&self, piece: &str, line: u64) -> Error {
        let (what, end) = match piece.chars().next() {
            Some('/') => ("comment", "close it with */"),
            Some('"') => ("quoted name", "close it with \""),
            Some('$') => ("dollar quote", "close it with the tag that opens it"),
            _ => ("string", "close it with '; a quote inside a string is written ''"),
        };
        self.wrong(line, &format!("the {what} that begins here is not closed")).hint(end)
    }

    fn name(&mut self, words: &str, line: u64) -> Result<()> {
        self.finish()?;
        let mut words = words.split_whitespace();
        let (Some(name), Some(arity)) = (words.next(), words.next().and_then(arity)) else {
            return Err(self
                .wrong(line, "this is no query's name line")
                .hint("write -- name: NameOfQuery :one (or :many, :exec, :execrows, :copyfrom)"));
        };
        let (name, file) = (name.to_owned(), self.file.to_path_buf());
        self.queries.push(Query { name, arity, sql: String::new(), file, line, ack: None });
        Ok(())
    }

    fn ack(&mut self, words: &str, line: u64) -> Result<()> {
        let target = words.rsplit_once('.').filter(|(table, column)| {
            !table.is_empty() && !column.is_empty() && !words.contains(char::is_whitespace)
        });
        let Some((table, column)) = target else {
            return Err(self.wrong(line, "\"ack:\" names no table.column").hint("write -- ack: orders.id"));
        };
        let ack = (self.syntax.catalog_name(table), self.syntax.catalog_name(column));
        match self.queries.last_mut() {
            Some(query) if !self.closed => query.ack = Some(ack),
            _ => {
                return Err(self
                    .wrong(line, "\"ack:\" belongs to no query")
                    .hint("it stands between a query's name line and its semicolon"));
            }
        }
        Ok(())
    }

    fn variant(&mut self, words: &str, line: u64) -> Result<()> {
        if self.queries.is_empty() || self.closed {
            return Err(self
                .wrong(line, "\"variant:\" belongs to no query")
                .hint("it stands between a query's name line and its semicolon"));
        }
        let variant = Variant::read(self.syntax, words, line).map_err(|wrong| self.said(wrong))?;
        self.variants.push(variant);
        Ok(())
    }

    fn said(&self, Wrong { line, what, hint }: Wrong) -> Error {
        self.wrong(line, &what).hint(hint)
    }

    /// Whether the statement so far is a block of code, which no semicolon ends.
    fn is_in_block(&self) -> bool {
        let first = self.body.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        self.syntax.code_blocks && ["begin", "declare"].iter().any(|word| first.eq_ignore_ascii_case(word))
    }

    fn comment(&mut self, piece: &str) {
        if !self.body.is_empty() && !self.closed {
            self.body.push_str(piece);
        }
    }

    fn space(&mut self, c: char) {
        if !self.body.is_empty() && !self.closed {
            self.body.push(c);
        }
    }

    fn text(&mut self, piece: &str, line: u64) -> Result<()> {
        if self.closed {
            let Some(query) = self.queries.last() else {
                self.body.clear();
                self.closed = false;
                return Ok(());
            };
            if let Some(all) = &mut self.passed_over {
                if all.last().is_none_or(|(name, _)| *name != query.name) {
                    all.push((query.name.clone(), line));
                }
                return Ok(());
            }
            return Err(self
                .wrong(line, &format!("{} has a second statement", query.name))
                .hint("each statement has a name line of its own"));
        }
        self.body.push_str(piece);
        self.end = self.body.len();
        Ok(())
    }

    /// Gives the text gathered so far to the query it belongs to.
    fn finish(&mut self) -> Result<()> {
        let mut body = std::mem::take(&mut self.body);
        body.truncate(self.end);
        self.end = 0;
        self.closed = false;
        let Some(query) = self.queries.last_mut() else { return Ok(()) };
        if body.is_empty() {
            let (name, line) = (query.name.clone(), query.line);
            return Err(self
                .wrong(line, &format!("{name} has no query"))
                .hint("the statement follows its name line"));
        }
        let variants = std::mem::take(&mut self.variants);
        if variants.is_empty() {
            query.sql = numbered(self.syntax, &body);
            return Ok(());
        }
        let expanded = variants::expand(self.syntax, &body, &variants).map_err(|wrong| self.said(wrong))?;
        let Some(query) = self.queries.pop() else { return Ok(()) };
        self.queries.extend(expanded.into_iter().map(|(variant, sql)| Query {
            name: format!("{}[{variant}]", query.name),
            sql,
            ..query.clone()
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::contract::test_syntax;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<Query>> {
        parse(text, Path::new("q.sql"), test_syntax())
    }

    #[test]
    fn names_lines_and_acknowledgements() {
        let text = "\u{feff}-- queries of a service\nset x = 1; set y = 2;\n-- name: A :one\n-- ack: t.id\n-- Makes one.\n\
                    insert into t (a) values ($1) returning id; -- done\n\n-- next\n/* name: B :batchmany */\r\nselect 1 -- one\n-- more\n, 2\n\
                    -- Says of C.\n-- name: C :execresult\nselect ';' /* ; /* ; */ ; */, $$;\n-- name: X :one\n$$, E'\\';' ;\n";
        let queries = read(text).unwrap();
        let found: Vec<_> =
            queries.iter().map(|q| (q.name.as_str(), q.arity, q.line, q.sql.as_str())).collect();
        assert_eq!(
            found,
            [
                ("A", Arity::One, 3, "insert into t (a) values ($1) returning id"),
                ("B", Arity::Many, 9, "select 1 -- one\n-- more\n, 2"),
                ("C", Arity::Exec, 14, "select ';' /* ; /* ; */ ; */, $$;\n-- name: X :one\n$$, E'\\';'"),
            ]
        );
        assert_eq!(queries[0].ack, Some(("t".to_owned(), "id".to_owned())));
    }

    #[test]
    fn a_block_of_code_is_one_statement() {
        let syntax =
            QuerySyntax { parameter: ':', code_blocks: true, dollar_quotes: false, ..*test_syntax() };
        let text = "-- name: A :exec\nbegin p.a(:1); p.b(:x); :y := f('/'); end;\n/\n-- name: B :exec\ndelete from t;\n\
                    -- name: C :exec\nDECLARE n number; BEGIN n := 4\n/ 2; END;\n";
        let queries = parse(text, Path::new("q.sql"), &syntax).unwrap();
        let found: Vec<_> = queries.iter().map(|q| (q.name.as_str(), q.sql.as_str())).collect();
        assert_eq!(
            found,
            [
                ("A", "begin p.a(:1); p.b(:2); :3 := f('/'); end;"),
                ("B", "delete from t"),
                ("C", "DECLARE n number; BEGIN n := 4\n/ 2; END;"),
            ]
        );
    }

    #[test]
    fn a_variant_is_a_query_of_its_own() {
        let text = "-- name: A :many\n-- ack: t.id\n-- variant: order = a | b desc\nselect @x order by /*order*/ limit @n;\n\
                    -- name: B :one\nselect 1 /*order*/ + 2;\n";
        let found: Vec<_> =
            read(text).unwrap().into_iter().map(|q| (q.name, q.line, q.sql, q.ack.is_some())).collect();
        let query = |name: &str, line, sql: &str, ack| (name.to_owned(), line, sql.to_owned(), ack);
        assert_eq!(
            found,
            [
                query("A[order=a]", 1, "select $1 order by a  limit $2", true),
                query("A[order=b desc]", 1, "select $1 order by b desc  limit $2", true),
                query("B", 5, "select 1 /*order*/ + 2", false),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let cases = [
            ("-- name: A\nselect 1;", "q.sql:1: this is no query's name line"),
            ("\n-- name: A :some\nselect 1;", "q.sql:2: this is no query's name line"),
            ("-- name: A :one\n-- nothing\n;\n-- name: B :one\nselect 1;", "q.sql:1: A has no query"),
            ("-- name: A :one\nselect 1;\nselect 2;", "q.sql:3: A has a second statement"),
            ("-- name: A :one\nselect 'it's';\n", "q.sql:2: the string that begins here is not closed"),
            ("-- name: A :one\nselect 1 /* /* */\n", "q.sql:2: the comment that begins here is not closed"),
            (
                "-- name: A :one\n\nselect $x$ $y$\n",
                "q.sql:3: the dollar quote that begins here is not closed",
            ),
            ("-- name: A :one\n-- ack: id\nselect 1;", "q.sql:2: \"ack:\" names no table.column"),
            ("-- ack: t.id\n-- name: A :one\nselect 1;", "q.sql:1: \"ack:\" belongs to no query"),
            (
                "-- variant: a = 1\n-- name: A :one\nselect /*a*/;",
                "q.sql:1: \"variant:\" belongs to no query",
            ),
            ("-- name: A :one\n-- variant: a\nselect /*a*/;", "q.sql:2: this is no variant"),
            ("-- name: A :one\n-- variant: a = 1\nselect 1;", "q.sql:2: the statement has no mark /*a*/"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).unwrap_err().to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn it_never_panics(text in "(\\PC|[\\n;'\"$@*/é-]|-- name: A :one\n|sqlc\\.slice\\(|E'|\\$a\\$|in \\(){0,60}") {
            let _ = read(&text);
            let _ = read(&format!("-- name: A :one\n{text}"));
        }

        #[test]
        fn names_and_lines_survive(
            names in prop::collection::vec("[A-Z][a-z]{1,8}", 1..20),
            gaps in prop::collection::vec(0usize..3, 20),
            bodies in prop::collection::vec(prop::sample::select(vec![
                "select 1", "select ';'", "select\n$$ ;\n$$", "select 1 -- ;\n, 2", "select /* ;\n */ 3",
            ]), 20),
        ) {
            let mut text = String::new();
            let mut expected = Vec::new();
            for ((name, gap), body) in names.iter().zip(&gaps).zip(&bodies) {
                text.push_str(&"\n".repeat(*gap));
                expected.push((name.clone(), text.matches('\n').count() as u64 + 1, (*body).to_owned()));
                text.push_str(&format!("-- name: {name} :exec\n-- What it does; and why.\n{body};\n"));
            }
            let found: Vec<_> = read(&text).unwrap().into_iter().map(|q| (q.name, q.line, q.sql)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
