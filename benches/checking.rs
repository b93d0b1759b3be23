//! What benchmarks of the compatibility check have in common.

use std::path::PathBuf;

use drydock::contract::{Arity, Contract, Query, Version};
use drydock::model::catalog::Catalog;
use drydock::model::changeset::{Changeset, ChangesetId, Phase};
use drydock::product::Database;
use drydock::stages::compat::Checker;

pub fn query(n: usize, sql: String) -> Query {
    Query { name: format!("Q{n}"), arity: Arity::Many, sql, file: PathBuf::from("q.sql"), line: 1, ack: None }
}

pub fn contract(service: usize, queries: Vec<Query>) -> Contract {
    Contract {
        service: format!("s{service}"),
        owner: None,
        role: None,
        versions: vec![Version { version: "1".into(), queries, api: Vec::new() }],
        file: "contract.yaml".into(),
    }
}

pub fn changeset(n: usize, sql: String, database: &dyn Database, catalog: &Catalog) -> Changeset {
    let key = ChangesetId { id: n.to_string(), author: "bench".into(), path: "bench.sql".into() };
    Changeset::of_statements(key, Phase::Contract, database.statements(&[sql], catalog).unwrap())
}

/// Applies the changesets one by one, and holds each against the queries.
pub async fn hold(checker: &mut Checker<'_>, checked: &dyn Database, plan: &[Changeset]) {
    for changeset in plan {
        checker.before(changeset).await.unwrap();
        for statement in &changeset.statements {
            checked.execute_script(&statement.sql).await.unwrap();
        }
        checker.verdicts(changeset).await.unwrap();
        checker.accept();
    }
    checker.last_look().await.unwrap();
}
