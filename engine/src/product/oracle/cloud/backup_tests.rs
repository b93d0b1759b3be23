#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
//! One backup for a run, however often a process fails, repeats or dies on the way to it.

use serde_json::json;

use super::super::testing::{cloud, heard};
use super::*;
use crate::error::ErrorKind;
use crate::oci::fake::{DATABASE, Fault, Oci};
use crate::oci::testing::{client, pace};

const LONG: Keep = Keep::LongTerm { days: 90 };

#[tokio::test]
async fn a_backup_is_awaited_and_described() {
    for (keep, kind, in_place) in
        [(LONG, BackupType::Longterm, false), (Keep::AsTheDatabase, BackupType::Full, true)]
    {
        let oci = Oci::serve();
        let (cloud, told) = heard(&oci);
        let backup = cloud.back_up(DATABASE, "r1", keep).await.unwrap();
        assert_eq!((&backup.kind, backup.in_place), (&kind, in_place));
        assert_eq!((backup.size_in_tbs, backup.database_size_in_tbs), (Some(0.25), Some(1.5)));
        assert!(backup.began <= backup.ended && backup.ended < backup.until, "{backup:?}");
        assert_eq!(told.lock().unwrap().first(), Some(&("backup".to_owned(), Some(40))));
        assert_eq!(cloud.backup(&backup.id).await.unwrap(), backup);
        let kept: CloudBackup = serde_json::from_str(&serde_json::to_string(&backup).unwrap()).unwrap();
        assert_eq!(kept, backup);
    }
}

#[tokio::test]
async fn who_asks_again_gets_the_same_and_another_run_another() {
    let oci = Oci::serve();
    let cloud = cloud(&oci);
    let first = cloud.back_up(DATABASE, "r1", LONG).await.unwrap();
    assert_eq!(cloud.back_up(DATABASE, "r1", LONG).await.unwrap(), first);
    // Two at the same time, where lists do not show either yet.
    oci.hide_new(9);
    let (one, two) = tokio::join!(cloud.back_up(DATABASE, "r2", LONG), cloud.back_up(DATABASE, "r2", LONG));
    assert_eq!(one.unwrap().id, two.unwrap().id);
    assert_eq!(oci.backups().len(), 2);
}

