//! Hundreds of changes against the queries of several schemas: every break is found, and hardly anything else.
//! `DRYDOCK_MUTATIONS` is how many there are of each kind, `DRYDOCK_MUTATION` a part of the kind's name, `DRYDOCK_SCHEMA` one
//! schema. `cargo bench --bench corpus` takes more of each kind and prints the numbers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use crate::support;

mod examine;
mod generate;
mod reach;
mod schemas;
mod score;
mod truth;
mod values;

#[test]
fn every_break_is_caught() {
    let scores = examine::all(3, 1);
    let all = score::print(&scores);
    let picked = ["DRYDOCK_MUTATION", "DRYDOCK_MUTATIONS", "DRYDOCK_SCHEMA"];
    assert!(all.changes >= 250 || picked.iter().any(|name| std::env::var(name).is_ok()));
    assert_eq!(all.missed, Vec::<String>::new());
    assert_eq!(all.doubted, Vec::<String>::new());
    assert!(all.false_alarms.len() * 100 <= all.alarms, "{:?}", all.false_alarms);
}
