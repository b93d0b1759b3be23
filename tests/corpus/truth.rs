//! The truth about a change: every query is run before and after it, on data, with the same values. Knows nothing of the
//! checker.

use std::collections::BTreeMap;

use drydock::contract::Query;
use drydock::model::query::ParameterRole;
use futures::future::join_all;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::values::{Value, candidates, fill, sets, without_copy};

/// How one query came out with one set of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    Rows(Vec<Vec<Option<String>>>, u64),
    /// In no order that is promised.
    Sorted(Vec<Vec<Option<String>>>, u64),
    Failed(String),
    /// Otherwise each time.
    Unsteady,
}

impl Came {
    fn sorted(&self) -> Self {
        match self {
            Self::Rows(rows, count) | Self::Sorted(rows, count) => {
                let mut rows = rows.clone();
                rows.sort();
                Self::Sorted(rows, *count)
            }
            other => other.clone(),
        }
    }
}

/// Whether a query asks for an order of what it gives, not only of what it is made from.
fn is_ordered(sql: &str) -> bool {
    let mut depth = 0;
    let mut outside = String::new();
    for c in sql.to_lowercase().chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        outside.push(if depth > 0 { ' ' } else { c });
    }
    outside.split_whitespace().collect::<Vec<_>>().join(" ").contains("order by")
}

/// Other ways of going about a query.
pub const WAYS: [&str; 4] = [
    "set local enable_hashagg = off; set local enable_hashjoin = off",
    "set local enable_indexscan = off; set local enable_bitmapscan = off; set local enable_mergejoin = off",
    "set local enable_seqscan = off; set local enable_nestloop = off",
    "set local enable_sort = off; set local enable_incremental_sort = off",
];

/// What a change did to a query, and whether a service is sure to meet it: values that rows hold fail, or at least one in
/// `RARE` of those that find something find something else. What takes a value that no row holds (the longest text, the
/// greatest number), or a row in the way, may never happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Felt {
    pub effect: Effect,
    pub surely: bool,
}

impl Felt {
    pub const NOTHING: Self = Self { effect: Effect::Same, surely: false };
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
    sql: String,
    role: Option<String>,
    columns: Result<Vec<(String, String)>, String>,
    /// Types that a driver has fixed for its parameters; nothing for those of users.
    types: Vec<Type>,
    /// Values that it works with before any change, whether rows hold all of them, and what it gives.
    runs: Vec<(String, bool, Came)>,
}

/// Begins what is taken back, as the service's own role.
fn begins(role: Option<&str>) -> String {
    role.map_or("savepoint q".to_owned(), |role| format!("savepoint q; set local role {role}"))
}

