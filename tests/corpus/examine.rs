//! Changes to a schema against its queries: what each does is found out by running the queries before and after it, on data;
//! the checker sees neither the data nor the outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use drydock::contract::Query;
use drydock::model::evidence::{Verdict, VerdictKind};
use drydock::product::Database;
use drydock::stages::compat::{Checker, Trial};
use drydock::watcher::Progress;
use futures::future::join_all;
use tokio_postgres::Client;

use super::generate::{self, Mutation};
use super::reach::Reach;
use super::schemas::{self, Schema};
use super::score::Score;
use super::support::changeset;
use super::truth::{self, Effect, Felt};

async fn connect(database: &dyn Database) -> Client {
    let endpoint = database.endpoint();
    let mut config = tokio_postgres::Config::new();
    config.host(&endpoint.host).port(endpoint.port).user(&endpoint.user).dbname(&endpoint.database);
    config.password(endpoint.password.as_ref().unwrap().expose());
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    // Ways that the planner is kept from look dear to it.
    client.batch_execute("set jit = off").await.unwrap();
    client
}

/// Every text once: what is true of it, and what it comes to.
struct Text {
    trial: truth::Trial,
    objects: BTreeSet<String>,
    writes: bool,
}

/// Holds generated changes, `most` of each kind, and those written by hand against the queries of a schema.
/// `DRYDOCK_MUTATION` picks kinds by a part of their name; with `DRYDOCK_EVERYTHING` all queries are run after each change, also
/// those that no name leads to.
pub async fn examine(schema: Schema, most: usize) -> Score {
    let begun = Instant::now();
    let database = &schema.database;
    let catalog = database.catalog().await.unwrap();
    let client = connect(database.as_ref()).await;
    let only = std::env::var("DRYDOCK_MUTATION").unwrap_or_default();
    let everything = std::env::var("DRYDOCK_EVERYTHING").is_ok();
    let generated = generate::all(&client).await;
    let mutations = generated.into_iter().chain(schema.by_hand).filter(|m| m.kind.contains(&only));

    // Versions of a service have most queries in common.
    let mut queries: BTreeMap<(&str, &str, &str), (&Query, Option<&str>)> = BTreeMap::new();
    for contract in &schema.contracts {
        let role = schema.roles.iter().find(|r| contract.role.as_ref() == Some(r)).map(String::as_str);
        for version in &contract.versions {
            let of = version.queries.iter();
            queries.extend(of.map(|q| ((&*contract.service, &*version.version, &*q.name), (q, role))));
        }
    }
    let reach = Reach::read(&client).await;
    let (mut texts, mut wrong): (BTreeMap<&str, Text>, Vec<String>) = Default::default();
    client.batch_execute("begin").await.unwrap();
    for (query, role) in queries.values() {
        if !texts.contains_key(query.sql.as_str()) {
            let usage = |sql: &str| {
                let usages = futures::executor::block_on(database.queries(&[sql], &catalog));
                usages.into_iter().flatten().next().unwrap_or_default()
            };
            let writes = !usage(&query.sql).writes.is_empty();
            match truth::Trial::of(&client, query, *role, |sql: &str| usage(sql).roles).await {
                Ok(trial) => {
                    texts.insert(&query.sql, Text { trial, objects: reach.of(&query.sql), writes });
                }
                Err(error) => wrong.push(error),
            }
        }
    }
    client.batch_execute("rollback").await.unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for text in texts.values_mut() {
        for way in [""].iter().chain(&truth::WAYS) {
            text.trial.look_again(&client, way).await;
        }
    }
    println!(
        "{}: {} queries, {} texts, {} runs, {:?}",
        schema.name,
        queries.len(),
        texts.len(),
        texts.values().map(|t| t.trial.runs()).sum::<usize>(),
        begun.elapsed()
    );

    let provider = database.product().provider().await.unwrap();
    let quiet: Progress = Arc::new(|_, _| {});
    let folder = schema.home.folder.join("scratch");
    let places = provider.scratch(database.as_ref(), &folder, quiet.clone()).await.unwrap().unwrap();
    let wanted = catalog.tables.keys().cloned().collect();
    let lent = places.sample_rows(database.as_ref(), &catalog, &wanted, quiet).await.unwrap().unwrap();
    let trial = Trial::begin(Arc::clone(&places), Arc::clone(database), lent, "mutations").await.unwrap();
    let fresh = async |n: usize| {
        database.at(places.copy(places.template(), &format!("checked_{}", n % 2)).await.unwrap())
    };
    let mut scratch = fresh(0).await;
    let checker = Checker::new(Arc::clone(&scratch), &schema.contracts, "mutations").await.unwrap();
    let mut checker = checker.with(Some(trial));

    let mut score = Score::default();
    let mut untried = String::new();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let (mut truly, mut checking) = (Duration::ZERO, Duration::ZERO);
    for Mutation { kind, sql } in mutations {
        let of_kind = taken.entry(kind.clone()).or_default();
        if *of_kind >= most {
            continue;
        }
        client.batch_execute("begin").await.unwrap();
        if let Err(e) = client.batch_execute(&sql).await {
            client.batch_execute("rollback").await.unwrap();
            if generate::is_by_hand(&kind) {
                score.missed.push(format!("cannot be made: {sql}: {e:?}"));
            }
            continue;
        }
        *of_kind += 1;
        score.changes += 1;
        let at = Instant::now();
        let change = changeset(&sql, database.as_ref(), &catalog);
        scratch.execute_script(&sql).await.unwrap_or_else(|e| panic!("{sql}: {}", e.chain()));
        let verdicts = checker.verdicts(&change).await.unwrap();
        if let Some(why) = checker.untried().filter(|why| *why != untried) {
            println!("untried: {why}");
            untried = why;
        }
        scratch = fresh(score.changes).await;
        checker.move_to(Arc::clone(&scratch)).await.unwrap();
        checking += at.elapsed();

        let at = Instant::now();
        let mut felt: BTreeMap<&str, Felt> = BTreeMap::new();
        let mut said: BTreeMap<(&str, &str, &str), Vec<&Verdict>> = BTreeMap::new();
        for verdict in &verdicts {
            said.entry((&verdict.service, &verdict.version, &verdict.query)).or_default().push(verdict);
        }
        let spoken: BTreeSet<&str> =
            said.keys().filter_map(|key| queries.get(key)).map(|(query, _)| query.sql.as_str()).collect();
        let reached =
            |text: &str, of: &Text| everything || spoken.contains(text) || reach.reaches(&sql, &of.objects);
        let planned = texts
            .iter()
            .filter(|(text, of)| !reached(text, of))
            .map(async |(text, of)| (*text, of.trial.plans_after(&client).await.unwrap_or(Felt::NOTHING)));
        // On their way together.
        felt.extend(join_all(planned).await);
        for (key, (query, _)) in &queries {
            let text = &texts[query.sql.as_str()];
            let said = said.get(key).map_or(&[][..], Vec::as_slice);
            let felt = match felt.get(query.sql.as_str()) {
                Some(felt) => felt,
                None => {
                    // An alarm is looked into whatever the names say.
                    let found = if said.iter().any(|v| v.verdict == VerdictKind::Breaking) {
                        text.trial.after_in_any_way(&client).await
                    } else {
                        text.trial.after(&client).await
                    };
                    felt.entry(&query.sql).or_insert(found)
                }
            };
            if felt.effect == Effect::Same && generate::may_hide(&kind, text.writes) {
                continue;
            }
            score.take(felt, said, || {
                let reasons: Vec<_> = said.iter().map(|v| format!("{}: {}", v.class, v.reason)).collect();
                let (service, version, name) = key;
                format!(
                    "{service} {version} {name} after {kind} [{sql}]: said: {}; is: {:?}",
                    reasons.join("; "),
                    felt.effect
                )
            });
        }
        client.batch_execute("rollback").await.unwrap();
        truly += at.elapsed();
    }
    println!("{}: {} changes, {checking:?} checking, {truly:?} running", schema.name, score.changes);
    drop(checker);
    provider.discard(&folder).await.unwrap();
    score.took = begun.elapsed();
    score
}

/// All schemas beside one another, with so many changes of each kind. `DRYDOCK_MUTATIONS` says another number, `DRYDOCK_SCHEMA` picks one schema.
pub fn all(small: usize, demo: usize) -> Vec<(&'static str, Score)> {
    let picked = std::env::var("DRYDOCK_MUTATIONS").ok().and_then(|n| n.parse().ok());
    let (small, demo) = (picked.unwrap_or(small), picked.unwrap_or(demo));
    let only = std::env::var("DRYDOCK_SCHEMA").unwrap_or_default();
    let one = async move |name| match name {
        "demo" => examine(schemas::demo().await, demo).await,
        _ => examine(schemas::small(name).await, small).await,
    };
    let names = schemas::SMALL.into_iter().chain(["demo"]).filter(|n| n.contains(&only));
    let begin = |name| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        (name, std::thread::spawn(move || runtime.block_on(one(name))))
    };
    let begun: Vec<_> = names.map(begin).collect();
    begun.into_iter().map(|(name, score)| (name, score.join().unwrap())).collect()
}
