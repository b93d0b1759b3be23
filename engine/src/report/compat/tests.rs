//! Every format of one result, with names and sentences that want to do harm, held against what reads it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::Value;

use super::*;
use crate::model::changeset::{Phase, Reverse, Statement};
use crate::model::evidence::{Checked, Held, VerdictClass, WaitsFor};
use crate::model::schema_action::SchemaAction;

const EVIL: &str = "<script>alert('x')</script>|`@all` #1 https://evil.example _*\u{7}";

fn key(id: &str) -> ChangesetId {
    ChangesetId {
        id: id.to_owned(),
        author: "driver-app".to_owned(),
        path: "driver-app/changes/0012 phone#.sql".to_owned(),
    }
}

fn changeset(id: &str, line: Option<u64>, sql: &str, action: SchemaAction) -> Changeset {
    let statement = Statement {
        sql: sql.to_owned(),
        kind: "ALTER TABLE".to_owned(),
        phase: Phase::Contract,
        actions: vec![action],
        hazards: vec![],
        touches: vec!["public.drivers".to_owned()],
        waits_without_blocking: false,
        builds_index: None,
        commits: false,
        backfill: None,
        rewrites: Vec::new(),
    };
    Changeset {
        line,
        reverse: Reverse::Inverse,
        ..Changeset::of_statements(key(id), Phase::Contract, vec![statement])
    }
}

fn verdict(
    id: &str,
    who: (&str, &str),
    query: &str,
    kind: VerdictKind,
    class: VerdictClass,
    reason: &str,
) -> Verdict {
    Verdict {
        changeset: key(id),
        service: who.0.to_owned(),
        version: who.1.to_owned(),
        query: query.to_owned(),
        verdict: kind,
        class,
        reason: reason.to_owned(),
        column: (class == VerdictClass::FailsWhenRun).then(|| "public.drivers.email".to_owned()),
        unique_key_gone: false,
        grant_to: None,
        rows_kept: false,
        file: "driver-app/../driver-app/queries.sql".to_owned(),
        line: 3,
        allowed: None,
    }
}

fn sample() -> (Compat, Vec<Changeset>) {
    use VerdictClass::{DoesNotPlan, FailsWhenRun, ParameterType};
    use VerdictKind::{Breaking, Risky};
    let (old, new) = (("driver-app", "1.8.0"), ("driver-app", "1.9.0"));
    let gone = "column \"phone\" does not exist (42703)";
    let compat = Compat {
        verdicts: vec![
            verdict(
                "email",
                new,
                "Say",
                Risky,
                FailsWhenRun,
                "it writes the column, and it no longer accepts NULL",
            ),
            Verdict {
                allowed: Some("nobody has a long one".to_owned()),
                ..verdict("email", new, "Say", Risky, FailsWhenRun, "it writes the column, and it is shorter")
            },
            verdict("phone-drop", old, "Me", Breaking, DoesNotPlan, gone),
            verdict("phone-drop", old, "Colleagues[order=name]", Breaking, DoesNotPlan, gone),
            verdict(EVIL, (EVIL, "2"), EVIL, Breaking, ParameterType, EVIL),
        ],
        held: vec![Held {
            key: key("phone-drop"),
            waits_for: vec![WaitsFor {
                service: "driver-app".to_owned(),
                version: "1.8.0".to_owned(),
                query: "Me".to_owned(),
            }],
            because_of: None,
        }],
        accepted: vec![key("email")],
        not_tried: Vec::new(),
        without_contracts: false,
        checked: Checked {
            services: 4,
            queries: 526,
            changesets: 3,
            checks: 1_700,
            seconds: 1.25,
            untried: None,
            unknown_roles: Vec::new(),
        },
        scratch: None,
        services: [old, new, (EVIL, "2"), ("billing", "5.0.1")]
            .map(|(s, v)| (s.to_owned(), v.to_owned()))
            .to_vec(),
    };
    let table = "public.drivers".to_owned();
    let not_null = SchemaAction::SetNotNull { table: table.clone(), column: "email".to_owned() };
    let drop = SchemaAction::DropColumn { table, column: "phone".to_owned() };
    let changesets = vec![
        changeset("email", Some(7), "alter table drivers alter column email set not null", not_null),
        changeset("phone-drop", Some(12), "alter table drivers drop column phone", drop),
        changeset(EVIL, None, "select 1", SchemaAction::RunsCode),
    ];
    (compat, changesets)
}

fn places() -> Places {
    Places { contracts: "db/contracts".into(), changelogs: "db/changelogs".into() }
}

macro_rules! snapshot {
    ($name:literal, $text:expr) => {
        insta::with_settings!({snapshot_path => "../../../../tests/expected", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!($name, $text);
        })
    };
}

#[test]
fn every_format_says_the_same() {
    let (compat, changesets) = sample();
    let findings = Findings::new(&compat, &changesets, &places());
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    snapshot!("compat", text(&findings, 100));
    snapshot!("compat-junit", junit(&findings).unwrap());
    snapshot!("compat-sarif", pretty(&sarif(&findings)));
    snapshot!("compat-codequality", pretty(&codequality(&findings)));
    snapshot!("compat-markdown", markdown(&findings));
}

