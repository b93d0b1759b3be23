//! How the type of a column is written.

/// What the driver and `DBMS_SQL` tell of a type. The numbers are Oracle's
/// (<https://docs.oracle.com/en/database/oracle/oracle-database/19/sqlrf/Data-Types.html>, "Built-in Data Type Summary").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnFacts {
    pub code: i64,
    /// Of text and RAW.
    pub length: i64,
    pub precision: i64,
    pub scale: i64,
    /// The national character set.
    pub national: bool,
    /// `SCHEMA.TYPE` of an object.
    pub object: Option<String>,
}

/// The type as a table declares it.
pub fn type_name(of: &ColumnFacts) -> String {
    let ColumnFacts { length, precision, scale, .. } = of;
    let national = if of.national { "N" } else { "" };
    match of.code {
        1 if of.national => format!("NVARCHAR2({length})"),
        1 => format!("VARCHAR2({length})"),
        2 => match (precision, scale) {
            (0, 0 | -127) => "NUMBER".into(),
            (_, -127) => format!("FLOAT({precision})"),
            (0, scale) => format!("NUMBER(*,{scale})"),
            (_, 0) => format!("NUMBER({precision})"),
            _ => format!("NUMBER({precision},{scale})"),
        },
        8 => "LONG".into(),
        11 | 69 => "ROWID".into(),
        12 => "DATE".into(),
        23 => format!("RAW({length})"),
        24 => "LONG RAW".into(),
        96 => format!("{national}CHAR({length})"),
        100 => "BINARY_FLOAT".into(),
        101 => "BINARY_DOUBLE".into(),
        102 => "REF CURSOR".into(),
        109 => of.object.clone().unwrap_or_else(|| "OBJECT".into()),
        111 => "REF".into(),
        112 => format!("{national}CLOB"),
        113 => "BLOB".into(),
        114 => "BFILE".into(),
        119 => "JSON".into(),
        127 => "VECTOR".into(),
        180 => format!("TIMESTAMP({scale})"),
        181 => format!("TIMESTAMP({scale}) WITH TIME ZONE"),
        182 => format!("INTERVAL YEAR({precision}) TO MONTH"),
        183 => format!("INTERVAL DAY({precision}) TO SECOND({scale})"),
        208 => "UROWID".into(),
        231 => format!("TIMESTAMP({scale}) WITH LOCAL TIME ZONE"),
        252 => "BOOLEAN".into(),
        code => format!("UNKNOWN({code})"),
    }
}

#[cfg(test)]
mod tests {
    use super::{ColumnFacts, type_name};

    #[test]
    fn types_are_written_as_tables_declare_them() {
        let of = |code, length, precision, scale| ColumnFacts {
            code,
            length,
            precision,
            scale,
            ..Default::default()
        };
        for (facts, text) in [
            (of(1, 30, 0, 0), "VARCHAR2(30)"),
            (ColumnFacts { national: true, ..of(1, 30, 0, 0) }, "NVARCHAR2(30)"),
            (of(2, 22, 0, -127), "NUMBER"),
            (of(2, 22, 5, 2), "NUMBER(5,2)"),
            (of(2, 22, 38, 0), "NUMBER(38)"),
            (of(2, 22, 3, -2), "NUMBER(3,-2)"),
            (of(2, 22, 126, -127), "FLOAT(126)"),
            (of(12, 7, 0, 0), "DATE"),
            (ColumnFacts { national: true, ..of(96, 3, 0, 0) }, "NCHAR(3)"),
            (ColumnFacts { national: true, ..of(112, 0, 0, 0) }, "NCLOB"),
            (of(181, 13, 0, 6), "TIMESTAMP(6) WITH TIME ZONE"),
            (of(183, 11, 2, 6), "INTERVAL DAY(2) TO SECOND(6)"),
            (
                ColumnFacts { object: Some("MDSYS.SDO_GEOMETRY".into()), ..of(109, 0, 0, 0) },
                "MDSYS.SDO_GEOMETRY",
            ),
            (of(999, 0, 0, 0), "UNKNOWN(999)"),
        ] {
            assert_eq!(type_name(&facts), text);
        }
    }
}
