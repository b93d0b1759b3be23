//! Contracts from what was seen: which service a query belongs to, what it is called, which texts are one query.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::placeholders::{Token, dense, token};
use crate::contract::{Arity, Contract};
use crate::model::query_syntax::QuerySyntax;
use crate::model::query_tag;
use crate::model::statement_stats::{StatementKind, StatementStat};

/// The version of a service that does not say which it is.
pub const UNKNOWN_VERSION: &str = "harvested";

/// What one service was seen to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Harvested {
    pub service: String,
    pub role: Option<String>,
    pub versions: BTreeSet<String>,
    /// Whether the service named itself; else it is known by its role alone.
    pub named: bool,
    pub queries: Vec<Draft>,
}

/// A query as it goes into a queries file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub name: String,
    pub arity: Arity,
    /// Key and alternatives of each dynamic part; its mark is in the statement.
    pub variants: Vec<(String, Vec<String>)>,
    pub sql: String,
    pub fingerprint: String,
    pub calls: u64,
}

/// Whose a query is: the service that its tags name, or their application, or the contract with its role, or the role.
/// `None`: our own.
pub fn owner(
    query: &StatementStat,
    contracts: &[Contract],
    syntax: &QuerySyntax,
) -> Option<(String, Option<String>, bool)> {
    let tags = comments(syntax, &query.sql).map(query_tag::read).fold(BTreeMap::new(), |mut all, tags| {
        all.extend(tags);
        all
    });
    let named = tags.get("service").or_else(|| tags.get("application"));
    if let Some(service) = named {
        let version = tags.get("version").cloned();
        return (service != query_tag::OURS).then(|| (service.clone(), version, true));
    }
    let by_role = contracts.iter().find(|c| c.role.as_ref() == Some(&query.role));
    Some((by_role.map_or(&query.role, |c| &c.service).clone(), None, false))
}

/// Services in the order of their names, queries in the order of theirs: the same for the same statistics.
pub fn harvest(seen: &[StatementStat], contracts: &[Contract], syntax: &QuerySyntax) -> Vec<Harvested> {
    let mut services: BTreeMap<String, (Harvested, BTreeMap<String, Vec<&StatementStat>>)> = BTreeMap::new();
    for query in seen {
        let Some((service, version, named)) = owner(query, contracts, syntax) else { continue };
        let (harvested, groups) = services.entry(service.clone()).or_default();
        harvested.service = service;
        harvested.named |= named;
        harvested.role.get_or_insert_with(|| query.role.clone());
        harvested.versions.extend(version);
        groups.entry(query.fingerprint.clone()).or_default().push(query);
    }
    services
        .into_values()
        .map(|(mut harvested, groups)| {
            if harvested.versions.is_empty() {
                harvested.versions.insert(UNKNOWN_VERSION.to_owned());
            }
            harvested.queries = groups.values().flat_map(|group| fold(syntax, group)).collect();
            harvested.queries.sort_by(|a, b| (&a.name, &a.sql).cmp(&(&b.name, &b.sql)));
            unique(&mut harvested.queries);
            harvested
        })
        .collect()
}

/// Names tell the queries of a service apart.
pub(super) fn unique(queries: &mut [Draft]) {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for query in queries {
        let times = seen.entry(query.name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            query.name = format!("{}_{times}", query.name);
        }
    }
}

/// Texts of one fingerprint: those that differ in the length of their lists only are one query.
fn fold(syntax: &QuerySyntax, group: &[&StatementStat]) -> Vec<Draft> {
    let mut shapes: BTreeMap<String, Vec<(String, &StatementStat)>> = BTreeMap::new();
    for query in group {
        let sql = dense(syntax, &without_comments(syntax, &query.sql));
        shapes.entry(shape(syntax, &sql)).or_default().push((sql, query));
    }
    // Rows of a multi-row INSERT, and COPY, whose constants the server leaves in: the shortest stands for all.
    if group.iter().all(|q| matches!(q.kind, StatementKind::Insert | StatementKind::Copy)) {
        let shortest = shapes.keys().min_by_key(|shape| shape.len()).cloned();
        shapes.retain(|shape, _| Some(shape) == shortest.as_ref());
    }
    let calls: u64 = group.iter().map(|q| q.calls).sum();
    shapes
        .into_values()
        .filter_map(|mut texts| {
            texts.sort_by_key(|(sql, _)| (lists(syntax, sql).iter().map(Vec::len).sum::<usize>(), sql.len()));
            let all: Vec<Vec<Vec<String>>> = texts.iter().map(|(sql, _)| lists(syntax, sql)).collect();
            let (sql, query) = texts.last()?;
            let (sql, variants) = with_variants(syntax, sql, &all);
            let (name, arity) = name(syntax, query);
            Some(Draft { name, arity, variants, sql, fingerprint: query.fingerprint.clone(), calls })
        })
        .collect()
}

