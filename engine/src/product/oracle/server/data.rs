//! What tables hold, as hashes that do not depend on the order of rows.
//!
//! Each row is hashed by the server (`STANDARD_HASH`), and the hashes are added up: nothing but a count and two sums comes here. Of a LOB the
//! first 4,000 and the last 1,000 characters (8,000 and 2,000 bytes) and the length are compared. Columns of JSON, XMLTYPE, VECTOR, LONG,
//! BFILE and of object types are not, nor are virtual columns, which are made of others.

use std::collections::BTreeMap;
use std::time::Duration;

use drydock_oracle_protocol::{Execute, Query};
use sha2::{Digest, Sha256};

use super::sql::{quoted, relation};
use crate::error::{Error, Result};
use crate::model::hex;
use crate::model::schema::{DataFingerprint, TableFingerprint};
use crate::product::oracle::dictionary::{Dictionary, Table};
use crate::product::oracle::session::Session;

/// A table may be read from end to end.
const LIMIT: Duration = Duration::from_secs(4 * 3_600);
/// Hashes of columns that are put behind one another before they are hashed again: 32 digits each, in a text of 4,000.
const TOGETHER: usize = 100;

/// All tables, or those of these names, as they are at one moment.
pub async fn fingerprint(
    session: &mut Session,
    dictionary: &Dictionary,
    only: Option<&[String]>,
) -> Result<DataFingerprint> {
    let begin = Execute { sql: "SET TRANSACTION READ ONLY".to_owned(), rows: Vec::new() };
    session.execute(begin, LIMIT).await?;
    let read = tables(session, dictionary, only).await;
    session.rollback(LIMIT).await?;
    let tables = read?;
    let mut digest = Sha256::new();
    for (name, table) in &tables {
        digest.update(format!("{name} {} {}\n", table.rows, table.hash));
    }
    Ok(DataFingerprint { tables, digest: hex(&digest.finalize()) })
}

async fn tables(
    session: &mut Session,
    dictionary: &Dictionary,
    only: Option<&[String]>,
) -> Result<BTreeMap<String, TableFingerprint>> {
    let mut found = BTreeMap::new();
    for (name, table) in &dictionary.tables {
        // What is in a file outside is not the database's, and rows of a session are nobody else's.
        if table.external || table.temporary || only.is_some_and(|only| !only.contains(name)) {
            continue;
        }
        let columns = compared(table);
        let (rows, hash) = sums(session, name, &columns, "", LIMIT).await?;
        let trigger_columns = None;
        found.insert(name.clone(), TableFingerprint { rows, hash, trigger_columns });
    }
    Ok(found)
}

/// Names and types of the columns that are compared, in an order of their own.
fn compared(table: &Table) -> Vec<(String, String)> {
    let columns = table.columns.iter().filter(|c| !c.is_virtual && hashed(&c.name, &c.sql_type).is_some());
    let mut columns: Vec<_> = columns.map(|c| (c.name.clone(), c.sql_type.clone())).collect();
    columns.sort();
    columns
}

/// How many rows there are, and the digest of their values in these columns. `condition`: with its `WHERE`.
///
/// # Errors
/// As the server has it; `Busy` when the limit is reached.
pub async fn sums(
    session: &mut Session,
    table: &str,
    columns: &[(String, String)],
    condition: &str,
    limit: Duration,
) -> Result<(u64, String)> {
    let sql = sums_query(table, columns, condition);
    let rows = session.query(Query { sql, binds: Vec::new(), max_rows: 1, lobs: false }, limit).await?;
    let mut values = rows.rows.into_iter().flatten();
    let count = values.next().flatten().and_then(|text| text.parse().ok());
    let count = count.ok_or_else(|| Error::failed(format!("the rows of {table} are not counted")))?;
    let sums: Vec<String> = values.map(Option::unwrap_or_default).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let digest = Sha256::digest(format!("{}\n{}", names.join(","), sums.join("\n")));
    Ok((count, hex(&digest)))
}

fn sums_query(table: &str, columns: &[(String, String)], condition: &str) -> String {
    let hashes: Vec<String> = columns.iter().filter_map(|(name, sql_type)| hashed(name, sql_type)).collect();
    let row = together(hashes);
    // Fifteen hexadecimal digits are a number that SUM adds up without losing any of it.
    let part = |from: u32| format!("SUM(TO_NUMBER(SUBSTR(h, {from}, 15), 'XXXXXXXXXXXXXXX'))");
    format!(
        "/* drydock rows */ SELECT COUNT(*), {}, {} FROM (SELECT {row} AS h FROM {} {condition})",
        part(1),
        part(16),
        relation(table)
    )
}

