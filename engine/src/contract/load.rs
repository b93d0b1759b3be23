//! Finds and reads contracts: `contract.yaml` beside a service's changes, or `NAME.contract.yaml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Contract, Version, openapi, queries};
use crate::error::{Context, Error, Result};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractFile {
    service: String,
    owner: Option<String>,
    role: Option<String>,
    versions: Vec<VersionFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionFile {
    version: String,
    #[serde(default)]
    queries: Vec<PathBuf>,
    api: Option<PathBuf>,
}

/// Reads every contract below a folder, sorted by service.
///
/// # Errors
/// `Input` with file and line for what cannot be read, is named twice or is missing.
pub fn load(folder: &Path) -> Result<Vec<Contract>> {
    let mut files = Vec::new();
    find(folder, &mut files, 0)?;
    files.sort();
    let mut contracts = Vec::new();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    for file in files {
        let contract = read(&file, folder)?;
        for version in &contract.versions {
            if !seen.insert((contract.service.clone(), version.version.clone())) {
                return Err(Error::input(format!(
                    "{}: {} {} has a contract already",
                    shown(&file, folder),
                    contract.service,
                    version.version
                ))
                .hint("a deployed version of a service is described once"));
            }
        }
        contracts.push(contract);
    }
    contracts.sort_by(|a, b| a.service.cmp(&b.service));
    Ok(contracts)
}

fn find(folder: &Path, files: &mut Vec<PathBuf>, depth: u32) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).input(format!("the folder {} cannot be read", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        // A link back up must not make this endless; a service is not twenty folders down.
        if path.is_dir() && depth < 20 && !name.starts_with('.') {
            find(&path, files, depth + 1)?;
        } else if matches!(name.as_str(), "contract.yaml" | "contract.yml")
            || name.ends_with(".contract.yaml")
            || name.ends_with(".contract.yml")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// A path as people know it: below the folder of contracts.
pub(super) fn shown(file: &Path, folder: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).display().to_string()
}

fn read(file: &Path, folder: &Path) -> Result<Contract> {
    let name = shown(file, folder);
    let text = std::fs::read_to_string(file).input(format!("{name} cannot be read"))?;
    let parsed: ContractFile = serde_yaml_ng::from_str(&text).map_err(|e| {
        let place = e.location().map(|l| format!(":{}:{}", l.line(), l.column())).unwrap_or_default();
        Error::input(format!("{name}{place}: {e}"))
            .hint("a contract has service, owner, role and versions (version, queries, api)")
    })?;
    if parsed.versions.is_empty() {
        return Err(Error::input(format!("{name}: {} has no deployed version", parsed.service))
            .hint("remove the contract of a service that is not deployed any more"));
    }
    let base = file.parent().unwrap_or(folder);
    let mut versions = Vec::new();
    for version in parsed.versions {
        let mut all = Vec::new();
        for path in &version.queries {
            let full = base.join(path);
            let text = std::fs::read_to_string(&full).input(format!(
                "{name}: the queries of {} {} cannot be read ({})",
                parsed.service,
                version.version,
                path.display()
            ))?;
            all.extend(queries::parse(&text, Path::new(&shown(&full, folder)))?);
        }
        let mut names = BTreeSet::new();
        for query in &all {
            if !names.insert(query.name.clone()) {
                return Err(Error::input(format!(
                    "{}:{}: query {} is there twice",
                    query.file.display(),
                    query.line,
                    query.name
                ))
                .hint("names tell the queries of a version apart"));
            }
        }
        let api = match &version.api {
            Some(path) => {
                let full = base.join(path);
                let text = std::fs::read_to_string(&full).input(format!(
                    "{name}: the API of {} {} cannot be read ({})",
                    parsed.service,
                    version.version,
                    path.display()
                ))?;
                openapi::parse(&text, Path::new(&shown(&full, folder)))?
            }
            None => Vec::new(),
        };
        versions.push(Version { version: version.version, queries: all, api });
    }
    Ok(Contract {
        service: parsed.service,
        owner: parsed.owner,
        role: parsed.role,
        versions,
        file: PathBuf::from(name),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GOOD: &str = "service: s\nversions:\n  - version: '1'\n    queries: [q.sql]\n";

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let cases = [
            ("service: [", "q", "contract.yaml:"),
            ("service: s\nversions: []\n", "q", "no deployed version"),
            ("service: s\nverions: []\n", "q", "verions"),
            (GOOD, "", "cannot be read (q.sql)"),
            (
                GOOD,
                "-- name: A :one\nselect 1;\n-- name: A :one\nselect 2;\n",
                "q.sql:3: query A is there twice",
            ),
            (GOOD, "-- name: A :some\nselect 1;\n", "q.sql:1"),
        ];
        for (yaml, sql, expected) in cases {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("contract.yaml"), yaml).unwrap();
            if !sql.is_empty() {
                std::fs::write(dir.path().join("q.sql"), sql).unwrap();
            }
            let error = load(dir.path()).unwrap_err();
            assert_eq!(error.kind, crate::error::ErrorKind::Input);
            assert!(error.chain().contains(expected), "{expected}: {}", error.chain());
        }
    }
}
