//! SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), as GitHub's code scanning takes it.
//!
//! The location is the changeset: it is what is under review, and code scanning shows a result only beside a line that a
//! pull request touches. The query is the related location.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use crate::model::evidence::{VerdictClass, VerdictKind};
use crate::report::advice::class_help;
use crate::report::compat::{Finding, Findings};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What a path may not hold in a URI.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

pub fn sarif(findings: &Findings<'_>) -> Value {
    let classes: BTreeMap<&str, VerdictClass> =
        findings.all.iter().map(|f| (f.verdict.class.name(), f.verdict.class)).collect();
    let classes: Vec<VerdictClass> = classes.into_values().collect();
    let mut rules: Vec<Value> = classes.iter().map(|class| rule(*class)).collect();
    let mut results: Vec<Value> = findings.all.iter().map(|f| result(f, &classes)).collect();
    for note in &findings.notes {
        let known = rules.iter().position(|rule| rule.get("id") == Some(&json!(note.note.name())));
        let index = known.unwrap_or_else(|| {
            rules.push(json!({
                "id": note.note.name(),
                "shortDescription": { "text": "Something was not looked at" },
                "properties": { "tags": ["compatibility", "database"] },
            }));
            rules.len() - 1
        });
        results.push(json!({
            "ruleId": note.note.name(),
            "ruleIndex": index,
            "level": if note.fails { "error" } else { "note" },
            "message": { "text": note.text },
            "locations": [location(&note.file, note.line)],
        }));
    }
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "drydock",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(class: VerdictClass) -> Value {
    let (title, help) = class_help(class);
    json!({
        "id": class,
        "shortDescription": { "text": title },
        "fullDescription": { "text": help },
        "help": { "text": help, "markdown": help },
        "properties": { "tags": ["compatibility", "database"] },
    })
}

fn result(finding: &Finding<'_>, classes: &[VerdictClass]) -> Value {
    let v = finding.verdict;
    let level = if v.verdict == VerdictKind::Breaking { "error" } else { "warning" };
    let text = format!(
        "{} is {} for {} of {} ({}:{}): {}. What to do: {}.",
        v.changeset.id,
        finding.level(),
        v.query,
        finding.who(),
        finding.file,
        v.line,
        v.reason,
        finding.advice
    );
    // What its author lets pass is shown by whoever asks for it.
    let suppressions: Vec<Value> = v
        .allowed
        .iter()
        .map(|why| json!({ "kind": "inSource", "status": "accepted", "justification": why }))
        .collect();
    json!({
        "ruleId": v.class,
        "suppressions": suppressions,
        "ruleIndex": classes.iter().position(|c| *c == v.class),
        "level": level,
        "message": { "text": text },
        "locations": [location(&finding.changeset_file, finding.changeset_line)],
        "relatedLocations": [related(finding)],
        "partialFingerprints": { "drydock/v1": finding.fingerprint },
        "properties": {
            "service": v.service,
            "version": v.version,
            "query": v.query,
            "changeset": v.changeset.id,
            "column": finding.column.as_deref().unwrap_or_default(),
        },
    })
}

fn related(finding: &Finding<'_>) -> Value {
    let mut place = location(&finding.file, finding.verdict.line);
    if let Value::Object(place) = &mut place {
        let text = format!("{} of {}", finding.verdict.query, finding.who());
        place.insert("id".to_owned(), json!(1));
        place.insert("message".to_owned(), json!({ "text": text }));
    }
    place
}

fn location(file: &str, line: u64) -> Value {
    let uri = utf8_percent_encode(file, PATH).to_string();
    // What lies outside the repository has no root to be relative to.
    let artifact = match uri.strip_prefix('/') {
        Some(_) => json!({ "uri": format!("file://{uri}") }),
        None => json!({ "uri": uri, "uriBaseId": "%SRCROOT%" }),
    };
    json!({ "physicalLocation": { "artifactLocation": artifact, "region": { "startLine": line.max(1) } } })
}
