//! GitLab's code quality report (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).
//!
//! The location is the changeset: a merge request shows it beside the line that it adds.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::model::evidence::VerdictKind;
use crate::model::hex;
use crate::report::compat::{Finding, Findings, Note};

pub fn codequality(findings: &Findings<'_>) -> Value {
    Value::Array(findings.all.iter().map(issue).chain(findings.notes.iter().map(note)).collect())
}

fn note(note: &Note) -> Value {
    let identity =
        format!("{}\0{}\0{}", note.note.name(), note.changeset.as_deref().unwrap_or_default(), note.file);
    json!({
        "description": note.text,
        "check_name": format!("drydock/{}", note.note.name()),
        "fingerprint": hex(&Sha256::digest(identity)),
        "severity": if note.fails { "critical" } else { "info" },
        "location": { "path": note.file, "lines": { "begin": note.line } },
    })
}

fn issue(finding: &Finding<'_>) -> Value {
    let v = finding.verdict;
    let description = format!(
        "{} is {} for {} of {} ({}:{}): {}. What to do: {}",
        v.changeset.id,
        finding.level(),
        v.query,
        finding.who(),
        finding.file,
        v.line,
        v.reason,
        finding.advice
    );
    json!({
        "description": description,
        "check_name": format!("drydock/{}", v.class),
        "fingerprint": finding.fingerprint,
        "severity": if v.verdict == VerdictKind::Breaking { "critical" } else { "minor" },
        "location": { "path": finding.changeset_file, "lines": { "begin": finding.changeset_line } },
    })
}
