//! The page of a run whose every text wants to do harm.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use jiff::Timestamp;

use super::*;
use crate::model::changeset::{ApplyState, ChangesetId, Phase};
use crate::model::evidence::{
    Applied, BeforeAfter, ChangesetLine, ChangesetOutcome, Checked, Compat, EventLine, GateMoment,
    GateReading, Held, LockWait, Rehearsal, ReverseProof, Rollout, RunSummary, Shadow, StageLine,
    StageOutcome, TrafficSecond, TrafficSummary, Verdict, VerdictClass, VerdictKind, WaitsFor,
};
use crate::model::kept::Keeping;
use crate::model::schema::SchemaFingerprint;

const EVIL: &str = "<script>alert('x')</script>&\"";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

/// Two queries get slow, and a table is locked twice: longest in the weaker mode.
fn shadow(key: ChangesetId, verdict: Verdict) -> Shadow {
    let verdict = Verdict { changeset: key.clone(), class: VerdictClass::GetsSlow, ..verdict };
    let mild = Verdict { verdict: VerdictKind::Risky, ..verdict.clone() };
    let wait = |mode: &str, held_ms, over_budget| LockWait {
        table: "public.orders".to_owned(),
        mode: mode.to_owned(),
        held_ms,
        queries: 12,
        services: 3,
        first: vec![format!("Q of {EVIL} 1")],
        over_budget,
    };
    let waits = vec![
        wait("ACCESS EXCLUSIVE", 140, true),
        wait("SHARE", 640, true),
        LockWait { table: "public.briefly".to_owned(), ..wait("ACCESS EXCLUSIVE", 40, false) },
    ];
    let rehearsal = Rehearsal {
        key,
        seconds: 0.7,
        inverse_seconds: 0.1,
        locks: vec![],
        rewrites: vec![],
        log_bytes: Some(0),
        rows: 0,
        stall_ms: 640.0,
        waits,
        reverse: ReverseProof::Proven,
        differences: vec![],
        explained: vec![],
        not_again: None,
    };
    Shadow {
        changesets: vec![rehearsal],
        traffic: TrafficSummary::default(),
        failures: vec![],
        verdicts: vec![mild, verdict],
        whole_way_back: true,
        differences: vec![],
        explained: vec![],
        unmeasured: vec![],
        schema_after: SchemaFingerprint::default(),
        backfill_rows_per_second: None,
        network: None,
    }
}

