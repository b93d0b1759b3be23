//! The result of the compatibility check for its readers: people at a terminal, CI systems, a merge request.

mod codequality;
mod json;
mod junit;
mod markdown;
mod notes;
mod sarif;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

pub use codequality::codequality;
pub use json::{Json, json};
pub use junit::junit;
pub use markdown::markdown;
pub use notes::{Note, knows_nobody};
pub use sarif::sarif;

use crate::report::matrix::Matrix;
use crate::report::text::{count, duration, held};
use sha2::{Digest, Sha256};

use crate::model::changeset::{Changeset, ChangesetId};
use crate::model::evidence::{Compat, Verdict, VerdictKind};
use crate::model::hex;
use crate::report::advice::{self, advice};

/// Where the folders lie in the repository: what a verdict's file and a changeset's path are relative to.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub contracts: PathBuf,
    pub changelogs: PathBuf,
}

impl Places {
    /// As seen from the repository that the changelogs lie in, or else from `here`.
    pub fn find(changelogs: &Path, contracts: &Path, here: &Path) -> Self {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let (changelogs, contracts) = (plain(&absolute(changelogs)), plain(&absolute(contracts)));
        let root = changelogs.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(here);
        let below = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_path_buf();
        Self { contracts: below(&contracts), changelogs: below(&changelogs) }
    }
}

/// A path without `.` and `..`, as far as it can be told from its text.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// A verdict with all that its readers want besides.
pub struct Finding<'a> {
    pub verdict: &'a Verdict,
    /// `table.column`, where one can be named.
    pub column: Option<String>,
    /// What to do about it.
    pub advice: String,
    /// What tells this finding from others, the same however lines and messages move.
    pub fingerprint: String,
    /// The query's file, as seen from the repository.
    pub file: String,
    /// The changeset's file, likewise, and its line.
    pub changeset_file: String,
    pub changeset_line: u64,
}

impl Finding<'_> {
    pub fn who(&self) -> String {
        format!("{} {}", self.verdict.service, self.verdict.version)
    }
    pub fn level(&self) -> &'static str {
        match self.verdict.verdict {
            VerdictKind::Breaking => "breaking",
            VerdictKind::Risky => "risky",
            VerdictKind::Compatible => "compatible",
        }
    }
}

/// Of findings that nothing else tells apart, each has a number: of those with one fingerprint CI shows the first only.
fn fingerprint(v: &Verdict, seen: &mut BTreeMap<String, u32>) -> String {
    let ChangesetId { id, author, path } = &v.changeset;
    let column = v.column.as_deref().unwrap_or_default();
    let parts = [v.class.name(), &v.service, &v.version, &v.query, column, id, author, path];
    let identity = parts.join("\0");
    let number = seen.entry(identity.clone()).or_default();
    *number += 1;
    hex(&Sha256::digest(format!("{identity}\0{number}")))
}

/// Text from outside on one line, without what moves a terminal's cursor.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Every verdict that is not `compatible`, breaking ones first, then by changeset, service and query.
pub struct Findings<'a> {
    pub compat: &'a Compat,
    pub all: Vec<Finding<'a>>,
    pub notes: Vec<Note>,
}

impl<'a> Findings<'a> {
    /// `changesets`: those of the plan, for what to do about it.
    pub fn new(compat: &'a Compat, changesets: &[Changeset], places: &Places) -> Self {
        let mut verdicts: Vec<&Verdict> = compat.verdicts.iter().collect();
        let order = |v: &'a Verdict| (&v.changeset, &v.service, &v.version, &v.query);
        verdicts.sort_by(|a, b| b.verdict.cmp(&a.verdict).then_with(|| order(a).cmp(&order(b))));
        let shown = |folder: &Path, file: &str| plain(&folder.join(file)).display().to_string();
        let mut seen = BTreeMap::new();
        let all = verdicts
            .into_iter()
            .map(|verdict| {
                let changeset = changesets.iter().find(|c| c.key == verdict.changeset);
                Finding {
                    verdict,
                    column: advice::column(verdict, changeset),
                    advice: advice(verdict, changeset),
                    fingerprint: fingerprint(verdict, &mut seen),
                    file: shown(&places.contracts, &verdict.file),
                    changeset_file: shown(&places.changelogs, &verdict.changeset.path),
                    changeset_line: changeset.and_then(|c| c.line).unwrap_or(1).max(1),
                }
            })
            .collect();
        let place = |key: &ChangesetId| {
            let line = changesets.iter().find(|c| c.key == *key).and_then(|c| c.line);
            (shown(&places.changelogs, &key.path), line.unwrap_or(1).max(1))
        };
        let contracts = match shown(&places.contracts, "") {
            folder if folder.is_empty() => "the folder of contracts".to_owned(),
            folder => folder,
        };
        let notes = notes::notes(compat, changesets, contracts.trim_end_matches('/'), place);
        Self { compat, all, notes }
    }

    pub fn is_held(&self, key: &ChangesetId) -> bool {
        self.compat.held.iter().any(|h| h.key == *key)
    }

    fn of(&self, kind: VerdictKind) -> impl Iterator<Item = &Finding<'a>> {
        self.all.iter().filter(move |f| f.verdict.verdict == kind)
    }
}

/// One line each, the matrix, who is waited for, and what was checked.
pub fn text(findings: &Findings<'_>, width: u16) -> String {
    let mut out = String::new();
    for note in &findings.notes {
        out.push_str(&format!("warning: {}\n", one_line(&note.text)));
    }
    for f in &findings.all {
        let v = f.verdict;
        let column = f.column.as_deref().map(|c| format!(", {c}")).unwrap_or_default();
        let line = format!(
            "{}:{}: {}: {} {}: {} [{}{column}] by {}; {}",
            f.file,
            v.line,
            f.level(),
            f.who(),
            v.query,
            v.reason,
            v.class,
            v.changeset.id,
            f.advice
        );
        out.push_str(&one_line(&line));
        out.push('\n');
    }
    if !findings.all.is_empty() {
        out.push('\n');
    }
    let compat = findings.compat;
    out.push_str(&Matrix::of(findings).text(findings, width));
    out.push_str(&held(&compat.held, width));
    let c = &compat.checked;
    out.push_str(&format!(
        "{} queries of {} service versions against {} changesets: {} checks in {}; {} go on, {} held\n",
        count(c.queries),
        c.services,
        c.changesets,
        count(c.checks),
        duration(c.seconds),
        compat.accepted.len(),
        compat.held.len()
    ));
    out
}
