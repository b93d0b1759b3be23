//! Contracts from what a service's own tools have: a project of sqlc, folders of `.sql`, the log of jOOQ.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::contract::harvest::{Harvested, UNKNOWN_VERSION, harvest as fold, without_comments};
use crate::contract::placeholders::{Token, numbered, token};
use crate::contract::write::LeftOut;
use crate::contract::{Arity, queries, write};
use crate::error::{Context, Error, Result};
use crate::model::hex;
use crate::model::query_syntax::QuerySyntax;
use crate::model::statement_stats::{StatementKind, StatementStat};

/// What jOOQ's LoggerListener writes before a statement.
const LOGGED: [&str; 2] = ["Executing query", "Executing batch query"];

/// sqlc's configuration, versions 1 and 2 (<https://docs.sqlc.dev/en/latest/reference/config.html>).
#[derive(Deserialize)]
struct Sqlc {
    #[serde(default)]
    sql: Vec<SqlcPackage>,
    #[serde(default)]
    packages: Vec<SqlcPackage>,
}

#[derive(Deserialize)]
struct SqlcPackage {
    queries: OneOrMore,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(PathBuf),
    More(Vec<PathBuf>),
}

/// What files hold.
pub struct FromFiles {
    pub harvested: Harvested,
    pub left_out: Vec<LeftOut>,
    /// What is asked of the database names its columns where the files have `*`: sqlc writes them out in the code that it makes
    /// (<https://docs.sqlc.dev/en/latest/howto/select.html>).
    pub spelled_out: bool,
}

struct Found<'a> {
    syntax: &'a QuerySyntax,
    queries: Vec<StatementStat>,
    left_out: Vec<LeftOut>,
    spelled_out: bool,
}

/// Reads what lies at `path`: sqlc's configuration or a folder with one, a folder of `.sql` and `.log`, or one such file.
///
/// # Errors
/// `Input` with file and line for what cannot be read, and when there is no query.
pub fn harvest(path: &Path, service: &str, syntax: &QuerySyntax) -> Result<FromFiles> {
    let mut found = Found { syntax, queries: Vec::new(), left_out: Vec::new(), spelled_out: false };
    let configuration = ["sqlc.yaml", "sqlc.yml", "sqlc.json"].map(|name| path.join(name));
    let is_configuration = path.file_stem().is_some_and(|stem| stem == "sqlc");
    match configuration.iter().find(|file| file.is_file()) {
        Some(file) => sqlc(file, &mut found)?,
        None if path.is_file() && is_configuration => sqlc(path, &mut found)?,
        None => walk(path, &mut found, 0)?,
    }
    let mut harvested = fold(&found.queries, &[], syntax).into_iter().next().filter(|h| !h.queries.is_empty()).ok_or_else(|| {
        Error::input(format!("there is no query in {}", path.display()))
            .hint("give a folder of .sql files, sqlc's project, or a log in which jOOQ wrote \"Executing query\"")
    })?;
    harvested.service = service.to_owned();
    harvested.role = None;
    harvested.versions = BTreeSet::from([UNKNOWN_VERSION.to_owned()]);
    Ok(FromFiles { harvested, left_out: found.left_out, spelled_out: found.spelled_out })
}

fn sqlc(file: &Path, found: &mut Found<'_>) -> Result<()> {
    found.spelled_out = true;
    let text = read(file)?;
    // JSON is YAML.
    let parsed: Sqlc = serde_yaml_ng::from_str(&text)
        .input(format!("{} cannot be read", file.display()))
        .map_err(|e| e.hint("sqlc's configuration has sql (or packages), each with queries"))?;
    let base = file.parent().unwrap_or(Path::new("."));
    for package in parsed.sql.into_iter().chain(parsed.packages) {
        let paths = match package.queries {
            OneOrMore::One(path) => vec![path],
            OneOrMore::More(paths) => paths,
        };
        for path in paths {
            walk(&base.join(path), found, 0)?;
        }
    }
    Ok(())
}

