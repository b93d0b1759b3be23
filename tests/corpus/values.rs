//! Values to find the truth with: those that rows hold, and those at the edge of what a column takes. Knows nothing of the
//! checker.

use drydock::model::query::ParameterRole;
use tokio_postgres::Client;
use tokio_postgres::types::{Kind, Type};

/// A value, and whether a row holds it.
pub type Value = (Option<String>, bool);

fn literal(value: &Option<String>) -> String {
    match value {
        None => "null".to_owned(),
        Some(v) => format!("'{}'", v.replace('\'', "''")),
    }
}

/// `$n` replaced by literals, of these types where it matters.
pub fn fill(sql: &str, values: &[Value], casts: &[String]) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let digits: String = rest[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        match digits.parse::<usize>() {
            Ok(n) => {
                out.push_str(&literal(&values[n - 1].0));
                out.push_str(casts.get(n - 1).map_or("", String::as_str));
            }
            Err(_) => out.push('$'),
        }
        rest = &rest[at + 1 + digits.len()..];
    }
    out + rest
}

/// What stands for `COPY` where rows are looked at: the query that it copies from, an insert of the rows that it copies into.
pub fn without_copy(sql: &str) -> String {
    let plain = sql.trim();
    let lower = plain.to_lowercase();
    if !lower.starts_with("copy") {
        return sql.to_owned();
    }
    if let (Some(from), Some(to)) = (plain.find('('), lower.rfind(") to stdout")) {
        return plain[from + 1..to].to_owned();
    }
    let (into, _) = plain.split_at(lower.find(" from stdin").unwrap_or_else(|| panic!("what is {sql}?")));
    let columns =
        into.split_once('(').unwrap_or_else(|| panic!("{sql} names no columns")).1.split(',').count();
    let values: Vec<String> = (1..=columns).map(|n| format!("${n}")).collect();
    format!(
        "insert into {} values ({})",
        into.trim_start_matches(|c: char| c.is_alphabetic()),
        values.join(", ")
    )
}

/// Values worth trying for one parameter: existing ones, and those at the edge of what its column takes.
pub async fn candidates(client: &Client, role: &ParameterRole, kind: &Type) -> Vec<Value> {
    let Kind::Array(of) = kind.kind() else { return single(client, role, kind.name()).await };
    let mut values = single(client, role, of.name()).await;
    for value in values.iter_mut().filter_map(|(value, _)| value.as_mut()).filter(|v| !v.starts_with('{')) {
        *value = format!("{{\"{}\"}}", value.replace('\\', "\\\\").replace('"', "\\\""));
    }
    values
}