/// One hash of many, as 32 digits.
fn together(mut hashes: Vec<String>) -> String {
    while hashes.len() > TOGETHER {
        hashes = hashes.chunks(TOGETHER).map(|some| md5(&some.join(" || "))).collect();
    }
    match hashes.is_empty() {
        true => "'0'".to_owned(),
        false => md5(&hashes.join(" || ")),
    }
}

fn md5(expression: &str) -> String {
    format!("RAWTOHEX(STANDARD_HASH({expression}, 'MD5'))")
}

/// The hash of a column's values as SQL, 32 digits or one for NULL. `None`: of this type there is none.
fn hashed(name: &str, sql_type: &str) -> Option<String> {
    let column = quoted(name);
    let kind = sql_type.split(['(', ' ']).next().unwrap_or_default();
    let of = match kind {
        "TIMESTAMP" if sql_type.ends_with("WITH TIME ZONE") => {
            md5(&format!("TO_CHAR({column}, 'YYYY-MM-DD HH24:MI:SS.FF9 TZR')"))
        }
        "TIMESTAMP" if sql_type.ends_with("LOCAL TIME ZONE") => {
            md5(&format!("TO_CHAR(SYS_EXTRACT_UTC({column}), 'YYYY-MM-DD HH24:MI:SS.FF9')"))
        }
        "VARCHAR2" | "NVARCHAR2" | "CHAR" | "NCHAR" | "NUMBER" | "FLOAT" | "BINARY_FLOAT"
        | "BINARY_DOUBLE" | "DATE" | "TIMESTAMP" | "INTERVAL" | "RAW" => md5(&column),
        "BOOLEAN" => md5(&format!("TO_CHAR({column})")),
        "CLOB" | "NCLOB" => pieces(&column, 1_000),
        "BLOB" => pieces(&column, 2_000),
        _ => return None,
    };
    Some(format!("CASE WHEN {column} IS NULL THEN '-' ELSE {of} END"))
}

/// Of a LOB: its length, four pieces from its beginning and one from its end.
fn pieces(column: &str, size: u32) -> String {
    let piece = |from: String| {
        let piece = format!("DBMS_LOB.SUBSTR({column}, {size}, {from})");
        format!("NVL({}, '-')", md5(&piece))
    };
    let begin = (0..4).map(|number| piece((number * size + 1).to_string()));
    let end = piece(format!("GREATEST(DBMS_LOB.GETLENGTH({column}) - {}, 1)", size - 1));
    let all: Vec<String> =
        std::iter::once(format!("TO_CHAR(DBMS_LOB.GETLENGTH({column}))")).chain(begin).chain([end]).collect();
    md5(&all.join(" || "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::catalog::Catalog;
    use crate::product::oracle::grammar::{self, Context};

    fn columns(types: &[&str]) -> Vec<(String, String)> {
        let named = (1..).zip(types);
        named.map(|(at, sql_type): (u32, _)| (format!("C{at}"), (*sql_type).to_owned())).collect()
    }

    #[test]
    fn each_query_is_one_that_oracle_reads() {
        let all = columns(&[
            "NUMBER",
            "VARCHAR2(40 CHAR)",
            "CHAR(3)",
            "DATE",
            "TIMESTAMP(6)",
            "TIMESTAMP(6) WITH TIME ZONE",
            "TIMESTAMP(6) WITH LOCAL TIME ZONE",
            "INTERVAL DAY(2) TO SECOND(6)",
            "RAW(16)",
            "CLOB",
            "BLOB",
            "FLOAT(126)",
        ]);
        for (columns, condition) in [
            (all, "WHERE \"C1\" IS NOT NULL"),
            (columns(&vec!["NUMBER(4)"; 250]), ""),
            (columns(&["JSON"]), ""),
        ] {
            let sql = sums_query("APP.T", &columns, condition);
            let pieces = grammar::pieces(&sql, &Context::new("19c", &Catalog::default())).unwrap();
            let [piece] = pieces.as_slice() else { panic!("{sql}") };
            assert_eq!(piece.read.as_ref().unwrap().kind, "select", "{sql}");
        }
    }

    #[test]
    fn no_text_of_hashes_grows_beyond_what_oracle_takes() {
        for count in [1, 100, 101, 1_000] {
            let sql = sums_query("APP.T", &columns(&vec!["NUMBER"; count]), "");
            let longest = sql.split("STANDARD_HASH(").map(|part| part.matches(" || ").count()).max().unwrap();
            assert!(longest < TOGETHER, "{count}: {longest}");
            assert_eq!(sql.matches("IS NULL").count(), count);
        }
    }

    #[test]
    fn what_has_no_hash_is_left_out() {
        for sql_type in
            ["JSON", "XMLTYPE", "LONG", "BFILE", "VECTOR(3,FLOAT32)", "MDSYS.SDO_GEOMETRY", "ROWID"]
        {
            assert_eq!(hashed("C", sql_type), None, "{sql_type}");
        }
    }
}
