//! Tables, views, sequences, synonyms, rights, and the numbers of all objects.

use std::collections::BTreeSet;

use super::rows::Table as Rows;
use crate::error::Result;
use crate::product::oracle::dictionary::{Dictionary, Sequence, Table, View, split};

/// What Oracle sets where nothing is said: SQL Language Reference, CREATE SEQUENCE.
const LARGEST: &str = "9999999999999999999999999999";
const SMALLEST: &str = "-999999999999999999999999999";

pub fn tables(rows: &Rows, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let count =
            |name: &str| Ok::<_, crate::error::Error>(row.number(name)?.and_then(|n| u64::try_from(n).ok()));
        let (found, each) = (count("NUM_ROWS")?.unwrap_or(0), count("AVG_ROW_LEN")?.unwrap_or(0));
        let table = Table {
            rows: found,
            bytes: found.saturating_mul(each),
            partitioned: row.is("PARTITIONED", "YES")?,
            temporary: row.is("TEMPORARY", "Y")?,
            index_organized: row.maybe("IOT_TYPE")?.is_some(),
            external: row.is("EXTERNAL", "YES")?,
            read_only: row.is("READ_ONLY", "YES")?,
            comment: row.maybe("COMMENTS")?.map(str::to_owned),
            ..Table::default()
        };
        dictionary.tables.insert(row.name("OWNER", "TABLE_NAME")?, table);
    }
    Ok(())
}

pub fn views(rows: &Rows, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let view = View {
            text: row.maybe("TEXT")?.unwrap_or_default().trim().to_owned(),
            read_only: row.is("READ_ONLY", "Y")?,
            editioning: row.is("EDITIONING_VIEW", "Y")?,
            ..View::default()
        };
        dictionary.views.insert(row.name("OWNER", "VIEW_NAME")?, view);
    }
    Ok(())
}

pub fn materialized_views(rows: &Rows, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let view = View {
            text: row.maybe("QUERY")?.unwrap_or_default().trim().to_owned(),
            materialized: true,
            ..View::default()
        };
        dictionary.views.insert(row.name("OWNER", "MVIEW_NAME")?, view);
    }
    Ok(())
}

pub fn supplemental(rows: &Rows, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        if let Some(table) = dictionary.tables.get_mut(&row.name("OWNER", "TABLE_NAME")?) {
            table.supplemental_logging = true;
        }
    }
    Ok(())
}

pub fn sequences(rows: &Rows, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let increment = row.text("INCREMENT_BY")?.to_owned();
        let usual = if increment.starts_with('-') { (SMALLEST, "-1") } else { ("1", LARGEST) };
        let said = |name: &str, usual: &str| {
            let value = row.maybe(name)?.filter(|value| *value != usual);
            Ok::<_, crate::error::Error>(value.map(str::to_owned))
        };
        let sequence = Sequence {
            number: 0,
            cache: row.maybe("CACHE_SIZE")?.filter(|size| *size != "0").map(str::to_owned),
            cycle: row.is("CYCLE_FLAG", "Y")?,
            ordered: row.is("ORDER_FLAG", "Y")?,
            minimum: said("MIN_VALUE", usual.0)?,
            maximum: said("MAX_VALUE", usual.1)?,
            increment,
        };
        dictionary.sequences.insert(row.name("SEQUENCE_OWNER", "SEQUENCE_NAME")?, sequence);
    }
    Ok(())
}

pub fn synonyms(rows: &Rows, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let target = row.name("TABLE_OWNER", "TABLE_NAME")?;
        dictionary.synonyms.insert(row.name("OWNER", "SYNONYM_NAME")?, target);
    }
    Ok(())
}

/// Rights on what is known; those on single columns are not among them.
pub fn grants(rows: &Rows, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let object = row.name("TABLE_SCHEMA", "TABLE_NAME")?;
        let known = dictionary.tables.contains_key(&object)
            || dictionary.views.contains_key(&object)
            || dictionary.sequences.contains_key(&object)
            || dictionary.code.contains_key(&object);
        if known {
            let of = dictionary.grants.entry(object).or_default();
            of.entry(row.text("GRANTEE")?.to_owned()).or_default().insert(row.text("PRIVILEGE")?.to_owned());
        }
    }
    Ok(())
}

/// Gives each object the server's number of it. A materialized view has one for its table too.
pub fn numbers(rows: &Rows, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let name = row.name("OWNER", "OBJECT_NAME")?;
        let number = row.number("OBJECT_ID")?.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let place = match row.text("OBJECT_TYPE")? {
            "TABLE" => dictionary.tables.get_mut(&name).map(|t| &mut t.number),
            "VIEW" | "MATERIALIZED VIEW" => dictionary.views.get_mut(&name).map(|v| &mut v.number),
            "INDEX" => dictionary.indexes.get_mut(&name).map(|i| &mut i.number),
            "SEQUENCE" => dictionary.sequences.get_mut(&name).map(|s| &mut s.number),
            "TRIGGER" => dictionary.triggers.get_mut(&name).map(|t| &mut t.number),
            _ => dictionary.code.get_mut(&name).map(|c| &mut c.number),
        };
        if let Some(place) = place {
            *place = number;
        }
        // Objects that statements make later have numbers after these.
        dictionary.next = dictionary.next.max(number);
    }
    Ok(())
}

/// Takes Liquibase's tables away, which are told by what they are made of, since they may have any name.
pub fn without_liquibase(dictionary: &mut Dictionary) {
    let theirs: BTreeSet<String> = dictionary
        .tables
        .iter()
        .filter(|(name, table)| is_liquibases(name, table))
        .map(|(n, _)| n.clone())
        .collect();
    dictionary.tables.retain(|name, _| !theirs.contains(name));
    dictionary.indexes.retain(|_, index| !theirs.contains(&index.table));
    dictionary.triggers.retain(|_, trigger| !theirs.contains(&trigger.table));
    dictionary.grants.retain(|name, _| !theirs.contains(name));
    dictionary.synonyms.retain(|_, target| !theirs.contains(target));
}

/// The columns that tell a history of Liquibase's.
pub const HISTORY: [&str; 6] = ["ID", "AUTHOR", "FILENAME", "MD5SUM", "DATEEXECUTED", "EXECTYPE"];
const LOCK: [&str; 4] = ["ID", "LOCKED", "LOCKGRANTED", "LOCKEDBY"];

fn is_liquibases(name: &str, table: &Table) -> bool {
    let has = |columns: &[&str]| {
        columns.iter().all(|c| table.columns.iter().any(|own| own.name.eq_ignore_ascii_case(c)))
    };
    split(name).1.to_uppercase().starts_with("DATABASECHANGELOG") || has(&HISTORY) || has(&LOCK)
}
