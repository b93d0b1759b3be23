#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
//! Databases and backups as the service has them.

use std::collections::BTreeMap;

use serde_json::json;

use super::autonomous::{AdminPassword, CloneType, NewFromBackup};
use super::backups::NewBackup;
use super::*;
use crate::model::endpoint::Secret;
use crate::oci::fake::{COMPARTMENT, DATABASE, Fault, Oci};
use crate::oci::testing::client;
use crate::oci::{Client, retry_token};

fn new_backup(name: &str, days: Option<u32>) -> NewBackup {
    NewBackup {
        autonomous_database_id: DATABASE.to_owned(),
        display_name: name.to_owned(),
        is_long_term_backup: days.is_some(),
        retention_period_in_days: days,
    }
}

async fn backup(client: &Client, name: &str, days: Option<u32>) -> String {
    backups::create(client, &new_backup(name, days), &retry_token(&[name])).await.unwrap().value.id
}

#[tokio::test]
async fn backups_are_begun_looked_at_listed_by_database_and_deleted() {
    let oci = Oci::serve();
    oci.set_page(1);
    let client = client(&oci);
    let id = backup(&client, "one", Some(90)).await;
    assert_eq!(backup(&client, "one", Some(90)).await, id, "one token, one backup");
    let other = backup(&client, "two", None).await;
    let first = backups::get(&client, &id).await.unwrap().value;
    assert_eq!((first.lifecycle_state, first.time_ended), (BackupState::Creating, None));
    let done = backups::get(&client, &id).await.unwrap();
    assert_eq!(done.value.lifecycle_state, BackupState::Active);
    assert_eq!((done.value.kind, done.value.size_in_tbs), (BackupType::Longterm, Some(0.25)));
    assert!(done.value.time_available_till > done.value.time_ended);
    let names = |name| backups::list(&client, DATABASE, name);
    assert_eq!(names(None).await.unwrap().len(), 2);
    assert_eq!(names(Some("two")).await.unwrap().first().unwrap().id, other);
    assert!(backups::list(&client, "ocid1.autonomousdatabase.oc1..other", None).await.unwrap().is_empty());

    let stale = backups::delete(&client, &id, Some("e1")).await.unwrap_err();
    assert_eq!(stale.status(), Some(412));
    assert!(matches!(
        backups::delete(&client, &id, done.etag.as_deref()).await.unwrap(),
        Deleted::Begun(Some(_))
    ));
    backups::get(&client, &id).await.unwrap();
    assert_eq!(backups::delete(&client, &id, None).await.unwrap(), Deleted::Gone);
    assert_eq!(backups::delete(&client, &other, None).await.unwrap_err().status(), Some(400));
}

