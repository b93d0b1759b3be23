#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
//! One stack and one clone for a run, and nothing of either afterwards.

use serde_json::json;

use super::super::testing::{cloud, heard};
use super::*;
use crate::error::ErrorKind;
use crate::oci::fake::{COMPARTMENT, DATABASE, Oci};
use crate::oci::testing::{client, pace};

pub(in super::super) const BACKUP: &str = "ocid1.autonomousdatabasebackup.oc1..b";

pub(in super::super) fn settings() -> CloneSettings {
    CloneSettings {
        compartment: COMPARTMENT.to_owned(),
        clone_type: CloneType::Full,
        ecpus: 4,
        license_model: None,
        secret: "ocid1.vaultsecret.oc1..s".to_owned(),
        secret_version: None,
        subnet: Some("ocid1.subnet.oc1..s".to_owned()),
        network_security_groups: vec!["ocid1.networksecuritygroup.oc1..n".to_owned()],
        allowed_addresses: Vec::new(),
        mutual_tls: true,
        terraform_version: "1.5.x".to_owned(),
    }
}

/// Names of jobs, as `PLAN APPLY`.
fn jobs(oci: &Oci) -> String {
    oci.jobs().into_iter().map(|(operation, _)| operation).collect::<Vec<_>>().join(" ")
}

pub(super) fn nothing_is_left(oci: &Oci) {
    assert_eq!((oci.stacks().len(), oci.other_databases()), (0, Vec::new()));
    assert_eq!(oci.database()["lifecycleState"], "AVAILABLE", "production");
}

#[tokio::test]
async fn a_clone_is_planned_made_found_again_and_taken_away() {
    let oci = Oci::serve();
    let (cloud, told) = heard(&oci);
    let clone = cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
    assert_eq!(oci.other_databases(), ["drydock-r1"]);
    assert_eq!(clone.profiles.first().unwrap().display_name, "app_tp");
    let stack = oci.stacks().pop().unwrap();
    assert_eq!(
        (&stack["displayName"], &stack["freeformTags"]),
        (&json!("drydock-r1"), &json!({"drydock-run": "r1"}))
    );
    assert_eq!(stack["variables"]["backup_id"], BACKUP);
    assert_eq!(cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap(), clone);
    assert_eq!(jobs(&oci), "PLAN APPLY");
    let texts: Vec<String> = told.lock().unwrap().iter().map(|(text, _)| text.clone()).collect();
    assert!(texts.contains(&"making the clone".to_owned()), "{texts:?}");

    cloud.discard_clone(COMPARTMENT, "r2").await.unwrap();
    assert_eq!(oci.stacks().len(), 1, "another run's is left alone");
    for _ in 0..2 {
        cloud.discard_clone(COMPARTMENT, "r1").await.unwrap();
        nothing_is_left(&oci);
    }
    // The tokens of what was deleted make nothing any more.
    cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
    assert_eq!((oci.stacks().len(), oci.other_databases().len()), (1, 1));
}

#[tokio::test]
async fn a_list_that_does_not_show_a_job_hides_neither_what_was_made_nor_what_is_to_be_taken_away() {
    let oci = Oci::serve();
    let cloud = cloud(&oci);
    oci.hide_new_jobs(9);
    let clone = cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
    // Terraform knows it all the same, and what it would do is refused.
    let error = cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap_err();
    assert_eq!(error.chain(), "oci_database_autonomous_database.clone is there already");
    let other =
        cloud.clone_of("ocid1.autonomousdatabasebackup.oc1..other", "r1", &settings()).await.unwrap_err();
    assert_eq!(other.chain(), "the plan would replace oci_database_autonomous_database.clone");
    assert_eq!(oci.other_databases().len(), 1);
    // The token of a job that is over begins nothing.
    for _ in 0..2 {
        cloud.destroy(&clone.stack).await.unwrap();
    }
    let destroys = oci.jobs().into_iter().filter(|(operation, _)| operation == "DESTROY").count();
    assert_eq!((destroys, oci.other_databases().len()), (2, 0));
}

