//! Columns, from what the driver tells of them.

use drydock_oracle_protocol::{Column, ColumnFacts, type_name};
use oracledb::{DbType, Metadata};

/// Oracle's numbers of types, and whether they are of the national character set. The driver's own are others.
const CODES: &[(&DbType, i64, bool)] = &[
    (oracledb::DB_TYPE_VARCHAR, 1, false),
    (oracledb::DB_TYPE_NVARCHAR, 1, true),
    (oracledb::DB_TYPE_NUMBER, 2, false),
    (oracledb::DB_TYPE_BINARY_INTEGER, 2, false),
    (oracledb::DB_TYPE_LONG, 8, false),
    (oracledb::DB_TYPE_LONG_NVARCHAR, 8, true),
    (oracledb::DB_TYPE_DATE, 12, false),
    (oracledb::DB_TYPE_RAW, 23, false),
    (oracledb::DB_TYPE_LONG_RAW, 24, false),
    (oracledb::DB_TYPE_ROWID, 69, false),
    (oracledb::DB_TYPE_CHAR, 96, false),
    (oracledb::DB_TYPE_NCHAR, 96, true),
    (oracledb::DB_TYPE_BINARY_FLOAT, 100, false),
    (oracledb::DB_TYPE_BINARY_DOUBLE, 101, false),
    (oracledb::DB_TYPE_CURSOR, 102, false),
    (oracledb::DB_TYPE_OBJECT, 109, false),
    (oracledb::DB_TYPE_XMLTYPE, 109, false),
    (oracledb::DB_TYPE_CLOB, 112, false),
    (oracledb::DB_TYPE_NCLOB, 112, true),
    (oracledb::DB_TYPE_BLOB, 113, false),
    (oracledb::DB_TYPE_BFILE, 114, false),
    (oracledb::DB_TYPE_JSON, 119, false),
    (oracledb::DB_TYPE_VECTOR, 127, false),
    (oracledb::DB_TYPE_TIMESTAMP, 180, false),
    (oracledb::DB_TYPE_TIMESTAMP_TZ, 181, false),
    (oracledb::DB_TYPE_INTERVAL_YM, 182, false),
    (oracledb::DB_TYPE_INTERVAL_DS, 183, false),
    (oracledb::DB_TYPE_UROWID, 208, false),
    (oracledb::DB_TYPE_TIMESTAMP_LTZ, 231, false),
    (oracledb::DB_TYPE_BOOLEAN, 252, false),
];

pub fn facts(of: &Metadata) -> ColumnFacts {
    let known = CODES.iter().find(|(db_type, ..)| *db_type == of.db_type());
    let (code, national) = known.map_or((0, false), |(_, code, national)| (*code, *national));
    ColumnFacts {
        code,
        length: of.max_size().into(),
        precision: of.precision().into(),
        scale: of.scale().into(),
        national,
        object: (of.db_type() == oracledb::DB_TYPE_XMLTYPE).then(|| "SYS.XMLTYPE".to_owned()),
    }
}

pub fn described(columns: &[Metadata], facts: &[ColumnFacts], lobs: bool) -> Vec<Column> {
    let each = columns.iter().zip(facts).map(|(column, facts)| Column {
        name: column.name().to_owned(),
        type_name: type_name(facts),
        nullable: column.nullable(),
        length_only: !lobs && matches!(facts.code, 112 | 113),
    });
    each.collect()
}
