//! What the Dagger module costs over the native command: the same migration on a warm engine, timed from outside.

use std::process::{Command, Stdio};
use std::time::Instant;

pub struct Cost {
    /// Of `dagger call migrate`, from start to exit.
    pub wall_seconds: f64,
    /// Of the run in it, by its own record.
    pub run_seconds: f64,
}

fn call(state: &str, arguments: &[&str]) -> Option<(Option<i32>, String)> {
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut command = Command::new("dagger");
    command.args(["-s", "call", "--state", state]).args(arguments).current_dir(repository);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    Some((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// `None`: there is no engine.
pub fn measure(scale: f64) -> Option<Cost> {
    let version = ["60", "dagger", "-s", "core", "version"];
    let there = Command::new("timeout").args(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        return None;
    }
    let state = format!("bench-{}", std::process::id());
    let scale = scale.to_string();
    // Builds what is to be built and makes production, before the clock runs.
    let (code, said) = call(&state, &["plan", "--env", "demo", "--scale", &scale])?;
    assert_eq!(code, Some(0), "{said}");
    let begun = Instant::now();
    let (code, said) = call(&state, &["migrate", "--env", "demo", "--scale", &scale])?;
    let wall_seconds = begun.elapsed().as_secs_f64();
    assert_eq!(code, Some(3), "{said}");
    let (_, status) = call(&state, &["status", "--env", "demo", "--format", "json"])?;
    let status: serde_json::Value = serde_json::from_str(&status).expect("status is a document");
    let run_seconds =
        status.get("seconds").and_then(serde_json::Value::as_f64).expect("a run has its seconds");
    Some(Cost { wall_seconds, run_seconds })
}
