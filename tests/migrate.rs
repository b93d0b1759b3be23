//! The main job on the demo: what goes out, what is held and for whom, going back by itself and by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use crate::support::{Home, Ran, matches_schema};
use serde_json::Value;

fn outcomes<'a>(document: &'a Value, outcome: &str) -> Vec<&'a str> {
    let all = document["changesets"].as_array().unwrap();
    all.iter().filter(|c| c["outcome"] == outcome).map(|c| c["id"].as_str().unwrap()).collect()
}

#[test]
fn a_run_its_repetition_its_way_back_and_the_release_of_what_was_held() {
    let home = Home::demo("migrate");
    let plan = home.run(&["plan", "--env", "demo", "--scale", "0.01", "--format", "json"]).expect(0).json();
    matches_schema(&home, "plan", &plan);
    let phases: Vec<&str> =
        plan["changesets"].as_array().unwrap().iter().map(|c| c["phase"].as_str().unwrap()).collect();
    for phase in ["expand", "migrate", "contract"] {
        assert!(phases.contains(&phase));
    }
    assert_eq!(plan["filtered"][0]["id"], "report-archive", "a context that is not asked for is left out");
    let before = home.fingerprints();
    let compat =
        home.run(&["compat", "--env", "demo", "--scale", "0.01", "--format", "json"]).expect(3).json();
    matches_schema(&home, "compat", &compat);
    // Every changeset was tried on rows of production.
    assert_eq!(compat["checked"]["untried"], Value::Null, "{}", compat["checked"]);
    let breaking: Vec<_> =
        compat["verdicts"].as_array().unwrap().iter().filter(|v| v["verdict"] == "breaking").collect();
    assert_eq!(breaking.len(), 2);
    for verdict in breaking {
        assert_eq!(verdict["changeset"], "drivers-phone-drop");
        assert!(verdict["file"].as_str().unwrap().ends_with("driver-app/queries-1.8.0.sql"), "{verdict}");
        assert!(verdict["advice"].as_str().unwrap().starts_with("keep drivers.phone until"), "{verdict}");
    }
    // Stage by stage, all of the same run.
    for stage in ["backup", "clone", "shadow"] {
        let ran = home.run(&[stage, "--env", "demo", "--scale", "0.01", "--format", "json"]).expect(0);
        matches_schema(&home, stage, &ran.json());
    }
    assert_eq!(home.fingerprints(), before, "nothing of it touched production");

    let first = home.migrate(&[]).expect(3).json();
    matches_schema(&home, "migrate", &first);
    assert_eq!(first["outcome"], "held");
    assert_eq!(first["traffic"]["failed"], 0);
    assert_eq!(outcomes(&first, "applied").len(), 37);
    assert_eq!(outcomes(&first, "held"), ["drivers-phone-drop"]);
    let waits: Vec<(&str, &str, &str)> = first["held"][0]["waits_for"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| {
            (w["service"].as_str().unwrap(), w["version"].as_str().unwrap(), w["query"].as_str().unwrap())
        })
        .collect();
    // The only queries of the contracts that name the column: see driver-app/queries-1.8.0.sql.
    assert_eq!(waits, [("driver-app", "1.8.0", "Colleagues"), ("driver-app", "1.8.0", "Me")]);
    for changeset in first["changesets"].as_array().unwrap().iter().filter(|c| c["outcome"] == "applied") {
        assert_eq!(changeset["reverse"], "proven", "{changeset}");
    }
    assert_eq!(first["fingerprint"]["as_expected"], true);
    let migrated = home.fingerprints();
    assert_ne!(before.0, migrated.0);

    let second = home.migrate(&[]).expect(3).json();
    assert_eq!((outcomes(&second, "applied").len(), outcomes(&second, "held").len()), (0, 1));
    assert_eq!(home.fingerprints(), migrated);

    let history = home.run(&["history", "--env", "demo", "--format", "json"]).expect(0).json();
    matches_schema(&home, "history", &history);
    assert_eq!(history.as_array().unwrap().len(), 2);
    let run = first["run"].as_str().unwrap();
    home.run(&["verify", "--env", "demo"]).expect(0);
    home.run(&["report", "--env", "demo", "--run", run, "--output", "report.html"]).expect(0);
    let page = std::fs::read_to_string(home.folder.join("report.html")).unwrap();
    for text in ["driver-app 1.8.0", "events-region-backfill", "Audit trail", "<svg", "The chain is intact"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("http"), "the page stands alone");

    let back = home
        .run(&["rollback", "--env", "demo", "--run", run, "--reason", "a test", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(back["outcome"], "rolled_back");
    let now = home.fingerprints();
    assert_eq!(before.0.differences(&now.0, 10), Vec::<String>::new());
    assert_eq!(before.1.differences(&now.1, 10), Vec::<String>::new());

    // The service that stood in the way has moved on.
    home.edit("changelogs/driver-app/contract.yaml", |_| {
        "service: driver-app\nversions:\n  - version: 1.9.0\n    queries: [queries.sql]\n    api: openapi.yaml\n".to_owned()
    });
    let third = home.migrate(&[]).expect(0).json();
    assert_eq!(third["outcome"], "migrated");
    assert_eq!(outcomes(&third, "applied").len(), 38);

    let kept = |run: &Value| {
        home.folder.join("home/demo/runs").join(run["run"].as_str().unwrap()).join("backup").exists()
    };
    assert_eq!([&first, &second, &third].map(kept), [false, true, true], "two backups are kept");

    // What is still needed by a later run is not taken away from under it.
    let refused = home.run(&["rollback", "--env", "demo", "--run", run]).expect(1);
    assert!(refused.err.contains("changed production after run"), "{}", refused.err);

    // Somebody edits a journal.
    home.edit(&format!("home/demo/runs/{run}/journal.jsonl"), |text| text.replace("tester", "nobody"));
    home.run(&["verify", "--env", "demo"]).expect(5);
}

#[test]
fn whatever_is_made_to_fail_production_is_as_before() {
    let home = Home::demo("inject");
    home.smaller();
    home.run(&["demo", "up", "--scale", "0.01"]).expect(0);
    let before = home.fingerprints();
    let cases = [("backup", 1, "refused"), ("clone", 1, "refused"), ("rollout-error", 4, "rolled_back")];
    for (inject, code, outcome) in cases {
        let ran = home.migrate(&["--inject", inject]).expect(code).json();
        assert_eq!(ran["outcome"], outcome, "{inject}");
        assert_eq!(home.fingerprints(), before, "{inject}");
    }
    // A table that everybody needs is locked by somebody in the middle of the rollout.
    home.edit("drydock.toml", |text| text.replace("p99_ms = 20000.0", "p99_ms = 900.0"));
    let ran = home.migrate(&["--inject", "rollout-gate"]).expect(4).json();
    assert_eq!(ran["outcome"], "rolled_back");
    assert_eq!(ran["fingerprint"]["as_expected"], true);
    assert_eq!(home.fingerprints(), before);
    // The process is killed, and the next one goes on.
    let killed: Ran = home.migrate(&["--inject", "kill"]);
    assert_eq!(killed.code, None, "SIGKILL leaves no exit code: {}", killed.err);
    home.run(&["status", "--env", "demo"]).expect(0);
    home.edit("drydock.toml", |text| text.replace("p99_ms = 900.0", "p99_ms = 20000.0"));
    let resumed = home.migrate(&[]).expect(3).json();
    assert_eq!((resumed["outcome"].as_str(), outcomes(&resumed, "applied").len()), (Some("held"), 15));
}
