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
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = if first.is_whitespace() {
            first.len_utf8()
        } else if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if let Some(length) = string(rest) {
            words.push(Word::Constant);
            length
        } else if first == '"' {
            let length = rest.get(1..).and_then(|t| t.find('"')).map_or(rest.len(), |at| at + 2);
            words.extend(rest.get(..length).map(Word::Name));
            length
        } else if first.is_ascii_digit() {
            words.push(Word::Constant);
            rest.find(|c: char| !c.is_alphanumeric() && c != '.').unwrap_or(rest.len())
        } else if first.is_alphabetic()
            || first == ':' && rest.chars().nth(1).is_some_and(char::is_alphanumeric)
        {
            let inside = |c: char| c.is_alphanumeric() || "_$#".contains(c);
            let begin = first.len_utf8();
            let length =
                rest.get(begin..).and_then(|t| t.find(|c| !inside(c))).map_or(rest.len(), |at| at + begin);
            words.extend(rest.get(..length).map(Word::Name));
            length
        } else {
            words.push(Word::Sign(first));
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
    fn broken_texts_are_words_too() {
        for text in ["'", "q'[", "\"", "/*", "--", "q'", "a:", "é'", ":1é", "1.", "n'x''"] {
            let _ = words(text);
        }
        assert_eq!(words("a := :b"), [Word::Name("a"), Word::Sign(':'), Word::Sign('='), Word::Name(":b")]);
    }
}
