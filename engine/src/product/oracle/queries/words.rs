//! Oracle's SQL as words, where nothing has to be understood.

use std::collections::BTreeSet;

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word<'a> {
    /// A name, a keyword or a parameter, as it is written.
    Name(&'a str),
    /// A string or a number.
    Constant,
    /// Anything else but layout and comments.
    Sign(char),
}

/// The words of a text, without comments. Hints are comments.
pub fn words(text: &str) -> Vec<Word<'_>> {
    placed(text).into_iter().map(|(_, word)| word).collect()
}

/// The same with where they stand, in bytes.
fn placed(text: &str) -> Vec<(usize, Word<'_>)> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let taken = if first.is_whitespace() {
            first.len_utf8()
        } else if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if let Some(length) = string(rest) {
            words.push((at, Word::Constant));
            length
        } else if first == '"' {
            let length = rest.get(1..).and_then(|t| t.find('"')).map_or(rest.len(), |at| at + 2);
            words.extend(rest.get(..length).map(|name| (at, Word::Name(name))));
            length
        } else if first.is_ascii_digit() {
            words.push((at, Word::Constant));
            rest.find(|c: char| !c.is_alphanumeric() && c != '.').unwrap_or(rest.len())
        } else if first.is_alphabetic()
            || first == ':' && rest.chars().nth(1).is_some_and(char::is_alphanumeric)
        {
            let inside = |c: char| c.is_alphanumeric() || "_$#".contains(c);
            let begin = first.len_utf8();
            let length =
                rest.get(begin..).and_then(|t| t.find(|c| !inside(c))).map_or(rest.len(), |at| at + begin);
            words.extend(rest.get(..length).map(|name| (at, Word::Name(name))));
            length
        } else {
            words.push((at, Word::Sign(first)));
            first.len_utf8()
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    words
}

/// The length of the string that a text begins with: `'…'`, `N'…'`, `q'[…]'`.
fn string(text: &str) -> Option<usize> {
    let begin = text.find('\'')?;
    let prefix = text.get(..begin)?.to_ascii_lowercase();
    match prefix.as_str() {
        "" | "n" => {
            let mut at = begin + 1;
            loop {
                let Some(end) = text.get(at..).and_then(|t| t.find('\'')) else { return Some(text.len()) };
                at += end + 1;
                if !text.get(at..)?.starts_with('\'') {
                    return Some(at);
                }
                at += 1;
            }
        }
        "q" | "nq" => {
            let open = text.get(begin + 1..)?.chars().next()?;
            let close = match open {
                '[' => ']',
                '{' => '}',
                '(' => ')',
                '<' => '>',
                other => other,
            };
            let body = begin + 1 + open.len_utf8();
            let end = format!("{close}'");
            let found = text.get(body..)?.find(&end);
            Some(found.map_or(text.len(), |at| body + at + end.len()))
        }
        _ => None,
    }
}

/// Which rows an UPDATE or DELETE of one table is about, as it can stand behind the table's name in a query: its alias and its `WHERE`.
/// `None`: it has another form.
pub fn condition(sql: &str) -> Option<String> {
    let words = placed(sql);
    let word = |at: usize| match words.get(at) {
        Some((_, Word::Name(name))) => name.to_uppercase(),
        _ => String::new(),
    };
    let mut at = match word(0).as_str() {
        "UPDATE" => 1,
        "DELETE" if word(1) == "FROM" => 2,
        "DELETE" => 1,
        _ => return None,
    };
    if word(at).is_empty() || word(at) == "ONLY" {
        return None;
    }
    while matches!(words.get(at + 1), Some((_, Word::Sign('.')))) {
        at += 2;
    }
    let next = word(at + 1);
    let alias = match next.as_str() {
        "" | "SET" | "WHERE" | "RETURNING" | "RETURN" | "LOG" => "",
        "PARTITION" | "SUBPARTITION" | "AS" => return None,
        _ => words
            .get(at + 1)
            .and_then(|(_, word)| if let Word::Name(name) = word { Some(*name) } else { None })?,
    };
    let mut depth = 0_u32;
    let (mut from, mut to) = (None, sql.len());
    for (place, word) in words {
        match word {
            Word::Sign('(') => depth += 1,
            Word::Sign(')') => depth = depth.saturating_sub(1),
            Word::Name(name) if depth == 0 && from.is_none() && name.eq_ignore_ascii_case("where") => {
                from = Some(place)
            }
            Word::Name(name)
                if depth == 0 && ["RETURNING", "RETURN", "LOG"].contains(&name.to_uppercase().as_str()) =>
            {
                to = place;
                break;
            }
            _ => {}
        }
    }
    let condition = from.and_then(|from| sql.get(from..to)).unwrap_or_default().trim().trim_end_matches(';');
    Some(format!("{alias} {condition}").trim().to_owned())
}