fn record() -> RunRecord {
    let key = |id: &str| ChangesetId { id: id.to_owned(), author: "a".to_owned(), path: "p.sql".to_owned() };
    let waits_for =
        vec![WaitsFor { service: EVIL.to_owned(), version: "1".to_owned(), query: "Q".to_owned() }];
    let held = vec![Held { key: key(EVIL), waits_for, because_of: None }];
    let traffic = TrafficSummary {
        requests: 1_234,
        failed: 1,
        longest_wait_ms: 87.0,
        services: 42,
        rate: 150.0,
        series: (0..20)
            .map(|second| TrafficSecond {
                second,
                at: Some(at(i64::from(second))),
                requests: 60,
                failed: u64::from(second == 9),
                p50_ms: 1.0,
                p99_ms: 9.0,
                max_ms: 20.0 + f64::from(second),
            })
            .collect(),
        ..TrafficSummary::default()
    };
    let line = |id: &str, outcome| ChangesetLine {
        key: key(id),
        phase: Phase::Expand,
        outcome,
        reverse: ReverseProof::Proven,
    };
    let summary = RunSummary {
        run: "20261121T000000-0001".to_owned(),
        environment: "demo".to_owned(),
        database: None,
        outcome: Outcome::Held,
        reason: Some(EVIL.to_owned()),
        hint: None,
        started: at(0),
        actor: EVIL.to_owned(),
        commit: None,
        seconds: 61.5,
        stages: vec![StageLine {
            name: "plan".to_owned(),
            outcome: StageOutcome::Done,
            seconds: 0.4,
            detail: EVIL.to_owned(),
        }],
        changesets: vec![line("add-column", ChangesetOutcome::Applied), line(EVIL, ChangesetOutcome::Held)],
        held: held.clone(),
        traffic: traffic.clone(),
        fingerprint: BeforeAfter {
            before: "aa".repeat(32),
            after: "bb".repeat(32),
            as_expected: true,
            differences: vec![],
        },
        kept: Keeping::default(),
    };
    let verdict = Verdict {
        changeset: key(EVIL),
        service: EVIL.to_owned(),
        version: "1".to_owned(),
        query: "Q".to_owned(),
        verdict: VerdictKind::Breaking,
        class: VerdictClass::DoesNotPlan,
        reason: EVIL.to_owned(),
        column: None,
        unique_key_gone: false,
        grant_to: None,
        rows_kept: false,
        file: "q.sql".to_owned(),
        line: 3,
        allowed: None,
    };
    RunRecord {
        summary,
        plan: None,
        backup: None,
        compat: Some(Compat {
            verdicts: vec![verdict.clone()],
            held,
            accepted: vec![key("add-column")],
            not_tried: Vec::new(),
            without_contracts: false,
            checked: Checked {
                services: 48,
                queries: 526,
                changesets: 2,
                checks: 700,
                seconds: 1.25,
                untried: None,
                unknown_roles: Vec::new(),
            },
            scratch: None,
            services: vec![(EVIL.to_owned(), "1".to_owned()), ("other".to_owned(), "2".to_owned())],
        }),
        clone: None,
        shadow: Some(shadow(key("add-column"), verdict)),
        rollout: Some(Rollout {
            changesets: vec![Applied {
                key: key("add-column"),
                wave: 1,
                started: at(4),
                seconds: 2.0,
                attempts: 2,
                batches: 0,
                rows: 1_000_000,
                stall_ms: 87.0,
                state: ApplyState::Applied,
            }],
            failed: vec![],
            gates: vec![GateReading {
                at: at(3),
                when: GateMoment::Before,
                wave: 1,
                requests: 100,
                failed: 0,
                p99_ms: Some(9.0),
                blocked: Some(0),
                longest_block_ms: Some(0),
                breaches: vec![EVIL.to_owned()],
            }],
            traffic,
            failures: vec![],
            fingerprint: BeforeAfter::default(),
        }),
        rollback: None,
        events: vec![EventLine {
            seq: 1,
            at: at(0),
            kind: "noted".to_owned(),
            text: EVIL.to_owned(),
            hash: "cc".repeat(32),
        }],
        journal_intact: true,
        refused_for_input: false,
    }
}

#[test]
fn nothing_from_outside_becomes_markup_and_nothing_is_fetched() {
    let page = html(&record());
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&lt;script&gt;"));
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

/// Every tag that opens closes, in order.
#[test]
fn the_page_is_well_formed() {
    let page = html(&record());
    let page = page.replace("<!doctype html>", "");
    let mut open: Vec<String> = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, _) = part.split_once('>').unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "</{name}>");
        } else if !tag.ends_with('/') {
            let name = tag.split_whitespace().next().unwrap().to_owned();
            if name != "meta" {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_closing_text() {
    let record = record();
    insta::with_settings!({snapshot_path => "../../../tests/expected", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("closing", text::closing(&record.summary, &record, false, 100));
        insta::assert_snapshot!("status", text::status(&record, 100));
        insta::assert_snapshot!("history", text::history(std::slice::from_ref(&record.summary), 100));
    });
}

#[test]
fn numbers_for_people() {
    assert_eq!([duration(0.34), duration(1.24), duration(125.4)], ["340 ms", "1.2 s", "2 min 05 s"]);
    assert_eq!([count(7), count(1_000), count(1_234_567)], ["7", "1,000", "1,234,567"]);
    assert_eq!([bytes(512), bytes(1_536), bytes(549 << 20)], ["512 B", "1.5 KiB", "549 MiB"]);
}

#[test]
fn what_is_let_pass_is_shown_with_its_reason() {
    let mut danger = Hazard {
        name: "data-loss".to_owned(),
        severity: Severity::Danger,
        lock: None,
        table: None,
        rows: None,
        message: "gone".to_owned(),
        allowed: None,
    };
    assert_eq!(hazard(&danger), "<span class=\"bad\" title=\"gone\">data-loss</span>");
    danger.allowed = Some(EVIL.to_owned());
    let shown = hazard(&danger);
    assert!(shown.starts_with("<span class=\"none\" title=\"allowed because &lt;script&gt;"), "{shown}");
    assert!(shown.ends_with(". gone\">data-loss (allowed)</span>"), "{shown}");
}
