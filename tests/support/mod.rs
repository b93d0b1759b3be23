//! What the tests of the whole command share: a home of their own that goes away with them, also when they die.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod java;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use drydock::model::catalog::Catalog;
use drydock::model::changeset::{Changeset, ChangesetId, Phase};
use drydock::model::schema::{DataFingerprint, SchemaFingerprint};
use drydock::product::{self, Database};
use serde_json::Value;

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Stops every server below a folder and removes it.
///
/// Again and again: what a killed test had started may still be starting a server.
const CLEAN: &str = r#"n=0
while [ $n -lt 100 ]; do
  find "$1" -name postmaster.pid 2>/dev/null | while read -r f; do kill -QUIT "$(head -1 "$f")" 2>/dev/null; done
  rm -rf "$1" 2>/dev/null && break
  n=$((n + 1))
  sleep 0.3
done"#;

/// A folder for everything of one test: DRYDOCK_HOME, a copy of the changelogs, a configuration.
pub struct Home {
    pub folder: PathBuf,
    /// Cleans up when this process is gone without having done so.
    _keeper: Child,
}

impl Home {
    pub fn new(name: &str) -> Self {
        let folder = tempfile::Builder::new().prefix(&format!("drydock-{name}-")).tempdir().unwrap().keep();
        // The server's own user must be able to come by.
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        // Its input ends with this process.
        let keeper = Command::new("sh")
            .args(["-c", &format!("read -r _\n{CLEAN}"), "sh"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        Self { folder, _keeper: keeper }
    }

    /// The demo with its own copy of the changelogs, quick and with traffic that leaves no trace, so that data can be compared.
    pub fn demo(name: &str) -> Self {
        let home = Self::new(name);
        copy(&repository().join("changelogs"), &home.folder.join("changelogs"));
        std::fs::write(
            home.folder.join("drydock.toml"),
            "[environments.demo]\nchangelog = \"changelogs/changelog.yaml\"\ncontracts = \"changelogs\"\n\
             [environments.demo.gates]\nsettle_seconds = 0.6\np99_ms = 20000.0\nblocked = 60\n\
             [environments.demo.traffic]\nrate = 80.0\nconnections = 6\nkind = \"rehearse\"\nseed = 5\n",
        )
        .unwrap();
        home
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drydock"));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("DRYDOCK_HOME", self.folder.join("home"))
            .env("DRYDOCK_LIQUIBASE", repository().join("target/liquibase"))
            .env("DRYDOCK_ACTOR", "tester")
            .env_remove("DRYDOCK_ENV")
            .stdin(Stdio::null());
        java::share(&mut command);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// `migrate` on the demo at the smallest useful scale.
    pub fn migrate(&self, more: &[&str]) -> Ran {
        let mut arguments = vec!["migrate", "--env", "demo", "--scale", "0.01", "--format", "json"];
        arguments.extend(more);
        self.run(&arguments)
    }

    pub fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        let path = self.folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, change(text)).unwrap();
    }

    /// Fewer changesets and services make more crashes in the same time: one changeset of each kind that can be half done, and the services
    /// that these are about.
    pub fn smaller(&self) {
        self.edit("changelogs/changelog.yaml", |text| {
            let keep = [
                "baseline",
                "0010-region-column",
                "0010-mobile-phone",
                "0011-region-backfill",
                "0012-region-indexes",
                "0011-legacy",
                "0010-attic",
                "0012-phone-drop",
            ];
            let lines = text.lines().filter(|l| !l.contains("include") || keep.iter().any(|k| l.contains(k)));
            lines.map(|l| format!("{l}\n")).collect()
        });
        let services =
            ["dispatch", "driver-app", "drivers", "pricing-engine", "tracking-api", "tracking-ingest"];
        for entry in std::fs::read_dir(self.folder.join("changelogs")).unwrap() {
            let folder = entry.unwrap().path();
            if !services.iter().any(|service| folder.ends_with(service)) {
                let _ = std::fs::remove_file(folder.join("contract.yaml"));
            }
        }
    }

    /// What each record of the latest run's journal is: its event, and of which act.
    pub fn records(&self) -> Vec<String> {
        self.records_in("demo")
    }

    fn records_in(&self, environment: &str) -> Vec<String> {
        let runs = self.folder.join("home").join(environment).join("runs");
        let Ok(entries) = std::fs::read_dir(runs) else { return Vec::new() };
        let journal = entries.flatten().map(|e| e.path().join("journal.jsonl")).filter(|p| p.is_file()).max();
        let Some(journal) = journal else { return Vec::new() };
        let line = |line: &str| {
            let event: Value = serde_json::from_str(line).unwrap();
            format!("{} {}", event["event"], event["action"])
        };
        std::fs::read_to_string(journal).unwrap().lines().map(line).collect()
    }

    /// Waits until the journal has an act begun whose name contains this.
    pub fn wait_for(&self, child: &mut Child, act: &str) {
        self.wait_for_in("demo", child, act);
    }

    pub fn wait_for_in(&self, environment: &str, child: &mut Child, act: &str) {
        for _ in 0..6000 {
            let begun =
                self.records_in(environment).iter().any(|r| r.starts_with("\"intended\"") && r.contains(act));
            if begun {
                return;
            }
            assert!(child.try_wait().unwrap().is_none(), "it ended before {act}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{act} never began");
    }

    /// What the demo's production holds.
    pub fn fingerprints(&self) -> (SchemaFingerprint, DataFingerprint) {
        self.production(async |database| {
            (database.schema_fingerprint().await.unwrap(), database.data_fingerprint(None).await.unwrap())
        })
    }

    /// Runs statements on the demo's production.
    pub fn execute(&self, sql: &str) {
        self.production(async |database| database.execute_script(sql).await.unwrap());
    }

    fn production<T>(&self, act: impl AsyncFnOnce(&dyn Database) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let local = drydock::product::postgres::local::Local::find().await.unwrap();
            let endpoint = local.production(&self.folder.join("home/demo/production")).await.unwrap();
            act(product::embedded(endpoint).as_ref()).await
        })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = Command::new("sh").args(["-c", CLEAN, "sh"]).arg(&self.folder).status();
    }
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// How a command ended.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.out, self.err))
    }
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }
}

/// Holds a JSON document against the schema that the command gives for it.
#[track_caller]
pub fn matches_schema(home: &Home, of: &str, document: &Value) {
    let schema: Value = home.run(&["schema", of]).expect(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path)).collect();
    assert!(errors.is_empty(), "{of}: {errors:?}");
}

/// A changeset of one text, as the plan would have it.
pub fn changeset(sql: &str, database: &dyn Database, catalog: &Catalog) -> Changeset {
    let statements = database.statements(&[sql.to_owned()], catalog).unwrap();
    Changeset::of_statements(
        ChangesetId { id: "m".to_owned(), author: "m".to_owned(), path: "m.sql".to_owned() },
        Phase::Contract,
        statements,
    )
}
