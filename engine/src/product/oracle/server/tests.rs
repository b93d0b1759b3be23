//! A running database against the stand-in for an Oracle server, which answers the named queries from a dictionary. What is proven is that
//! what the server tells of becomes the same dictionary, and not that the server answers the queries so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod facts;
mod live;
mod queries;
mod work;

use std::time::Duration;

use drydock_oracle_standin::{
    Account, Answers, Config, DictionaryViews, Outcome, Server, Session as Seen, SharedDictionary, Value,
    Version,
};

use super::*;
use crate::product::oracle::dictionary::Dictionary;
use crate::product::oracle::offline;
use crate::product::oracle::session::tests::{PASSWORD, build_program};
use crate::product::oracle::url::parse_url;

fn dictionary(statements: &[&str]) -> Dictionary {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dictionary.json");
    let statements: Vec<String> = statements.iter().map(|sql| (*sql).to_owned()).collect();
    offline::write(&file, "APP", &statements).unwrap();
    offline::load(&file).unwrap()
}

fn serve(
    config: Config,
    dictionary: &Dictionary,
    mut others: impl FnMut(&str, &[Value]) -> Outcome + Send + 'static,
) -> Server {
    let shared = SharedDictionary::parse(&serde_json::to_string(dictionary).unwrap());
    let others = move |_: &Seen, sql: &str, binds: &[Value]| match sql {
        sql if sql.starts_with("ALTER SESSION") => Outcome::Done,
        sql => others(sql, binds),
    };
    let answers: Box<dyn Answers> = Box::new(DictionaryViews::before(shared, others));
    Server::start(config, answers)
}

fn unasked(sql: &str, _: &[Value]) -> Outcome {
    Outcome::error(900, &format!("nobody answers {sql}"))
}

fn oracle(server: &Server, options: &str) -> Oracle {
    build_program();
    let url = format!("oracle://app:{PASSWORD}@{}{options}", server.connect_string());
    Oracle::at(parse_url(&url).unwrap())
}
