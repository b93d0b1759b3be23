#![allow(clippy::unwrap_used)]
//! Work that ends well, badly, late, and goes on when nobody waits.

use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::oci::database::backups::{self, NewBackup};
use crate::oci::fake::{DATABASE, Oci};
use crate::oci::retry_token;
use crate::oci::testing::{client, pace};

async fn begun(client: &Client) -> String {
    let new = NewBackup {
        autonomous_database_id: DATABASE.to_owned(),
        display_name: "b".to_owned(),
        is_long_term_backup: false,
        retention_period_in_days: None,
    };
    backups::create(client, &new, &retry_token(&["b"])).await.unwrap().work_request.unwrap()
}

#[tokio::test]
async fn work_is_waited_for_and_its_progress_heard() {
    let oci = Oci::serve();
    let client = client(&oci);
    let id = begun(&client).await;
    // Who stops waiting changes nothing.
    let heard = Mutex::new(Vec::new());
    let hear = |percent: f32| heard.lock().unwrap().push(percent);
    tokio::time::timeout(Duration::ZERO, wait(&client, &id, pace(5_000), &hear)).await.unwrap_err();
    let work = wait(&client, &id, pace(5_000), &hear).await.unwrap();
    assert_eq!(work.status, Status::Succeeded);
    assert_eq!(heard.lock().unwrap().last(), Some(&100.0));
}

#[tokio::test]
async fn work_that_fails_says_so_in_its_own_words() {
    let oci = Oci::serve();
    oci.backups_end("FAILED", "");
    let client = client(&oci);
    let id = begun(&client).await;
    let error = wait(&client, &id, pace(5_000), &|_| {}).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the work request CreateBackup ({id}) ended as FAILED: the disk group is full (InternalError)"
        )
    );
    assert_eq!(words(&client, "other").await.unwrap(), "begun", "the log, where no error is named");
}

#[tokio::test]
async fn work_that_takes_too_long_is_left_as_it_is() {
    let oci = Oci::serve();
    let client = client(&oci);
    let id = begun(&client).await;
    let error = wait(&client, &id, pace(0), &|_| {}).await.unwrap_err();
    assert!(matches!(error, Failure::Late { .. }), "{error}");
    wait(&client, &id, pace(5_000), &|_| {}).await.unwrap();
}