/// A file, or everything below a folder, in the order of names.
fn walk(path: &Path, found: &mut Found<'_>, depth: u32) -> Result<()> {
    let ends = |ending: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending));
    if path.is_dir() && depth < 20 {
        let entries =
            std::fs::read_dir(path).input(format!("the folder {} cannot be read", path.display()))?;
        let mut names: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        names.sort();
        let hidden = |p: &PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        return names.iter().filter(|p| !hidden(p)).try_for_each(|p| walk(p, found, depth + 1));
    }
    if ends("sql") {
        statements(path, &read(path)?, found)
    } else if ends("log") || depth == 0 {
        logged(&read(path)?, found);
        Ok(())
    } else {
        Ok(())
    }
}

fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path)
        .input(format!("{} cannot be read", path.display()))
        .map_err(|e| e.hint("give a path that is there"))?;
    // A log may hold anything.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Queries with names over them, or else one for each statement, called as the file.
fn statements(path: &Path, text: &str, found: &mut Found<'_>) -> Result<()> {
    let syntax = found.syntax;
    let queries = match found.spelled_out {
        true => {
            let (queries, passed_over) = queries::parse_loosely(text, path, found.syntax)?;
            found.left_out.extend(passed_over.into_iter().map(|(after, line)| LeftOut {
                sql: format!("{}:{line}", path.display()),
                reason: format!("what follows {after} has no name, and sqlc passes over it"),
            }));
            queries
        }
        false => queries::parse(text, path, found.syntax)?,
    };
    if !queries.is_empty() {
        let stats = queries.iter().map(|q| seen(syntax, &identifier(&q.name), Some(q.arity), &q.sql));
        found.queries.extend(stats);
        return Ok(());
    }
    let name = identifier(&path.file_stem().unwrap_or_default().to_string_lossy());
    let texts = split(syntax, text).into_iter().filter(|sql| kind(sql).is_some());
    found.queries.extend(texts.map(|sql| seen(syntax, &name, None, &numbered(syntax, &sql))));
    Ok(())
}

/// The statements that jOOQ logs, with `?` for each parameter; `??` is the operator.
fn logged(text: &str, found: &mut Found<'_>) {
    for line in text.lines() {
        let written = LOGGED.iter().find_map(|mark| line.split_once(mark));
        let Some(sql) = written.and_then(|(_, rest)| rest.trim_start().strip_prefix(':')) else { continue };
        let sql = positional(found.syntax, sql.trim());
        if kind(&sql).is_some() {
            found.queries.push(seen(found.syntax, "", None, &sql));
        }
    }
}

