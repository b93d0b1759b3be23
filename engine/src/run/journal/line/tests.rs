#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;

fn noted() -> Event {
    let what = EventKind::Noted { text: "3 rows, \"hash\":\"x\"".to_owned(), action: None, checkpoint: None };
    write(7, Timestamp::UNIX_EPOCH, "abc".to_owned(), what).unwrap()
}

/// The line with other bytes before its hash, and the hash of these.
fn sealed(body: &str) -> String {
    format!("{body}{BEFORE_HASH}{}{AFTER_HASH}", hex(&Sha256::digest(body)))
}

#[test]
fn a_line_is_hashed_as_the_bytes_that_are_written() {
    let event = noted();
    let body = r#"{"format":2,"seq":7,"at":"1970-01-01T00:00:00Z","previous":"abc","event":"noted","text":"3 rows, \"hash\":\"x\"","action":null,"checkpoint":null"#;
    assert_eq!(event.line, sealed(body));
    assert_eq!(read(event.line.as_bytes(), "here").unwrap(), event);
    assert!(is_intact(&event));
}

#[test]
fn fields_that_a_later_version_adds_are_kept_and_hashed() {
    let body = r#"{"format":2,"seq":1,"at":"1970-01-01T00:00:00Z","previous":"","trace":{"b":1,"a":[1.50]},"event":"noted","text":"t","colour":"red","action":null,"checkpoint":null"#;
    let line = sealed(body);
    let event = read(line.as_bytes(), "here").unwrap();
    assert_eq!(event.line, line);
    assert!(is_intact(&event));
    let edited = read(line.replace("red", "rad").as_bytes(), "here").unwrap();
    assert!(!is_intact(&edited), "what this version does not know is hashed too");
}

#[test]
fn what_a_newer_version_wrote_is_refused_with_its_name() {
    let line = noted().line.replace("\"format\":2", "\"format\":3");
    let newer = sealed(split(&line).unwrap().0);
    let error = read(newer.as_bytes(), "run/journal.jsonl:1").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input);
    assert_eq!(
        error.to_string(),
        "run/journal.jsonl:1: this journal was written by a newer Drydock (format 3; this one reads up to 2)"
    );
    let unknown = sealed(
        r#"{"format":2,"seq":1,"at":"1970-01-01T00:00:00Z","previous":"","event":"paused","by":"ann""#,
    );
    let error = read(unknown.as_bytes(), "here").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input);
    assert!(error.to_string().ends_with("cannot read the event \"paused\""), "{error}");
    let act = sealed(
        r#"{"format":2,"seq":1,"at":"1970-01-01T00:00:00Z","previous":"","event":"intended","action":{"act":"vacuum"}"#,
    );
    let error = read(act.as_bytes(), "here").unwrap_err();
    assert!(error.chain().contains("event \"intended\": unknown variant `vacuum`"), "{}", error.chain());
    // An edit is no newer version.
    let error = read(unknown.replace("ann", "bob").as_bytes(), "here").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stuck);
}

#[test]
fn a_line_of_the_first_format_is_hashed_as_the_array_of_its_parts() {
    let array = r#"[2,"2026-01-02T03:04:05Z","ab",{"event":"noted","text":",\"event\":","action":null,"checkpoint":null}]"#;
    let line = format!(
        r#"{{"seq":2,"at":"2026-01-02T03:04:05Z","previous":"ab","event":"noted","text":",\"event\":","action":null,"checkpoint":null,"hash":"{}"}}"#,
        hex(&Sha256::digest(array))
    );
    let event = read(line.as_bytes(), "here").unwrap();
    assert!(is_intact(&event));
    // A number makes it another format, and a field makes it another text.
    for (from, to) in
        [("{\"seq\"", "{\"format\":1,\"seq\""), (",\"event\":\"noted\"", ",\"x\":0,\"event\":\"noted\"")]
    {
        assert!(!is_intact(&read(line.replacen(from, to, 1).as_bytes(), "here").unwrap()), "{to}");
    }
}

proptest! {
    /// No byte of a line can become another one unnoticed.
    #[test]
    fn a_byte_that_changes_is_noticed(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let event = noted();
        let mut bytes = event.line.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes.get(at) != Some(&byte));
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        if let Ok(changed) = read(&bytes, "here") {
            prop_assert!(!is_intact(&changed));
        }
    }

    #[test]
    fn any_bytes_can_be_read_without_harm(bytes in any::<Vec<u8>>()) {
        prop_assert!(read(&bytes, "here").is_err());
    }
}