#[tokio::test]
async fn a_process_that_dies_at_any_request_leaves_one_backup() {
    for (done, hidden) in [(true, 0), (false, 0), (true, 1), (false, 1)] {
        for number in 0..500 {
            let oci = Oci::serve();
            oci.hide_new(hidden);
            let cloud = cloud(&oci);
            let died = oci.dies_at(number, done, cloud.back_up(DATABASE, "r1", LONG)).await.is_none();
            let backup = cloud.back_up(DATABASE, "r1", LONG).await.unwrap();
            assert_eq!(oci.backups(), ["ACTIVE"], "died at request {number}, done: {done}");
            assert!(backup.ended.is_some());
            if !died {
                assert!(number > 4, "{number}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_request_that_fails_at_any_step_is_said_and_the_next_call_goes_on() {
    for fault in [
        Fault::Refuse(400, "InvalidParameter"),
        Fault::Refuse(404, "NotAuthorizedOrNotFound"),
        Fault::LoseAnswer,
    ] {
        for number in 0..500 {
            let oci = Oci::serve();
            let cloud = cloud(&oci);
            let mut faults = vec![Fault::None; number];
            faults.push(fault);
            oci.faults(&faults);
            let outcome = cloud.back_up(DATABASE, "r1", LONG).await;
            let asked = oci.seen().len();
            if let (Err(error), Fault::Refuse(status, code)) = (&outcome, fault) {
                assert!(error.chain().contains(&format!("({status}, {code}")), "{}", error.chain());
                assert!(error.hint_text().is_some(), "{}", error.chain());
            }
            oci.mend();
            cloud.back_up(DATABASE, "r1", LONG).await.unwrap();
            assert_eq!(oci.backups(), ["ACTIVE"], "{fault:?} at request {number}");
            if asked <= number {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_backup_that_failed_says_why_and_the_next_call_takes_another() {
    for (details, why) in [
        ("no space in the recovery area", "no space in the recovery area"),
        ("", "the disk group is full (InternalError)"),
    ] {
        let oci = Oci::serve();
        let cloud = cloud(&oci);
        oci.backups_end("FAILED", details);
        let error = cloud.back_up(DATABASE, "r1", LONG).await.unwrap_err();
        assert!(error.chain().ends_with(&format!("is FAILED: {why}")), "{}", error.chain());
        oci.backups_end("ACTIVE", "");
        cloud.back_up(DATABASE, "r1", LONG).await.unwrap();
        assert_eq!(oci.backups(), ["FAILED", "ACTIVE"]);
    }
}

#[tokio::test]
async fn a_backup_that_cannot_be_used_is_refused() {
    for (fields, wanted) in [
        (json!({"timeAvailableTill": "2026-01-01T00:00:00Z"}), "has expired, on 2026-01-01T00:00:00Z"),
        (json!({"type": "FULL", "isRestorable": false}), "cannot be restored"),
        (json!({"lifecycleState": "DELETED"}), "is DELETED, not ACTIVE"),
        (json!({"lifecycleState": "ACTIVE_IN_PART"}), "is ACTIVE_IN_PART, not ACTIVE"),
    ] {
        let oci = Oci::serve();
        let cloud = cloud(&oci);
        let id = cloud.back_up(DATABASE, "r1", LONG).await.unwrap().id;
        oci.set_backup(&id, &fields);
        let error = cloud.backup(&id).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.chain().contains(wanted), "{}", error.chain());
    }
}

#[tokio::test]
async fn a_state_that_is_not_known_is_awaited_and_not_taken_for_active() {
    let oci = Oci::serve();
    oci.backups_end("ACTIVATING", "");
    let (_, told) = heard(&oci);
    let progress = std::sync::Arc::new(|_: &str, _: Option<(u64, u64)>| {});
    let cloud = Cloud::new(client(&oci), pace(50), progress);
    let error = cloud.back_up(DATABASE, "r1", LONG).await.unwrap_err();
    assert!(error.chain().contains("has not ended after 1 min"), "{}", error.chain());
    assert!(error.hint_text().unwrap().contains("goes on with what has begun"));
    assert!(told.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_database_that_cannot_be_backed_up_says_so_and_one_that_is_being_backed_up_is_awaited() {
    let oci = Oci::serve();
    let (cloud, told) = heard(&oci);
    oci.set_database(&json!({"lifecycleState": "STOPPED"}));
    let error = cloud.back_up(DATABASE, "r1", LONG).await.unwrap_err();
    assert_eq!((error.kind, error.chain().as_str()), (ErrorKind::Refused, "the database app is stopped"));
    oci.set_database(&json!({"lifecycleState": "BACKUP_IN_PROGRESS"}));
    oci.database_becomes(&[(3, json!({"lifecycleState": "AVAILABLE"}))]);
    cloud.back_up(DATABASE, "r1", LONG).await.unwrap();
    assert_eq!(told.lock().unwrap().first().unwrap().0, "waiting for a backup that is under way");
}

#[tokio::test]
async fn limits_rights_regions_and_tokens_are_said_with_what_to_do() {
    let zurich = "ocid1.autonomousdatabase.oc1.eu-zurich-1.a";
    for (fault, id, wanted, hint) in [
        (Fault::Refuse(400, "LimitExceeded"), DATABASE, "LimitExceeded", "service limit of the tenancy"),
        (Fault::Refuse(400, "QuotaExceeded"), DATABASE, "QuotaExceeded", "quota of the compartment"),
        (
            Fault::Refuse(404, "NotAuthorizedOrNotFound"),
            DATABASE,
            "NotAuthorizedOrNotFound",
            "to manage autonomous-backups",
        ),
        (Fault::Refuse(401, "NotAuthenticated"), DATABASE, "NotAuthenticated", "oci session authenticate"),
        (
            Fault::None,
            zurich,
            "is in the region eu-zurich-1, and eu-frankfurt-1 was asked",
            "set OCI_CLI_REGION to eu-zurich-1",
        ),
    ] {
        let oci = Oci::serve();
        oci.always("POST /20160918/autonomousDatabaseBackups", fault);
        let error = cloud(&oci).back_up(id, "r1", LONG).await.unwrap_err();
        assert!(error.chain().contains(wanted), "{}", error.chain());
        assert!(error.hint_text().unwrap().contains(hint), "{:?}", error.hint_text());
    }
}

#[tokio::test]
async fn a_session_that_ends_on_the_way_is_said_and_the_next_one_goes_on() {
    let (oci, folder) = (Oci::serve(), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("key.pem"), crate::oci::fake::KEY).unwrap();
    let lines = format!(
        "HOME='{0}'\nOCI_CLI_ENDPOINT='{1}'\nOCI_CLI_AUTH=security_token\nOCI_CLI_SECURITY_TOKEN_FILE='{0}/token'\nOCI_CLI_KEY_FILE='{0}/key.pem'\n",
        folder.path().display(),
        oci.endpoint
    );
    std::fs::write(at("variables"), lines).unwrap();
    let variables = crate::variables::Variables::read(&at("variables")).unwrap();
    let cloud = || {
        let access = crate::oci::Access::from_variables(&variables).unwrap();
        let progress = std::sync::Arc::new(|_: &str, _: Option<(u64, u64)>| {});
        Cloud::new(crate::oci::Client::hasty(access), pace(5_000), progress)
    };
    std::fs::write(at("token"), oci.session()).unwrap();
    // The backup is begun, and then the token is not taken any more.
    oci.dies_at(3, true, cloud().back_up(DATABASE, "r1", LONG)).await;
    oci.forget_keys();
    let error = cloud().back_up(DATABASE, "r1", LONG).await.unwrap_err();
    assert!(error.chain().contains("(401, NotAuthenticated"), "{}", error.chain());
    assert!(error.hint_text().unwrap().contains("oci session authenticate"), "{:?}", error.hint_text());
    oci.set_token_seconds(-10);
    std::fs::write(at("token"), oci.session()).unwrap();
    let error = cloud().back_up(DATABASE, "r1", LONG).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input);
    assert!(error.chain().contains("the session's token has expired since"), "{}", error.chain());
    assert!(error.hint_text().unwrap().contains("oci session authenticate"), "{:?}", error.hint_text());
    oci.set_token_seconds(3600);
    std::fs::write(at("token"), oci.session()).unwrap();
    cloud().back_up(DATABASE, "r1", LONG).await.unwrap();
    assert_eq!(oci.backups(), ["ACTIVE"]);
}

#[tokio::test]
async fn a_runs_backup_is_deleted_and_no_other() {
    let oci = Oci::serve();
    let cloud = cloud(&oci);
    for (run, keep) in [("r1", LONG), ("r2", LONG), ("r3", Keep::AsTheDatabase)] {
        cloud.back_up(DATABASE, run, keep).await.unwrap();
    }
    for run in ["r1", "r1", "r3", "none"] {
        cloud.discard_backup(DATABASE, run).await.unwrap();
    }
    assert_eq!(oci.backups(), ["DELETING", "ACTIVE", "ACTIVE"]);
    // The token of what was deleted makes nothing any more.
    cloud.back_up(DATABASE, "r1", LONG).await.unwrap();
    assert_eq!(oci.backups(), ["DELETING", "ACTIVE", "ACTIVE", "ACTIVE"]);
}
