#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use super::*;
use crate::config::{Selection, resolve_record};
use crate::error::ErrorKind;
use crate::model::endpoint::Secret;
use crate::model::event::ActOutcome;
use crate::model::history::{HistoryBefore, OtherHistoryRow};
use crate::model::schema::{DataFingerprint, SchemaFingerprint};
use crate::model::server::{LogPosition, Moment};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn id(id: &str) -> ChangesetId {
    ChangesetId { id: id.to_owned(), author: "ann".to_owned(), path: "db/changes.sql".to_owned() }
}

fn event(what: EventKind) -> Event {
    let at = Timestamp::UNIX_EPOCH;
    Event { seq: 0, at, previous: String::new(), what, hash: String::new(), line: String::new() }
}

fn intended(changeset: &str, deployment: &str, log: Option<LogPosition>) -> Event {
    let before = Some(HistoryBefore { rows: Vec::new(), deployment: deployment.to_owned() });
    event(EventKind::Intended { action: Action::Apply { changeset: id(changeset), wave: 1 }, before, log })
}

fn done(action: Action) -> Event {
    let outcome = ActOutcome::Changed { changed: true };
    event(EventKind::Done { action, outcome, evidence: None, text: String::new() })
}

fn applied(changeset: &str) -> Event {
    done(Action::Apply { changeset: id(changeset), wave: 1 })
}

fn undone(changeset: &str) -> Event {
    done(Action::Undo { changeset: id(changeset) })
}

fn backup(method: BackupMethod, taken: Option<&str>) -> Backup {
    Backup {
        id: "b".to_owned(),
        method,
        note: None,
        folder: PathBuf::new(),
        moment: Moment { name: None, position: "0/1".to_owned(), exact: true, at: taken.map(at) },
        bytes: 0,
        verified_by: String::new(),
        schema: SchemaFingerprint::default(),
        data: DataFingerprint::default(),
        server: String::new(),
        extra_tables: Vec::new(),
    }
}

#[test]
fn a_moment_that_no_log_leads_to_is_refused_with_what_to_do() {
    let database = Some(Secret::new("postgresql://u@h/d"));
    let mut environment = resolve_record(&Selection { database, ..Selection::default() }).unwrap();
    let log = LogPosition { position: "0/3000028".to_owned(), timeline: 1 };
    let rolled_out = [intended("1", "d", Some(log.clone())), applied("1"), intended("2", "d", None)];
    let older = [intended("1", "d", None), applied("1")];
    let physical = backup(BackupMethod::Physical, Some("2026-11-28T08:00:00Z"));
    let dump = backup(BackupMethod::Logical, None);
    let unknown = backup(BackupMethod::Physical, None);
    let now = at("2026-11-28T12:00:00Z");
    let settle = |environment: &_, asked: &str, events: &[Event], backup: &Backup| {
        replay(asked.parse().unwrap(), environment, ("r", events), backup, now)
    };
    let nine = "2026-11-28T09:00:00Z";
    let unset = settle(&environment, nine, &rolled_out, &physical).unwrap_err();
    assert_eq!(unset.kind, ErrorKind::Refused);
    assert!(unset.hint_text().unwrap().contains("set restore_command"), "{}", unset.chain());
    environment.backup.restore_command = Some("cp /archive/%f %p".to_owned());
    for (asked, events, backup, why) in [
        (nine, &rolled_out[..], &dump, "is a dump"),
        ("before-rollout", &rolled_out, &dump, "is a dump"),
        ("2026-11-28T12:00:01Z", &rolled_out, &physical, "in the future"),
        ("2026-11-28T07:59:59Z", &rolled_out, &physical, "the backup of run r is of 2026-11-28T08:00:00Z"),
        (nine, &rolled_out, &unknown, "did not note its time"),
        ("before-rollout", &[], &physical, "changed nothing on production"),
        ("before-rollout", &older, &physical, "does not say where production's log stood"),
    ] {
        let refused = settle(&environment, asked, events, backup).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Refused, "{why}");
        assert!(refused.chain().contains(why), "{why}: {}", refused.chain());
        assert!(refused.chain().contains(&format!("cannot be restored to {asked}: ")), "{}", refused.chain());
        assert!(refused.hint_text().is_some(), "{why}");
    }
    let time = settle(&environment, nine, &rolled_out, &physical).unwrap();
    assert_eq!(time.point, RestorePoint::Time { at: at(nine) });
    assert_eq!(time.fetch, "cp /archive/%f %p");
    let before = settle(&environment, "before-rollout", &rolled_out, &physical).unwrap();
    assert_eq!(before.point, RestorePoint::BeforeRollout { log });
}

#[test]
fn a_run_is_there_as_a_whole_or_not_at_all() {
    let row = |name: &str, deployment: &str| OtherHistoryRow {
        key: ChangesetId { path: "classpath:db/changes.sql".to_owned(), ..id(name) },
        checksum: None,
        deployment: Some(deployment.to_owned()),
    };
    let whole = [intended("1", "d", None), applied("1"), intended("2", "d", None), applied("2")];
    let half_back = [whole.clone().to_vec(), vec![undone("2")]].concat();
    let back = [half_back.clone(), vec![undone("1")]].concat();
    for (events, rows, expected) in [
        (&whole[..], vec![], Some(Standing::Nothing)),
        (&whole, vec![row("1", "d"), row("2", "d")], Some(Standing::Everything)),
        (&whole, vec![row("1", "d")], None),
        // It had run before this run, which ran it again.
        (&whole, vec![row("1", "earlier"), row("2", "earlier")], Some(Standing::Nothing)),
        (&half_back, vec![row("1", "d")], Some(Standing::Everything)),
        (&half_back, vec![row("1", "d"), row("2", "d")], None),
        (&back, vec![row("1", "d"), row("2", "d")], None),
        (&back, vec![], Some(Standing::Nothing)),
    ] {
        let history = OtherHistory {
            schema: "public".to_owned(),
            table: "databasechangelog".to_owned(),
            rows: rows.clone(),
        };
        let found = standing(("r", events), &[history]);
        assert_eq!(found.as_ref().ok().copied(), expected, "{rows:?}");
        if let Err(refused) = found {
            assert_eq!(refused.kind, ErrorKind::Refused);
            assert!(refused.hint_text().unwrap().contains("before-rollout"));
        }
    }
}
