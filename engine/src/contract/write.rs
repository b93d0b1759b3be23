//! Harvested contracts as files: `SERVICE.contract.yaml` and `SERVICE.queries.sql`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::contract::harvest::{Draft, Harvested};
use crate::contract::{Arity, parse_queries};
use crate::error::{Context, Result};
use crate::model::query_syntax::QuerySyntax;

/// A query that was seen and is in no file, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub sql: String,
    pub reason: String,
}

#[derive(Serialize)]
struct ContractFile<'a> {
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    versions: Vec<VersionFile<'a>>,
}

#[derive(Serialize)]
struct VersionFile<'a> {
    version: &'a str,
    queries: [String; 1],
}

/// A service's name as a file's: nothing in it leads elsewhere.
fn file_name(service: &str) -> String {
    let plain: String =
        service.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    plain.trim_start_matches('.').to_owned()
}

/// Where the contract of a service goes.
pub fn contract_path(folder: &Path, service: &str) -> PathBuf {
    folder.join(format!("{}.contract.yaml", file_name(service)))
}

/// Writes both files in place of earlier ones and gives the contract's path.
///
/// # Errors
/// `Failed` when one cannot be written.
pub fn write(folder: &Path, harvested: &Harvested, left_out: &[LeftOut]) -> Result<PathBuf> {
    let queries_file = format!("{}.queries.sql", file_name(&harvested.service));
    let contract = ContractFile {
        service: &harvested.service,
        role: harvested.role.as_deref(),
        versions: harvested
            .versions
            .iter()
            .map(|version| VersionFile { version, queries: [queries_file.clone()] })
            .collect(),
    };
    let yaml = serde_yaml_ng::to_string(&contract).context("the contract cannot be written")?;
    let path = contract_path(folder, &harvested.service);
    let save = |path: &Path, text: String| {
        std::fs::write(path, text).context(format!("{} cannot be written", path.display()))
    };
    std::fs::create_dir_all(folder).context(format!("{} cannot be made", folder.display()))?;
    save(&folder.join(&queries_file), queries(harvested, left_out))?;
    save(&path, format!("# Harvested: every version is taken to ask every query.\n{yaml}"))?;
    Ok(path)
}

/// The statements that a query stands for once its file is read again.
///
/// # Errors
/// `Input` when it cannot be read.
pub fn statements(query: &Draft, syntax: &QuerySyntax) -> Result<Vec<String>> {
    let alone = Harvested { queries: vec![query.clone()], ..Harvested::default() };
    let read = parse_queries(&queries(&alone, &[]), Path::new(&query.name), syntax)?;
    Ok(read.into_iter().map(|q| q.sql).collect())
}

/// The queries file. What is left out is in it as a comment, for a person to mend.
pub(super) fn queries(harvested: &Harvested, left_out: &[LeftOut]) -> String {
    let mut out = format!("-- Queries of {}, harvested.\n", one_line(&harvested.service));
    for query in &harvested.queries {
        let _ = writeln!(out, "\n-- name: {} {}", query.name, word(query.arity));
        for (key, alternatives) in &query.variants {
            let _ = writeln!(out, "-- variant: {key} = {}", alternatives.join(" | "));
        }
        let _ = writeln!(out, "{};", query.sql);
    }
    for left in left_out {
        let _ = writeln!(out, "\n-- Left out: {}", one_line(&left.reason));
        for line in left.sql.lines() {
            let _ = writeln!(out, "--   {line}");
        }
    }
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn word(arity: Arity) -> &'static str {
    match arity {
        Arity::One => ":one",
        Arity::Many => ":many",
        Arity::Exec => ":exec",
        Arity::ExecRows => ":execrows",
        Arity::CopyFrom => ":copyfrom",
    }
}
