//! Runs statements: asks the test's answers, and writes what they say.

use std::thread;

use super::answers::Outcome;
use super::column::describe;
use super::conversation::Conversation;
use super::cursor::{Cursor, Direction};
use super::log::Call;
use super::packet::{Broken, Result};
use super::reply::{Ending, parameters};
use super::request::{Execute, read_again, read_execute};
use super::sql::{StatementKind, kind};
use super::value::Value;
use super::write::Writer;

const NO_DATA_FOUND: u32 = 1403;
/// A bind's way in the message that tells it (crate `oracledb`, `constants.rs`, `TTC_BIND_DIR_*`).
const IN: u8 = 32;
const OUT: u8 = 16;

impl Conversation {
    pub(super) fn execute(&mut self) -> Result<()> {
        let call = read_execute(&mut self.wire, self.is_ojdbc, &self.lobs, &self.cursors)?;
        self.run_call(call)
    }

    pub(super) fn execute_again(&mut self, fetches: bool) -> Result<()> {
        let call = read_again(&mut self.wire, fetches, &self.lobs, &self.cursors)?;
        self.run_call(call)
    }

    pub(super) fn fetch(&mut self) -> Result<()> {
        let number = self.wire.ub()?;
        let count = self.wire.size()?;
        self.log(Call::Fetch);
        self.send_rows(number, Some(count), false, Writer::new())
    }

    fn run_call(&mut self, call: Execute) -> Result<()> {
        let is_new = call.sql.is_some();
        let number = self.open(&call);
        let Some(cursor) = self.cursors.get_mut(&number) else { return Err(Broken::Closed) };
        if let Some(define) = call.define {
            cursor.defines = define;
        }
        let sql = cursor.sql.clone();
        let kind = kind(&sql);
        if !call.execute && !is_new {
            // The client says how it wants the columns of the rows that wait for it.
            return self.send_rows(number, call.fetch, true, Writer::new());
        }
        if !call.execute && kind != StatementKind::Ddl {
            return self.describe(number, &sql);
        }
        let mut counts = Vec::new();
        let mut returned: Vec<Vec<Vec<Value>>> = Vec::new();
        let mut last = Outcome::Done;
        let no_binds = Vec::new();
        for time in 0..call.times {
            let binds = call.rows.get(time).unwrap_or(&no_binds);
            last = self.ask(&sql, binds)?;
            match &mut last {
                Outcome::Changed(rows) => counts.push(*rows),
                Outcome::Returned(rows) => {
                    counts.push(rows.len() as u64);
                    returned.push(std::mem::take(rows));
                }
                Outcome::Error { code, message, position } => {
                    let (code, message, position) = (*code, message.clone(), *position);
                    return self.fail(
                        number,
                        is_new,
                        Ending { code, message, position, rows: counts.iter().sum(), ..Default::default() },
                    );
                }
                _ => {}
            }
        }
        let total = counts.iter().sum();
        let counts = call.counts.then_some(counts.as_slice());
        self.follow(&sql, kind, total);
        if call.commit {
            self.note_end(true);
        }
        let mut reply = Writer::new();
        match last {
            Outcome::Rows { columns, rows } => {
                let Some(cursor) = self.cursors.get_mut(&number) else { return Err(Broken::Closed) };
                if cursor.fill(columns, rows) || is_new {
                    describe(&cursor.columns, self.shared.config.version, self.is_ojdbc, &mut reply);
                }
                return self.send_rows(number, call.fetch, true, reply);
            }
            Outcome::Returned(_) => self.write_returned(number, &returned, &mut reply)?,
            outcome => {
                let out = if let Outcome::Out(out) = &outcome { out.as_slice() } else { &[] };
                if kind == StatementKind::PlSql {
                    self.write_out(number, out, &mut reply)?;
                }
                if outcome == Outcome::CompileWarning {
                    parameters(number, None, &mut reply);
                    return self.end(
                        Ending { cursor: number, compiled_with_errors: true, ..Default::default() },
                        reply,
                    );
                }
            }
        }
        parameters(number, counts, &mut reply);
        self.end(Ending { cursor: number, rows: total, ..Default::default() }, reply)
    }

    /// The number of the statement's cursor, a new one for a new statement.
    fn open(&mut self, call: &Execute) -> u64 {
        let number = match call.cursor {
            0 => self.cursors.keys().max().copied().unwrap_or_default() + 1,
            known => known,
        };
        if let Some(sql) = &call.sql {
            self.cursors.insert(number, Cursor::new(sql.clone()));
        }
        if let (Some(slots), Some(cursor)) = (&call.slots, self.cursors.get_mut(&number)) {
            cursor.slots.clone_from(slots);
        }
        number
    }

    /// The test's answer, after the time that it takes.
    fn ask(&mut self, sql: &str, binds: &[Value]) -> Result<Outcome> {
        self.log(Call::Execute { sql: sql.into(), binds: binds.to_vec() });
        self.shared.show(&self.session);
        let outcome = self.shared.answers().execute(&self.session, sql, binds);
        self.wait_for(outcome)
    }

    fn wait_for(&mut self, mut outcome: Outcome) -> Result<Outcome> {
        loop {
            match outcome {
                Outcome::After(time, then) => {
                    self.wire.wait(time)?;
                    outcome = *then;
                }
                Outcome::Drop => return Err(Broken::Closed),
                other => return Ok(other),
            }
        }
    }

