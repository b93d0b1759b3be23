//! Finds and reads contracts: `contract.yaml` beside a service's changes, or `NAME.contract.yaml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::contract::{ApiField, Contract, Query, Version, openapi, queries};
use crate::error::{Context, Error, Result};
use crate::model::query_syntax::QuerySyntax;

const FORM: &str = "a contract has service, owner, role and versions (version, queries, api)";

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

/// Reads every contract below a folder, sorted by service. Paths in a contract are relative to its file; files are named
/// as seen from the folder.
///
/// # Errors
/// `Input` with file and line for what cannot be read, is named twice or is missing.
pub fn load(folder: &Path, syntax: &QuerySyntax) -> Result<Vec<Contract>> {
    let mut files = Vec::new();
    find(folder, &mut files, 0)?;
    files.sort();
    let mut contracts = Vec::new();
    let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
    for file in files {
        let (contract, text) = read(&file, folder, syntax)?;
        let mut from = 0;
        for version in &contract.versions {
            from = line_of(&text, &version.version, from).unwrap_or(from);
            let place = format!("{}:{}", contract.file.display(), from.max(1));
            let key = (contract.service.clone(), version.version.clone());
            if let Some(first) = seen.insert(key, place.clone()) {
                let (service, version) = (&contract.service, &version.version);
                return Err(Error::input(format!(
                    "{place}: {service} {version} has a contract already, at {first}"
                ))
                .hint("a deployed version of a service is described once"));
            }
        }
        contracts.push(contract);
    }
    contracts.sort_by(|a, b| a.service.cmp(&b.service));
    Ok(contracts)
}

