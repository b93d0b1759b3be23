//! SQL text to syntax trees: parsing with the place of an error, splitting, and small readings of trees.

use pg_query::NodeEnum;
use pg_query::protobuf::{self, Node, RangeVar, a_const::Val};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::relation_name;

/// The version whose grammar reads SQL here.
pub const GRAMMAR: u32 = 17;

/// A statement of a script: its own text and its tree. There is no tree when it is nested too deeply to be read.
#[derive(Debug, Clone)]
pub struct Parsed {
    pub text: String,
    pub tree: Option<NodeEnum>,
}

/// Parses a script of any number of statements.
///
/// # Errors
/// `Input` when the grammar does not take it, with line and column (from 1) of the place in `sql`.
pub fn parse(sql: &str) -> Result<Vec<Parsed>> {
    let texts = match pg_query::split_with_parser(sql) {
        Ok(texts) => texts,
        Err(error) => return Err(misread(sql, &error)),
    };
    let mut all = Vec::new();
    for text in texts {
        let tree = match pg_query::parse(text) {
            Ok(result) => {
                match result.protobuf.stmts.into_iter().next().and_then(|s| s.stmt).and_then(|n| n.node) {
                    Some(tree) => Some(tree),
                    None => continue,
                }
            }
            // The tree is there, but deeper than the decoder follows.
            Err(pg_query::Error::Decode(_)) => None,
            Err(error) => return Err(misread(sql, &error)),
        };
        all.push(Parsed { text: bare(text), tree });
    }
    Ok(all)
}

/// The trees of a query's statements, in one pass. One that is too deep to be read has none.
///
/// # Errors
/// `Input` when the grammar does not take it.
pub fn trees(sql: &str) -> Result<Vec<NodeEnum>> {
    match pg_query::parse(sql) {
        Ok(parsed) => Ok(parsed.protobuf.stmts.into_iter().filter_map(|s| s.stmt?.node).collect()),
        Err(pg_query::Error::Decode(_)) => Ok(Vec::new()),
        Err(error) => Err(misread(sql, &error)),
    }
}

/// The one statement of a query; `None` when there is not exactly one that can be read.
pub fn parse_one(sql: &str) -> Result<Option<NodeEnum>> {
    let mut all = parse(sql)?;
    match (all.pop(), all.is_empty()) {
        (Some(one), true) => Ok(one.tree),
        _ => Ok(None),
    }
}

/// Comments around a statement belong to the script's reader.
fn bare(text: &str) -> String {
    let all = tokens(text);
    match (all.first(), all.last()) {
        (Some((start, _)), Some((_, end))) => text.get(*start..*end).unwrap_or(text).trim().to_string(),
        _ => String::new(),
    }
}

/// Start and end of every token that is not a comment.
pub fn tokens(sql: &str) -> Vec<(usize, usize)> {
    let Ok(scan) = pg_query::scan(sql) else { return Vec::new() };
    let comments = [protobuf::Token::CComment as i32, protobuf::Token::SqlComment as i32];
    scan.tokens
        .iter()
        .filter(|t| !comments.contains(&t.token))
        .filter_map(|t| Some((usize::try_from(t.start).ok()?, usize::try_from(t.end).ok()?)))
        .collect()
}

/// Names that are longer than the server keeps.
pub fn cut_names(sql: &str) -> Vec<String> {
    const KEPT: usize = 63;
    let Ok(scan) = pg_query::scan(sql) else { return Vec::new() };
    let names = scan
        .tokens
        .iter()
        .filter(|t| t.token == protobuf::Token::Ident as i32)
        .filter_map(|t| sql.get(usize::try_from(t.start).ok()?..usize::try_from(t.end).ok()?));
    names.map(|n| n.trim_matches('"').replace("\"\"", "\"")).filter(|n| n.len() > KEPT).collect()
}

/// Highest `$n` of a query.
pub fn highest_parameter(sql: &str) -> usize {
    tokens(sql)
        .iter()
        .filter_map(|(start, end)| sql.get(*start..*end)?.strip_prefix('$')?.parse::<u16>().ok())
        .max()
        .map_or(0, usize::from)
}

fn misread(sql: &str, error: &pg_query::Error) -> Error {
    let message = match error {
        pg_query::Error::Parse(m) | pg_query::Error::Split(m) | pg_query::Error::Scan(m) => m.clone(),
        pg_query::Error::Conversion(_) => "a NUL byte".to_string(),
        other => other.to_string(),
    };
    let place = position(sql, &message).map(|at| {
        let before = sql.get(..at).unwrap_or(sql);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        format!(" at line {line}, column {column}")
    });
    Error::input(format!(
        "the grammar of PostgreSQL {GRAMMAR} does not take the SQL{}: {message}",
        place.unwrap_or_default()
    ))
    .hint(match message.contains("unterminated dollar-quoted string") {
        true => {
            "Liquibase cuts at every semicolon: write splitStatements:false (rollbackSplitStatements:false for the inverse), or another \
             endDelimiter"
        }
        false => "the statement must be one that the server takes; try it in psql",
    })
}

/// The parser gives a message without its place. A prefix that ends with the offending token fails in the same way,
/// and no shorter one does.
fn position(sql: &str, message: &str) -> Option<usize> {
    if message.ends_with("at end of input") {
        return Some(sql.trim_end().len());
    }
    let (_, near) = message.split_once("at or near \"")?;
    let near = near.strip_suffix('"')?;
    tokens(sql).into_iter().filter(|(start, end)| sql.get(*start..*end) == Some(near)).take(200).find_map(
        |(start, end)| {
            let failure = pg_query::split_with_parser(sql.get(..end)?).err()?;
            failure.to_string().contains(message).then_some(start)
        },
    )
}

