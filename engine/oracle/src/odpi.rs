//! ODPI-C, by the crate `oracle`. It loads Oracle Instant Client when it connects. Nobody has tried it: there is no server to try it with, and the
//! stand-in does not speak to Instant Client.

mod values;

use std::time::Duration;

use drydock_oracle_protocol::{
    Application, Bind, COMPILED_WITH_ERRORS, Column, Connect, Connected, Execute, Executed, Failure,
    FailureKind, Query, Reason, Rows, Warning,
};
use oracle::sql_type::{OracleType, ToSql};
use oracle::{Connector, ErrorKind, InitParams};

use crate::driver::{Connection, Result, kind_of_code, without_help};

const PAGE: u32 = 200;

/// The library takes its folder of `tnsnames.ora` and `sqlnet.ora` once for a process, and this one has one connection.
pub fn connect(to: &Connect) -> Result<Box<dyn Connection>> {
    if let Some(folder) = &to.wallet {
        let mut settings = InitParams::new();
        settings.oracle_client_config_dir(folder.as_str()).map_err(failure)?;
        settings.init().map_err(failure)?;
    }
    let connection =
        Connector::new(to.user.as_str(), to.password.expose(), to.connect_string.as_str()).connect();
    Ok(Box::new(Odpi { connection: connection.map_err(connecting)? }))
}

struct Odpi {
    connection: oracle::Connection,
}

impl Connection for Odpi {
    fn facts(&self) -> Result<Connected> {
        let (version, _) = self.connection.server_version().map_err(failure)?;
        let info = self.connection.info().map_err(failure)?;
        let sql = "select sys_context('USERENV', 'SID') from dual";
        let session: u64 = self.connection.query_row_as(sql, &[]).map_err(failure)?;
        Ok(Connected {
            version: version.to_string(),
            database: info.db_name,
            service: info.service_name,
            instance: info.instance_name,
            session,
            // V$SESSION has it, which not everybody may read.
            serial: 0,
            warnings: self.warning().into_iter().collect(),
        })
    }

    fn name(&mut self, application: &Application) -> Result<()> {
        self.connection.set_module(&application.module).map_err(failure)?;
        self.connection.set_action(&application.action).map_err(failure)?;
        self.connection.set_client_identifier(&application.client_identifier).map_err(failure)
    }

    fn limit(&mut self, limit: Duration) -> Result<()> {
        self.connection.set_call_timeout(Some(limit)).map_err(failure)
    }

    fn query(&mut self, query: &Query) -> Result<Rows> {
        let page = u32::try_from(query.max_rows.saturating_add(1)).unwrap_or(PAGE).min(PAGE);
        let mut statement = self
            .connection
            .statement(&query.sql)
            .fetch_array_size(page)
            .prefetch_rows(page)
            .build()
            .map_err(failure)?;
        let binds = values::row(&query.binds)?;
        let names: Vec<String> = statement.bind_names().into_iter().map(str::to_owned).collect();
        let found = statement.query_named(&named(&names, &binds)?).map_err(failure)?;
        let columns: Vec<Column> = found
            .column_info()
            .iter()
            .map(|column| Column {
                name: column.name().to_owned(),
                type_name: column.oracle_type().to_string(),
                nullable: column.nullable(),
                length_only: !query.lobs && values::is_lob(column.oracle_type()),
            })
            .collect();
        let (mut rows, mut more) = (Vec::new(), false);
        for row in found {
            let row = row.map_err(failure)?;
            more = u64::try_from(rows.len()).unwrap_or(u64::MAX) >= query.max_rows;
            if more {
                break;
            }
            let texts = (0..columns.len()).map(|at| values::text(&row, at, query.lobs));
            rows.push(texts.collect::<Result<Vec<_>>>()?);
        }
        Ok(Rows { columns, rows, more })
    }

