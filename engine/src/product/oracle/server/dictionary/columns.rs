//! Columns of tables and views.

use super::rows::{Row, Table as Rows};
use crate::error::Result;
use crate::product::oracle::dictionary::{Column, Dictionary, Identity, Table};

pub fn read(rows: &Rows, dictionary: &mut Dictionary) -> Result<()> {
    let schema = dictionary.schema.clone();
    for row in rows.rows() {
        if is_the_servers_own(row)? {
            continue;
        }
        let relation = row.name("OWNER", "TABLE_NAME")?;
        let Some(columns) = columns_of(dictionary, &relation) else { continue };
        let always = row.maybe("GENERATION_TYPE")?.map(|way| way == "ALWAYS");
        let on_null = row.is("DEFAULT_ON_NULL", "YES")?;
        let identity = match (always, on_null) {
            (None, _) => None,
            (Some(true), _) => Some(Identity::Always),
            (Some(false), true) => Some(Identity::ByDefaultOnNull),
            (Some(false), false) => Some(Identity::ByDefault),
        };
        let column = Column {
            name: row.text("COLUMN_NAME")?.to_owned(),
            sql_type: sql_type(row, &schema)?,
            not_null: row.is("NULLABLE", "N")?,
            on_null: on_null && identity.is_none(),
            identity,
            is_virtual: row.is("VIRTUAL_COLUMN", "YES")?,
            invisible: row.is("HIDDEN_COLUMN", "YES")?,
            encrypted: row.maybe("ENCRYPTION_ALG")?.is_some(),
            comment: row.maybe("COMMENTS")?.map(str::to_owned),
            ..Column::default()
        };
        columns.push(column);
    }
    Ok(())
}

/// What columns get where nothing is given; of a virtual one, what it is computed from.
pub fn defaults(rows: &Rows, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let name = row.text("COLUMN_NAME")?;
        let Some(columns) = columns_of(dictionary, &row.name("OWNER", "TABLE_NAME")?) else { continue };
        let Some(column) = columns.iter_mut().find(|c| c.name == name) else { continue };
        // The sequence of an identity is the server's own.
        if column.identity.is_none() {
            column.default = row.maybe("DATA_DEFAULT")?.map(|text| text.trim().to_owned());
        }
    }
    Ok(())
}

fn columns_of<'d>(dictionary: &'d mut Dictionary, relation: &str) -> Option<&'d mut Vec<Column>> {
    let Dictionary { tables, views, .. } = dictionary;
    let table = tables.get_mut(relation).map(|Table { columns, .. }| columns);
    table.or_else(|| views.get_mut(relation).map(|view| &mut view.columns))
}

/// Columns that stand for expressions of indexes, and those that were set unused and only wait to be removed.
fn is_the_servers_own(row: Row<'_>) -> Result<bool> {
    let name = row.text("COLUMN_NAME")?;
    let unused = name.starts_with("SYS_C") && name.ends_with('$') && name.contains(':');
    Ok(row.is("HIDDEN_COLUMN", "YES")? && (unused || row.is("USER_GENERATED", "NO")?))
}

/// The type as statements write it. A length without a word is one in bytes, whatever the setting of the session is.
fn sql_type(row: Row<'_>, schema: &str) -> Result<String> {
    let name = row.text("DATA_TYPE")?;
    let number = |column: &str| row.number(column);
    let length = |column: &str| Ok::<_, crate::error::Error>(number(column)?.unwrap_or(0));
    if let Some(owner) = row.maybe("DATA_TYPE_OWNER")? {
        let shown = matches!(owner, "SYS" | "PUBLIC") || owner == schema;
        return Ok(if shown { name.to_owned() } else { format!("{owner}.{name}") });
    }
    Ok(match name {
        "VARCHAR2" | "CHAR" if row.is("CHAR_USED", "C")? => {
            format!("{name}({} CHAR)", length("CHAR_LENGTH")?)
        }
        "VARCHAR2" | "CHAR" | "RAW" | "UROWID" => format!("{name}({})", length("DATA_LENGTH")?),
        "NVARCHAR2" | "NCHAR" => format!("{name}({})", length("CHAR_LENGTH")?),
        "NUMBER" => match (number("DATA_PRECISION")?, number("DATA_SCALE")?) {
            (None, None) => name.to_owned(),
            (None, Some(scale)) => format!("NUMBER(*,{scale})"),
            (Some(precision), None | Some(0)) => format!("NUMBER({precision})"),
            (Some(precision), Some(scale)) => format!("NUMBER({precision},{scale})"),
        },
        "FLOAT" => format!("FLOAT({})", number("DATA_PRECISION")?.unwrap_or(126)),
        // TIMESTAMP and INTERVAL have their digits in their names.
        other => other.to_owned(),
    })
}
