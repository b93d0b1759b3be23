//! What a client says of itself in a comment beside its query: sqlcommenter's `/*service='…',version='…'*/`
//! (<https://google.github.io/sqlcommenter/spec/>), and `/*application:…,controller:…*/` as Rails writes it.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The `application` of our own queries.
pub const OURS: &str = "drydock";

/// Kept as they are in a value.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A comment with these tags.
pub fn comment(tags: &[(&str, &str)]) -> String {
    let tags: Vec<String> =
        tags.iter().map(|(key, value)| format!("{key}='{}'", utf8_percent_encode(value, VALUE))).collect();
    format!("/*{}*/", tags.join(","))
}

/// The tags in a comment; none in one that is meant for people.
pub fn read(comment: &str) -> BTreeMap<String, String> {
    let inside = comment.strip_prefix("/*").and_then(|c| c.strip_suffix("*/")).unwrap_or_default();
    let pairs: Option<BTreeMap<String, String>> = inside.split(',').map(pair).collect();
    pairs.unwrap_or_default()
}

fn pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.trim().split_once(['=', ':'])?;
    let value = value.strip_prefix('\'').map_or(Some(value), |v| v.strip_suffix('\''))?;
    let named = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-%.".contains(c));
    let decoded = percent_decode_str(value).decode_utf8().ok()?.replace("\\'", "'");
    (named && !value.is_empty()).then(|| (key.to_lowercase(), decoded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn comments_as_clients_write_them() {
        let cases = [
            ("/*service='driver-app',version='1.8.0'*/", "service=driver-app version=1.8.0"),
            ("/* controller='index', route='%2Fparam%20d' */", "controller=index route=/param d"),
            ("/*application:Shop,controller:orders*/", "application=Shop controller=orders"),
            ("/* what it does, and why */", ""),
            ("/* note: see the manual */", "note= see the manual"),
            ("-- service='x'", ""),
            ("/*service=*/", ""),
        ];
        for (text, expected) in cases {
            let found: Vec<String> = read(text).into_iter().map(|(k, v)| format!("{k}={v}")).collect();
            assert_eq!(found.join(" "), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(service in "\\PC{1,12}", version in "\\PC{1,12}") {
            let comment = comment(&[("service", &service), ("version", &version)]);
            prop_assert!(!comment[2..comment.len() - 2].contains("*/"));
            let found = read(&comment);
            prop_assert_eq!(found.get("service"), Some(&service.replace("\\'", "'")));
            prop_assert_eq!(found.get("version"), Some(&version.replace("\\'", "'")));
        }

        #[test]
        fn any_comment_can_be_read(text in "(/\\*|\\*/|[='%,:\\\\]|\\PC){0,30}") {
            let _ = read(&text);
        }
    }
}
