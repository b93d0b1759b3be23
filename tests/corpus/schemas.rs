//! The schemas of the corpus, each with data, queries and changes that are written by hand.

use std::path::Path;
use std::sync::Arc;

use drydock::contract::{self, Contract, Version};
use drydock::model::query_syntax::QuerySyntax;
use drydock::product::postgres::local::Local;
use drydock::product::{self, Database};

use super::generate::Mutation;
use super::support::{Home, repository};

pub struct Schema {
    pub name: &'static str,
    pub home: Home,
    pub database: Arc<dyn Database>,
    pub contracts: Vec<Contract>,
    /// Those that services come as, of the roles that there are.
    pub roles: Vec<String>,
    pub by_hand: Vec<Mutation>,
}

/// What is there stays as it is and is planned for as it is.
const SETTLED: &str = "alter system set autovacuum = off; select pg_reload_conf(); analyze";

/// Schemas that lie beside this file.
pub const SMALL: [&str; 3] = ["shop", "forum", "ledger"];

fn file(name: &str) -> String {
    std::fs::read_to_string(repository().join("tests/corpus").join(name)).unwrap()
}

fn syntax() -> &'static QuerySyntax {
    product::embedded_product().query_syntax()
}

pub async fn small(name: &'static str) -> Schema {
    let home = Home::new(&format!("mutations-{name}"));
    let cluster = Local::find().await.unwrap().production(&home.folder.join("production")).await.unwrap();
    product::embedded(cluster.clone()).execute_script(&format!("create database {name}")).await.unwrap();
    let database =
        product::embedded(drydock::model::endpoint::Endpoint { database: name.to_owned(), ..cluster });
    database.execute_script(&file(&format!("{name}.sql"))).await.unwrap();
    for statement in SETTLED.split("; ") {
        database.execute_script(statement).await.unwrap();
    }
    let queries = file(&format!("{name}.queries.sql"));
    let queries = contract::parse_queries(&queries, Path::new("queries.sql"), syntax());
    let contracts = vec![Contract {
        service: name.to_owned(),
        owner: None,
        role: Some(format!("{name}_app")),
        versions: vec![Version { version: "1".to_owned(), queries: queries.unwrap(), api: Vec::new() }],
        file: "contract.yaml".into(),
    }];
    let text = file(&format!("{name}.mutations.sql"));
    let by_hand = (1..).zip(text.split("\n--\n"));
    let by_hand =
        by_hand.map(|(n, sql)| Mutation { kind: format!("by hand {n}"), sql: sql.to_owned() }).collect();
    let roles = if name == "shop" { vec!["shop_app".to_owned()] } else { Vec::new() };
    Schema { name, home, database, contracts, roles, by_hand }
}

/// Its precondition keeps this one from running.
const NEVER_RUN: &str = "report-definitions-again";

/// The demo: the shared database of 42 services, and its pending release.
pub async fn demo() -> Schema {
    let home = Home::demo("mutations-demo");
    // Makes production too.
    let plan = home.run(&["plan", "--env", "demo", "--scale", "0.003", "--format", "json"]).expect(0).json();
    let endpoint =
        Local::find().await.unwrap().production(&home.folder.join("home/demo/production")).await.unwrap();
    let database = product::embedded(endpoint);
    for statement in SETTLED.split("; ") {
        database.execute_script(statement).await.unwrap();
    }
    let mut contracts = contract::load(&home.folder.join("changelogs"), syntax()).unwrap();
    contracts.iter_mut().flat_map(|c| &mut c.versions).for_each(|v| v.api.clear());
    // A changeset with those of its own service before it: some build on them.
    let mut by_hand: Vec<Mutation> = Vec::new();
    let mut before: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    for changeset in plan["changesets"].as_array().unwrap() {
        let (author, id) = (changeset["author"].as_str().unwrap(), changeset["id"].as_str().unwrap());
        if id == NEVER_RUN {
            continue;
        }
        let statements = changeset["statements"].as_array().unwrap();
        let own: Vec<&str> = statements.iter().map(|s| s["sql"].as_str().unwrap()).collect();
        // The truth is found in a transaction.
        let own = own.join(";\n").replace("index concurrently", "index");
        let all = before.entry(author.to_owned()).or_default();
        by_hand.push(Mutation { kind: format!("pending {id}"), sql: format!("{all}{own}") });
        all.push_str(&own);
        all.push_str(";\n");
    }
    Schema { name: "demo", home, database, contracts, roles: Vec::new(), by_hand }
}