#[tokio::test]
async fn a_clone_that_another_process_made_since_the_plan_is_left_alone() {
    let oci = Oci::serve();
    let cloud = cloud(&oci);
    // This process has planned, and another one comes before it.
    let variables = configuration::variables(BACKUP, "r1", Some("eu-frankfurt-1"), &settings()).unwrap();
    let stack = cloud.stack("r1", &settings(), &variables).await.unwrap().value.id;
    let planned = cloud.job(&stack, &NewJob::Plan).await.unwrap();
    let clone = cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
    let error = cloud.job(&stack, &NewJob::ApplyPlan(&planned.id)).await.unwrap_err();
    assert!(error.leaves_nothing(), "{error:?}");
    let error = Error::from(error);
    assert!(error.hint_text().unwrap().starts_with("another process is at work"), "{error:?}");
    assert_eq!(oci.other_databases(), ["drydock-r1"]);
    // Who has the run then does not know what became of it, and makes it anew.
    let again = cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
    assert_ne!(again.database, clone.database);
    assert_eq!(oci.other_databases(), ["drydock-r1"]);
}

#[tokio::test]
async fn a_plan_that_does_anything_else_is_refused_and_nothing_is_made() {
    let oci = Oci::serve();
    let cloud = cloud(&oci);
    oci.set_plan(Some(
        json!({"format_version": "1.2", "resource_changes": [{"address": "oci_core_vcn.v", "mode": "managed",
        "type": "oci_core_vcn", "name": "v", "change": {"actions": ["delete"]}}]}),
    ));
    let error = cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap_err();
    assert_eq!(
        (error.kind, error.chain().as_str()),
        (ErrorKind::Refused, "the plan would destroy oci_core_vcn.v")
    );
    assert!(error.hint_text().unwrap().starts_with("nothing was made"), "{error:?}");
    assert_eq!((jobs(&oci).as_str(), oci.other_databases().len()), ("PLAN", 0));
    oci.set_plan(None);
    cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
    assert_eq!(oci.stacks().len(), 1);
}

#[tokio::test]
async fn a_clone_that_cannot_be_made_is_taken_away_and_says_why_with_what_to_do() {
    for (code, log, hint) in [
        (
            "TERRAFORM_EXECUTION_ERROR",
            "Error: 400-LimitExceeded, The service limits were exceeded",
            "service limit of the tenancy",
        ),
        ("TERRAFORM_EXECUTION_ERROR", "Error: 400-QuotaExceeded, adb", "quota of the compartment"),
        (
            "TERRAFORM_EXECUTION_ERROR",
            "Error: 404-NotAuthorizedOrNotFound, subnet",
            "to use virtual-network-family",
        ),
        ("TERRAFORM_EXECUTION_ERROR", "Error: 400-InvalidParameter, dbName", "the job's whole log"),
        ("JOB_TIMEOUT", "", "ends jobs after a day"),
    ] {
        for half_done in [false, true] {
            let oci = Oci::serve();
            let cloud = cloud(&oci);
            oci.jobs_fail("APPLY", code, log, half_done);
            let error = cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap_err();
            assert!(
                error.chain().contains("is FAILED: the job failed") && error.chain().contains(log),
                "{}",
                error.chain()
            );
            assert!(error.hint_text().unwrap().contains(hint), "{:?}", error.hint_text());
            assert_eq!((jobs(&oci).as_str(), oci.other_databases().len()), ("PLAN APPLY DESTROY", 0));
            oci.jobs_succeed();
            cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
            assert_eq!((oci.stacks().len(), oci.other_databases().len()), (1, 1));
        }
    }
}