/// The names among the words, small and without quotes.
pub fn small(text: &str) -> BTreeSet<String> {
    let name = |word: Word<'_>| match word {
        Word::Name(name) => Some(name.trim_matches('"').to_lowercase()),
        Word::Constant | Word::Sign(_) => None,
    };
    words(text).into_iter().filter_map(name).collect()
}

/// Equal for texts that differ in constants, layout, comments, the names of parameters and the length of lists only.
pub fn fingerprint(text: &str) -> String {
    let mut signs: Vec<String> = Vec::new();
    for word in words(text) {
        let next = match word {
            Word::Constant => "?".to_owned(),
            Word::Name(name) if name.starts_with(':') => "?".to_owned(),
            Word::Name(name) if name.starts_with('"') => name.to_owned(),
            Word::Name(name) => name.to_uppercase(),
            Word::Sign(sign) => sign.to_string(),
        };
        // `?, ?` is as long as `?`.
        if next == "?" && matches!(signs.as_slice(), [.., value, comma] if value == "?" && comma == ",") {
            signs.pop();
            continue;
        }
        signs.push(next);
    }
    // A statement may end with its semicolon or not.
    while signs.last().is_some_and(|last| last == ";") {
        signs.pop();
    }
    signs.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_constants_are_one() {
        let one = "select a, b from t where x in (1, 2, 3) and n = 'it''s' -- why";
        let alike = [
            "SELECT a,b FROM t WHERE x IN (:1) AND n = :2;",
            "select /*+ FULL(t) */ a, b\nfrom t where x in (9.5, 1e3) and n = q'[it's; ok]'",
            "select a, b from t where x in (:a, :b) and n = N'x'",
        ];
        for other in alike {
            assert_eq!(fingerprint(one), fingerprint(other), "{other}");
        }
        let others = [
            "select a from t where x in (1) and n = 'x'",
            "select \"a\", b from t where x in (1) and n = 'x'",
            "select a, b from t where x in (1) and n = 'x' for update",
        ];
        for other in others {
            assert_ne!(fingerprint(one), fingerprint(other), "{other}");
        }
    }

    #[test]
    fn rows_that_are_meant_are_told_by_their_condition() {
        for (sql, expected) in [
            (
                "delete from t where a = 'where' and b in (select c from d where e = 1)",
                Some("where a = 'where' and b in (select c from d where e = 1)"),
            ),
            ("DELETE app.t x WHERE x.a = 1 RETURNING a INTO :1", Some("x WHERE x.a = 1")),
            (
                "update \"App\".\"T\" u set a = (select max(b) from c where d = 1), b = 2 where u.c is null;",
                Some("u where u.c is null"),
            ),
            ("update t set a = 1", Some("")),
            ("delete from t", Some("")),
            ("delete from t partition (p1) where a = 1", None),
            ("delete from (select * from t) where a = 1", None),
            ("merge into t using u on (t.a = u.a) when matched then delete where a = 1", None),
            ("insert into t values (1)", None),
        ] {
            assert_eq!(condition(sql).as_deref(), expected, "{sql}");
        }
    }

    #[test]
    fn broken_texts_are_words_too() {
        for text in ["'", "q'[", "\"", "/*", "--", "q'", "a:", "é'", ":1é", "1.", "n'x''"] {
            let _ = (words(text), condition(text), condition(&format!("delete from {text} where {text}")));
        }
        assert_eq!(words("a := :b"), [Word::Name("a"), Word::Sign(':'), Word::Sign('='), Word::Name(":b")]);
    }
}
