//! Oracle's own driver in Rust, the crate `oracledb`.

mod binds;
mod columns;
mod failure;
mod json;
mod values;

use std::time::Duration;

use drydock_oracle_protocol::{
    Application, Bind, COMPILED_WITH_ERRORS, Connect, Connected, Execute, Executed, Failure, FailureKind,
    Query, Rows, Warning,
};
use oracledb::{BindParameters, Config, DB_TYPE_VARCHAR, ToDbValue};

use self::failure::{calling, connecting, naming};
use crate::driver::{Connection, Result};

/// Rows that come in one answer of the server.
const PAGE: u32 = 200;

/// # Errors
/// As the server, the listener, the network or the wallet has it.
pub fn connect(to: &Connect) -> Result<Box<dyn Connection>> {
    let mut config = Config::default()
        .set_credentials(&to.user, to.password.expose())
        .set_transport_connect_timeout(Some(Duration::from_millis(to.tcp_ms)))
        .set_driver_name(concat!("drydock : ", env!("CARGO_PKG_VERSION")));
    if let Some(folder) = &to.wallet {
        config = config.set_config_dir(folder).set_wallet_location(folder);
    }
    if let Some(password) = &to.wallet_password {
        config = config.set_wallet_password(password.expose());
    }
    let config = config.set_connect_string(&to.connect_string).map_err(naming)?;
    let connection = oracledb::connect(config).map_err(connecting)?;
    Ok(Box::new(Thin { connection }))
}

struct Thin {
    connection: oracledb::Connection,
}

impl Thin {
    fn warning(&self) -> Option<String> {
        self.connection.last_warning().ok().flatten()
    }
}

impl Connection for Thin {
    fn facts(&self) -> Result<Connected> {
        let number = |number: usize| u64::try_from(number).unwrap_or_default();
        let of = &self.connection;
        let warnings = self.warning().map(|message| warning(message, true));
        Ok(Connected {
            version: of.version().map_err(calling)?.to_string(),
            database: of.db_name().map_err(calling)?.to_owned(),
            service: of.service_name().map_err(calling)?.to_owned(),
            instance: of.instance_name().map_err(calling)?.to_owned(),
            session: number(of.session_id().map_err(calling)?),
            serial: number(of.serial_num().map_err(calling)?),
            warnings: warnings.into_iter().collect(),
        })
    }

    /// It goes to the server with the next call.
    fn name(&mut self, application: &Application) -> Result<()> {
        self.connection.set_module(&application.module).map_err(calling)?;
        self.connection.set_action(&application.action).map_err(calling)?;
        self.connection.set_client_identifier(&application.client_identifier).map_err(calling)
    }

    fn limit(&mut self, limit: Duration) -> Result<()> {
        self.connection.set_call_timeout(Some(limit)).map_err(calling)
    }

    fn query(&mut self, query: &Query) -> Result<Rows> {
        let values = binds::row(&query.binds)?;
        let page = u32::try_from(query.max_rows.saturating_add(1)).unwrap_or(PAGE).min(PAGE);
        let statement = self.connection.statement(&query.sql).map_err(calling)?;
        // LOBs as values would be described as LONG.
        let statement =
            statement.fetch_lobs().prefetch_rows(page).fetch_array_size(page).build().map_err(calling)?;
        let names = statement.bind_names().to_vec();
        let cursor = statement.query_named(&binds::named(&names, &values)?).map_err(calling)?;
        let facts: Vec<_> = cursor.columns().iter().map(columns::facts).collect();
        let columns = columns::described(cursor.columns(), &facts, query.lobs);
        let (mut rows, mut more) = (Vec::new(), false);
        for row in cursor {
            let mut row = row.map_err(calling)?;
            more = u64::try_from(rows.len()).unwrap_or(u64::MAX) >= query.max_rows;
            if more {
                break;
            }
            let values = facts.iter().enumerate().map(|(at, facts)| {
                values::text(&mut row, at, facts, query.lobs)
                    .map_err(|failure| values::of_column(failure, columns.get(at)))
            });
            rows.push(values.collect::<Result<Vec<_>>>()?);
        }
        Ok(Rows { columns, rows, more })
    }

