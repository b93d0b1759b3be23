#![allow(clippy::unwrap_used)]

use super::*;
use crate::model::server::LogPosition;

const BEGIN: &str =
    "2026-11-28 08:00:00.100 GMT [11] LOG:  starting point-in-time recovery to 2026-11-28 08:30:00+00
cp: cannot stat '/archive/00000002.history': No such file or directory
2026-11-28 08:00:00.200 GMT [11] LOG:  restored log file \"000000010000000000000003\" from archive
2026-11-28 08:00:00.300 GMT [11] LOG:  restored log file \"000000010000000000000004\" from archive
";
const ENDED: &str =
    "2026-11-28 08:00:00.500 GMT [11] FATAL:  recovery ended before configured recovery target was reached
2026-11-28 08:00:00.510 GMT [12] [unknown] FATAL:  the database system is not accepting connections\n";

/// The sentence and its causes.
fn explained(log: &str, timeline: Option<u32>) -> String {
    let point = RestorePoint::Time { at: "2026-11-28T08:30:00Z".parse().unwrap() };
    let archived = Archived { point: &point, timeline, fetch: "" };
    let error = explain(Error::failed("the server does not run"), log, &archived);
    let kind = error.kind;
    format!("{kind:?}: {} | {}", error.chain(), error.hint_text().unwrap_or_default())
}

#[test]
fn the_server_says_in_its_log_why_a_moment_is_not_reached() {
    let missing = "cp: cannot stat '/archive/000000010000000000000005': No such file or directory\n";
    let last = "2026-11-28 08:00:00.400 GMT [11] LOG:  last completed transaction was at log time 2026-11-28 08:20:00.5+00\n";
    let fatal = |text: &str| format!("{BEGIN}2026-11-28 08:00:00.500 GMT [11] FATAL:  {text}\n");
    for (log, timeline, expected) in [
        (
            format!("{BEGIN}{missing}{last}{ENDED}"),
            None,
            vec![
                "ends with 000000010000000000000004 and a transaction of 2026-11-28T08:20:00.5Z",
                "000000010000000000000005",
                "pg_switch_wal",
            ],
        ),
        (
            format!("sh: 1: pgbackrest: not found\n{ENDED}"),
            None,
            vec!["gives no file of the log", "pgbackrest: not found", "try it there"],
        ),
        (
            fatal("requested recovery stop point is before consistent recovery point"),
            None,
            vec!["the backup was still being taken then", "a later moment"],
        ),
        (
            fatal("recovery target timeline 7 does not exist"),
            Some(7),
            vec!["does not lead from the backup to timeline 7", "00000002.history"],
        ),
        (
            fatal("could not restore file \"000000010000000000000003\" from archive: command not found"),
            None,
            vec!["restore_command does not run", "command not found"],
        ),
    ] {
        let said = explained(&log, timeline);
        assert!(
            said.starts_with("Refused: production cannot be restored as of 2026-11-28T08:30:00Z: "),
            "{said}"
        );
        for part in expected {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    let other = explained(&fatal("could not map anonymous shared memory"), None);
    assert!(other.starts_with("Failed: the server does not run"), "{other}");
}

#[test]
fn progress_names_the_last_file_of_the_log() {
    assert_eq!(last_fetched(BEGIN), Some("000000010000000000000004"));
    let history =
        "2026-11-28 08:00:00.400 GMT [11] LOG:  restored log file \"00000002.history\" from archive\n";
    assert_eq!(last_fetched(&format!("{BEGIN}{history}")), Some("000000010000000000000004"));
    assert_eq!(last_fetched(""), None);
}

#[test]
fn a_place_within_quotes_stays_one_word() {
    assert_eq!(shell("/a \"b\"/$c`\\d"), "/a \\\"b\\\"/\\$c\\`\\\\d");
}

#[test]
fn a_point_is_told_as_what_it_is() {
    let log = LogPosition { position: "0/3000028".to_owned(), timeline: 1 };
    let before = RestorePoint::BeforeRollout { log };
    assert_eq!(before.to_string(), "as it was just before the rollout");
}