async fn run(client: &Client, role: Option<&str>, sql: &str) -> Came {
    let begins = begins(role);
    let text = format!("{sql}; set constraints all immediate");
    // On their way together.
    let (before, came, after) = tokio::join!(
        client.batch_execute(&begins),
        client.simple_query(&text),
        client.batch_execute("rollback to q; release q; set constraints all deferred")
    );
    before.and(after).unwrap();
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

/// Each by itself, and all on their way together.
async fn run_all(client: &Client, role: Option<&str>, texts: &[String]) -> Vec<Came> {
    join_all(texts.iter().map(|sql| run(client, role, sql))).await
}

/// Result columns with their types, lengths left out: those a client does not see.
async fn columns(
    client: &Client,
    role: Option<&str>,
    sql: &str,
    types: &[Type],
) -> Result<Vec<(String, String)>, String> {
    let begins = begins(role);
    // On their way together.
    let (before, prepared, after) = tokio::join!(
        client.batch_execute(&begins),
        client.prepare_typed(sql, types),
        client.batch_execute("rollback to q; release q")
    );
    before.and(after).unwrap();
    // The client remembers how a type was called.
    let mut names = Vec::new();
    for column in prepared.iter().flat_map(|p| p.columns()) {
        names.push(match column.type_().oid() {
            own if own >= 16384 => {
                let asked = format!("select typname::text from pg_type where oid = {own}");
                client.query_one(&asked, &[]).await.unwrap().get(0)
            }
            // The same bytes, and a string for every driver.
            _ => column.type_().name().replace("varchar", "text"),
        });
    }
    let statement = prepared.map_err(|e| e.to_string())?;
    Ok(statement.columns().iter().map(|c| c.name().to_owned()).zip(names).collect())
}

/// Sets that are run together, before those that differ from one that works in one value.
const TOGETHER: usize = 16;

/// What fewer than one in so many find is rare.
const RARE: usize = 4;

/// Another row is in the way, or does not stand behind.
fn by_others(error: &str) -> bool {
    ["(23505)", "(23P01)", "(23503)"].iter().any(|code| error.ends_with(code))
}

impl Trial {
    /// Finds values for a query, inside the open transaction.
    pub async fn of(
        client: &Client,
        query: &Query,
        role: Option<&str>,
        roles: impl Fn(&str) -> Vec<ParameterRole>,
    ) -> Result<Self, String> {
        let sql = without_copy(&query.sql);
        let statement = client.prepare(&sql).await.unwrap_or_else(|e| panic!("{}: {e:?}", query.name));
        let roles = roles(&sql);
        let builtin = |t: &Type| if t.oid() < 16384 { t.clone() } else { Type::UNKNOWN };
        let types: Vec<Type> = match sql == query.sql {
            true => statement.params().iter().map(builtin).collect(),
            false => Vec::new(),
        };
        let mut each = Vec::new();
        for (n, kind) in statement.params().iter().enumerate() {
            each.push(candidates(client, roles.get(n).unwrap_or(&ParameterRole::Free), kind).await);
        }
        let sets = sets(&each);
        // What a value's type is taken from once, a literal's is taken from at each place.
        let cast = |t: &Type| if t.oid() < 16384 { format!("::{}", t.name()) } else { String::new() };
        let mut casts: Vec<String> = Vec::new();
        if let Came::Failed(error) = run(client, role, &fill(&sql, &sets[0], &casts)).await
            && error.starts_with("invalid input syntax")
        {
            casts = statement.params().iter().map(cast).collect();
        }
        let mut runs: BTreeMap<String, (bool, Came)> = BTreeMap::new();
        let held = |set: &[Value]| set.iter().all(|(_, held)| *held);
        let mut base = None;
        let mut finds = false;
        for set in &sets {
            if runs.len() >= TOGETHER && finds {
                break;
            }
            let sql = fill(&sql, set, &casts);
            let came = run(client, role, &sql).await;
            if let Came::Rows(rows, count) = &came {
                // One that finds something says more.
                let found = *count > 0 || !rows.is_empty();
                if base.is_none() || found {
                    base = Some(set.clone());
                    finds |= found;
                }
                if runs.len() < TOGETHER {
                    runs.insert(sql, (held(set), came));
                }
            }
        }
        if let Some(base) = base {
            let mut others = Vec::new();
            for (n, candidates) in each.iter().enumerate() {
                for candidate in candidates {
                    let mut set = base.clone();
                    set[n].clone_from(candidate);
                    others.push((fill(&sql, &set, &casts), held(&set)));
                }
            }
            let (texts, held): (Vec<String>, Vec<bool>) = others.into_iter().unzip();
            let came = run_all(client, role, &texts).await;
            for ((sql, held), came) in texts.into_iter().zip(held).zip(came) {
                let says = matches!(&came, Came::Rows(_, count) if *count > 0 || runs.len() < TOGETHER);
                if says {
                    runs.insert(sql, (held, came));
                }
            }
        }
        if runs.is_empty() {
            let came = run(client, role, &fill(&sql, &sets[0], &casts)).await;
            return Err(format!("{} works with no values: {came:?}", query.name));
        }
        let columns = columns(client, role, &query.sql, &[]).await;
        let ordered = |came: Came| if is_ordered(&query.sql) { came } else { came.sorted() };
        let runs = runs.into_iter().map(|(sql, (held, came))| (sql, held, ordered(came))).collect();
        Ok(Self { sql: query.sql.clone(), role: role.map(str::to_owned), columns, types, runs })
    }

    /// What is another each time (a number that was drawn, a moment) says nothing: only that it works is held on to. Asks in
    /// a transaction of its own: a moment is the same throughout one. `way` is a setting that makes the server go about
    /// a query otherwise: an order or a choice that another way does not give was never promised.
    pub async fn look_again(&mut self, client: &Client, way: &str) {
        client.batch_execute(&format!("begin; {way}")).await.unwrap();
        // Only where there are several rows is there anything to choose from.
        let several =
            |came: &Came| matches!(came, Came::Rows(rows, _) | Came::Sorted(rows, _) if rows.len() > 1);
        let again: Vec<_> =
            self.runs.iter_mut().filter(|(.., came)| way.is_empty() || several(came)).collect();
        let texts: Vec<String> = again.iter().map(|(sql, ..)| sql.clone()).collect();
        let found = run_all(client, self.role.as_deref(), &texts).await;
        for ((.., came), again) in again.into_iter().zip(found) {
            let again = if matches!(came, Came::Sorted(..)) { again.sorted() } else { again };
            if again != *came {
                *came = if again.sorted() == came.sorted() { again.sorted() } else { Came::Unsteady };
            }
        }
        client.batch_execute("rollback").await.unwrap();
    }

    /// How often it is run for one change.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Whether it still plans and gives the same columns; what is said of one that cannot be reached.
    pub async fn plans_after(&self, client: &Client) -> Option<Felt> {
        let now = columns(client, self.role.as_deref(), &self.sql, &self.types).await;
        match (&self.columns, &now) {
            // One more at the end is felt by those that count them, and by nobody else.
            (Ok(was), Ok(is)) if was != is => {
                let effect = Effect::Columns(format!("{was:?} -> {is:?}"));
                Some(Felt { effect, surely: !is.starts_with(was) })
            }
            (Ok(_), Err(error)) => Some(Felt { effect: Effect::Fails(error.clone()), surely: true }),
            _ => None,
        }
    }
    /// The same, also when the server goes about it in other ways: before the change they were all one, so it is the change
    /// that made an order or a choice a matter of chance.
    pub async fn after_in_any_way(&self, client: &Client) -> Felt {
        for way in [""].iter().chain(&WAYS) {
            client.batch_execute(&format!("savepoint way; {way}")).await.unwrap();
            let felt = self.after(client).await;
            client.batch_execute("rollback to way; release way").await.unwrap();
            if felt.effect != Effect::Same {
                return Felt { surely: felt.surely && way.is_empty(), ..felt };
            }
        }
        Felt::NOTHING
    }

    /// What the change that was made in this transaction does to it.
    pub async fn after(&self, client: &Client) -> Felt {
        let mut felt = Felt::NOTHING;
        let (mut works, mut shown) = (false, 0);
        let finds = |came: &Came| matches!(came, Came::Rows(_, n) | Came::Sorted(_, n) if *n > 0);
        let found = self.runs.iter().filter(|(_, held, came)| *held && finds(came)).count();
        let texts: Vec<String> = self.runs.iter().map(|(sql, ..)| sql.clone()).collect();
        let found_now = run_all(client, self.role.as_deref(), &texts).await;
        for ((sql, held, before), now) in self.runs.iter().zip(found_now) {
            let (effect, surely) = match (before, now) {
                (_, Came::Failed(error)) => {
                    let surely = *held && !by_others(&error);
                    (Effect::Fails(format!("{error}: {sql}")), surely)
                }
                (Came::Rows(..), is) if is != *before => {
                    works = true;
                    shown += usize::from(*held);
                    (Effect::Rows(format!("{before:?} -> {is:?}: {sql}")), *held && shown * RARE >= found)
                }
                (Came::Sorted(..), is) if is.sorted() != *before => {
                    works = true;
                    shown += usize::from(*held);
                    (Effect::Rows(format!("{before:?} -> {is:?}: {sql}")), *held && shown * RARE >= found)
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
        self.plans_after(client).await.unwrap_or(felt)
    }
}
