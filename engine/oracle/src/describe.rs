//! What columns a query has, and whether DML can be parsed. Nothing runs.

use drydock_oracle_protocol::{
    Bind, BindType, Column, ColumnFacts, Failure, FailureKind, Reason, is_query_or_dml, type_name,
};

use crate::driver::{Connection, Result};

/// Parses `:p_statement` and puts its columns from the one numbered `:p_first` on into `:p_columns`, as many as have room, and how many there are
/// into `:p_total`. An error of the statement comes as text with its place, since that of a block would be a place in the block.
/// The names of placeholders may not be words of SQL.
const BLOCK: &str = "\
declare
  cursor_id integer;
  found integer := 0;
  described dbms_sql.desc_tab3;
  at_column integer := :p_first;
  one varchar2(4000);
  listed varchar2(4000);
begin
  cursor_id := dbms_sql.open_cursor;
  begin
    dbms_sql.parse(cursor_id, :p_statement, dbms_sql.native);
    if :p_queries = 1 then
      dbms_sql.describe_columns3(cursor_id, found, described);
    end if;
  exception when others then
    :p_error := sqlerrm;
    :p_place := dbms_sql.last_error_position;
    dbms_sql.close_cursor(cursor_id);
    return;
  end;
  dbms_sql.close_cursor(cursor_id);
  while at_column <= found loop
    one := substrb(described(at_column).col_name, 1, 1000) || chr(31) || described(at_column).col_type || chr(31)
      || described(at_column).col_max_len || chr(31) || described(at_column).col_precision || chr(31)
      || described(at_column).col_scale || chr(31) || described(at_column).col_charsetform || chr(31)
      || case when described(at_column).col_null_ok then '1' else '0' end || chr(31)
      || described(at_column).col_schema_name || chr(31) || described(at_column).col_type_name || chr(30);
    exit when nvl(lengthb(listed), 0) + lengthb(one) > 4000;
    listed := listed || one;
    at_column := at_column + 1;
  end loop;
  :p_columns := listed;
  :p_total := found;
end;";

/// What a text may have in PL/SQL, in bytes.
const LONGEST: usize = 32_767;

/// # Errors
/// Of a statement that is no query and no DML, and as the server has it.
pub fn describe(connection: &mut dyn Connection, sql: &str) -> Result<Vec<Column>> {
    if !is_query_or_dml(sql) {
        let why = "only queries and DML are described: parsing any other statement may run it";
        return Err(Failure::new(FailureKind::Statement, why).reason(Reason::NotDescribed));
    }
    if sql.len() > LONGEST {
        let why = format!("the statement has {} bytes, and only {LONGEST} can be described", sql.len());
        return Err(Failure::new(FailureKind::Statement, why).reason(Reason::NotDescribed));
    }
    let mut columns = Vec::new();
    loop {
        let given = [
            ("p_first", Bind::new(BindType::Number, (columns.len() + 1).to_string())),
            ("p_statement", Bind::text(sql)),
            ("p_queries", Bind::new(BindType::Number, if gives_rows(sql) { "1" } else { "0" })),
        ];
        let taken = connection.block(BLOCK, &given, &["p_error", "p_place", "p_columns", "p_total"])?;
        let text = |at: usize| taken.get(at).and_then(Option::as_deref).unwrap_or_default();
        if !text(0).is_empty() {
            return Err(failure(text(0), text(1)));
        }
        let before = columns.len();
        for record in text(2).split_terminator('\u{1e}') {
            columns.push(column(record).ok_or_else(|| malformed("a column"))?);
        }
        let total: usize = text(3).parse().map_err(|_| malformed("the number of columns"))?;
        if columns.len() >= total {
            return Ok(columns);
        }
        if columns.len() == before {
            return Err(malformed("the columns"));
        }
    }
}

fn malformed(what: &str) -> Failure {
    Failure::new(
        FailureKind::Internal,
        format!("the server described {what} in another way than it was asked to"),
    )
}

fn gives_rows(sql: &str) -> bool {
    // It is a query or DML. That begins with one of four other words.
    !["insert", "update", "delete", "merge"].iter().any(|word| starts_with(sql, word))
}

/// Whether the first word after comments is this one.
fn starts_with(sql: &str, word: &str) -> bool {
    drydock_oracle_protocol::first_word(sql).eq_ignore_ascii_case(word)
}

fn column(record: &str) -> Option<Column> {
    let mut fields = record.split('\u{1f}');
    let name = fields.next()?.to_owned();
    let mut number =
        || fields.next().and_then(|field| if field.is_empty() { Some(0) } else { field.parse().ok() });
    let (code, length, precision, scale, form) = (number()?, number()?, number()?, number()?, number()?);
    let nullable = fields.next()? == "1";
    let (schema, object) = (fields.next()?, fields.next()?);
    let object = (!object.is_empty()).then(|| format!("{schema}.{object}"));
    let facts = ColumnFacts { code, length, precision, scale, national: form == 2, object };
    Some(Column { name, type_name: type_name(&facts), nullable, length_only: false })
}

/// `ORA-00942: table or view does not exist`.
fn failure(text: &str, place: &str) -> Failure {
    let code = text.split(':').next().filter(|code| code.starts_with("ORA-")).map(str::to_owned);
    Failure {
        code,
        offset: place.parse().ok(),
        ..Failure::new(FailureKind::Statement, crate::driver::without_help(text))
    }
}