#[tokio::test]
async fn what_cannot_be_taken_away_is_named_as_what_costs_money() {
    let oci = Oci::serve();
    let cloud = cloud(&oci);
    oci.jobs_fail("APPLY", "TERRAFORM_EXECUTION_ERROR", "Error: 500-InternalError", true);
    oci.jobs_fail("DESTROY", "TERRAFORM_EXECUTION_ERROR", "Error: 404-NotAuthorizedOrNotFound", false);
    let error = cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap_err();
    assert!(
        error.hint_text().unwrap().contains("may cost money: discard the run's clone"),
        "{:?}",
        error.hint_text()
    );
    let error = cloud.discard_clone(COMPARTMENT, "r1").await.unwrap_err();
    assert!(
        error.chain().contains("is left, and may cost money, in the stack ocid1.ormstack."),
        "{}",
        error.chain()
    );
    assert!(error.hint_text().unwrap().contains("manage autonomous-databases"), "{:?}", error.hint_text());
    assert_eq!(oci.stacks().len(), 1, "the stack knows what is left");
    oci.jobs_succeed();
    cloud.discard_clone(COMPARTMENT, "r1").await.unwrap();
    nothing_is_left(&oci);
}

#[tokio::test]
async fn a_clone_that_terraform_lost_is_deleted_and_no_other_database() {
    let oci = Oci::serve();
    let cloud = cloud(&oci);
    let tags = json!({"drydock-run": "r1"});
    let lost =
        json!({"displayName": "drydock-r1", "dbName": db_name("r1").to_lowercase(), "freeformTags": tags});
    oci.make_database(&lost);
    oci.make_database(&json!({"displayName": "drydock-r1", "dbName": "OTHER", "freeformTags": tags}));
    oci.make_database(&json!({"displayName": "drydock-r1", "dbName": db_name("r1"), "freeformTags": {}}));
    oci.make_database(&json!({"displayName": "mine", "dbName": db_name("r1"), "freeformTags": tags}));
    cloud.discard_clone(COMPARTMENT, "r1").await.unwrap();
    assert_eq!(oci.other_databases(), ["drydock-r1", "drydock-r1", "mine"]);
}

#[tokio::test]
async fn another_backup_makes_another_clone_of_the_run() {
    let oci = Oci::serve();
    let cloud = cloud(&oci);
    let first = cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
    let other = "ocid1.autonomousdatabasebackup.oc1..other";
    let second = cloud.clone_of(other, "r1", &settings()).await.unwrap();
    assert_ne!(first.database, second.database);
    assert_eq!(jobs(&oci), "PLAN APPLY DESTROY PLAN APPLY");
    assert_eq!(oci.other_databases().len(), 1);
    assert_eq!(oci.stacks().pop().unwrap()["variables"]["backup_id"], other);
}

#[tokio::test]
async fn a_stack_or_a_database_of_somebody_else_is_left_alone() {
    let oci = Oci::serve();
    let cloud = cloud(&oci);
    let (name, zip, tags) = (display_name("r1"), configuration::zip().unwrap(), BTreeMap::new());
    let foreign = NewStack {
        compartment: COMPARTMENT,
        display_name: &name,
        description: "",
        zip: &zip,
        variables: &BTreeMap::new(),
        freeform_tags: &tags,
        terraform_version: "1.5.x",
    };
    stacks::create(&client(&oci), &foreign, "foreign").await.unwrap();
    let clone = cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
    assert_eq!(oci.stacks().len(), 2);
    cloud.discard_clone(COMPARTMENT, "r1").await.unwrap();
    assert_eq!(oci.stacks().len(), 1);
    // A stack whose state names production.
    let state = json!({"outputs": {"database_id": {"value": DATABASE}}});
    assert_eq!(outputs(&state).unwrap().0, DATABASE);
    assert_ne!(clone.database, DATABASE);
    assert!(outputs(&json!({})).is_err());
}

#[tokio::test]
async fn a_job_that_takes_too_long_is_left_to_go_on() {
    let oci = Oci::serve();
    let progress = std::sync::Arc::new(|_: &str, _: Option<(u64, u64)>| {});
    let hasty = Cloud::new(client(&oci), pace(0), progress);
    let error = hasty.clone_of(BACKUP, "r1", &settings()).await.unwrap_err();
    assert!(error.chain().contains("the job PLAN of the stack is still"), "{}", error.chain());
    cloud(&oci).clone_of(BACKUP, "r1", &settings()).await.unwrap();
    assert_eq!((oci.stacks().len(), oci.other_databases().len()), (1, 1));
}
