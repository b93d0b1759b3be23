//! Terraform in the place of scripted plans, for tests by hand: each stack has a folder, in which a program of the test's runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Oci;

/// What ran: the lines of its log, and what a plan found or what the state is now.
pub struct Ran {
    pub log: Vec<String>,
    pub plan: Option<Value>,
    pub state: Option<Value>,
}

/// Runs `PLAN`, `APPLY` or `DESTROY` in a stack's folder. An error is the log of what failed.
pub type Terraform = Arc<dyn Fn(&Path, &str) -> Result<Ran, Vec<String>> + Send + Sync>;

#[derive(Default, Clone)]
pub(super) struct Runner {
    pub program: Option<Terraform>,
    folders: BTreeMap<String, PathBuf>,
}

impl Oci {
    /// From now on jobs run `program` in folders of `root`.
    pub fn run_terraform(&self, root: &Path, program: Terraform) {
        let mut state = self.state();
        state.stacks.runner.program = Some(program);
        state.stacks.runner.folders.insert(String::new(), root.to_owned());
    }
}

impl Runner {
    /// Runs a job of a stack, with the configuration and the variables that it has now.
    pub(super) fn run(&mut self, stack: &Value, operation: &str) -> Option<Result<Ran, Vec<String>>> {
        let program = self.program.clone()?;
        let id = stack["id"].as_str().unwrap().to_owned();
        let root = self.folders[""].clone();
        let folder = self.folders.entry(id.clone()).or_insert_with(|| root.join(&id)).clone();
        let zip = STANDARD.decode(stack["zip"].as_str().unwrap()).unwrap();
        zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap().extract(&folder).unwrap();
        std::fs::write(folder.join("terraform.tfvars.json"), stack["variables"].to_string()).unwrap();
        Some(program(&folder, operation))
    }
}