/// The longest text, with a mark for each list that was seen with several lengths: the shortest and the longest.
fn with_variants(
    syntax: &QuerySyntax,
    longest: &str,
    all: &[Vec<Vec<String>>],
) -> (String, Vec<(String, Vec<String>)>) {
    let mut variants = Vec::new();
    let read = read_lists(syntax, longest, |n, list| {
        let whole = list.join(", ");
        let lengths = all.iter().filter_map(|lists| lists.get(n)).map(Vec::len);
        let (Some(least), Some(most)) = (lengths.clone().min(), lengths.max()) else { return whole };
        // 2^5 combinations are within the cap of a query.
        if least == most || variants.len() == 5 {
            return whole;
        }
        let key = format!("list{}", variants.len() + 1);
        let mark = format!("/*{key}*/");
        variants.push((key, vec![list.get(..least).unwrap_or_default().join(", "), whole]));
        mark
    });
    (read.text, variants)
}

/// A statement with its lists of parameters found.
struct Lists {
    /// Lists without their length, and parameters without their number.
    shape: String,
    /// As it was, with the lists written anew.
    text: String,
    lists: Vec<Vec<String>>,
}

fn read_lists(syntax: &QuerySyntax, sql: &str, mut write: impl FnMut(usize, &[String]) -> String) -> Lists {
    let tokens = tokens(syntax, sql);
    let mut read = Lists { shape: String::new(), text: String::new(), lists: Vec::new() };
    let mut n = 0;
    while let Some((kind, piece)) = tokens.get(n) {
        let word = read.shape.trim_end();
        let head = word.get(..word.len().saturating_sub(2)).unwrap_or_default();
        let after_in = word.get(head.len()..).is_some_and(|w| w.eq_ignore_ascii_case("in"))
            && !head.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if after_in
            && *piece == "("
            && let Some((list, end)) = parameters(syntax, &tokens, n + 1)
        {
            read.shape.push_str("(…)");
            read.text.push_str(&format!("({})", write(read.lists.len(), &list)));
            read.lists.push(list);
            n = end + 1;
            continue;
        }
        match *kind == Token::Plain && piece.starts_with(syntax.parameter) {
            true => read.shape.push(syntax.parameter),
            false => read.shape.push_str(piece),
        }
        read.text.push_str(piece);
        n += 1;
    }
    read
}

fn lists(syntax: &QuerySyntax, sql: &str) -> Vec<Vec<String>> {
    read_lists(syntax, sql, |_, list| list.join(", ")).lists
}

/// The same for statements that differ in the length of their lists only.
pub(super) fn shape(syntax: &QuerySyntax, sql: &str) -> String {
    read_lists(syntax, sql, |_, list| list.join(", ")).shape
}

/// `$1, $2` from token `from` up to the bracket that closes it: the parameters, and where the bracket is.
fn parameters(syntax: &QuerySyntax, tokens: &[(Token, &str)], from: usize) -> Option<(Vec<String>, usize)> {
    let mut list = Vec::new();
    // One parameter, and another after each comma.
    let mut open = true;
    for (n, (kind, text)) in tokens.iter().enumerate().skip(from) {
        match *text {
            ")" if !open => return Some((list, n)),
            "," if !open => open = true,
            blank if blank.trim().is_empty() => {}
            parameter if open && *kind == Token::Plain && parameter.starts_with(syntax.parameter) => {
                list.push(parameter.to_owned());
                open = false;
            }
            _ => return None,
        }
    }
    None
}

/// Tokens with their text; a parameter is one of them.
fn tokens<'t>(syntax: &QuerySyntax, text: &'t str) -> Vec<(Token, &'t str)> {
    let mut all = Vec::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let (mut length, kind) = token(syntax, rest, before);
        let word = before.is_alphanumeric() || before == '_';
        if c == syntax.parameter && kind == Token::Plain && !word {
            length += rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        }
        let Some((piece, tail)) = rest.split_at_checked(length) else { break };
        all.push((kind, piece));
        before = piece.chars().next_back().unwrap_or(c);
        rest = tail;
    }
    all
}

fn comments<'t>(syntax: &QuerySyntax, sql: &'t str) -> impl Iterator<Item = &'t str> {
    tokens(syntax, sql).into_iter().filter(|(kind, _)| *kind == Token::Comment).map(|(_, text)| text)
}

/// Comments are for the statement's reader, and may hold what means something in a queries file.
pub(super) fn without_comments(syntax: &QuerySyntax, sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    for (kind, text) in tokens(syntax, sql) {
        out.push_str(if kind == Token::Comment { " " } else { text });
    }
    let lines: Vec<&str> = out.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect();
    lines.join("\n").trim().trim_end_matches(';').trim_end().to_owned()
}

