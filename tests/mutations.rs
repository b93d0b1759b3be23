//! Hundreds of changes against the queries of several schemas. What each does is found out by running the queries before
//! and after it, on data; the checker sees neither the data nor the outcome.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

#[path = "mutations/generate.rs"]
mod generate;
mod support;
#[path = "mutations/truth.rs"]
mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use drydock::contract::{self, Contract, Version};
use drydock::database::{self, Database};
use drydock::evidence::VerdictKind;
use drydock::provider::{self, Provider, local::Local};
use drydock::stages::compat::{Checker, Trial};
use generate::Mutation;
use support::{Home, changeset, repository};
use truth::{Effect, Felt};

/// What was found of all changes to one schema.
#[derive(Default)]
struct Score {
    mutations: usize,
    /// Query and change, of those that break.
    broken: usize,
    missed: Vec<String>,
    /// Broken for values that rows hold, and said to be risky only.
    doubted: Vec<String>,
    /// Broken for other values only, and said to be risky.
    unlikely: usize,
    /// Said to be breaking.
    alarms: usize,
    false_alarms: Vec<String>,
    warned: Vec<String>,
}

async fn connect(database: &dyn Database) -> tokio_postgres::Client {
    let endpoint = database.endpoint();
    let mut config = tokio_postgres::Config::new();
    config.host(&endpoint.host).port(endpoint.port).user(&endpoint.user).dbname(&endpoint.database);
    config.password(endpoint.password.as_ref().unwrap().expose());
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn file(name: &str) -> String {
    std::fs::read_to_string(repository().join("tests/mutations").join(name)).unwrap()
}

async fn examine(name: &str, most: usize) -> Score {
    let home = Home::new(&format!("mutations-{name}"));
    let cluster = Local::find().await.unwrap().production(&home.folder.join("production")).await.unwrap();
    database::embedded(cluster.clone()).execute_script(&format!("create database {name}")).await.unwrap();
    let database = database::embedded(database::Endpoint { database: name.to_owned(), ..cluster });
    database.execute_script(&file(&format!("{name}.sql"))).await.unwrap();
    database.execute_script("analyze").await.unwrap();
    let queries =
        contract::parse_queries(&file(&format!("{name}.queries.sql")), std::path::Path::new("queries.sql"))
            .unwrap();
    let contracts = [Contract {
        service: name.to_owned(),
        owner: None,
        role: None,
        versions: vec![Version { version: "1".to_owned(), queries: queries.clone(), api: Vec::new() }],
        file: "contract.yaml".into(),
    }];
    let catalog = database.catalog().await.unwrap();
    let client = connect(database.as_ref()).await;
    let mut mutations = generate::all(&client).await;
    if let Ok(only) = std::env::var("DRYDOCK_MUTATION") {
        mutations.retain(|m| m.kind.contains(&only));
    }
    // The same number of each kind, as far as there are.
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    mutations.retain(|m| {
        let count = seen.entry(m.kind.clone()).or_default();
        *count += 1;
        *count <= most
    });
    for (number, sql) in (1..).zip(file(&format!("{name}.mutations.sql")).split("\n--\n")) {
        mutations.push(Mutation { kind: format!("by hand {number}"), sql: sql.to_owned() });
    }

    client.batch_execute("begin").await.unwrap();
    let roles =
        |sql: &str, catalog: &database::Catalog| database.parameter_roles(sql, catalog).unwrap_or_default();
    let trials = truth::trials(&client, &queries, roles, &catalog).await;
    client.batch_execute("rollback").await.unwrap();

    let provider: Arc<dyn Provider> = provider::embedded().await.unwrap();
    let quiet: provider::Progress = Arc::new(|_, _| {});
    let folder = home.folder.join("scratch");
    let template = provider.scratch(database.as_ref(), &folder, quiet).await.unwrap();
    let wanted = catalog.tables.keys().cloned().collect();
    let quiet: provider::Progress = Arc::new(|_, _| {});
    let lent = provider.lend(database.as_ref(), &catalog, &folder, &wanted, quiet).await.unwrap();
    let mut score = Score::default();
    for mutation in mutations {
        client.batch_execute("begin").await.unwrap();
        if let Err(e) = client.batch_execute(&mutation.sql).await {
            client.batch_execute("rollback").await.unwrap();
            if mutation.kind.starts_with("by hand") {
                score.missed.push(format!("cannot be made: {}: {e:?}", mutation.sql));
            }
            continue;
        }
        let mut effects = BTreeMap::new();
        for trial in &trials {
            effects.insert(trial.query.name.clone(), trial.after(&client).await);
        }
        client.batch_execute("rollback").await.unwrap();

        let scratch = database.at(provider.fresh_scratch(&template, "checked").await.unwrap());
        let trial = Trial::begin(Arc::clone(&provider), Arc::clone(&database), lent.clone(), "mutations")
            .await
            .unwrap();
        let checker = Checker::new(Arc::clone(&scratch), &contracts, "mutations").await.unwrap();
        let mut checker = checker.with(Some(trial));
        let change = changeset(&mutation.sql, database.as_ref(), &catalog);
        scratch
            .execute_script(&mutation.sql)
            .await
            .unwrap_or_else(|e| panic!("{}: {}", mutation.sql, e.chain()));
        let verdicts = checker.verdicts(&change).await.unwrap();
        if let Some(why) = checker.untried() {
            println!("untried: {why}");
        }
        drop(checker);
        score.mutations += 1;
        let said = |kind| -> BTreeSet<&str> {
            verdicts.iter().filter(|v| v.verdict == kind).map(|v| v.query.as_str()).collect()
        };
        let (breaking, risky) = (said(VerdictKind::Breaking), said(VerdictKind::Risky));
        score.alarms += breaking.len();
        for (query, Felt { effect, surely }) in &effects {
            let line = || {
                let reasons: Vec<_> = verdicts
                    .iter()
                    .filter(|v| v.query == *query)
                    .map(|v| format!("{}: {}", v.class, v.reason))
                    .collect();
                format!(
                    "{name} {query} after {} [{}]: {effect:?} {}",
                    mutation.kind,
                    mutation.sql,
                    reasons.join("; ")
                )
            };
            if *effect == Effect::Same {
                if breaking.contains(query.as_str()) {
                    score.false_alarms.push(line());
                } else if risky.contains(query.as_str()) {
                    score.warned.push(line());
                }
                continue;
            }
            score.broken += 1;
            if breaking.contains(query.as_str()) {
                continue;
            }
            if risky.contains(query.as_str()) {
                if *surely { score.doubted.push(line()) } else { score.unlikely += 1 }
            } else {
                score.missed.push(line())
            }
        }
    }
    provider.discard(&folder).await.unwrap();
    score
}

#[tokio::test(flavor = "multi_thread")]
async fn every_break_is_caught() {
    let most = std::env::var("DRYDOCK_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    let (shop, forum, ledger) =
        tokio::join!(examine("shop", most), examine("forum", most), examine("ledger", most));
    let mut all = Score::default();
    for score in [shop, forum, ledger] {
        all.mutations += score.mutations;
        all.broken += score.broken;
        all.alarms += score.alarms;
        all.unlikely += score.unlikely;
        all.warned.extend(score.warned);
        all.missed.extend(score.missed);
        all.doubted.extend(score.doubted);
        all.false_alarms.extend(score.false_alarms);
    }
    let cut = |line: &String| line.chars().take(700).collect::<String>();
    for (title, lines) in [
        ("missed", &all.missed),
        ("only risky", &all.doubted),
        ("false alarm", &all.false_alarms),
        ("warned", &all.warned),
    ] {
        lines.iter().for_each(|line| println!("{title}: {}", cut(line)));
    }
    println!(
        "{} changes, {} breaks: {} missed, {} said to be risky only, {} risky with values that no row holds; {} alarms, {} of them false; {} other warnings",
        all.mutations,
        all.broken,
        all.missed.len(),
        all.doubted.len(),
        all.unlikely,
        all.alarms,
        all.false_alarms.len(),
        all.warned.len()
    );
    assert!(all.mutations >= 250 || std::env::var("DRYDOCK_MUTATION").is_ok());
    assert_eq!(all.missed, Vec::<String>::new());
    assert_eq!(all.doubted, Vec::<String>::new());
    assert!(all.false_alarms.len() * 100 <= all.alarms, "{:?}", all.false_alarms);
}
