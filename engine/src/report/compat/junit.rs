//! JUnit XML: a suite for each service version, a case for each query and changeset that do not go together.
//!
//! Breaking is `failure`. Risky is `skipped`: GitLab shows the text of nothing else without failing the case, and Jenkins
//! marks the build for neither. A version that is compatible with everything has one case that passes, so that it is seen
//! to have been checked.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::error::{Context, Result};
use crate::model::evidence::VerdictKind;
use crate::report::compat::{Finding, Findings, Note};

/// # Errors
/// `Failed` when it cannot be written.
pub fn junit(findings: &Findings<'_>) -> Result<String> {
    let mut cases: BTreeMap<(&str, &str), Vec<Vec<&Finding<'_>>>> =
        findings.compat.services.iter().map(|(s, v)| ((s.as_str(), v.as_str()), Vec::new())).collect();
    for finding in &findings.all {
        let v = finding.verdict;
        let suite = cases.entry((&v.service, &v.version)).or_default();
        let same = |case: &&mut Vec<&Finding<'_>>| {
            case.iter().any(|f| f.verdict.query == v.query && f.verdict.changeset == v.changeset)
        };
        match suite.iter_mut().find(same) {
            Some(case) => case.push(finding),
            None => suite.push(vec![finding]),
        }
    }
    let mut report = Report::new("drydock compat");
    for ((service, version), cases) in cases {
        let name = format!("{service} {version}");
        let mut suite = TestSuite::new(name.clone());
        if cases.is_empty() {
            let mut case = TestCase::new("every query, every changeset", TestCaseStatus::success());
            case.set_classname(name.clone());
            suite.add_test_case(case);
        }
        suite.add_test_cases(cases.iter().map(|found| case(&name, found)));
        report.add_test_suite(suite);
    }
    if !findings.notes.is_empty() {
        let mut suite = TestSuite::new("what was not looked at");
        suite.add_test_cases(findings.notes.iter().map(note));
        report.add_test_suite(suite);
    }
    report.to_string().context("the JUnit report cannot be written")
}

fn note(note: &Note) -> TestCase {
    let mut status = match note.fails {
        true => TestCaseStatus::non_success(NonSuccessKind::Failure),
        false => TestCaseStatus::skipped(),
    };
    status.set_message(note.text.as_str()).set_type(note.note.name());
    let of = note.changeset.as_deref().map(|id| format!(" × {id}")).unwrap_or_default();
    let mut case = TestCase::new(format!("{}{of}", note.note.name()), status);
    case.set_classname("what was not looked at");
    case
}

fn case(suite: &str, found: &[&Finding<'_>]) -> TestCase {
    let breaking = found.iter().any(|f| f.verdict.verdict == VerdictKind::Breaking);
    let mut status = match breaking {
        true => TestCaseStatus::non_success(NonSuccessKind::Failure),
        false => TestCaseStatus::skipped(),
    };
    let details: Vec<String> = found
        .iter()
        .map(|f| {
            let v = f.verdict;
            let column = f.column.as_deref().map(|c| format!("column: {c}\n")).unwrap_or_default();
            format!(
                "{}: {}\n{column}class: {}\nquery: {} at {}:{}\nchangeset: {} at {}:{}\nwhat to do: {}",
                f.level(),
                v.reason,
                v.class,
                v.query,
                f.file,
                v.line,
                v.changeset.id,
                f.changeset_file,
                f.changeset_line,
                f.advice
            )
        })
        .collect();
    status.set_description(details.join("\n\n"));
    let Some(first) = found.first() else { return TestCase::new("", status) };
    status.set_message(first.verdict.reason.as_str()).set_type(first.verdict.class.name());
    let mut case = TestCase::new(format!("{} × {}", first.verdict.query, first.verdict.changeset.id), status);
    case.set_classname(suite);
    // GitLab makes a link of it.
    case.extra.insert("file".into(), format!("{}#L{}", first.file, first.verdict.line).into());
    case
}