/// The name that the client's own library has put over it (sqlc's `-- name: LatestEvent :one`), or one of kind, table and
/// fingerprint: the same at the next harvest.
fn name(syntax: &QuerySyntax, query: &StatementStat) -> (String, Arity) {
    let written = comments(syntax, &query.sql).find_map(|comment| {
        let words = comment.strip_prefix("--")?.trim().strip_prefix("name:")?;
        let mut words = words.split_whitespace();
        Some((words.next()?.to_owned(), crate::contract::queries::arity(words.next()?)?))
    });
    if let Some(written) = written {
        return written;
    }
    let arity = match (query.kind, query.returns_rows) {
        (StatementKind::Copy, false) => Arity::CopyFrom,
        (_, true) => Arity::Many,
        (_, false) => Arity::ExecRows,
    };
    let table: String = query
        .table
        .as_deref()
        .unwrap_or("nothing")
        .split(|c: char| !c.is_alphanumeric())
        .map(|part| {
            part.chars()
                .enumerate()
                .map(|(n, c)| if n == 0 { c.to_ascii_uppercase() } else { c })
                .collect::<String>()
        })
        .collect();
    let short = query.fingerprint.get(..6).unwrap_or(&query.fingerprint);
    (format!("{:?}{table}_{short}", query.kind), arity)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;

    use super::*;
    use crate::contract::{queries, test_syntax, write};

    fn seen(sql: &str, role: &str, fingerprint: &str) -> StatementStat {
        StatementStat {
            sql: sql.to_owned(),
            role: role.to_owned(),
            calls: 3,
            fingerprint: fingerprint.to_owned(),
            kind: if sql.starts_with("insert") { StatementKind::Insert } else { StatementKind::Select },
            returns_rows: !sql.starts_with("insert"),
            table: Some("order_lines".to_owned()),
        }
    }

    fn contract(service: &str, role: &str) -> Contract {
        Contract {
            service: service.to_owned(),
            owner: None,
            role: Some(role.to_owned()),
            versions: vec![],
            file: PathBuf::from("contract.yaml"),
        }
    }

    #[test]
    fn queries_go_to_their_services_and_lists_are_folded() {
        let all = [
            seen("select a from t where b in ($1) and c = $2", "shop", "aaaaaaaa"),
            seen("select a from t where b in ($1, $2, $3) and c = $4", "shop", "aaaaaaaa"),
            seen("select a from t where b in ($1, $2) and c = $3", "shop", "aaaaaaaa"),
            seen("select b, a from t where a in ($1,$2) and b not\nIN ($3)", "shop", "bbbbbbbb"),
            seen("insert into t values ($1, $2), ($3, $4)", "till_role", "cccccccc"),
            seen("insert into t values ($1, $2)", "till_role", "cccccccc"),
            seen(
                "-- name: Me :one\nselect 1 from t /*service='driver-app',version='1.8.0'*/",
                "shop",
                "dddddddd",
            ),
            seen(
                "select 2 from t -- as ever\n/*application='driver-app',version='1.9.0'*/",
                "shop",
                "eeeeeeee",
            ),
            seen("select 3 from t /*application='drydock'*/", "shop", "ffffffff"),
        ];
        let found: Vec<String> = harvest(&all, &[contract("till", "till_role")], test_syntax())
            .iter()
            .map(|h| format!("# {} {:?} {:?}\n{}", h.service, h.role, h.versions, write::queries(h, &[])))
            .collect();
        insta::with_settings!({snapshot_path => "../../../tests/expected", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!("harvest", found.join("\n"));
        });
    }

    #[test]
    fn what_is_no_list_stays_as_it_is() {
        for text in ["select a in ($1 $1)", "select a in ($1,)", "select a in (,$1)", "select a in ()"] {
            assert_eq!(lists(test_syntax(), text), Vec::<Vec<String>>::new(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            words in prop::collection::vec("(select|from|t|a|in|not|,|=|'x;''y'|\"q\"|\\$1|\\$2|\\(|\\)|\\$\\$ z \\$\\$|/\\* c \\*/|-- d\n)", 1..20),
        ) {
            let text = format!("select {}", words.join(" "));
            let harvested = harvest(&[seen(&text, "r", "aaaaaaaa")], &[], test_syntax());
            let file = write::queries(harvested.first().unwrap(), &[]);
            let read = queries::parse(&file, Path::new("q.sql"), test_syntax()).unwrap();
            prop_assert_eq!(read.len(), 1);
            let plain = |sql: &str| sql.split_whitespace().collect::<String>();
            prop_assert_eq!(plain(&read.first().unwrap().sql), plain(&dense(test_syntax(), &without_comments(test_syntax(), &text))));
        }

        #[test]
        fn any_text_can_be_folded(text in "(in \\(|\\$1|\\$2|,|\\)|/\\*|--|\n|'|\\PC){0,30}") {
            let _ = harvest(&[seen(&text, "r", "a"), seen(&format!("{text},$3"), "r", "a")], &[], test_syntax());
        }
    }
}