/// The string in a `String` node.
pub fn text(node: &Node) -> Option<&str> {
    match node.node.as_ref()? {
        NodeEnum::String(s) => Some(&s.sval),
        _ => None,
    }
}

/// The strings of a list of `String` nodes.
pub fn texts(nodes: &[Node]) -> Vec<String> {
    nodes.iter().filter_map(text).map(str::to_string).collect()
}

/// A dotted name as `(schema, name)`.
pub fn dotted(parts: &[String]) -> Option<(Option<&str>, &str)> {
    match parts {
        [name] => Some((None, name)),
        [.., schema, name] => Some((Some(schema), name)),
        [] => None,
    }
}

/// The dotted name that an object node of DROP, COMMENT or RENAME carries.
pub fn object_name(node: &Node) -> Vec<String> {
    match node.node.as_ref() {
        Some(NodeEnum::List(list)) => texts(&list.items),
        Some(NodeEnum::TypeName(t)) => texts(&t.names),
        Some(NodeEnum::ObjectWithArgs(o)) => texts(&o.objname),
        Some(NodeEnum::String(s)) => vec![s.sval.clone()],
        Some(NodeEnum::RangeVar(r)) => range_parts(r),
        _ => Vec::new(),
    }
}

pub fn range_parts(range: &RangeVar) -> Vec<String> {
    [&range.schemaname, &range.relname].into_iter().filter(|p| !p.is_empty()).cloned().collect()
}

/// A relation's name as it is written, with its schema where it has one.
pub fn written(range: &RangeVar) -> String {
    match range.schemaname.as_str() {
        "" => range.relname.clone(),
        schema => relation_name::qualified(schema, &range.relname),
    }
}

/// Whether this is the literal NULL, cast or not.
pub fn is_null(node: &Node) -> bool {
    match node.node.as_ref() {
        Some(NodeEnum::AConst(c)) => c.isnull,
        Some(NodeEnum::TypeCast(c)) => c.arg.as_deref().is_some_and(is_null),
        _ => false,
    }
}

/// A literal as text, cast or not.
pub fn literal(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::AConst(c) => match c.val.as_ref()? {
            Val::Ival(i) => Some(i.ival.to_string()),
            Val::Fval(f) => Some(f.fval.clone()),
            Val::Boolval(b) => Some(b.boolval.to_string()),
            Val::Sval(s) => Some(s.sval.clone()),
            Val::Bsval(s) => Some(s.bsval.clone()),
        },
        NodeEnum::TypeCast(c) => literal(c.arg.as_deref()?),
        _ => None,
    }
}

/// The last part of a column reference and the qualifiers before it; `None` for `*` and anything else.
pub fn column(node: &Node) -> Option<(Vec<String>, String)> {
    match node.node.as_ref()? {
        NodeEnum::ColumnRef(c) => {
            let mut parts = texts(&c.fields);
            if parts.len() != c.fields.len() {
                return None;
            }
            parts.pop().map(|name| (parts, name))
        }
        _ => None,
    }
}

/// The tree as plain values without places in the text: complete, so good for searching and comparing.
pub fn value<T: serde::Serialize>(tree: &T) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.remove("location");
                map.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(tree).unwrap_or(Value::Null);
    strip(&mut value);
    value
}

/// Visits every object of a tree given by `value`.
pub fn visit(value: &Value, see: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            see(map);
            map.values().for_each(|v| visit(v, see));
        }
        Value::Array(items) => items.iter().for_each(|v| visit(v, see)),
        _ => {}
    }
}

/// Unqualified, lower-case names of the functions called anywhere in a tree.
pub fn functions<T: serde::Serialize>(tree: &T) -> Vec<String> {
    let mut names = Vec::new();
    visit(&value(tree), &mut |map| {
        if let Some(Value::Array(parts)) = map.get("funcname")
            && let Some(name) =
                parts.last().and_then(|p| p.pointer("/node/String/sval")).and_then(Value::as_str)
        {
            names.push(name.to_lowercase());
        }
    });
    names
}

/// An identifier between double quotes.
pub fn quote(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// An identifier as people write it: between double quotes where it needs them.
pub fn name(identifier: &str) -> String {
    let plain = identifier.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && identifier.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let free = [protobuf::KeywordKind::NoKeyword as i32, protobuf::KeywordKind::UnreservedKeyword as i32];
    let first = pg_query::scan(identifier).ok().and_then(|scan| scan.tokens.first().map(|t| t.keyword_kind));
    let keyword = first.is_none_or(|kind| !free.contains(&kind));
    if plain && !keyword { identifier.to_owned() } else { quote(identifier) }
}

/// A name of `relation_name` as SQL, each part between double quotes.
pub fn quote_name(name: &str) -> String {
    match relation_name::split(name) {
        (Some(schema), name) => format!("{}.{}", quote(&schema), quote(&name)),
        (None, name) => quote(&name),
    }
}

/// A tree as SQL that is known to parse again.
pub fn unparse(tree: NodeEnum) -> Option<String> {
    let sql = Node { node: Some(tree) }.deparse().ok()?;
    pg_query::parse(&sql).ok().map(|_| sql)
}