/// The first line behind line `after` on which a value stands, for messages.
fn line_of(text: &str, value: &str, after: u64) -> Option<u64> {
    let lines = (1_u64..).zip(text.lines());
    let mut found = lines.filter(|(number, line)| *number > after && line.contains(value));
    found.find(|(_, line)| !line.trim_start().starts_with('#')).map(|(number, _)| number)
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

fn read(file: &Path, folder: &Path, syntax: &QuerySyntax) -> Result<(Contract, String)> {
    let name = shown(file, folder);
    let text = std::fs::read_to_string(file).input(format!("{name} cannot be read"))?;
    if text.lines().all(|line| matches!(line.trim_start().chars().next(), None | Some('#'))) {
        return Err(Error::input(format!("{name}:1: the contract is empty")).hint(FORM));
    }
    let parsed: ContractFile = serde_yaml_ng::from_str(&text).map_err(|e| {
        let (line, column) = e.location().map_or((1, 1), |l| (l.line(), l.column()));
        Error::input(format!("{name}:{line}:{column}: {}", without_place(&e.to_string()))).hint(FORM)
    })?;
    let place = |value: &str| format!("{name}:{}", line_of(&text, value, 0).unwrap_or(1));
    for (key, value) in
        [("service", Some(&parsed.service)), ("owner", parsed.owner.as_ref()), ("role", parsed.role.as_ref())]
    {
        if value.is_some_and(|v| v.trim().is_empty()) {
            return Err(Error::input(format!("{}: {key} is empty", place(key))).hint(FORM));
        }
    }
    if parsed.versions.is_empty() {
        let place = place("versions");
        return Err(Error::input(format!("{place}: {} has no deployed version", parsed.service))
            .hint("remove the contract of a service that is not deployed any more"));
    }
    let base = file.parent().unwrap_or(folder);
    let mut versions = Vec::new();
    for version in parsed.versions {
        let open = |path: &Path, what: &str| {
            let written = path.display().to_string();
            let of = format!("{} {}", parsed.service, version.version);
            let message = format!("{}: the {what} of {of} cannot be read ({written})", place(&written));
            let full = base.join(path);
            let text = std::fs::read_to_string(&full).map_err(|e| {
                Error::input(message)
                    .because(e)
                    .hint("paths in a contract are relative to the contract's file")
            })?;
            Ok::<_, Error>((text, PathBuf::from(shown(&full, folder))))
        };
        let mut all = Vec::new();
        for path in &version.queries {
            let (text, file) = open(path, "queries")?;
            let found = queries::parse(&text, &file, syntax)?;
            if found.is_empty() {
                return Err(Error::input(format!("{}:1: there is no query in it", file.display()))
                    .hint("put -- name: NameOfQuery :one over each query"));
            }
            all.extend(found);
        }
        let mut names: BTreeMap<&str, &Query> = BTreeMap::new();
        for query in &all {
            if let Some(first) = names.insert(&query.name, query) {
                let (place, first) = (at(query), at(first));
                return Err(Error::input(format!(
                    "{place}: query {} is there twice, first at {first}",
                    query.name
                ))
                .hint("names tell the queries of a version apart"));
            }
        }
        let api = match &version.api {
            Some(path) => {
                let (text, file) = open(path, "API")?;
                openapi::parse(&text, &file, syntax)?
            }
            None => Vec::new(),
        };
        let unfed = |f: &&ApiField| f.query.is_some() && !all.iter().any(|q| f.is_fed_by(&q.name));
        if let Some(field) = api.iter().find(unfed) {
            return Err(Error::input(format!(
                "{}:{}: {} shows what {} gives, which is no query of {} {}",
                field.file.display(),
                field.line,
                field.field,
                field.query.as_deref().unwrap_or_default(),
                parsed.service,
                version.version
            ))
            .hint("x-query names a query of the same version"));
        }
        versions.push(Version { version: version.version, queries: all, api });
    }
    let (service, owner, role) = (parsed.service, parsed.owner, parsed.role);
    Ok((Contract { service, owner, role, versions, file: PathBuf::from(name) }, text))
}

fn at(query: &Query) -> String {
    format!("{}:{}", query.file.display(), query.line)
}

/// The parser says the place too.
pub(super) fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(head, _)| head)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::contract::test_syntax;

    const GOOD: &str = "service: s\nversions:\n  - version: '1'\n    queries: [q.sql]\n";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn contracts_are_found_wherever_they_lie() {
        let query = "-- name: A :one\nselect 1;";
        let dir = folder(&[
            (
                "b/contract.yaml",
                "service: b\nversions:\n  - {version: '1', queries: [sql/q.sql], api: ../api.json}\n",
            ),
            ("b/sql/q.sql", query),
            ("deep/er/a.contract.yml", "service: a\nversions: [{version: 2.10, queries: []}]\n"),
            ("a.contract.yaml", "service: a\nversions: [{version: '1'}]\n"),
            (".hidden/contract.yaml", "service: ["),
            ("other.yaml", "service: ["),
            ("api.json", r#"{"components": {"schemas": {"S": {"properties": {"f": {"x-column": "t.c"}}}}}}"#),
        ]);
        let found = load(dir.path(), test_syntax()).unwrap();
        let names: Vec<_> =
            found.iter().map(|c| (c.service.as_str(), c.versions[0].version.as_str())).collect();
        assert_eq!(names, [("a", "1"), ("a", "2.10"), ("b", "1")]);
        let version = &found[2].versions[0];
        assert_eq!(
            (version.queries[0].file.to_str(), version.api[0].field.as_str()),
            (Some("b/sql/q.sql"), "S.f")
        );
        assert_eq!(found[2].file.to_str(), Some("b/contract.yaml"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let one = "-- name: A :one\nselect 1;\n";
        let twice = "-- name: A :one\nselect 1;\n-- name: A :one\nselect 2;\n";
        let cases = [
            ("service: [", one, "contract.yaml:"),
            ("", one, "contract.yaml:1: the contract is empty"),
            ("# soon\n\n", one, "contract.yaml:1: the contract is empty"),
            ("service: ''\nversions: []\n", one, "contract.yaml:1: service is empty"),
            ("service: s\nversions: []\n", one, "contract.yaml:2: s has no deployed version"),
            ("service: s\nverions: []\n", one, "contract.yaml:2:1: unknown field `verions`"),
            (
                "service: s\nversions:\n  - version: [1]\n",
                one,
                "contract.yaml:3:14: versions[0].version: invalid type: sequence",
            ),
            ("service: s\nversions:\n  - version: '1'\n    query: [q.sql]\n", one, "unknown field `query`"),
            (GOOD, "", "contract.yaml:4: the queries of s 1 cannot be read (q.sql)"),
            (GOOD, "select 1;\n", "q.sql:1: there is no query in it"),
            (GOOD, twice, "q.sql:3: query A is there twice, first at q.sql:1"),
            (GOOD, "-- name: A :some\nselect 1;\n", "q.sql:1"),
            (
                "service: s\nversions:\n  - version: '1'\n  - version: '2'\n  - version: '1'\n",
                one,
                "contract.yaml:5: s 1 has a contract already, at contract.yaml:3",
            ),
        ];
        for (yaml, sql, expected) in cases {
            let dir = folder(&[("contract.yaml", yaml)]);
            if !sql.is_empty() {
                std::fs::write(dir.path().join("q.sql"), sql).unwrap();
            }
            let error = load(dir.path(), test_syntax()).unwrap_err();
            assert_eq!(error.kind, crate::error::ErrorKind::Input);
            assert!(error.hint_text().is_some() || yaml.is_empty(), "{expected}");
            assert!(error.chain().contains(expected), "{expected}: {}", error.chain());
        }
    }
}
