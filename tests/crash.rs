//! Whatever dies, whenever: the process is killed (SIGKILL) right after every record of a run's journal.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use support::Home;

fn records(home: &Home) -> u64 {
    let runs = home.folder.join("home/demo/runs");
    let Ok(entries) = std::fs::read_dir(runs) else { return 0 };
    let journal = entries.flatten().map(|e| e.path().join("journal.jsonl")).find(|p| p.is_file());
    journal.map_or(0, |path| std::fs::read_to_string(path).unwrap().lines().count() as u64)
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
    let mut deaths = 0;
    let mut stretch = 1;
    let ended = loop {
        // The next life dies `stretch` records further on. A life that only finds where it is and dies again gets one
        // record more, so that every record of the run is somebody's last.
        let before = records(&home);
        let mut command = home.command(&["migrate", "--env", "demo", "--scale", "0.01", "--format", "json"]);
        let output = command.env("DRYDOCK_TEST_KILL_AT", (before + stretch).to_string()).output().unwrap();
        match output.status.code() {
            Some(code) => break (code, String::from_utf8(output.stdout).unwrap()),
            None => {
                deaths += 1;
                assert_eq!(records(&home), before + stretch, "it dies where it is told to");
                // Resumed, then intended, then done: two lives an act, one cut off before and one after it.
                stretch = if stretch == 3 { 2 } else { 3 };
            }
        }
        assert!(deaths < 400, "it does not get on");
    };
    assert_eq!(ended.0, 3, "{}", ended.1);
    let document: serde_json::Value = serde_json::from_str(&ended.1).unwrap();
    assert_eq!(document["outcome"], quiet["outcome"]);
    let lines = |d: &serde_json::Value| {
        let all = d["changesets"].as_array().unwrap().clone();
        all.into_iter().map(|c| (c["id"].clone(), c["outcome"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(lines(&document), lines(&quiet));
    let found = home.fingerprints();
    assert_eq!(expected.0.differences(&found.0, 10), Vec::<String>::new());
    assert_eq!(expected.1.differences(&found.1, 10), Vec::<String>::new());
    assert!(deaths > 25, "only {deaths} deaths: the run is not what it was");
    home.run(&["verify", "--env", "demo"]).expect(0);
}
