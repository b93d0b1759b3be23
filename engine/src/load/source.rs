//! What traffic asks of a database: little enough that a test can stand in for it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::query::ParameterRole;
use crate::product::{Client, Database};

#[async_trait]
pub(super) trait Source: Send + Sync {
    async fn client(&self, application: &str) -> Result<Box<dyn Client>>;
    fn roles(&self, sql: &str, catalog: &Catalog) -> Result<Vec<ParameterRole>>;
    /// Whether a query leaves no trace and takes no row lock. What is not sure to, does not count.
    fn reads_only(&self, sql: &str, catalog: &Catalog) -> bool;
    async fn samples(&self, table: &str, column: &str, most: u32) -> Result<Vec<String>>;
    async fn count_present(&self, table: &str, column: &str, values: &[String]) -> Result<u64>;
}

#[async_trait]
impl Source for Arc<dyn Database> {
    async fn client(&self, application: &str) -> Result<Box<dyn Client>> {
        self.as_ref().client(application).await
    }
    fn roles(&self, sql: &str, catalog: &Catalog) -> Result<Vec<ParameterRole>> {
        self.parameter_roles(sql, catalog)
    }
    fn reads_only(&self, sql: &str, catalog: &Catalog) -> bool {
        leaves_no_trace(sql) && self.writes(sql, catalog).is_ok_and(|written| written.is_empty())
    }
    async fn samples(&self, table: &str, column: &str, most: u32) -> Result<Vec<String>> {
        self.as_ref().samples(table, column, most).await
    }
    async fn count_present(&self, table: &str, column: &str, values: &[String]) -> Result<u64> {
        self.as_ref().count_present(table, column, values).await
    }
}

/// Whether a query begins like one that reads and holds no word that writes, locks or counts up. A word in a string counts
/// too: a query left out does less harm than one that writes.
fn leaves_no_trace(sql: &str) -> bool {
    const READS: [&str; 4] = ["select", "with", "values", "table"];
    const TRACES: [&str; 14] = [
        "insert",
        "update",
        "delete",
        "merge",
        "share",
        "nextval",
        "setval",
        "copy",
        "call",
        "truncate",
        "lock",
        "into",
        "set_config",
        "notify",
    ];
    let bare = without_comments(sql);
    let mut words = bare
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|w| !w.is_empty())
        .map(str::to_ascii_lowercase);
    let first = words.next().unwrap_or_default();
    READS.contains(&first.as_str())
        && words.all(|word| {
            !TRACES.contains(&word.as_str()) && !word.contains("advisory_lock") && !word.starts_with("lo_")
        })
}

/// Comments talk of writing without doing it. One inside a string is cut off too, which can only make a query shorter by
/// words of that string.
fn without_comments(sql: &str) -> String {
    let lines = sql.lines().map(|line| {
        line.split_once("--").filter(|(head, _)| !head.contains('\'')).map_or(line, |(head, _)| head)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::leaves_no_trace;

    #[test]
    fn what_writes_locks_or_counts_up_is_told() {
        let reads = [
            "SELECT updated_at, share_count FROM t -- for update of the page\nWHERE id = $1",
            "(SELECT 1) UNION ALL VALUES (2)",
            "WITH x AS (SELECT 1) SELECT * FROM x",
        ];
        let traces = [
            "SELECT * FROM t FOR UPDATE SKIP LOCKED",
            "SELECT * FROM t FOR NO KEY UPDATE",
            "SELECT * FROM t FOR SHARE",
            "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
            "SELECT '--', nextval('s')",
            "SELECT try_advisory_lock(1)",
            "SELECT * INTO n FROM t",
            "EXPLAIN ANALYZE SELECT 1",
            "DO $$ BEGIN END $$",
            "",
        ];
        for sql in reads {
            assert!(leaves_no_trace(sql), "{sql}");
        }
        for sql in traces {
            assert!(!leaves_no_trace(sql), "{sql}");
        }
    }
}