fn positional(syntax: &QuerySyntax, sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut number = 0;
    let mut rest = sql;
    while !rest.is_empty() {
        let (length, kind) = token(syntax, rest, out.chars().next_back().unwrap_or(' '));
        let (piece, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = tail;
        if kind != Token::Plain || piece != "?" {
            out.push_str(piece);
        } else if let Some(tail) = tail.strip_prefix('?') {
            out.push('?');
            rest = tail;
        } else {
            number += 1;
            out.push_str(&syntax.placeholder(number));
        }
    }
    out
}

/// Statements of a script, at the semicolons outside strings and comments.
fn split(syntax: &QuerySyntax, text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut rest = text;
    while !rest.is_empty() {
        let before = all.last().and_then(|s| s.chars().next_back()).unwrap_or(' ');
        let (length, kind) = token(syntax, rest, before);
        let (piece, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = tail;
        match (kind, piece) {
            (Token::Plain, ";") => all.push(String::new()),
            (_, piece) => all.last_mut().into_iter().for_each(|s| s.push_str(piece)),
        }
    }
    all.into_iter().map(|s| without_comments(syntax, &s)).filter(|s| !s.is_empty()).collect()
}

/// By its first word; `None` for what changes the schema or the session.
fn kind(sql: &str) -> Option<StatementKind> {
    let word: String =
        sql.trim_start_matches(['(', ' ', '\n']).chars().take_while(|c| c.is_alphabetic()).collect();
    Some(match word.to_lowercase().as_str() {
        "select" | "with" | "values" => StatementKind::Select,
        "insert" => StatementKind::Insert,
        "update" => StatementKind::Update,
        "delete" => StatementKind::Delete,
        "merge" => StatementKind::Merge,
        "copy" => StatementKind::Copy,
        _ => return None,
    })
}

/// The same as one that the database has seen: equal texts are one query, and so are those that differ in their lists.
fn seen(syntax: &QuerySyntax, name: &str, arity: Option<Arity>, sql: &str) -> StatementStat {
    let kind = kind(sql).unwrap_or(StatementKind::Select);
    let words: Vec<&str> =
        sql.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let lower: Vec<String> = words.iter().map(|w| w.to_lowercase()).collect();
    let returns_rows = kind == StatementKind::Select || lower.iter().any(|w| w == "returning");
    let lead = lower.iter().position(|w| matches!(w.as_str(), "from" | "into" | "update"));
    let table = lead.and_then(|n| words.get(n + 1)).map(|w| (*w).to_owned());
    let arity = arity.unwrap_or(match (kind, returns_rows) {
        (StatementKind::Copy, _) => Arity::CopyFrom,
        (_, true) => Arity::Many,
        (_, false) => Arity::ExecRows,
    });
    let heading =
        if name.is_empty() { String::new() } else { format!("-- name: {name} {}\n", write::word(arity)) };
    let shape = crate::contract::harvest::shape(syntax, sql);
    StatementStat {
        fingerprint: hex(&Sha256::digest(format!("{name}\0{shape}"))),
        sql: format!("{heading}{sql}"),
        role: String::new(),
        calls: 0,
        kind,
        returns_rows,
        table,
    }
}

/// A name that can stand in a name line.
fn identifier(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let plain = plain.trim_matches('_');
    if plain.is_empty() { "Query".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::contract::test_syntax;

    #[test]
    fn queries_of_every_tool() {
        let home = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "sqlc/sqlc.yaml",
            "version: '2'\nsql:\n  - engine: any\n    queries: [q.sql, more]\n    schema: s.sql\n",
        );
        write(
            "sqlc/q.sql",
            "-- name: GetOrder :one\nselect * from orders where id = sqlc.arg(id);\nselect 1;\nselect 2;\n",
        );
        write("sqlc/more/m.sql", "-- name: Touch :exec\nupdate orders set seen = @at where id = @id;\n");
        write("sqlc/s.sql", "create table orders (id int);");
        write(
            "one/sqlc.json",
            r#"{"version": "1", "packages": [{"name": "db", "queries": "../sqlc/q.sql"}]}"#,
        );
        write("plain/find-order.sql", "-- One.\nselect ':x' from orders where id = :id and b = :id;\n");
        write("plain/sub/all.sql", "set x = 1;\nselect 1 from a;\ninsert into b values (@v) returning id;");
        write("plain/.git/x.sql", "select 9");
        write("plain/notes.txt", "select 8");
        write(
            "jooq.log",
            "12:00:01 DEBUG o.j.tools.LoggerListener - Executing query          : select \"o\".\"id\" from \"orders\" \"o\" where \"o\".\"id\" in (?, ?) and \"o\".\"tags\" ?? ? and x = '?'\n\
             12:00:01 DEBUG o.j.tools.LoggerListener - -> with bind values      : select 1 from orders\n\
             12:00:02 DEBUG o.j.tools.LoggerListener - Executing query          : select \"o\".\"id\" from \"orders\" \"o\" where \"o\".\"id\" in (?) and \"o\".\"tags\" ?? ? and x = '?'\n\
             12:00:03 DEBUG o.j.tools.LoggerListener - Executing batch query    : insert into \"orders\" (\"id\") values (?)\n\
             12:00:04 DEBUG o.j.tools.LoggerListener - Executing query          : create table t (id int)\n",
        );
        let mut all = Vec::new();
        for path in ["sqlc", "one/sqlc.json", "plain", "jooq.log"] {
            let found = harvest(&home.path().join(path), "shop", test_syntax()).unwrap();
            all.push(format!("# {path}\n{}", write::queries(&found.harvested, &found.left_out)));
        }
        insta::with_settings!({snapshot_path => "../../../tests/expected", prepend_module_to_snapshot => false}, {
            let all = all.join("\n").replace(&home.path().display().to_string(), "HOME");
            insta::assert_snapshot!("harvest-files", all);
        });
        for (path, said) in [("nowhere", "cannot be read"), ("plain/notes.txt", "there is no query")] {
            let error = harvest(&home.path().join(path), "shop", test_syntax()).err().unwrap();
            assert!(error.chain().contains(said) && error.hint_text().is_some(), "{}", error.chain());
        }
    }
}
