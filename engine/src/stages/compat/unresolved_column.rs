//! Which column it is that a query misses, where several tables lose one of that name.

use std::collections::BTreeSet;

use crate::model::catalog::Catalog;
use crate::model::query::QueryError;

/// `schema.table.column` of the column that is gone from one of the tables used, if there is no doubt which.
pub fn missing(
    error: &QueryError,
    sql: &str,
    uses: &BTreeSet<String>,
    before: &Catalog,
    after: &Catalog,
) -> Option<String> {
    let column = error.column.as_deref()?;
    let has = |catalog: &Catalog, name: &String| {
        catalog.tables.get(name).is_some_and(|t| t.columns.iter().any(|c| c.name == column))
    };
    let lost: Vec<&String> = uses.iter().filter(|name| has(before, name) && !has(after, name)).collect();
    let one = match (lost.as_slice(), error.table.as_deref()) {
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
    use crate::model::catalog::{Column, Table};
    use crate::model::error_class::ErrorClass;

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
        let (one, both) = (["p.mods", "p.teams"], ["p.mods", "p.news"]);
        let cases = [
            (&both, Some("m"), "title", "select m.title from mods m, news", Some("p.mods.title")),
            (&both, Some("n"), "title", "select n.title from p.news AS n, mods m", Some("p.news.title")),
            (&both, Some("mods"), "title", "select mods.title from mods, news", Some("p.mods.title")),
            (&both, Some("news"), "title", "insert into news (title) values ($1)", Some("p.news.title")),
            (&both, None, "title", "select title from (select * from mods) x, news", None),
            (&one, None, "title", "select title from mods", Some("p.mods.title")),
            (&one, Some("t"), "colour", "select t.colour from teams t", None),
        ];
        for (uses, table, column, sql, found) in cases {
            let error = QueryError {
                code: "no such column".to_owned(),
                class: ErrorClass::UndefinedColumn,
                message: String::new(),
                column: Some(column.to_owned()),
                table: table.map(str::to_owned),
                constraint: None,
            };
            let uses = uses.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(missing(&error, sql, &uses, &before, &after).as_deref(), found, "{sql}");
        }
    }
}
