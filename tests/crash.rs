//! Whatever dies, whenever: the process is killed (SIGKILL) right after every record of a run's journal.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::collections::BTreeSet;

use support::Home;

/// What each record of the journal is: its event, and of which act.
fn records(home: &Home) -> Vec<String> {
    let runs = home.folder.join("home/demo/runs");
    let Ok(entries) = std::fs::read_dir(runs) else { return Vec::new() };
    let journal = entries.flatten().map(|e| e.path().join("journal.jsonl")).find(|p| p.is_file());
    let Some(journal) = journal else { return Vec::new() };
    let line = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{} {}", event["event"], event["action"])
    };
    std::fs::read_to_string(journal).unwrap().lines().map(line).collect()
}

/// Fewer changesets make more crashes in the same time: one of each kind that can be half done.
fn smaller(home: &Home) {
    home.edit("changelogs/changelog.yaml", |text| {
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
}

#[test]
fn killed_at_every_record_it_ends_as_if_nothing_had_happened() {
    let straight = Home::demo("straight");
    smaller(&straight);
    let quiet = straight.migrate(&[]).expect(3).json();
    let expected = straight.fingerprints();
    drop(straight);

    let home = Home::demo("crash");
    smaller(&home);
    home.run(&["demo", "up", "--scale", "0.01"]).expect(0);
    let mut died_at = BTreeSet::new();
    let mut deaths = 0;
    let mut stretch = 1;
    while records(&home).last().is_none_or(|last| !last.starts_with("\"finished")) {
        // The next life dies `stretch` records further on: with the record of its resumption and one more where the last
        // death was a new one, and later where it was not, so that every record of the run is somebody's last.
        let before = records(&home).len();
        let mut command = home.command(&["migrate", "--env", "demo", "--scale", "0.01", "--format", "json"]);
        let output = command.env("DRYDOCK_TEST_KILL_AT", (before + stretch).to_string()).output().unwrap();
        deaths += u32::from(output.status.code().is_none());
        let records = records(&home);
        assert!(records.len() <= before + stretch, "it dies where it is told to");
        stretch = if died_at.insert(records.last().unwrap().clone()) { 2 } else { stretch + 1 };
        assert!(deaths < 200, "it does not get on: {died_at:?}");
    }
    let document = home.run(&["status", "--env", "demo", "--format", "json"]).expect(0).json();
    assert_eq!(document["outcome"], quiet["outcome"]);
    let lines = |d: &serde_json::Value| {
        let all = d["changesets"].as_array().unwrap().clone();
        all.into_iter().map(|c| (c["id"].clone(), c["outcome"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(lines(&document), lines(&quiet));
    let found = home.fingerprints();
    assert_eq!(expected.0.differences(&found.0, 10), Vec::<String>::new());
    assert_eq!(expected.1.differences(&found.1, 10), Vec::<String>::new());
    // Started, resumed, five stages, eight changesets and the settling, each begun and done.
    assert!(died_at.len() > 25, "the run is not what it was: {died_at:?}");
    home.run(&["verify", "--env", "demo"]).expect(0);
}