    fn describe(&mut self, number: u64, sql: &str) -> Result<()> {
        self.log(Call::Describe { sql: sql.into() });
        let outcome = self.shared.answers().describe(&self.session, sql);
        let mut reply = Writer::new();
        match self.wait_for(outcome)? {
            Outcome::Rows { columns, .. } => {
                describe(&columns, self.version(), self.is_ojdbc, &mut reply);
                if let Some(cursor) = self.cursors.get_mut(&number) {
                    cursor.fill(columns, Vec::new());
                }
            }
            Outcome::Error { code, message, position } => {
                return self.fail(number, true, Ending { code, message, position, ..Default::default() });
            }
            _ => {}
        }
        parameters(number, None, &mut reply);
        self.end(Ending { cursor: number, ..Default::default() }, reply)
    }

    /// A statement that could not be read has no cursor.
    fn fail(&mut self, number: u64, is_new: bool, ending: Ending) -> Result<()> {
        if is_new {
            self.cursors.remove(&number);
        }
        self.end(Ending { cursor: if is_new { 0 } else { number }, ..ending }, Writer::new())
    }

    /// What a statement does to the session.
    fn follow(&mut self, sql: &str, kind: StatementKind, changed: u64) {
        match kind {
            StatementKind::Dml => self.session.in_transaction |= changed > 0,
            StatementKind::Ddl => self.session.in_transaction = false,
            StatementKind::Other => match sql.trim().to_uppercase().as_str() {
                "COMMIT" => self.note_end(true),
                "ROLLBACK" => self.note_end(false),
                _ => self.session.alter(sql),
            },
            StatementKind::Query | StatementKind::PlSql => {}
        }
    }

    /// Rows of an open cursor, and that there are no more, if there are none. A fetch gets no parameters: the crate `oracledb`
    /// would not read them.
    fn send_rows(
        &mut self,
        number: u64,
        most: Option<usize>,
        with_parameters: bool,
        mut reply: Writer,
    ) -> Result<()> {
        let Some(cursor) = self.cursors.get_mut(&number) else {
            let message = "ORA-01001: invalid cursor".into();
            return self.end(Ending { code: 1001, message, ..Default::default() }, reply);
        };
        let mut ending = Ending { cursor: number, ..Default::default() };
        if let Some(most) = most.filter(|_| !cursor.waits_for_defines()) {
            if let Err(why) = cursor.write_rows(most, &mut self.lobs, &mut reply) {
                return self.wrong_answer(&why);
            }
            if cursor.is_at_end() {
                ending.code = NO_DATA_FOUND;
                ending.message = "ORA-01403: no data found".into();
            }
        }
        ending.rows = cursor.sent();
        if with_parameters {
            parameters(number, None, &mut reply);
        }
        self.end(ending, reply)
    }

    /// Which way the binds of a block go, and what comes back.
    fn write_out(&mut self, number: u64, out: &[(usize, Value)], to: &mut Writer) -> Result<()> {
        let Some(cursor) = self.cursors.get_mut(&number) else { return Ok(()) };
        if cursor.slots.is_empty() {
            return Ok(());
        }
        to.u8(11).u8(0).size(cursor.slots.len()).ub(0).ub(1).ub_zeros(3);
        let mut values = Vec::new();
        for (at, slot) in cursor.slots.iter_mut().enumerate() {
            match out.iter().find(|(position, _)| *position == at) {
                Some((_, value)) => {
                    slot.direction = Direction::InOut;
                    values.push((slot.declared.wire_type, value));
                    to.u8(IN | OUT);
                }
                None => {
                    to.u8(IN);
                }
            }
        }
        if values.is_empty() {
            return Ok(());
        }
        to.u8(7);
        for (wire_type, value) in values {
            if let Err(why) = value.write_bind(wire_type, &mut self.lobs, to) {
                return self.wrong_answer(&why);
            }
        }
        Ok(())
    }

    /// For each row of binds, and in it for each bind after INTO: how many values there are, and the values.
    fn write_returned(&mut self, number: u64, rows: &[Vec<Vec<Value>>], to: &mut Writer) -> Result<()> {
        let Some(cursor) = self.cursors.get(&number) else { return Ok(()) };
        let into: Vec<_> = cursor
            .slots
            .iter()
            .filter(|slot| slot.direction == Direction::Returned)
            .map(|slot| slot.declared.wire_type)
            .collect();
        for changed in rows {
            to.u8(7);
            for (at, wire_type) in into.iter().enumerate() {
                to.size(changed.len());
                for row in changed {
                    let value = row.get(at).unwrap_or(&Value::Null);
                    if let Err(why) = value.write_bind(*wire_type, &mut self.lobs, to) {
                        return self.wrong_answer(&why);
                    }
                }
            }
        }
        Ok(())
    }

    /// A test's answer cannot be sent: the client gets an error that says why, and the connection ends.
    fn wrong_answer(&mut self, why: &str) -> Result<()> {
        let name = thread::current().name().unwrap_or("stand-in").to_owned();
        Err(Broken::Malformed(format!("{name}: the test's answer cannot be sent: {why}")))
    }
}