    fn execute(&mut self, statement: &Execute) -> Result<Executed> {
        let before = self.warning();
        let count = match statement.rows.as_slice() {
            [] => self.connection.execute(&statement.sql, &[]).map_err(calling)?.rows_affected(),
            [row] => {
                let values = binds::row(row)?;
                let mut prepared =
                    self.connection.statement(&statement.sql).map_err(calling)?.build().map_err(calling)?;
                let names = prepared.bind_names().to_vec();
                prepared.execute_named(&binds::named(&names, &values)?).map_err(calling)?.rows_affected()
            }
            rows => {
                let rows = binds::rows(rows)?;
                let rows: Vec<Vec<&dyn ToDbValue>> =
                    rows.iter().map(|row| row.iter().map(AsRef::as_ref).collect()).collect();
                let rows: Vec<&[&dyn ToDbValue]> = rows.iter().map(Vec::as_slice).collect();
                let rows = BindParameters::Slice(&rows);
                self.connection.execute_batch(&statement.sql, rows).map_err(calling)?.rows_affected()
            }
        };
        let after =
            self.warning().filter(|after| stores_code(&statement.sql) || before.as_ref() != Some(after));
        let warnings = after.map(|message| warning(message.clone(), before != Some(message)));
        Ok(Executed { count, warnings: warnings.into_iter().collect() })
    }

    fn block(&mut self, sql: &str, given: &[(&str, Bind)], taken: &[&str]) -> Result<Vec<Option<String>>> {
        let binds: Vec<Bind> = given.iter().map(|(_, bind)| bind.clone()).collect();
        let values = binds::row(&binds)?;
        let given = given.iter().zip(&values).map(|((name, _), value)| (*name, value.as_ref()));
        let taken_values = taken.iter().map(|name| (*name, &DB_TYPE_VARCHAR as &dyn ToDbValue));
        let all: Vec<(&str, &dyn ToDbValue)> = given.chain(taken_values).collect();
        let mut result = self.connection.execute_named(sql, &all).map_err(calling)?;
        let row = result.out_bind_data();
        // They come in the order of the text.
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (at, name) in taken.iter().enumerate() {
            let place = sql.find(&format!(":{name}")).ok_or_else(|| {
                Failure::new(FailureKind::Internal, format!("the block has no placeholder {name}"))
            })?;
            places.push((place, at));
        }
        places.sort_unstable();
        let mut found = vec![None; taken.len()];
        for (index, (_, at)) in places.into_iter().enumerate() {
            if let Some(found) = found.get_mut(at) {
                *found = row.get::<Option<String>>(index).map_err(calling)?;
            }
        }
        Ok(found)
    }

    fn commit(&mut self) -> Result<()> {
        self.connection.commit().map_err(calling)
    }

    fn rollback(&mut self) -> Result<()> {
        self.connection.rollback().map_err(calling)
    }

    fn ping(&mut self) -> Result<()> {
        self.connection.ping().map_err(calling)
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        self.connection.close().map_err(calling)
    }
}

/// Whether a statement stores what is compiled.
fn stores_code(sql: &str) -> bool {
    ["create", "alter"].iter().any(|word| drydock_oracle_protocol::first_word(sql).eq_ignore_ascii_case(word))
}

/// The driver gives the server's text for a warning of the log-in, and one of its own, without a code, for stored code that does not compile.
fn warning(message: String, certain: bool) -> Warning {
    let coded = message.split(':').next().filter(|code| code.starts_with("ORA-")).map(str::to_owned);
    let code = coded.unwrap_or_else(|| COMPILED_WITH_ERRORS.to_owned());
    Warning { code, message: crate::driver::without_help(&message), certain }
}
