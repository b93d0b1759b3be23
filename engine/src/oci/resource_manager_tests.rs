#![allow(clippy::unwrap_used)]
//! Stacks and jobs as the service has them.

use std::collections::BTreeMap;

use super::jobs::{JobState, NewJob, Operation};
use super::stacks::{NewStack, StackState};
use super::*;
use crate::oci::Client;
use crate::oci::database::Deleted;
use crate::oci::fake::{COMPARTMENT, Oci};
use crate::oci::testing::client;

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn stack(client: &Client, run: &str) -> String {
    let new = NewStack {
        compartment: COMPARTMENT,
        display_name: run,
        description: "",
        zip: b"PK",
        variables: &pairs(&[("run", run)]),
        freeform_tags: &pairs(&[("drydock-run", run)]),
        terraform_version: "1.5.x",
    };
    stacks::create(client, &new, run).await.unwrap().value.id
}

async fn ended(client: &Client, id: &str) -> JobState {
    loop {
        let job = jobs::get(client, id).await.unwrap().value;
        if job.lifecycle_state.has_ended() {
            return job.lifecycle_state;
        }
    }
}

#[tokio::test]
async fn stacks_are_made_once_found_by_name_changed_and_deleted() {
    let oci = Oci::serve();
    oci.set_page(1);
    let client = client(&oci);
    let id = stack(&client, "r1").await;
    assert_eq!(stack(&client, "r1").await, id);
    stack(&client, "r2").await;
    let found = stacks::list(&client, COMPARTMENT, "r1").await.unwrap();
    assert_eq!(found.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), [id.as_str()]);
    assert_eq!(
        (found.first().unwrap().tag("drydock-run"), &found.first().unwrap().variables),
        (Some("r1"), &None)
    );
    let got = stacks::get(&client, &id).await.unwrap();
    assert_eq!(
        (got.value.lifecycle_state, got.value.variables),
        (StackState::Active, Some(pairs(&[("run", "r1")])))
    );
    let changed = pairs(&[("run", "r1"), ("backup_id", "b")]);
    let updated = stacks::update(&client, &id, b"PK2", &changed, got.etag.as_deref()).await.unwrap();
    assert_eq!(updated.value.variables, Some(changed));
    let stale = stacks::delete(&client, &id, got.etag.as_deref()).await.unwrap_err();
    assert_eq!(stale.status(), Some(412));
    assert!(matches!(stacks::delete(&client, &id, None).await.unwrap(), Deleted::Begun(_)));
    assert_eq!(stacks::delete(&client, &id, None).await.unwrap(), Deleted::Gone);
    assert_eq!(oci.stacks().len(), 1);
}

#[tokio::test]
async fn a_plan_is_applied_and_taken_back() {
    let oci = Oci::serve();
    let client = client(&oci);
    let stack = stack(&client, "r1").await;
    let begin = |new: NewJob<'static>, token: &'static str| {
        let (client, stack) = (&client, stack.clone());
        async move { jobs::create(client, &stack, token, &new, token).await }
    };
    let plan = begin(NewJob::Plan, "plan").await.unwrap().value;
    assert_eq!((&plan.operation, &plan.lifecycle_state), (&Operation::Plan, &JobState::Accepted));
    let early = jobs::create(&client, &stack, "a", &NewJob::ApplyPlan(&plan.id), "early").await.unwrap_err();
    assert_eq!(early.status(), Some(400));
    assert_eq!(ended(&client, &plan.id).await, JobState::Succeeded);
    let found = jobs::plan(&client, &plan.id).await.unwrap();
    assert_eq!(found.pointer("/resource_changes/0/change/actions/0").unwrap(), "create");
    let apply =
        jobs::create(&client, &stack, "a", &NewJob::ApplyPlan(&plan.id), "apply").await.unwrap().value;
    assert_eq!(ended(&client, &apply.id).await, JobState::Succeeded);
    let state = jobs::state(&client, &apply.id).await.unwrap();
    assert!(state.pointer("/outputs/database_id/value").unwrap().is_string(), "{state}");
    assert_eq!(oci.other_databases().len(), 1);
    let destroy = begin(NewJob::Destroy, "destroy").await.unwrap().value;
    assert_eq!(ended(&client, &destroy.id).await, JobState::Succeeded);
    assert!(oci.other_databases().is_empty());
    let all = jobs::list(&client, &stack).await.unwrap();
    let operations: Vec<_> = all.iter().map(|job| job.operation.to_string()).collect();
    assert_eq!(operations, ["PLAN", "APPLY", "DESTROY"]);
}

#[tokio::test]
async fn a_job_that_fails_or_is_cancelled_says_so() {
    let oci = Oci::serve();
    let client = client(&oci);
    let stack = stack(&client, "r1").await;
    oci.jobs_fail("PLAN", "TERRAFORM_EXECUTION_ERROR", "Error: 400-LimitExceeded, adb", false);
    let plan = jobs::create(&client, &stack, "p", &NewJob::Plan, "p").await.unwrap().value;
    assert_eq!(ended(&client, &plan.id).await, JobState::Failed);
    let job = jobs::get(&client, &plan.id).await.unwrap().value;
    assert_eq!(job.failure_details.unwrap().code, "TERRAFORM_EXECUTION_ERROR");
    let log = jobs::logs(&client, &plan.id).await.unwrap();
    let error = log.last().unwrap();
    assert_eq!(
        (error.level.as_deref(), error.message.as_str()),
        (Some("ERROR"), "Error: 400-LimitExceeded, adb")
    );
    assert_eq!(jobs::plan(&client, &plan.id).await.unwrap_err().status(), Some(404));

    oci.jobs_succeed();
    let plan = jobs::create(&client, &stack, "p", &NewJob::Plan, "p2").await.unwrap().value;
    jobs::cancel(&client, &plan.id).await.unwrap();
    assert_eq!(ended(&client, &plan.id).await, JobState::Canceled);
    assert_eq!(jobs::cancel(&client, "none").await.unwrap(), Deleted::Gone);
}
