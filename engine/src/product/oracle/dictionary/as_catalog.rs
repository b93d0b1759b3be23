//! A dictionary as the catalog that generic code knows.

use std::collections::BTreeSet;

use super::objects::{Column, ConstraintKind, Dictionary, Identity, Table};
use super::types;
use super::uses::Uses;
use crate::model::catalog::{Catalog, Column as CatalogColumn, NotNullCheck, Storage, Table as CatalogTable};
use crate::model::query::Write;

impl Dictionary {
    pub fn catalog(&self) -> Catalog {
        let mut catalog = Catalog { search_path: vec![self.schema.clone()], ..Catalog::default() };
        catalog.tables =
            self.tables.iter().map(|(name, table)| (name.clone(), self.table(name, table))).collect();
        catalog.indexes =
            self.indexes.iter().map(|(name, index)| (name.clone(), index.table.clone())).collect();
        for (name, view) in &self.views {
            catalog.views.insert(name.clone(), view.uses.all().cloned().collect());
            catalog.view_columns.insert(name.clone(), view.columns.iter().map(column).collect());
        }
        for (name, code) in &self.code {
            let body = code.body.as_deref().unwrap_or_default();
            catalog.routines.insert(name.clone(), words(&[&code.text, body]));
            note_writes(&mut catalog, name, &code.uses);
        }
        for (name, trigger) in &self.triggers {
            catalog.routines.insert(name.clone(), words(&[&trigger.text]));
            note_writes(&mut catalog, name, &trigger.uses);
            if trigger.enabled {
                let own = catalog.triggers.entry(trigger.table.clone()).or_default();
                own.push((name.clone(), trigger.events));
            }
        }
        for (name, table) in &self.tables {
            for constraint in &table.constraints {
                let (Some((parent, _)), Some(how)) = (&constraint.references, &constraint.on_delete) else {
                    continue;
                };
                let emptied = if how == "set_null" { constraint.columns.clone() } else { Vec::new() };
                catalog.follow.entry(parent.clone()).or_default().push((name.clone(), emptied));
            }
        }
        catalog.sequences = self.sequences.keys().cloned().collect();
        catalog.synonyms = self.synonyms.clone();
        catalog
    }

    fn table(&self, name: &str, table: &Table) -> CatalogTable {
        let keys = |kind: ConstraintKind| {
            table.constraints.iter().filter(move |c| c.kind == kind && c.enabled).map(|c| c.columns.clone())
        };
        let indexes = || self.indexes.values().filter(|index| index.table == name);
        let mut unique: Vec<Vec<String>> = keys(ConstraintKind::PrimaryKey).collect();
        unique.extend(keys(ConstraintKind::Unique));
        unique.extend(indexes().filter(|i| i.unique && !i.unusable).map(|i| i.columns.clone()));
        unique.sort();
        unique.dedup();
        let usable = indexes().filter(|i| !i.unusable && !i.invisible);
        CatalogTable {
            rows: table.rows,
            bytes: table.bytes,
            partitioned: table.partitioned,
            foreign: table.external,
            parent: None,
            columns: table.columns.iter().map(column).collect(),
            primary_key: keys(ConstraintKind::PrimaryKey).next().unwrap_or_default(),
            unique,
            indexed: usable.map(|i| i.columns.clone()).collect(),
            foreign_keys: foreign_keys(table),
            not_null_checks: not_null_checks(table),
            storage: Storage {
                temporary: table.temporary,
                index_organized: table.index_organized,
                changes_logged: table.supplemental_logging,
                global_index: table.partitioned && indexes().any(|index| !index.local),
            },
        }
    }
}

fn foreign_keys(table: &Table) -> Vec<(Vec<String>, String, Vec<String>)> {
    let keys = table.constraints.iter().filter(|c| c.enabled);
    keys.filter_map(|c| {
        c.references.as_ref().map(|(parent, theirs)| (c.columns.clone(), parent.clone(), theirs.clone()))
    })
    .collect()
}

