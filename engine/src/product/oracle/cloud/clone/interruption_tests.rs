#![allow(clippy::unwrap_used)]
//! However often a process fails, repeats or dies on the way to a clone or away from it, there is one, and then none.

use super::super::testing::cloud;
use super::tests::{BACKUP, nothing_is_left, settings};
use crate::oci::fake::{COMPARTMENT, Fault, Oci};

#[tokio::test]
async fn a_process_that_dies_at_any_request_leaves_one_stack_or_what_is_discarded() {
    for (done, hidden, goes_on) in
        [(true, 0, true), (false, 0, true), (true, 1, true), (true, 0, false), (false, 0, false)]
    {
        for number in 0..500 {
            let oci = Oci::serve();
            oci.hide_new(hidden);
            let cloud = cloud(&oci);
            let died = oci.dies_at(number, done, cloud.clone_of(BACKUP, "r1", &settings())).await.is_none();
            if goes_on {
                cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
                let made = (oci.stacks().len(), oci.other_databases().len());
                assert_eq!(made, (1, 1), "died at request {number}, done: {done}, hidden: {hidden}");
            }
            // A list that does not show a stack yet lets it stay until the next time.
            for _ in 0..=hidden {
                cloud.discard_clone(COMPARTMENT, "r1").await.unwrap();
            }
            nothing_is_left(&oci);
            if !died {
                assert!(number > 10, "{number}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_process_that_dies_while_it_takes_the_clone_away_is_followed_by_one_that_does() {
    for done in [true, false] {
        for number in 0..500 {
            let oci = Oci::serve();
            let cloud = cloud(&oci);
            cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
            let died = oci.dies_at(number, done, cloud.discard_clone(COMPARTMENT, "r1")).await.is_none();
            cloud.discard_clone(COMPARTMENT, "r1").await.unwrap();
            nothing_is_left(&oci);
            if !died {
                assert!(number > 5, "{number}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_process_that_dies_over_a_clone_that_cannot_be_made_leaves_nothing_half_done() {
    for (done, goes_on) in [(true, true), (false, true), (true, false)] {
        for number in 0..500 {
            let oci = Oci::serve();
            let cloud = cloud(&oci);
            oci.jobs_fail("APPLY", "TERRAFORM_EXECUTION_ERROR", "Error: 500-InternalError", true);
            let died = oci.dies_at(number, done, cloud.clone_of(BACKUP, "r1", &settings())).await.is_none();
            oci.jobs_succeed();
            if goes_on {
                // What was begun to fail goes on failing: that is said, and it is taken away.
                if cloud.clone_of(BACKUP, "r1", &settings()).await.is_err() {
                    assert_eq!(oci.other_databases().len(), 0, "died at request {number}, done: {done}");
                    cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
                }
                let made = (oci.stacks().len(), oci.other_databases().len());
                assert_eq!(made, (1, 1), "died at request {number}, done: {done}");
            }
            cloud.discard_clone(COMPARTMENT, "r1").await.unwrap();
            nothing_is_left(&oci);
            if !died {
                assert!(number > 14, "{number}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn whatever_fails_while_the_clone_is_taken_away_the_next_call_does_it() {
    for fault in
        [Fault::Refuse(400, "InvalidParameter"), Fault::Refuse(401, "NotAuthenticated"), Fault::LoseAnswer]
    {
        for number in 0..500 {
            let oci = Oci::serve();
            let cloud = cloud(&oci);
            cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
            oci.seen();
            let mut faults = vec![Fault::None; number];
            faults.push(fault);
            oci.faults(&faults);
            let outcome = cloud.discard_clone(COMPARTMENT, "r1").await;
            let asked = oci.seen().len();
            oci.mend();
            if outcome.is_ok() {
                nothing_is_left(&oci);
            }
            cloud.discard_clone(COMPARTMENT, "r1").await.unwrap();
            nothing_is_left(&oci);
            if asked <= number {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_request_that_fails_at_any_step_is_said_and_the_next_call_goes_on() {
    for fault in [Fault::Refuse(400, "InvalidParameter"), Fault::LoseAnswer, Fault::CutOff, Fault::Slow(2)] {
        for number in 0..500 {
            let oci = Oci::serve();
            let cloud = cloud(&oci);
            let mut faults = vec![Fault::None; number];
            faults.push(fault);
            oci.faults(&faults);
            let outcome = cloud.clone_of(BACKUP, "r1", &settings()).await;
            let asked = oci.seen().len();
            if let (Err(error), Fault::Refuse(..)) = (&outcome, fault) {
                assert!(error.chain().contains("(400, InvalidParameter"), "{}", error.chain());
            } else {
                assert!(outcome.is_ok(), "{fault:?} at request {number}: {outcome:?}");
            }
            oci.mend();
            cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
            assert_eq!((oci.stacks().len(), oci.other_databases().len()), (1, 1), "{fault:?} at {number}");
            if asked <= number {
                break;
            }
        }
    }
}
