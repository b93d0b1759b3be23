//! Which relations a look at the catalogs reads.

use tokio_postgres::types::{ToSql, Type};

/// Relations by their numbers in `pg_class`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relations {
    All,
    Only(Vec<u32>),
}

impl Relations {
    /// Ends a condition: the column holds the number of one of them.
    pub fn and_is(&self, column: &str) -> String {
        match self {
            Self::All => String::new(),
            Self::Only(_) => format!(" AND {column} = ANY ($1)"),
        }
    }

    /// Settings for the transaction that SQL is run in. The server's statistics of its own catalogs may be those of an empty database, and
    /// few relations are found by their numbers, whichever they are.
    pub fn settings(&self) -> &'static str {
        match self {
            Self::All => "",
            Self::Only(_) => {
                "SET LOCAL enable_seqscan = off; SET LOCAL jit = off; SET LOCAL plan_cache_mode = force_generic_plan;"
            }
        }
    }

    /// What SQL that was made with them is run with.
    pub fn parameters(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        match self {
            Self::All => Vec::new(),
            Self::Only(numbers) => vec![(numbers, Type::OID_ARRAY)],
        }
    }
}
