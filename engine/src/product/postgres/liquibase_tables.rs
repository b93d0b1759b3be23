//! How Liquibase's own tables are told from those of users. Their names may be any, and a database may have those of several
//! applications: what they are made of says more.

use crate::model::catalog::Catalog;

/// SQL that tells Liquibase's history by what it is made of, since it may have any name.
macro_rules! history_table_sql {
    ($relation:literal) => {
        concat!(
            "(",
            $relation,
            ".relkind = 'r' AND (lower(",
            $relation,
            ".relname) = 'databasechangelog' OR ",
            "EXISTS (SELECT FROM pg_attribute h WHERE h.attrelid = ",
            $relation,
            ".oid AND h.attname = 'exectype') AND ",
            "(SELECT count(*) FROM pg_attribute h WHERE h.attrelid = ",
            $relation,
            ".oid AND h.attname IN ('id', 'author', 'filename', 'md5sum', 'dateexecuted', 'exectype')) = 6))"
        )
    };
}

/// SQL that tells Liquibase's own tables, with what belongs to them by its name.
macro_rules! liquibase_table_sql {
    ($relation:literal) => {
        concat!(
            "(",
            $relation,
            ".relname ~* '^databasechangelog' OR ",
            history_table_sql!($relation),
            " OR ",
            $relation,
            ".relkind = 'r' AND EXISTS (SELECT FROM pg_attribute h WHERE h.attrelid = ",
            $relation,
            ".oid AND h.attname = 'lockgranted') AND ",
            "(SELECT count(*) FROM pg_attribute h WHERE h.attrelid = ",
            $relation,
            ".oid AND h.attname IN ('id', 'locked', 'lockgranted', 'lockedby')) = 4)"
        )
    };
}

/// Whether a name in a query is that of one of them.
pub fn is_one(name: &str, catalog: &Catalog) -> bool {
    let bare = name.rsplit('.').next().unwrap_or(name);
    if bare.to_lowercase().starts_with("databasechangelog") {
        return true;
    }
    let in_path = || catalog.search_path.iter().find_map(|s| catalog.tables.get(&format!("{s}.{name}")));
    let Some(table) = catalog.tables.get(name).or_else(in_path) else { return false };
    let has = |columns: &[&str]| columns.iter().all(|c| table.columns.iter().any(|own| own.name == *c));
    has(&["id", "author", "filename", "md5sum", "dateexecuted", "exectype"])
        || has(&["id", "locked", "lockgranted", "lockedby"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalog::{Column, Table};

    #[test]
    fn liquibases_tables_are_told_by_their_columns() {
        let table = |columns: &[&str]| {
            let column = |name: &&str| Column { name: (*name).to_owned(), ..Column::default() };
            Table { columns: columns.iter().map(column).collect(), ..Table::default() }
        };
        let history =
            ["id", "author", "filename", "dateexecuted", "orderexecuted", "exectype", "md5sum", "tag"];
        let tables = [
            ("ops.app_history".to_owned(), table(&history)),
            ("ops.app_lock".to_owned(), table(&["id", "locked", "lockgranted", "lockedby"])),
            ("ops.uploads".to_owned(), table(&["id", "author", "filename", "md5sum"])),
        ];
        let search_path = vec!["ops".to_owned()];
        let catalog = Catalog { tables: tables.into(), search_path, ..Catalog::default() };
        for own in ["ops.app_history", "app_history", "app_lock", "public.DATABASECHANGELOGLOCK"] {
            assert!(is_one(own, &catalog), "{own}");
        }
        for other in ["ops.uploads", "uploads", "other.app_history", "orders"] {
            assert!(!is_one(other, &catalog), "{other}");
        }
    }
}