#[test]
fn nothing_found_is_said_too() {
    let (mut compat, changesets) = sample();
    compat.verdicts.clear();
    compat.held.clear();
    let findings = Findings::new(&compat, &changesets, &places());
    assert_eq!(codequality(&findings), Value::Array(vec![]));
    assert_eq!(sarif(&findings)["runs"][0]["results"], Value::Array(vec![]));
    let report = quick_junit::Report::deserialize_from_str(&junit(&findings).unwrap()).unwrap();
    assert_eq!((report.tests, report.failures, report.test_suites.len()), (4, 0, 4));
    assert!(markdown(&findings).contains("0 breaks, 0 risks"), "{}", markdown(&findings));
    assert!(text(&findings, 100).starts_with("526 queries"), "{}", text(&findings, 100));
}

/// The types are made from the published schema: what they do not know is lost on the way through them.
#[test]
fn sarif_is_what_its_schema_knows() {
    let (compat, changesets) = sample();
    let document = sarif(&Findings::new(&compat, &changesets, &places()));
    let typed: serde_sarif::sarif::Sarif = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(serde_json::to_value(typed).unwrap(), document);
}

/// The fields that GitLab names as required, and no others that it would not know.
#[test]
fn codequality_is_as_gitlab_documents_it() {
    let (compat, changesets) = sample();
    let document = codequality(&Findings::new(&compat, &changesets, &places()));
    let schema = serde_json::json!({
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "properties": {
                "description": { "type": "string", "minLength": 1 },
                "check_name": { "type": "string" },
                "fingerprint": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                "severity": { "enum": ["info", "minor", "major", "critical", "blocker"] },
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "properties": {
                        "path": { "type": "string", "pattern": "^[^/.]" },
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "properties": { "begin": { "type": "integer", "minimum": 1 } },
                        },
                    },
                },
            },
        },
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert_eq!(
        validator.iter_errors(&document).map(|e| e.to_string()).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    let fingerprints: std::collections::BTreeSet<&str> =
        document.as_array().unwrap().iter().map(|i| i["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(fingerprints.len(), compat.verdicts.len(), "one each, or GitLab shows the first only");
}

#[test]
fn a_fingerprint_stays_when_lines_and_messages_move() {
    let (mut compat, changesets) = sample();
    let of = |compat: &Compat| -> Vec<String> {
        let document = codequality(&Findings::new(compat, &changesets, &places()));
        document.as_array().unwrap().iter().map(|i| i["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let before = of(&compat);
    for verdict in &mut compat.verdicts {
        verdict.line += 5;
        verdict.reason.push_str(" still");
    }
    assert_eq!(of(&compat), before);
}

#[test]
fn junit_counts_cases() {
    let (compat, changesets) = sample();
    let xml = junit(&Findings::new(&compat, &changesets, &places())).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (5, 3, 0));
}

#[test]
fn a_comment_fits_and_says_what_it_leaves_out() {
    let (mut compat, changesets) = sample();
    let one = compat.verdicts.last().cloned().unwrap();
    compat.verdicts = (0..3_000)
        .map(|n| Verdict {
            query: format!("Query{n}"),
            service: format!("service{}", n % 400),
            changeset: key(&format!("changeset-{}", n % 60)),
            verdict: if n % 3 == 0 { VerdictKind::Breaking } else { VerdictKind::Risky },
            ..one.clone()
        })
        .collect();
    let findings = Findings::new(&compat, &changesets, &places());
    for most in [2_000, 20_000, MOST] {
        let comment = markdown::with_cap(&findings, most);
        assert!(comment.chars().count() <= most, "{most}: {}", comment.chars().count());
        let shown = comment.matches("<br>`db/contracts/").count();
        let left_out: usize = comment
            .lines()
            .filter_map(|l| l.strip_prefix('_')?.split_once(" more ")?.0.parse::<usize>().ok())
            .sum();
        assert_eq!(shown + left_out, 3_000, "{most}");
        assert_eq!(comment.matches("<details>").count(), comment.matches("</details>").count());
    }
}

/// GitHub's limit for a comment.
const MOST: usize = 65_536;

#[test]
fn places_are_those_of_the_repository() {
    let home = tempfile::tempdir().unwrap();
    let (repository, elsewhere) = (home.path().join("shop"), home.path().join("contracts"));
    std::fs::create_dir_all(repository.join(".git")).unwrap();
    let found = Places::find(&repository.join("db/changelogs"), &repository.join("./x/../db"), home.path());
    assert_eq!((found.changelogs.to_str(), found.contracts.to_str()), (Some("db/changelogs"), Some("db")));
    let found = Places::find(&repository.join("db"), &elsewhere, home.path());
    assert_eq!((found.changelogs.to_str(), found.contracts), (Some("db"), elsewhere));
}
