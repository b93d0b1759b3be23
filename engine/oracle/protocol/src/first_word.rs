//! What may be parsed without running.

/// Whether a statement is a query or DML by its first word. `DBMS_SQL.PARSE` runs anything that is DDL, so that nothing else may come to it.
pub fn is_query_or_dml(sql: &str) -> bool {
    let word = first_word(sql).to_ascii_lowercase();
    matches!(word.as_str(), "select" | "with" | "insert" | "update" | "delete" | "merge")
}

/// The first word after comments and parentheses.
pub fn first_word(sql: &str) -> &str {
    let rest = after_comments(sql);
    rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// What comes after space, comments and parentheses.
fn after_comments(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, after)| after)
        } else {
            return rest;
        };
    }
}

#[cfg(test)]
mod tests {
    use super::is_query_or_dml;

    #[test]
    fn only_queries_and_dml_are_parsed() {
        for sql in [
            "select 1 from dual",
            "  SELECT/*+ full(t) */ * from t",
            "-- a comment\n/* create */ ((select 1 from dual))",
            "with x as (select 1 a from dual) select a from x",
            "Insert into t values (:1)",
            "update t set a = 1",
            "delete t",
            "merge into t using u on (1 = 1) when matched then update set a = 1",
        ] {
            assert!(is_query_or_dml(sql), "{sql}");
        }
        for sql in [
            "",
            "-- select",
            "/* select",
            "create table t (a number)",
            "/* select */ drop table t",
            "--select\ntruncate table t",
            "alter session set current_schema = a",
            "begin null; end;",
            "declare x number; begin null; end;",
            "call p()",
            "commit",
            "grant select on t to u",
            "lock table t in share mode",
            "explain plan for select 1 from dual",
            "selectx",
            "\u{feff}drop table t",
            ";drop table t",
            "rename t to u",
        ] {
            assert!(!is_query_or_dml(sql), "{sql}");
        }
    }
}
