#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
//! Production is put back once, with leave, and is open for all afterwards; what cannot be told is not guessed.

use serde_json::json;

use super::super::testing::{cloud, heard};
use super::*;
use crate::error::ErrorKind;
use crate::oci::fake::{DATABASE, Fault, Oci};

fn approved() -> Approved {
    Approved::new("ada", Timestamp::now()).unwrap()
}

fn moment() -> Timestamp {
    "2026-11-25T10:00:00Z".parse().unwrap()
}

/// Requests that put it back, of those that were seen.
fn restores(seen: &[String]) -> usize {
    seen.iter().filter(|s| s.ends_with("/actions/restore")).count()
}

#[tokio::test]
async fn production_is_put_back_and_opened_for_all() {
    let oci = Oci::serve();
    let (cloud, told) = heard(&oci);
    let intended = cloud.restore_point(DATABASE, moment()).await.unwrap();
    let kept: RestoreIntended = serde_json::from_str(&serde_json::to_string(&intended).unwrap()).unwrap();
    let done = cloud.restore(&kept, &approved()).await.unwrap();
    assert_eq!((done.to, done.approved_by.as_str()), (moment(), "ada"));
    let database = oci.database();
    assert_eq!(
        (&database["lifecycleState"], &database["openMode"]),
        (&json!("AVAILABLE"), &json!("READ_WRITE"))
    );
    assert_eq!(database["restoredTo"], "2026-11-25T10:00:00Z");
    let mut states: Vec<String> = told.lock().unwrap().iter().map(|(text, _)| text.clone()).collect();
    states.dedup();
    let wanted =
        ["AVAILABLE", "RESTORE_IN_PROGRESS", "AVAILABLE_NEEDS_ATTENTION", "STOPPING", "STOPPED", "STARTING"];
    assert_eq!(states, wanted.map(|state| format!("the database is {state}")));
    assert_eq!(restores(&oci.seen()), 1);
}

#[tokio::test]
async fn nobody_puts_production_back_without_a_name() {
    for name in ["", " \n"] {
        assert_eq!(Approved::new(name, Timestamp::now()).unwrap_err().kind, ErrorKind::Input);
    }
    assert_eq!(
        Approved::new(" ada ", moment()).map(|a| (a.by().to_owned(), a.at())).unwrap(),
        ("ada".into(), moment())
    );
}

#[tokio::test]
async fn a_process_that_dies_at_any_request_is_followed_by_one_that_goes_on() {
    for done in [true, false] {
        for number in 0..500 {
            let oci = Oci::serve();
            let cloud = cloud(&oci);
            let intended = cloud.restore_point(DATABASE, moment()).await.unwrap();
            let died = oci.dies_at(number, done, cloud.restore(&intended, &approved())).await.is_none();
            cloud.restore(&intended, &approved()).await.unwrap();
            let database = oci.database();
            assert_eq!(
                (&database["lifecycleState"], &database["openMode"]),
                (&json!("AVAILABLE"), &json!("READ_WRITE"))
            );
            assert_eq!(database["restoredTo"], "2026-11-25T10:00:00Z");
            let seen = oci.seen();
            assert!((1..=2).contains(&restores(&seen)), "died at {number}, done: {done}: {seen:?}");
            if !died {
                assert!(number > 8, "{number}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn answers_that_get_lost_at_any_step_put_it_back_once() {
    for fault in [
        Fault::LoseAnswer,
        Fault::CutOff,
        Fault::Refuse(409, "IncorrectState"),
        Fault::Refuse(429, "TooManyRequests"),
    ] {
        for number in 0..12 {
            let oci = Oci::serve();
            let cloud = cloud(&oci);
            let intended = cloud.restore_point(DATABASE, moment()).await.unwrap();
            let mut faults = vec![Fault::None; number];
            faults.push(fault);
            oci.faults(&faults);
            cloud.restore(&intended, &approved()).await.unwrap();
            assert_eq!(oci.database()["openMode"], "READ_WRITE", "{fault:?} at {number}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_told_is_for_a_person() {
    // Somebody changed the database after it was looked at; nothing shows a restore.
    let oci = Oci::serve();
    let intended = cloud(&oci).restore_point(DATABASE, moment()).await.unwrap();
    oci.set_database(&json!({"displayName": "renamed"}));
    let error = cloud(&oci).restore(&intended, &approved()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stuck);
    assert!(error.chain().contains("it cannot be told whether it was put back"), "{}", error.chain());
    assert_eq!(restores(&oci.seen()), 0);

    let oci = Oci::serve();
    let intended = cloud(&oci).restore_point(DATABASE, moment()).await.unwrap();
    oci.set_database(&json!({"lifecycleState": "RESTORE_FAILED", "lifecycleDetails": "a log is missing"}));
    let error = cloud(&oci).restore(&intended, &approved()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stuck);
    assert_eq!(error.chain(), "the database app is RESTORE_FAILED: a log is missing");
}

#[tokio::test]
async fn what_cannot_be_put_back_is_refused_before_anything_is_done() {
    for (fields, to, wanted) in [
        (json!({"lifecycleState": "STOPPED"}), moment(), "is stopped"),
        (json!({"openMode": "READ_ONLY"}), moment(), "reading only"),
        (json!({}), "2099-01-01T00:00:00Z".parse().unwrap(), "which is not over"),
        (json!({}), "2025-12-31T00:00:00Z".parse().unwrap(), "it was made on 2026-01-01T00:00:00Z"),
    ] {
        let oci = Oci::serve();
        oci.set_database(&fields);
        let error = cloud(&oci).restore_point(DATABASE, to).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.chain().contains(wanted), "{}", error.chain());
        assert!(oci.seen().iter().all(|s| s.starts_with("GET ")));
    }
}

#[tokio::test]
async fn a_refusal_says_what_a_policy_has_to_allow() {
    let oci = Oci::serve();
    let cloud = cloud(&oci);
    let intended = cloud.restore_point(DATABASE, moment()).await.unwrap();
    oci.always("POST /20160918/autonomousDatabases/", Fault::Refuse(404, "NotAuthorizedOrNotFound"));
    let error = cloud.restore(&intended, &approved()).await.unwrap_err();
    assert!(error.hint_text().unwrap().contains("to use autonomous-databases"), "{:?}", error.hint_text());
}
