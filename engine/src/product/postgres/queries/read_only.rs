//! Whether a query only reads.

/// Whether a query begins like one that reads and holds no word that writes, locks or counts up. A word in a string counts
/// too: a query left out does less harm than one that writes.
pub fn leaves_no_trace(sql: &str) -> bool {
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
