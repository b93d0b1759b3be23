//! Queries with dynamic parts: alternatives for a mark in the statement, each checked as a query of its own.
//!
//! ```sql
//! -- name: Orders :many
//! -- variant: order = created_at | name desc
//! -- variant: status = | and status = $2
//! select id, name from orders where customer_id = $1 /*status*/ order by /*order*/ limit 20;
//! ```
//!
//! are `Orders[order=created_at, status=-]` and three more. A mark is a comment that holds a key and nothing else, so a
//! comment stays a comment where no such key is declared. Parameters are numbered anew in each: an alternative may leave some out.

use crate::contract::placeholders::{Token, dense, numbered, token};
use crate::model::query_syntax::QuerySyntax;

/// Most queries that one may stand for: each is planned after every changeset that touches it.
pub(super) const MOST: usize = 64;
/// Longest part of a name that an alternative gives, characters.
const LABEL: usize = 40;

/// One key and what may stand for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variant {
    pub key: String,
    pub alternatives: Vec<String>,
    pub line: u64,
}

/// What is wrong with a declaration, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub line: u64,
    pub what: String,
    pub hint: &'static str,
}

const FORM: &str =
    "write -- variant: order = created_at | name desc, and /*order*/ where it goes in the statement";

impl Variant {
    /// Reads what stands behind `variant:`.
    pub fn read(syntax: &QuerySyntax, words: &str, line: u64) -> Result<Self, Wrong> {
        let wrong = |what: &str| Wrong { line, what: what.to_owned(), hint: FORM };
        let (key, rest) = words.split_once('=').ok_or_else(|| wrong("this is no variant"))?;
        let key = key.trim();
        if key.is_empty() || !key.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(wrong("a variant's key is one word"));
        }
        let alternatives =
            split(syntax, rest).ok_or_else(|| wrong("a quote in the variant is not closed"))?;
        for (n, alternative) in alternatives.iter().enumerate() {
            if alternatives.iter().take(n).any(|other| other == alternative) {
                return Err(wrong(&format!("variant {key} has \"{alternative}\" twice")));
            }
        }
        Ok(Self { key: key.to_owned(), alternatives, line })
    }

    /// How each alternative is called in the name of its query: its text, cut, and told apart.
    fn labels(&self) -> Vec<String> {
        let mut labels: Vec<String> = Vec::new();
        for alternative in &self.alternatives {
            let text = alternative.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut label = match text.chars().count() {
                0 => "-".to_owned(),
                n if n > LABEL => text.chars().take(LABEL - 1).chain(['…']).collect(),
                _ => text,
            };
            let same = labels.iter().filter(|l| l.split('~').next() == Some(&label)).count();
            if same > 0 {
                label = format!("{label}~{}", same + 1);
            }
            labels.push(label);
        }
        labels
    }
}

/// Alternatives stand between bars outside quotes and brackets; `||` is an operator. `None`: a quote is open.
fn split(syntax: &QuerySyntax, text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    let mut before = ' ';
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (length, kind) = token(syntax, rest, before);
        let (piece, tail) = rest.split_at_checked(length)?;
        match (kind, c) {
            (Token::Open, _) => return None,
            (Token::Plain, '(' | '[') => depth += 1,
            (Token::Plain, ')' | ']') => depth = depth.saturating_sub(1),
            (Token::Plain, '|') if depth == 0 && before != '|' && !tail.starts_with('|') => {
                parts.push(String::new());
                before = ' ';
                rest = tail;
                continue;
            }
            _ => {}
        }
        parts.last_mut()?.push_str(piece);
        before = piece.chars().next_back().unwrap_or(c);
        rest = tail;
    }
    Some(parts.iter().map(|p| p.trim().to_owned()).collect())
}

