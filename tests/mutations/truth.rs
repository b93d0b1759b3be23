//! The truth about a change: every query is run before and after it, on data, with the same values. Knows nothing of the
//! checker.

use std::collections::BTreeMap;

use drydock::contract::Query;
use drydock::database::{Catalog, ParameterRole};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

/// How one query came out with one set of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    Rows(Vec<Vec<Option<String>>>, u64),
    Failed(String),
    /// Otherwise each time.
    Unsteady,
}

/// What a change did to a query, and whether values that rows hold show it: then a service meets it. What takes a value that
/// no row holds (the longest text, the greatest number), or a row in the way, may never happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Felt {
    pub effect: Effect,
    pub surely: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    Same,
    /// It worked and does not any more.
    Fails(String),
    /// It works and gives other columns or types.
    Columns(String),
    /// It gives other rows.
    Rows(String),
}

pub struct Trial {
    pub query: Query,
    columns: Result<Vec<(String, String)>, String>,
    /// Types that a driver has fixed for its parameters; nothing for those of users.
    types: Vec<Type>,
    /// Values that it works with before any change, whether rows hold all of them, and what it gives.
    runs: Vec<(String, bool, Came)>,
}

/// A value, and whether a row holds it.
type Value = (Option<String>, bool);

fn literal(value: &Option<String>) -> String {
    match value {
        None => "null".to_owned(),
        Some(v) => format!("'{}'", v.replace('\'', "''")),
    }
}

/// `$n` replaced by literals.
fn fill(sql: &str, values: &[Value]) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let digits: String = rest[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        match digits.parse::<usize>() {
            Ok(n) => out.push_str(&literal(&values[n - 1].0)),
            Err(_) => out.push('$'),
        }
        rest = &rest[at + 1 + digits.len()..];
    }
    out + rest
}

async fn run(client: &Client, sql: &str) -> Came {
    client.batch_execute("savepoint q").await.unwrap();
    let came = client.simple_query(&format!("{sql}; set constraints all immediate")).await;
    client.batch_execute("rollback to q; release q; set constraints all deferred").await.unwrap();
    match came {
        Err(e) => Came::Failed(
            e.as_db_error()
                .map_or_else(|| e.to_string(), |e| format!("{} ({})", e.message(), e.code().code())),
        ),
        Ok(messages) => {
            let mut rows = Vec::new();
            let mut count = None;
            for message in messages {
                match message {
                    SimpleQueryMessage::Row(row) => {
                        // 1.50 and 1.5 are the same number.
                        let plain = |text: &str| match text.contains('.') && text.parse::<f64>().is_ok() {
                            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                            false => text.to_owned(),
                        };
                        rows.push((0..row.len()).map(|i| row.get(i).map(plain)).collect());
                    }
                    SimpleQueryMessage::CommandComplete(n) => count = count.or(Some(n)),
                    _ => {}
                }
            }
            Came::Rows(rows, count.unwrap_or(0))
        }
    }
}

/// Result columns with their types, lengths left out: those a client does not see.
async fn columns(client: &Client, sql: &str, types: &[Type]) -> Result<Vec<(String, String)>, String> {
    client.batch_execute("savepoint q").await.unwrap();
    let prepared = client.prepare_typed(sql, types).await;
    client.batch_execute("rollback to q; release q").await.unwrap();
    let statement = prepared.map_err(|e| e.to_string())?;
    Ok(statement.columns().iter().map(|c| (c.name().to_owned(), c.type_().name().to_owned())).collect())
}

