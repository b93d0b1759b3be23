//! Which column it is that a query misses, where several tables lose one of that name.

use std::collections::BTreeSet;

use crate::database::{Catalog, QueryError};

/// SQLSTATE: undefined column.
const UNDEFINED_COLUMN: &str = "42703";

/// `schema.table.column` of the column that is gone from one of the tables used, if there is no doubt which.
pub fn missing(
    error: &QueryError,
    sql: &str,
    uses: &BTreeSet<String>,
    before: &Catalog,
    after: &Catalog,
) -> Option<String> {
    if error.code != UNDEFINED_COLUMN {
        return None;
    }
    // `column "c"`, `column t.c` or `column "c" of relation "t"`; the table may be an alias.
    let mut words = error.message.split_whitespace().skip_while(|w| *w != "column").skip(1);
    let said = words.next()?.replace('"', "");
    let (table, column) = said.rsplit_once('.').map_or((None, said.as_str()), |(t, c)| (Some(t), c));
    let relation = words.skip_while(|w| *w != "relation").nth(1).map(|w| w.replace('"', ""));
    let table = relation.as_deref().or(table);
    let has = |catalog: &Catalog, name: &String| {
        catalog.tables.get(name).is_some_and(|t| t.columns.iter().any(|c| c.name == column))
    };
    let lost: Vec<&String> = uses.iter().filter(|name| has(before, name) && !has(after, name)).collect();
    let one = match (lost.as_slice(), table) {
        ([one], _) => *one,
        (several, Some(table)) => several.iter().find(|name| is_called(name, table, sql))?,
        _ => return None,
    };
    Some(format!("{one}.{column}"))
}

/// Whether the table is called so in the query: by its name, or by an alias that is written behind it.
fn is_called(name: &str, alias: &str, sql: &str) -> bool {
    let bare = name.rsplit('.').next().unwrap_or(name);
    if bare == alias {
        return true;
    }
    let words: Vec<String> = sql
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("as"))
        .map(str::to_lowercase)
        .collect();
    words.windows(2).any(|pair| matches!(pair, [table, as_] if table == bare && as_ == alias))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::{Column, Table};

    fn catalog(tables: &[(&str, &[&str])]) -> Catalog {
        let column = |name: &&str| Column { name: (*name).to_owned(), ..Column::default() };
        let table = |(name, columns): &(&str, &[&str])| {
            let columns = columns.iter().map(column).collect();
            ((*name).to_owned(), Table { columns, ..Table::default() })
        };
        Catalog { tables: tables.iter().map(table).collect(), ..Catalog::default() }
    }

    #[test]
    fn the_column_is_that_of_the_table_that_the_query_means() {
        let before = catalog(&[("p.mods", &["title"]), ("p.news", &["title"]), ("p.teams", &["id"])]);
        let after = catalog(&[("p.mods", &["name"]), ("p.news", &["name"]), ("p.teams", &["id"])]);
        let cases = [
            ("column m.title does not exist", "select m.title from mods m, teams t", Some("p.mods.title")),
            (
                "column n.title does not exist",
                "select n.title from p.news AS n, mods m",
                Some("p.news.title"),
            ),
            ("column mods.title does not exist", "select mods.title from mods, news", Some("p.mods.title")),
            ("column \"title\" of relation \"news\" does not exist", "insert", Some("p.news.title")),
            ("column \"title\" does not exist", "select title from (select * from mods) x, news", None),
            ("column t.colour does not exist", "select t.colour from teams t", None),
        ];
        for (message, sql, found) in cases {
            let error = QueryError {
                code: UNDEFINED_COLUMN.to_owned(),
                message: message.to_owned(),
                column: None,
                table: None,
                constraint: None,
            };
            let uses: BTreeSet<String> = before.tables.keys().cloned().collect();
            assert_eq!(missing(&error, sql, &uses, &before, &after).as_deref(), found, "{message}: {sql}");
        }
        let error = QueryError {
            code: UNDEFINED_COLUMN.to_owned(),
            message: "column \"title\" does not exist".to_owned(),
            column: None,
            table: None,
            constraint: None,
        };
        let uses = BTreeSet::from(["p.mods".to_owned(), "p.teams".to_owned()]);
        assert_eq!(
            missing(&error, "select title from mods", &uses, &before, &after).as_deref(),
            Some("p.mods.title")
        );
    }
}
