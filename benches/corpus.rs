//! What compat finds: changes to four schemas held against their queries, and the truth found by running the queries before
//! and after each. The same as `tests/corpus.rs` with more of each kind. Prints what is not as it should be and a table;
//! judges nothing.
//!
//! `cargo bench -p drydock --bench corpus`; `DRYDOCK_MUTATIONS` is how many changes there are of each kind, `DRYDOCK_MUTATION`
//! a part of the kind's name, `DRYDOCK_SCHEMA` one schema.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout
)]

#[path = "../tests/corpus/examine.rs"]
mod examine;
#[path = "../tests/corpus/generate.rs"]
mod generate;
#[path = "../tests/corpus/reach.rs"]
mod reach;
#[path = "../tests/corpus/schemas.rs"]
mod schemas;
#[path = "../tests/corpus/score.rs"]
mod score;
#[path = "../tests/support/mod.rs"]
mod support;
#[path = "../tests/corpus/truth.rs"]
mod truth;
#[path = "../tests/corpus/values.rs"]
mod values;

fn main() {
    score::print(&examine::all(8, 3));
}