/// Values worth trying for one parameter: existing ones, and those at the edge of what its column takes.
async fn candidates(client: &Client, role: &ParameterRole, sql_type: &str) -> Vec<Value> {
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

/// Finds values for every query, inside the open transaction.
pub async fn trials(
    client: &Client,
    queries: &[Query],
    roles: impl Fn(&str, &Catalog) -> Vec<ParameterRole>,
    catalog: &Catalog,
) -> Vec<Trial> {
    let mut all = Vec::new();
    for query in queries {
        let columns = columns(client, &query.sql, &[]).await;
        let statement = client.prepare(&query.sql).await.unwrap_or_else(|e| panic!("{}: {e:?}", query.name));
        let roles = roles(&query.sql, catalog);
        let builtin = |t: &Type| if t.oid() < 16384 { t.clone() } else { Type::UNKNOWN };
        let types = statement.params().iter().map(builtin).collect();
        let mut each = Vec::new();
        for (n, kind) in statement.params().iter().enumerate() {
            each.push(candidates(client, roles.get(n).unwrap_or(&ParameterRole::Free), kind.name()).await);
        }
        let mut sets: Vec<Vec<Value>> = Vec::new();
        // Some rows of candidates together, and then each candidate in the place of one that works.
        let widest = each.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for shift in 0..widest * 3 {
            let pick = |(n, c): (usize, &Vec<Value>)| {
                if c.is_empty() {
                    (Some("1".to_owned()), false)
                } else {
                    c[(shift * (1 + n * (shift / widest)) + n * (shift / widest)) % c.len()].clone()
                }
            };
            sets.push(each.iter().enumerate().map(pick).collect());
        }
        let mut runs: BTreeMap<String, (bool, Came)> = BTreeMap::new();
        let held = |set: &[Value]| set.iter().all(|(_, held)| *held);
        let mut base = None;
        for set in &sets {
            let sql = fill(&query.sql, set);
            let came = run(client, &sql).await;
            if let Came::Rows(rows, count) = &came {
                // One that finds something says more.
                if base.is_none() || *count > 0 || !rows.is_empty() {
                    base = Some(set.clone());
                }
                if runs.len() < 16 {
                    runs.insert(sql, (held(set), came));
                }
            }
        }
        if let Some(base) = base {
            for (n, candidates) in each.iter().enumerate() {
                for candidate in candidates {
                    let mut set = base.clone();
                    set[n].clone_from(candidate);
                    let sql = fill(&query.sql, &set);
                    let came = run(client, &sql).await;
                    let says = matches!(&came, Came::Rows(_, count) if *count > 0 || runs.len() < 16);
                    if says {
                        runs.insert(sql, (held(&set), came));
                    }
                }
            }
        }
        // What is another each time (a number that was drawn, a moment) says nothing: only that it works is held on to.
        for (sql, (_, came)) in &mut runs {
            if run(client, sql).await != *came {
                *came = Came::Unsteady;
            }
        }
        assert!(
            !runs.is_empty(),
            "{} works with no values: {:?}",
            query.name,
            run(client, &fill(&query.sql, &sets[0])).await
        );
        let runs = runs.into_iter().map(|(sql, (held, came))| (sql, held, came)).collect();
        all.push(Trial { query: query.clone(), columns, types, runs });
    }
    all
}

/// Another row is in the way, or does not stand behind.
fn by_others(error: &str) -> bool {
    ["(23505)", "(23P01)", "(23503)"].iter().any(|code| error.ends_with(code))
}

impl Trial {
    /// What the change that was made in this transaction does to it.
    pub async fn after(&self, client: &Client) -> Felt {
        let mut felt = Felt { effect: Effect::Same, surely: false };
        let mut works = false;
        for (sql, held, before) in &self.runs {
            let (effect, surely) = match (before, run(client, sql).await) {
                (_, Came::Failed(error)) => {
                    let surely = *held && !by_others(&error);
                    (Effect::Fails(format!("{error}: {sql}")), surely)
                }
                (Came::Rows(was, touched), Came::Rows(is, touches)) if *was != is || *touched != touches => {
                    works = true;
                    (Effect::Rows(format!("{was:?} {touched} -> {is:?} {touches}: {sql}")), *held)
                }
                _ => {
                    works = true;
                    continue;
                }
            };
            if felt.effect == Effect::Same || surely && !felt.surely {
                felt = Felt { effect, surely };
            }
        }
        if !works && let Effect::Fails(error) = &felt.effect {
            felt.surely |= !by_others(error.split(": ").next().unwrap_or_default());
        }
        let now = columns(client, &self.query.sql, &self.types).await;
        match (&self.columns, &now) {
            // One more at the end is felt by those that count them, and by nobody else.
            (Ok(was), Ok(is)) if was != is => {
                Felt { effect: Effect::Columns(format!("{was:?} -> {is:?}")), surely: !is.starts_with(was) }
            }
            (Ok(_), Err(error)) => Felt { effect: Effect::Fails(error.clone()), surely: true },
            _ => felt,
        }
    }
}
