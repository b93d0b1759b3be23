//! As much of SQL as the protocol needs: what kind of statement it is, and where its placeholders are. Binds come without names.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    pub name: String,
    /// It follows the INTO of a RETURNING: the client sends no value for it.
    pub returned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    Query,
    Dml,
    PlSql,
    Ddl,
    Other,
}

pub fn kind(sql: &str) -> StatementKind {
    let words = words(sql);
    let first =
        words.iter().find_map(|word| if let Word::Plain(word) = word { Some(word.as_str()) } else { None });
    match first.unwrap_or_default() {
        "SELECT" | "WITH" => StatementKind::Query,
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" => StatementKind::Dml,
        "BEGIN" | "DECLARE" | "CALL" => StatementKind::PlSql,
        "ALTER" if words.get(1) == Some(&Word::Plain("SESSION".into())) => StatementKind::Other,
        "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "RENAME" | "GRANT" | "REVOKE" | "COMMENT" | "ANALYZE"
        | "PURGE" | "FLASHBACK" => StatementKind::Ddl,
        _ => StatementKind::Other,
    }
}

/// In the order in which clients send values: as they are written, and in PL/SQL each name once.
pub fn placeholders(sql: &str) -> Vec<Placeholder> {
    let kind = kind(sql);
    let mut found: Vec<Placeholder> = Vec::new();
    let (mut returning, mut into) = (false, false);
    for word in words(sql) {
        match word {
            Word::Plain(word) if kind == StatementKind::Dml => match word.as_str() {
                "RETURNING" | "RETURN" => returning = true,
                "INTO" if returning => into = true,
                _ => {}
            },
            Word::Plain(_) => {}
            Word::Placeholder(name) => {
                if kind != StatementKind::PlSql || !found.iter().any(|known| known.name == name) {
                    found.push(Placeholder { name, returned: into });
                }
            }
        }
    }
    found
}

#[derive(Debug, PartialEq, Eq)]
enum Word {
    Plain(String),
    Placeholder(String),
}

/// Names and placeholders, without what stands in literals, quoted names, comments and between marks.
fn words(sql: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = sql;
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$' | '#');
    while let Some(letter) = rest.chars().next() {
        let skip = |marks: &str, end: &str| {
            let from = marks.len();
            rest.get(from..).and_then(|tail| tail.find(end)).map_or(rest.len(), |at| from + at + end.len())
        };
        let lower = rest.get(..2).map(str::to_lowercase).unwrap_or_default();
        let taken = if rest.starts_with("--") {
            skip("--", "\n")
        } else if rest.starts_with("/*") {
            skip("/*", "*/")
        } else if lower == "q'" {
            let open = rest.chars().nth(2).unwrap_or('\'');
            let close = match open {
                '[' => ']',
                '(' => ')',
                '{' => '}',
                '<' => '>',
                other => other,
            };
            skip("q'[", &format!("{close}'"))
        } else if letter == '\'' || letter == '"' {
            skip("'", &letter.to_string())
        } else if letter == ':' {
            let name: String = rest.chars().skip(1).take_while(|letter| is_name(*letter)).collect();
            let length = 1 + name.len();
            if !name.is_empty() {
                words.push(Word::Placeholder(name.to_uppercase()));
            }
            length
        } else if is_name(letter) {
            let name: String = rest.chars().take_while(|letter| is_name(*letter)).collect();
            let length = name.len();
            words.push(Word::Plain(name.to_uppercase()));
            length
        } else {
            letter.len_utf8()
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{StatementKind, kind, placeholders};

    fn names(sql: &str) -> Vec<(String, bool)> {
        placeholders(sql).into_iter().map(|found| (found.name, found.returned)).collect()
    }

    #[test]
    fn placeholders_are_found_where_they_count() {
        assert_eq!(
            names("select ':a', q'[it's :b]' -- :c\n /* :d */ from \"t:e\" where f = :g and h = :1"),
            [("G".into(), false), ("1".into(), false)]
        );
        assert_eq!(
            names("insert into t (a) values (:a) returning id, :x into :id"),
            [("A".into(), false), ("X".into(), false), ("ID".into(), true)]
        );
        assert_eq!(names("begin p(:a, :b); p(:A, x => :c); x := 1; end;").len(), 3);
        assert_eq!(names("update t set a = :v where b = :v").len(), 2);
    }

    #[test]
    fn kinds_of_statements() {
        assert_eq!(kind(" /* x */ with a as (select 1 from dual) select * from a"), StatementKind::Query);
        assert_eq!(kind("alter session set x = 1"), StatementKind::Other);
        assert_eq!(kind("(select 1 from dual)"), StatementKind::Query);
        assert_eq!(kind("alter table t add x number"), StatementKind::Ddl);
    }
}