#[tokio::test]
async fn a_database_is_made_of_a_backup_and_taken_away() {
    let oci = Oci::serve();
    let client = client(&oci);
    let mut new = NewFromBackup {
        compartment_id: COMPARTMENT.to_owned(),
        db_name: "DDCLONE".to_owned(),
        display_name: "drydock-r1".to_owned(),
        autonomous_database_backup_id: "ocid1.autonomousdatabasebackup.oc1..b".to_owned(),
        clone_type: CloneType::Full,
        compute_model: "ECPU",
        compute_count: 2.0,
        admin_password: AdminPassword::Given { password: Secret::new("Geheim_123456") },
        subnet_id: None,
        nsg_ids: Vec::new(),
        is_mtls_connection_required: None,
        freeform_tags: BTreeMap::from([("drydock-run".to_owned(), "r1".to_owned())]),
    };
    assert!(!format!("{new:?}").contains("Geheim"), "{new:?}");
    let body = serde_json::to_value(&new).unwrap();
    assert_eq!(body["adminPassword"], "Geheim_123456");
    let made = autonomous::create(&client, &new, "t1").await.unwrap().value;
    assert_eq!(made.lifecycle_state, DatabaseState::Provisioning);
    assert_eq!(autonomous::create(&client, &new, "t1").await.unwrap().value.id, made.id);
    assert_eq!(made.tag("drydock-run"), Some("r1"));
    new.admin_password = AdminPassword::Vault { secret: "ocid1.vaultsecret.oc1..s".to_owned() };
    let body = serde_json::to_value(&new).unwrap();
    assert_eq!(
        (&body["secretId"], &body["adminPassword"]),
        (&json!("ocid1.vaultsecret.oc1..s"), &json!(null))
    );

    autonomous::get(&client, &made.id).await.unwrap();
    let ready = autonomous::get(&client, &made.id).await.unwrap();
    assert_eq!(ready.value.lifecycle_state, DatabaseState::Available);
    assert!(matches!(
        autonomous::delete(&client, &made.id, ready.etag.as_deref()).await.unwrap(),
        Deleted::Begun(Some(_))
    ));
    assert_eq!(oci.other_databases(), Vec::<String>::new());
    assert_eq!(
        autonomous::delete(&client, "ocid1.autonomousdatabase.oc1..none", None).await.unwrap(),
        Deleted::Gone
    );
    oci.faults(&[Fault::Refuse(403, "NotAllowed")]);
    assert_eq!(autonomous::delete(&client, &made.id, None).await.unwrap_err().status(), Some(403));
}

#[tokio::test]
async fn a_database_is_stopped_started_and_put_back() {
    let oci = Oci::serve();
    let client = client(&oci);
    let state = || async { autonomous::get(&client, DATABASE).await.unwrap() };
    let etag = state().await.etag;
    let stopping = autonomous::stop(&client, DATABASE, etag.as_deref()).await.unwrap();
    assert_eq!(stopping.value.lifecycle_state, DatabaseState::Stopping);
    assert!(stopping.work_request.is_some());
    state().await;
    assert_eq!(state().await.value.lifecycle_state, DatabaseState::Stopped);
    assert_eq!(autonomous::stop(&client, DATABASE, None).await.unwrap_err().code(), Some("IncorrectState"));
    autonomous::start(&client, DATABASE, None).await.unwrap();
    state().await;
    let ready = state().await;
    let to = "2026-11-25T10:05:00.123Z".parse().unwrap();
    autonomous::restore(&client, DATABASE, to, &ready.etag.unwrap()).await.unwrap();
    state().await;
    let put_back = state().await.value;
    assert_eq!(put_back.lifecycle_state, DatabaseState::AvailableNeedsAttention);
    assert_eq!(put_back.open_mode, Some(OpenMode::ReadOnly));
    assert_eq!(oci.database()["restoredTo"], "2026-11-25T10:05:00.123Z");
}

#[tokio::test]
async fn states_that_came_later_are_kept_as_they_are() {
    let oci = Oci::serve();
    oci.set_database(
        &json!({"lifecycleState": "HIBERNATING", "openMode": "MOUNTED", "connectionStrings": null,
        "freeformTags": null, "nsgIds": null}),
    );
    let database = autonomous::get(&client(&oci), DATABASE).await.unwrap().value;
    assert_eq!(database.lifecycle_state, DatabaseState::Other("HIBERNATING".to_owned()));
    assert_eq!(database.open_mode, Some(OpenMode::Other("MOUNTED".to_owned())));
    assert_eq!((&database.connection_strings, database.tag("x")), (&None, None));
}

#[tokio::test]
async fn a_wallet_is_a_zip_and_its_password_is_not_shown() {
    let oci = Oci::serve();
    let client = client(&oci);
    let zip = wallet::generate(&client, DATABASE, &Secret::new("Abcdefg1!"), "t1").await.unwrap();
    assert!(zip.starts_with(b"PK\x03\x04"));
    let error = wallet::generate(&client, DATABASE, &Secret::new("kurz"), "t2").await.unwrap_err();
    assert!(!format!("{error} {error:?} {:?}", oci.seen()).contains("kurz"), "{error:?}");
}
