//! Texts of views and code, so that one that a statement wrote can be held against one that the server keeps: that has no `CREATE` and,
//! of a view, only the query.

/// A text whatever its layout.
pub fn spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The query that a view is made of, with what follows it.
pub fn query_of(text: &str) -> &str {
    if !first_word(text).0.eq_ignore_ascii_case("create") {
        return text;
    }
    let mut depth = 0_u32;
    let mut quote = None;
    let mut word = None;
    for (at, letter) in text.char_indices() {
        if quote.is_some() {
            quote = quote.filter(|open| *open != letter);
            continue;
        }
        let ends_word = !(letter.is_alphanumeric() || "_$#".contains(letter));
        if let (true, Some(from)) = (ends_word, word) {
            word = None;
            if depth == 0 && text.get(from..at).is_some_and(|word| word.eq_ignore_ascii_case("as")) {
                return text.get(at..).unwrap_or_default().trim_start();
            }
        }
        match letter {
            '"' | '\'' => quote = Some(letter),
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if !ends_word => word = word.or(Some(at)),
            _ => {}
        }
    }
    text
}

/// Code from the word that says what it is, without its name: that of the object is known, and may be written with its schema or without.
pub fn source(text: &str) -> String {
    const BEFORE: &[&str] =
        &["CREATE", "OR", "REPLACE", "EDITIONABLE", "NONEDITIONABLE", "FORCE", "IF", "NOT", "EXISTS"];
    let text = spaces(text);
    let mut rest = text.as_str();
    let mut kind = String::new();
    loop {
        let (word, after) = first_word(rest);
        let upper = word.to_uppercase();
        if kind.is_empty() && !BEFORE.contains(&upper.as_str()) {
            if upper.is_empty() {
                return text;
            }
            kind = upper;
        } else if upper == "BODY" || kind.is_empty() {
            if upper == "BODY" {
                kind.push_str(" BODY");
            }
        } else if upper != "IF" && upper != "NOT" && upper != "EXISTS" {
            break;
        }
        rest = after;
    }
    format!("{kind} {}", without_name(rest))
}

/// The word that a text begins with, and what follows it.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_alphanumeric() || "_$#".contains(c))).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim_start())
}

/// What follows `name`, `schema.name` and the like, each in quotes or not.
fn without_name(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').map_or("", |(_, after)| after),
            None => first_word(rest).1,
        };
        match rest.trim_start().strip_prefix('.') {
            Some(more) => rest = more.trim_start(),
            None => return rest.trim_start(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_its_query() {
        for (text, expected) in [
            ("create or replace view v as select a as b from t", "select a as b from t"),
            (
                "create view s.\"as v\" (x, \"as\") bequeath definer as\nselect 1 from dual",
                "select 1 from dual",
            ),
            ("select a as b from t", "select a as b from t"),
            (
                "create materialized view m refresh fast on commit as select 1 a from dual",
                "select 1 a from dual",
            ),
            ("create view v (constraint k check (a as b)) as(select 1 from dual)", "(select 1 from dual)"),
        ] {
            assert_eq!(query_of(text), expected, "{text}");
        }
    }

    #[test]
    fn code_begins_with_what_it_is_and_has_no_name() {
        let expected = "FUNCTION (a number) return number is begin return a; end;";
        for text in [
            "create or replace function f(a number) return number is begin return a; end;",
            "CREATE OR REPLACE EDITIONABLE FUNCTION app . \"F\" (a number) return number is\n  begin return a; end;",
            "function f (a number) return number is begin return a; end;",
            "create function if not exists app.f(a number) return number is begin return a; end;",
        ] {
            assert_eq!(source(text), expected, "{text}");
        }
        assert_eq!(source("package body p is end;"), "PACKAGE BODY is end;");
        assert_eq!(source("create type t as object (a number)"), "TYPE as object (a number)");
        assert_ne!(source("package body p is end;"), source("package p is end;"));
        assert_eq!(source(""), "");
    }
}
