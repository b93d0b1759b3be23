//! Whatever dies, whenever: the process is killed (SIGKILL) right after every record of a run's journal.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::support::Home;

#[test]
fn killed_at_every_record_it_ends_as_if_nothing_had_happened() {
    let straight = Home::demo("straight");
    straight.smaller();
    let quiet = straight.migrate(&[]).expect(3).json();
    let expected = straight.fingerprints();
    drop(straight);

    let home = Home::demo("crash");
    home.smaller();
    home.run(&["demo", "up", "--scale", "0.01"]).expect(0);
    let mut died_at = BTreeSet::new();
    let mut deaths = 0;
    let mut stretch = 1;
    while home.records().last().is_none_or(|last| !last.starts_with("\"finished")) {
        // The next life dies `stretch` records further on: with the record of its resumption and one more where the last
        // death was a new one, and later where it was not, so that every record of the run is somebody's last.
        let before = home.records().len();
        let mut command = home.command(&["migrate", "--env", "demo", "--scale", "0.01", "--format", "json"]);
        let output = command.env("DRYDOCK_TEST_KILL_AT", (before + stretch).to_string()).output().unwrap();
        deaths += u32::from(output.status.code().is_none());
        let records = home.records();
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

#[test]
fn interrupted_it_says_so_and_the_same_command_goes_on() {
    use nix::sys::signal::{Signal, kill};
    let home = Home::demo("interrupt");
    home.smaller();
    home.run(&["demo", "up", "--scale", "0.01"]).expect(0);
    let before = home.fingerprints();
    for (act, signal, untouched) in
        [("\"stage\":\"shadow\"", Signal::SIGINT, true), ("events-region-backfill", Signal::SIGTERM, false)]
    {
        let mut command = home.command(&["migrate", "--env", "demo", "--scale", "0.01"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        home.wait_for(&mut child, act);
        std::thread::sleep(std::time::Duration::from_millis(100));
        kill(nix::unistd::Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(130), "{act}: {said}");
        assert!(said.contains("error: interrupted\nhint: run the same command again"), "{said}");
        let status = home.run(&["status", "--env", "demo", "--format", "json"]).expect(0).json();
        assert_eq!(status["outcome"], "unfinished");
        assert!(!untouched || home.fingerprints() == before, "the rehearsal never touches production");
    }
    // Cut off while Liquibase held its lock: the lock is as young as the sessions that find it.
    home.execute(
        "UPDATE databasechangeloglock SET locked = true, lockgranted = localtimestamp, lockedby = 'gone (192.0.2.1)'",
    );
    let ended = home.migrate(&[]).expect(3);
    assert!(
        ended.err.contains("released Liquibase's lock, whose holder gone (192.0.2.1) is gone"),
        "{}",
        ended.err
    );
    let document = ended.json();
    assert_eq!(document["outcome"], "held");
    assert_eq!(document["fingerprint"]["as_expected"], true);
}