/// The same, for one value of an array.
async fn single(client: &Client, role: &ParameterRole, sql_type: &str) -> Vec<Value> {
    let (table, column, writes) = match role {
        ParameterRole::Column { table, column } => (table, column, false),
        ParameterRole::Insert { table, column } => (table, column, true),
        ParameterRole::Count => return vec![(Some("3".to_owned()), true)],
        ParameterRole::Free => {
            let value = match sql_type {
                "text" | "varchar" | "bpchar" => "a",
                "bool" => "true",
                "date" => "2026-02-03",
                "timestamptz" | "timestamp" => "2026-02-03 04:05:06",
                "uuid" => "c4ca4238-a0b9-2382-0dcc-509a6f75849b",
                _ => "1",
            };
            return vec![(Some(value.to_owned()), false)];
        }
    };
    let relation = table.split('.').map(|p| format!("\"{p}\"")).collect::<Vec<_>>().join(".");
    let most = if writes { 8 } else { 30 };
    let sql = format!(
        "select v from (select distinct \"{column}\"::text as v from {relation}) s where v is not null order by md5(v) limit {most}"
    );
    let mut found: Vec<Option<String>> = Vec::new();
    // A constant of its own kind that no row has, where it has to be new.
    let fresh = match sql_type {
        "int2" => Some("77"),
        "int4" => Some("202701"),
        "int8" | "numeric" | "float4" => Some("9001"),
        "text" | "varchar" | "bpchar" => Some("zz9"),
        "date" => Some("2027-02-03"),
        "timestamptz" | "timestamp" => Some("2027-02-03 04:05:06"),
        "uuid" => Some("00000000-0000-0000-0000-000000000009"),
        "bool" => Some("false"),
        "json" | "jsonb" => Some("{\"n\": 1}"),
        _ => None,
    };
    if let Ok(rows) = client.query(&sql, &[]).await {
        found.extend(rows.iter().map(|r| r.get::<_, Option<String>>(0)));
    }
    let held = found.len();
    found.extend(fresh.map(|v| Some(v.to_owned())));
    // Written like those that are there, and new.
    if fresh.is_none() || matches!(sql_type, "text" | "varchar" | "bpchar") {
        let like = found.first().cloned().flatten().map(|v| format!("z{v}"));
        found.extend(like.map(Some));
    }
    if writes || !found.is_empty() {
        let facts = "select a.atttypmod, t.typname::text, t.typtype::text, not a.attnotnull and not t.typnotnull, t.typtypmod,
            coalesce((select typname::text from pg_type b where b.oid = t.typbasetype), '')
            from pg_attribute a join pg_type t on t.oid = a.atttypid where a.attrelid = $1::text::regclass and a.attname = $2";
        if let Ok(row) = client.query_one(facts, &[&relation, &column.as_str()]).await {
            let (modifier, name, kind, nullable, domain, base): (i32, String, String, bool, i32, String) =
                (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5));
            let modifier = if kind == "d" { domain } else { modifier };
            let name = if kind == "d" { base } else { name };
            match name.as_str() {
                "varchar" | "bpchar" if modifier > 4 => {
                    let length = usize::try_from(modifier - 4).unwrap();
                    found.push(Some(
                        format!("q@{}", "x".repeat(length.saturating_sub(2))).chars().take(length).collect(),
                    ));
                }
                "text" | "varchar" => found.push(Some("long ".repeat(60))),
                "int2" => found.push(Some("32767".to_owned())),
                "int4" => found.push(Some("2147483647".to_owned())),
                "int8" => found.push(Some("9223372036854775807".to_owned())),
                "numeric" if modifier > 4 => {
                    let (precision, scale) = ((modifier - 4) >> 16, (modifier - 4) & 0xffff);
                    let whole = usize::try_from(precision - scale).unwrap();
                    found.push(Some(format!(
                        "{}.{}",
                        "9".repeat(whole),
                        "9".repeat(usize::try_from(scale).unwrap())
                    )));
                }
                _ => {}
            }
            if kind == "e" {
                let labels = client
                    .query("select enumlabel::text from pg_enum e join pg_type t on t.oid = e.enumtypid where t.typname = $1", &[&name])
                    .await
                    .unwrap();
                found.extend(labels.iter().map(|l| Some(l.get::<_, String>(0))));
            }
            if nullable {
                found.push(None);
            }
            if name == "numeric" || name.starts_with("int") {
                found.extend([Some("0".to_owned()), Some("-1".to_owned()), Some("1".to_owned())]);
            }
            if matches!(name.as_str(), "varchar" | "text" | "bpchar") {
                found.push(Some(String::new()));
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    let values = found.into_iter().enumerate().map(|(n, value)| (value, n < held));
    values.filter(|(value, _)| seen.insert(value.clone())).collect()
}

/// Sets of values for one query: some candidates together.
pub fn sets(each: &[Vec<Value>]) -> Vec<Vec<Value>> {
    let widest = each.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let pick = |shift: usize, n: usize, c: &Vec<Value>| {
        let at = shift * (1 + n * (shift / widest)) + n * (shift / widest);
        if c.is_empty() { (Some("1".to_owned()), false) } else { c[at % c.len()].clone() }
    };
    (0..widest * 3).map(|shift| each.iter().enumerate().map(|(n, c)| pick(shift, n, c)).collect()).collect()
}
