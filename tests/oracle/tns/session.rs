//! What a server knows of a session: what the client said when it came, and what it has set since.

use std::collections::BTreeMap;

use super::packet::{Result, Wire};
use super::read::text;

#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Numbered from 1 in the order in which they came.
    pub id: u32,
    pub service: String,
    pub user: String,
    pub program: String,
    pub machine: String,
    pub os_user: String,
    pub driver: String,
    pub module: String,
    pub action: String,
    pub client_identifier: String,
    pub client_info: String,
    pub db_op: String,
    pub edition: String,
    pub current_schema: String,
    pub time_zone: String,
    /// Something has been changed and not been committed.
    pub in_transaction: bool,
}

impl Session {
    /// What the client says of itself while it logs on.
    pub fn take_pairs(&mut self, pairs: &BTreeMap<String, String>) {
        for (key, value) in pairs {
            let place = match key.as_str() {
                "AUTH_PROGRAM_NM" => &mut self.program,
                "AUTH_MACHINE" => &mut self.machine,
                "AUTH_SID" => &mut self.os_user,
                "SESSION_CLIENT_DRIVER_NAME" => &mut self.driver,
                "AUTH_ORA_EDITION" => &mut self.edition,
                "AUTH_ALTER_SESSION" => {
                    self.alter(value.trim_end_matches('\0'));
                    continue;
                }
                _ => continue,
            };
            place.clone_from(value);
        }
    }

    /// Follows what ALTER SESSION sets, as far as it shows in a session's facts.
    pub fn alter(&mut self, sql: &str) {
        let upper = sql.to_uppercase();
        let setting = |name: &str| -> Option<String> {
            let at = upper.find(name)? + name.len();
            let value = sql.get(at..)?.trim_start().strip_prefix('=')?.trim_start();
            let quoted = value.strip_prefix(['\'', '"']);
            let end = if quoted.is_some() { "'\"" } else { " \t\r\n;" };
            let value = quoted.unwrap_or(value);
            let value = value.split(|letter| end.contains(letter)).next()?;
            Some(if quoted.is_some() { value.into() } else { value.to_uppercase() })
        };
        if !upper.trim_start().starts_with("ALTER SESSION") {
            return;
        }
        if let Some(schema) = setting("CURRENT_SCHEMA") {
            self.current_schema = schema;
        }
        if let Some(edition) = setting(" EDITION") {
            self.edition = edition;
        }
        if let Some(zone) = setting("TIME_ZONE") {
            self.time_zone = zone;
        }
    }

    /// The attributes that come along with the next call (crate `oracledb`, `client/mod.rs`, `write_piggyback_end_to_end`).
    pub fn read_attributes(&mut self, from: &mut Wire, is_ojdbc: bool) -> Result<()> {
        from.take(2)?;
        from.ub()?; // which of them are set; the pointers say the same
        let sized = |from: &mut Wire| -> Result<Option<usize>> {
            let present = from.u8()? != 0;
            let size = from.size()?;
            Ok(present.then_some(size))
        };
        let identifier = sized(from)?;
        let module = sized(from)?;
        let action = sized(from)?;
        sized(from)?;
        sized(from)?;
        let info = sized(from)?;
        sized(from)?;
        sized(from)?;
        let operation = sized(from)?;
        let places = [
            (identifier, &mut self.client_identifier),
            (module, &mut self.module),
            (action, &mut self.action),
            (info, &mut self.client_info),
            (operation, &mut self.db_op),
        ];
        for (size, place) in places {
            match size {
                Some(0) => place.clear(),
                Some(size) if is_ojdbc => *place = text(&from.raw(size)?),
                Some(_) => *place = text(&from.chunked()?),
                None => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Session;

    #[test]
    fn alter_session_is_followed() {
        let mut session = Session::default();
        session.alter("alter session set current_schema = app");
        session.alter("ALTER SESSION SET TIME_ZONE='+02:00'");
        session.alter("alter session set edition = green");
        session.alter("select 'alter session set current_schema = x' from dual");
        assert_eq!(
            (session.current_schema.as_str(), session.time_zone.as_str(), session.edition.as_str()),
            ("APP", "+02:00", "GREEN")
        );
    }
}
