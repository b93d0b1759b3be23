#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
//! Requests with a body, that are sent again, and lists of pages.

use serde_json::{Value, json as value};

use super::*;
use crate::oci::database::autonomous;
use crate::oci::fake::{COMPARTMENT, DATABASE, Fault, Oci};
use crate::oci::testing::client;

const BACKUPS: &str = "/20160918/autonomousDatabaseBackups";

fn details() -> Vec<u8> {
    json(&value!({"autonomousDatabaseId": DATABASE, "displayName": "ü", "isLongTermBackup": false})).unwrap()
}

#[test]
fn a_token_is_that_of_what_is_to_be_made() {
    let token = retry_token(&["backup", "r1"]);
    assert_eq!(token, retry_token(&["backup", "r1"]));
    assert!(token.len() <= 64 && token.is_ascii(), "{token}");
    for other in [["backup", "r2"], ["backupr", "1"], ["stack", "r1"]] {
        assert_ne!(token, retry_token(&other));
    }
}

#[tokio::test]
async fn a_creating_call_that_is_sent_again_makes_one_thing() {
    for fault in [Fault::LoseAnswer, Fault::CutOff, Fault::Slow(5), Fault::Refuse(503, "ServiceUnavailable")]
    {
        let oci = Oci::serve();
        let (client, body) = (client(&oci), details());
        oci.faults(&[fault]);
        let call = Call::post(Service::Database, BACKUPS.to_owned(), &body).retry_token("t1");
        let made: Value = client.ask(&call).await.unwrap().json().unwrap();
        assert_eq!((made["displayName"].as_str(), oci.backups().len()), (Some("ü"), 1), "{fault:?}");
    }
}

#[tokio::test]
async fn what_is_given_beside_the_body_is_read_and_what_is_not_there_is_nothing() {
    let oci = Oci::serve();
    let (client, body) = (client(&oci), details());
    let call = Call::post(Service::Database, BACKUPS.to_owned(), &body).retry_token("t1");
    let answer: Tagged<Value> = client.ask(&call).await.unwrap().tagged().unwrap();
    assert_eq!(answer.etag.as_deref(), Some("e1"));
    assert!(answer.work_request.unwrap().starts_with("ocid1.coreservicesworkrequest."));
    let empty = client.ask(&Call::get(Service::Database, BACKUPS.to_owned())).await.unwrap();
    assert_eq!((empty.etag(), empty.work_request()), (None, None));
}

#[tokio::test]
async fn what_has_changed_meanwhile_is_left_as_it_is() {
    let oci = Oci::serve();
    let client = client(&oci);
    let seen = autonomous::get(&client, DATABASE).await.unwrap();
    oci.set_database(&value!({"displayName": "renamed"}));
    let error = autonomous::stop(&client, DATABASE, seen.etag.as_deref()).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(412), Some("NoEtagMatch")));
    assert_eq!(oci.database()["lifecycleState"], "AVAILABLE");
    assert_eq!(oci.seen().len(), 2, "it is not asked again");
}

#[tokio::test]
async fn a_list_has_all_pages_and_one_without_an_end_is_an_error() {
    let oci = Oci::serve();
    let client = client(&oci);
    for number in 0..5 {
        oci.make_database(&value!({"displayName": format!("d{number}")}));
    }
    for (page, requests) in [(1000, 1), (6, 1), (5, 2), (1, 6)] {
        oci.set_page(page);
        assert_eq!(autonomous::list(&client, COMPARTMENT, None).await.unwrap().len(), 6);
        assert_eq!(oci.seen().len(), requests, "pages of {page}");
    }
    assert_eq!(autonomous::list(&client, COMPARTMENT, Some("d3")).await.unwrap().len(), 1);
    oci.name_empty_next_pages();
    assert_eq!(autonomous::list(&client, COMPARTMENT, None).await.unwrap().len(), 6);
    assert_eq!(oci.seen().len(), 7, "an empty name is no page");
    oci.set_page(0);
    let error = autonomous::list(&client, COMPARTMENT, None).await.unwrap_err();
    assert_eq!(error.to_string(), "the list /20160918/autonomousDatabases does not go on");
}

#[tokio::test]
async fn a_passing_refusal_is_asked_again_until_it_is_enough() {
    for (fault, times, passes) in [
        (Fault::Refuse(429, "TooManyRequests"), 3, true),
        (Fault::Refuse(500, "InternalServerError"), 3, true),
        (Fault::Refuse(409, "IncorrectState"), 3, true),
        (Fault::Refuse(429, "TooManyRequests"), 4, false),
        (Fault::Refuse(409, "InvalidatedRetryToken"), 1, false),
        (Fault::CutOff, 3, true),
        (Fault::CutOff, 4, false),
    ] {
        let oci = Oci::serve();
        let client = client(&oci);
        oci.faults(&vec![fault; times]);
        let passed = autonomous::get(&client, DATABASE).await.is_ok();
        assert_eq!(passed, passes, "{fault:?} × {times}");
    }
}
