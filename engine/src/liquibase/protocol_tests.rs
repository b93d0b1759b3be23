//! Lines as they go to the driver and come from it.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn id(id: &str) -> ChangesetId {
    ChangesetId { id: id.into(), author: "ann".into(), path: "a.sql".into() }
}

fn sent(request: &Request<'_>) -> Value {
    serde_json::to_value(Numbered { id: 7, request }).unwrap()
}

fn fault(text: &str) -> Fault {
    match serde_json::from_str::<Answer>(text).unwrap().outcome {
        Outcome::Error(fault) => fault,
        Outcome::Result(result) => panic!("{result}"),
    }
}

#[test]
fn requests_are_flat_objects_with_a_number_and_an_operation() {
    assert_eq!(sent(&Request::Hello), json!({"id": 7, "op": "hello"}));
    assert_eq!(sent(&Request::ReleaseLock), json!({"id": 7, "op": "release_lock"}));
    let key = json!({"id": "1", "author": "ann", "path": "a.sql"});
    let session = ["SET x = 1".to_owned()];
    assert_eq!(
        sent(&Request::Apply { changeset: &id("1"), session: &session }),
        json!({"id": 7, "op": "apply", "changeset": key, "session": ["SET x = 1"]})
    );
    assert_eq!(
        sent(&Request::Undo { changeset: &id("1"), session: &[], restore: &[], within: &[] }),
        json!({"id": 7, "op": "undo", "changeset": key, "session": [], "restore": [], "within": []})
    );
    assert_eq!(
        sent(&Request::ApplyAll { changesets: None, copy: false }),
        json!({"id": 7, "op": "apply_all", "changesets": null, "copy": false})
    );
    let answers = [RowAnswer::Holds, RowAnswer::Fails { message: "0 rows".into() }];
    assert_eq!(
        sent(&Request::ApplyToCopy { changeset: &id("1"), answers: &answers }),
        json!({"id": 7, "op": "apply_to_copy", "changeset": key,
            "answers": [{"verdict": "holds"}, {"verdict": "fails", "message": "0 rows"}]})
    );
    assert_eq!(
        sent(&Request::Judge { checks: &[RowQuestion { changeset: &id("1"), at: 0 }], session: &[] }),
        json!({"id": 7, "op": "judge", "checks": [{"changeset": key, "at": 0}], "session": []})
    );
    let connect = ConnectRequest {
        url: "jdbc:x:y",
        user: "me",
        password: None,
        properties: [("name", "drydock")].into(),
        transactional_ddl: false,
        role_switch: None,
        message_prefixes: &["ERROR: "],
        message_ends: &[],
        value_states: &["22"],
        session: &["SET patience = 0".to_owned()],
        deployment: "0123456789",
    };
    assert_eq!(
        sent(&Request::Connect(connect)),
        json!({
            "id": 7, "op": "connect", "url": "jdbc:x:y", "user": "me", "password": null, "properties": {"name": "drydock"},
            "transactional_ddl": false, "role_switch": null, "message_prefixes": ["ERROR: "], "message_ends": [], "value_states": ["22"], "session": ["SET patience = 0"],
            "deployment": "0123456789"
        })
    );
}

#[test]
fn states_are_read_and_an_unknown_one_is_an_error() {
    let apply = |state: &str| serde_json::from_value::<ApplyAnswer>(json!({"state": state})).map(|a| a.state);
    for state in [ApplyState::Applied, ApplyState::Already, ApplyState::MarkedRan, ApplyState::Filtered] {
        assert_eq!(apply(&state.to_string()).unwrap(), state);
    }
    assert!(apply("undone").is_err());
    let undo = |state: &str| serde_json::from_value::<UndoAnswer>(json!({"state": state})).map(|a| a.state);
    for state in [UndoState::Undone, UndoState::Unmarked, UndoState::NotApplied] {
        assert_eq!(undo(&state.to_string()).unwrap(), state);
    }
    assert!(undo("applied").is_err());
    // What is published keeps its values.
    assert_eq!(json!([ApplyState::MarkedRan, UndoState::NotApplied]), json!(["marked_ran", "not_applied"]));
}

#[test]
fn a_status_is_read() {
    let status: Status = serde_json::from_value(json!({
        "changesets": [
            {"id": "1", "author": "ann", "path": "a.sql", "comment": null, "remarks": ["-- drydock: x"], "state": "pending",
             "checksum": "9:x", "recorded_checksum": null, "run_in_transaction": true, "line": 2, "sql": ["SELECT 1"],
             "rollback": {"kind": "none", "sql": [], "message": "there is no rollback"}},
            {"id": "2", "author": "ann", "path": "a.sql", "remarks": [], "state": "ran_changed", "run_in_transaction": false},
        ],
        "unknown": [{"id": "0", "author": "ann", "path": "old.sql", "checksum": null, "exec_type": "EXECUTED"}],
        "history": [],
    }))
    .unwrap();
    let states: Vec<_> = status.changesets.iter().map(|c| c.state).collect();
    assert_eq!(states, [ChangesetState::Pending, ChangesetState::RanChanged]);
    let first = status.changesets.first().unwrap();
    assert_eq!((first.key.clone(), first.line, first.sql.len()), (id("1"), Some(2), 1));
    assert_eq!(first.rollback.as_ref().map(|r| r.kind), Some(RollbackKind::None));
    assert_eq!(status.unknown.first().map(|u| u.path.as_str()), Some("old.sql"));
}

#[test]
fn a_fault_carries_its_kind_and_the_codes_of_the_database_apart() {
    let refused = fault(
        r#"{"id":1,"error":{"kind":"sql","message":"no","sql_state":"55P03","vendor_code":54,"changeset":{"id":"1","author":"ann","path":"a.sql"},"file":null,"line":null,"sql":"DROP TABLE x"}}"#,
    );
    assert_eq!(refused.kind, FaultKind::Sql);
    assert_eq!(refused.codes().collect::<Vec<_>>(), ["55P03", "54"]);
    let error = Error::from(refused);
    assert_eq!(error.chain(), "changeset a.sql::1::ann: no: while running: DROP TABLE x");
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Failed, Some("55P03")));

    // A kind is no code.
    let held = fault(r#"{"id":1,"error":{"kind":"lock","message":"held by a","sql_state":null}}"#);
    assert_eq!((held.kind, held.codes().count()), (FaultKind::Lock, 0));
    assert_eq!(Error::from(held).code, None);

    let edited =
        fault(r#"{"id":1,"error":{"kind":"checksum","message":"it was edited","file":"a.sql","line":3}}"#);
    let error = Error::from(edited);
    assert_eq!((error.kind, error.to_string().as_str()), (ErrorKind::Input, "a.sql:3: it was edited"));
    assert!(error.hint_text().is_some_and(|hint| hint.contains("undo the edit")));

    assert!(serde_json::from_str::<Answer>(r#"{"id":1,"error":{"kind":"surprise","message":"x"}}"#).is_err());
    assert!(serde_json::from_str::<Answer>("[warning][cds] something").is_err());
}

#[test]
fn the_death_of_the_driver_is_no_answer_of_the_database() {
    let error = Error::from(Failure::Died(Some(std::io::Error::other("broken pipe"))));
    assert_eq!(error.chain(), "the Liquibase driver died: broken pipe");
    assert_eq!((error.kind, error.code), (ErrorKind::Failed, None));
}