/// Every statement that the declarations make of this one, with the part of its name in brackets.
pub(super) fn expand(
    syntax: &QuerySyntax,
    body: &str,
    variants: &[Variant],
) -> Result<Vec<(String, String)>, Wrong> {
    let mut names: Vec<(String, Vec<&str>)> = vec![(String::new(), Vec::new())];
    for (n, variant) in variants.iter().enumerate() {
        let wrong = |what: String, hint| Wrong { line: variant.line, what, hint };
        if variants.iter().take(n).any(|v| v.key == variant.key) {
            return Err(wrong(
                format!("variant {} is there twice", variant.key),
                "give all alternatives on one line",
            ));
        }
        if !pieces(syntax, body).any(|piece| mark(piece) == Some(&variant.key)) {
            return Err(wrong(
                format!("the statement has no mark /*{}*/", variant.key),
                "the mark says where the alternatives go",
            ));
        }
        if names.len().saturating_mul(variant.alternatives.len()) > MOST {
            return Err(wrong(
                format!("the query stands for more than {MOST} variants"),
                "declare the alternatives that differ in the columns and tables they name; give the rest queries of their own",
            ));
        }
        let labels = variant.labels();
        names = names
            .into_iter()
            .flat_map(|(name, chosen)| {
                variant
                    .alternatives
                    .iter()
                    .zip(&labels)
                    .map(move |(alternative, label)| {
                        let comma = if name.is_empty() { "" } else { ", " };
                        let mut chosen = chosen.clone();
                        chosen.push(alternative);
                        (format!("{name}{comma}{}={label}", variant.key), chosen)
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
    }
    Ok(names.into_iter().map(|(name, chosen)| (name, filled(syntax, body, variants, &chosen))).collect())
}

fn filled(syntax: &QuerySyntax, body: &str, variants: &[Variant], chosen: &[&str]) -> String {
    let mut out = String::with_capacity(body.len());
    for piece in pieces(syntax, body) {
        let choice = mark(piece).and_then(|key| variants.iter().position(|v| v.key == key));
        match choice.and_then(|n| chosen.get(n)) {
            Some(text) => {
                // A mark may touch what stands around it.
                if !out.ends_with(|c: char| c.is_whitespace() || c == '(') {
                    out.push(' ');
                }
                out.push_str(text);
                out.push(' ');
            }
            None => out.push_str(piece),
        }
    }
    let open = out.trim_end().len();
    out.truncate(open);
    dense(syntax, &numbered(syntax, &out))
}

/// The key that a comment holds, if it holds nothing else.
fn mark(piece: &str) -> Option<&str> {
    let inside = piece.strip_prefix("/*")?.strip_suffix("*/")?.trim();
    (!inside.is_empty() && inside.chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(inside)
}

/// The text cut into its tokens.
fn pieces<'t>(syntax: &QuerySyntax, text: &'t str) -> impl Iterator<Item = &'t str> {
    let mut rest = text;
    let mut before = ' ';
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (length, _) = token(syntax, rest, before);
        let (piece, tail) = rest.split_at_checked(length)?;
        before = piece.chars().next_back().unwrap_or(first);
        rest = tail;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::contract::test_syntax;
    use proptest::prelude::*;

    fn made(body: &str, declared: &[&str]) -> Result<Vec<(String, String)>, Wrong> {
        let variants: Result<Vec<_>, _> =
            (1..).zip(declared).map(|(n, d)| Variant::read(test_syntax(), d, n)).collect();
        expand(test_syntax(), body, &variants?)
    }

    #[test]
    fn every_combination_is_a_statement_of_its_own() {
        let found = made(
            "select id from o where c = $1 /*status*/ and d = $3 order by/*order*/limit $4 /* order of the day */",
            &["order = created_at | name desc", "status = | and status = $2"],
        );
        let all: Vec<_> = found.unwrap().into_iter().map(|(n, s)| format!("{n}: {s}")).collect();
        assert_eq!(
            all,
            [
                "order=created_at, status=-: select id from o where c = $1   and d = $2 order by created_at limit $3 /* order of the day */",
                "order=created_at, status=and status = $2: select id from o where c = $1 and status = $2  and d = $3 order by created_at limit $4 /* order of the day */",
                "order=name desc, status=-: select id from o where c = $1   and d = $2 order by name desc limit $3 /* order of the day */",
                "order=name desc, status=and status = $2: select id from o where c = $1 and status = $2  and d = $3 order by name desc limit $4 /* order of the day */",
            ]
        );
        let lists =
            made("select 1 where a in (/*ids*/) and b = @b", &["ids = @a | $1, $2 | f(a | b) || '|'"]);
        let all: Vec<_> = lists.unwrap().into_iter().map(|(_, s)| s).collect();
        assert_eq!(
            all,
            [
                "select 1 where a in (@a ) and b = @b".replace("@a", "$1").replace("@b", "$2"),
                "select 1 where a in ($1, $2 ) and b = $3".to_owned(),
                "select 1 where a in (f(a | b) || '|' ) and b = $1".to_owned(),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let many = (0..9).map(|n| n.to_string()).collect::<Vec<_>>().join(" | ");
        let (a, b) = (format!("a = {many}"), format!("b = {many}"));
        let cases: [(&str, &[&str], &str); 7] = [
            ("select /*a*/", &["a 1 | 2"], "this is no variant"),
            ("select /*a*/", &["a b = 1"], "a variant's key is one word"),
            ("select /*a*/", &["a = 'x | y"], "a quote in the variant is not closed"),
            ("select /*a*/", &["a = 1 | 2 | 1"], "variant a has \"1\" twice"),
            ("select '/*a*/'", &["a = 1"], "the statement has no mark /*a*/"),
            ("select /*a*/", &["a = 1", "a = 2"], "variant a is there twice"),
            ("select /*a*/ /*b*/", &[&a, &b], "the query stands for more than 64 variants"),
        ];
        for (body, declared, expected) in cases {
            assert_eq!(made(body, declared).unwrap_err().what, expected);
        }
    }

    proptest! {
        #[test]
        fn it_never_panics(body in "(\\PC|/\\*a\\*/|\\$[0-9]|['\"(|)]){0,40}", words in "(a = |\\PC|[|'\"$()]){0,20}") {
            let _ = made(&body, &[&words]);
            let _ = made(&format!("{body} /*a*/"), &[&format!("a = {words}")]);
        }

        #[test]
        fn there_are_as_many_as_the_product(sizes in prop::collection::vec(1_usize..4, 1..4)) {
            let declared: Vec<String> = (0..).zip(&sizes).map(|(k, n)| {
                format!("k{k} = {}", (0..*n).map(|i| format!("c{i}")).collect::<Vec<_>>().join(" | "))
            }).collect();
            let body: String = (0..sizes.len()).map(|k| format!("x/*k{k}*/")).collect();
            let found = made(&body, &declared.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
            let names: std::collections::BTreeSet<_> = found.iter().map(|(n, _)| n).collect();
            prop_assert_eq!(names.len(), sizes.iter().product::<usize>());
            prop_assert!(found.iter().all(|(_, sql)| !sql.contains("/*")));
        }
    }
}