/// Checks that say only that a column is not NULL.
fn not_null_checks(table: &Table) -> Vec<NotNullCheck> {
    let column = |condition: &str| {
        let words: Vec<&str> = condition.split_whitespace().collect();
        match words.as_slice() {
            [name, is, not, null] if [*is, *not, *null].join(" ").eq_ignore_ascii_case("is not null") => {
                let plain = name.trim_matches('"');
                Some(if name.starts_with('"') { plain.to_owned() } else { plain.to_uppercase() })
            }
            _ => None,
        }
    };
    let checks = table.constraints.iter().filter(|c| c.kind == ConstraintKind::Check && c.enabled);
    checks
        .filter_map(|c| {
            let columns = vec![column(c.condition.as_deref()?)?];
            Some(NotNullCheck { name: Some(c.name.clone()), columns, valid: c.validated })
        })
        .collect()
}

fn column(column: &Column) -> CatalogColumn {
    CatalogColumn {
        name: column.name.clone(),
        sql_type: column.sql_type.clone(),
        not_null: column.not_null,
        // A default of NULL is none.
        has_default: column.identity.is_some()
            || column.default.as_ref().is_some_and(|text| !text.trim().eq_ignore_ascii_case("null")),
        generated: column.is_virtual || column.identity == Some(Identity::Always),
        max_length: types::max_length(&column.sql_type),
        hidden: column.invisible,
    }
}

/// What code writes, unless it also runs SQL that is made of strings.
fn note_writes(catalog: &mut Catalog, name: &str, uses: &Uses) {
    if catalog
        .routines
        .get(name)
        .is_some_and(|words| words.contains("immediate") || words.contains("dbms_sql"))
    {
        return;
    }
    let writes = uses.writes.iter().map(|written| Write {
        table: written.table.clone(),
        columns: written.columns.clone(),
        inserts: written.inserts,
        handles_conflicts: false,
    });
    catalog.routine_writes.insert(name.to_owned(), writes.collect());
}

/// The words of code, small: what of them may be names.
fn words(texts: &[&str]) -> BTreeSet<String> {
    let split = |text: &&str| {
        let words = text.split(|c: char| !c.is_alphanumeric() && !"_$#".contains(c));
        words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect::<Vec<_>>()
    };
    texts.iter().flat_map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::oracle::dictionary::objects::{Constraint, Index};

    #[test]
    fn a_check_against_null_is_seen() {
        let check = |condition: &str| Constraint {
            name: "CK".into(),
            kind: ConstraintKind::Check,
            columns: Vec::new(),
            condition: Some(condition.into()),
            references: None,
            on_delete: None,
            enabled: true,
            validated: false,
            deferrable: false,
            generated_name: false,
        };
        let of = |condition| {
            let table = Table { constraints: vec![check(condition)], ..Table::default() };
            not_null_checks(&table).into_iter().flat_map(|c| c.columns).collect::<Vec<_>>()
        };
        assert_eq!(of("region IS NOT NULL"), ["REGION"]);
        assert_eq!(of("\"Region\" is not  null"), ["Region"]);
        assert_eq!(of("region IS NOT NULL OR x = 1"), [] as [&str; 0]);
    }

    #[test]
    fn a_catalog_tells_how_tables_are_kept() {
        let table = |partitioned, index_organized, supplemental_logging| Table {
            partitioned,
            index_organized,
            supplemental_logging,
            ..Table::default()
        };
        let index = |of: &str, local| Index { table: of.into(), local, ..Index::default() };
        let dictionary = Dictionary {
            tables: [
                ("S.LOCAL".to_owned(), table(true, false, false)),
                ("S.GLOBAL".to_owned(), table(true, false, true)),
                ("S.PLAIN".to_owned(), table(false, true, false)),
            ]
            .into(),
            indexes: [
                ("S.L".to_owned(), index("S.LOCAL", true)),
                ("S.G".to_owned(), index("S.GLOBAL", false)),
                ("S.P".to_owned(), index("S.PLAIN", false)),
            ]
            .into(),
            ..Dictionary::default()
        };
        let catalog = dictionary.catalog();
        let none = Storage::default();
        let kept = |name: &str| catalog.tables.get(name).map(|table| table.storage);
        assert_eq!(kept("S.LOCAL"), Some(none));
        assert_eq!(kept("S.GLOBAL"), Some(Storage { global_index: true, changes_logged: true, ..none }));
        assert_eq!(kept("S.PLAIN"), Some(Storage { index_organized: true, ..none }));
    }
}
