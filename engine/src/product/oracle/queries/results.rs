//! What the answer of a query depends on, and where its columns come from.

use crate::model::query::{Reads, ResultFacts};
use crate::product::oracle::grammar::facts::Query;

pub fn facts(query: &Query) -> ResultFacts {
    let names = query.reads.iter().flat_map(|read| read.columns.iter().cloned()).collect();
    let all = query.opaque || query.reads.iter().any(|read| read.all);
    let sources = query.result.iter().map(|column| (column.0.clone(), column.1.clone())).collect();
    ResultFacts { reads: Reads { names, all }, sources }
}

/// The answer of a query that the grammar does not take may depend on all that there is.
pub fn unread_result() -> ResultFacts {
    ResultFacts { reads: Reads { all: true, ..Reads::default() }, ..ResultFacts::default() }
}