    fn execute(&mut self, statement: &Execute) -> Result<Executed> {
        let mut count = 0;
        let mut prepared = self.connection.statement(&statement.sql).build().map_err(failure)?;
        let names: Vec<String> = prepared.bind_names().into_iter().map(str::to_owned).collect();
        let once = [Vec::new()];
        let rows = if statement.rows.is_empty() { once.as_slice() } else { &statement.rows };
        for row in rows {
            let binds = values::row(row)?;
            prepared.execute_named(&named(&names, &binds)?).map_err(failure)?;
            count += prepared.row_count().map_err(failure)?;
        }
        Ok(Executed { count, warnings: self.warning().into_iter().collect() })
    }

    fn block(&mut self, sql: &str, given: &[(&str, Bind)], taken: &[&str]) -> Result<Vec<Option<String>>> {
        let binds: Vec<Bind> = given.iter().map(|(_, bind)| bind.clone()).collect();
        let binds = values::row(&binds)?;
        let text = OracleType::Varchar2(4_000);
        let given = given.iter().zip(&binds).map(|((name, _), value)| (*name, value.as_ref()));
        let all: Vec<(&str, &dyn ToSql)> =
            given.chain(taken.iter().map(|name| (*name, &text as &dyn ToSql))).collect();
        let mut statement = self.connection.statement(sql).build().map_err(failure)?;
        statement.execute_named(&all).map_err(failure)?;
        taken.iter().map(|name| statement.bind_value::<_, Option<String>>(*name).map_err(failure)).collect()
    }

    fn commit(&mut self) -> Result<()> {
        self.connection.commit().map_err(failure)
    }

    fn rollback(&mut self) -> Result<()> {
        self.connection.rollback().map_err(failure)
    }

    fn ping(&mut self) -> Result<()> {
        self.connection.ping().map_err(failure)
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.connection.close().map_err(failure)
    }
}

impl Odpi {
    /// Of the last call.
    fn warning(&self) -> Option<Warning> {
        let warning = self.connection.last_warning()?;
        let code =
            warning.oci_code().map_or(COMPILED_WITH_ERRORS.to_owned(), |code| format!("ORA-{code:05}"));
        Some(Warning { code, message: without_help(&warning.to_string()), certain: true })
    }
}

fn named<'a>(names: &'a [String], values: &'a [Box<dyn ToSql>]) -> Result<Vec<(&'a str, &'a dyn ToSql)>> {
    if names.len() != values.len() {
        let why = format!("the statement takes {} values, and {} were given", names.len(), values.len());
        return Err(Failure::new(FailureKind::Internal, why).reason(Reason::Value));
    }
    Ok(names.iter().map(String::as_str).zip(values.iter().map(AsRef::as_ref)).collect())
}

fn connecting(error: oracle::Error) -> Failure {
    let failure = failure(error);
    match failure.kind {
        FailureKind::Statement => Failure { kind: FailureKind::Connection, offset: None, ..failure },
        _ => failure,
    }
}

/// `DPI-1047` is that Instant Client cannot be loaded, `DPI-1067` that a call took too long, `DPI-1010` and `DPI-1080` that the connection is gone.
fn failure(error: oracle::Error) -> Failure {
    let message = without_help(&error.to_string());
    match (error.kind(), error.dpi_code()) {
        (_, Some(1047)) => {
            Failure::new(FailureKind::Connection, message).code("DPI-1047").reason(Reason::NoClientLibrary)
        }
        (_, Some(1067)) => Failure::new(FailureKind::Timeout, message),
        (_, Some(1010 | 1080)) => Failure::new(FailureKind::Connection, message).reason(Reason::Lost),
        (ErrorKind::OciError, _) => {
            let code = error.oci_code().and_then(|code| usize::try_from(code).ok()).unwrap_or_default();
            let kind = kind_of_code(code);
            let offset = error.db_error().map(|said| u64::from(said.offset()));
            let offset = offset.filter(|_| kind == FailureKind::Statement);
            Failure { offset, ..Failure::new(kind, message).code(format!("ORA-{code:05}")) }
        }
        _ => Failure::new(FailureKind::Internal, message),
    }
}
