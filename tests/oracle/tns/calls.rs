//! Which call is which: functions, which are answered, and what comes along with them, which is not.

use super::conversation::{Conversation, head};
use super::lob::Operation;
use super::log::Call;
use super::packet::{Broken, Result};
use super::reply::Ending;
use super::write::Writer;

/// Functions (crate `oracledb`, `constants.rs`, `TTC_RPC_*`). VERSION comes from ojdbc.
mod function {
    pub const AGAIN: u8 = 4;
    pub const FETCH: u8 = 5;
    pub const LOG_OFF: u8 = 9;
    pub const COMMIT: u8 = 14;
    pub const ROLLBACK: u8 = 15;
    pub const AGAIN_AND_FETCH: u8 = 78;
    pub const EXECUTE: u8 = 94;
    pub const LOB: u8 = 96;
    pub const CLOSE_CURSORS: u8 = 105;
    pub const SECOND_HALF: u8 = 115;
    pub const FIRST_HALF: u8 = 118;
    pub const ATTRIBUTES: u8 = 135;
    pub const PING: u8 = 147;
    pub const SCHEMA: u8 = 152;
    pub const KEY_VALUES: u8 = 154;
    pub const SESSION_STATE: u8 = 176;
    pub const BEGIN_PIPELINE: u8 = 199;
    pub const END_PIPELINE: u8 = 200;
    pub const VERSION: u8 = 59;
}

impl Conversation {
    pub(super) fn answer(&mut self, function: u8) -> Result<()> {
        match function {
            function::FIRST_HALF => self.first_half(Writer::new()),
            function::SECOND_HALF => self.second_half(),
            function::EXECUTE => self.execute(),
            function::AGAIN => self.execute_again(false),
            function::AGAIN_AND_FETCH => self.execute_again(true),
            function::FETCH => self.fetch(),
            function::COMMIT => self.transaction_ends(true),
            function::ROLLBACK => self.transaction_ends(false),
            function::LOB => {
                let asked = Operation::read(&mut self.wire)?;
                let mut reply = Writer::new();
                self.lobs.answer(&asked, &mut reply)?;
                self.end(Ending::default(), reply)
            }
            function::PING => {
                self.log(Call::Ping);
                self.end(Ending::default(), Writer::new())
            }
            function::END_PIPELINE => {
                self.wire.ub()?;
                self.end(Ending::default(), Writer::new())
            }
            function::LOG_OFF => {
                self.log(Call::LogOff);
                self.end(Ending::default(), Writer::new())
            }
            function::VERSION => {
                self.wire.discard();
                let banner = self.version().banner().as_bytes();
                let mut reply = Writer::new();
                reply.u8(8).size(banner.len()).raw(banner).ub(u64::from(self.version().number()));
                self.end(Ending::default(), reply)
            }
            other => Err(Broken::Malformed(format!("function {other}: {:02x?}", head(self.wire.rest())))),
        }
    }

    /// What comes along with the next call and gets no answer of its own.
    pub(super) fn piggyback(&mut self, function: u8) -> Result<()> {
        let wire = &mut self.wire;
        match function {
            function::CLOSE_CURSORS => {
                wire.u8()?;
                for _ in 0..wire.size()? {
                    let cursor = wire.ub()?;
                    self.cursors.remove(&cursor);
                }
                Ok(())
            }
            function::ATTRIBUTES => self.session.read_attributes(wire, self.is_ojdbc),
            function::SCHEMA => {
                wire.u8()?;
                self.session.current_schema = wire.twice_sized_text()?;
                Ok(())
            }
            function::SESSION_STATE => wire.ub().map(drop),
            function::BEGIN_PIPELINE => {
                wire.ub()?;
                wire.take(2).map(drop)
            }
            function::LOB => self.lobs.answer(&Operation::read(wire)?, &mut Writer::new()),
            function::KEY_VALUES => {
                wire.u8()?;
                wire.ub()?;
                wire.u8()?;
                let pairs = wire.size()?;
                wire.ub()?;
                wire.u8()?;
                wire.chunked()?;
                for _ in 0..pairs {
                    wire.twice_sized()?;
                    wire.twice_sized()?;
                    wire.ub()?;
                }
                Ok(())
            }
            other => Err(Broken::Malformed(format!("piggyback {other}: {:02x?}", head(wire.rest())))),
        }
    }

    fn transaction_ends(&mut self, committed: bool) -> Result<()> {
        self.note_end(committed);
        self.end(Ending::default(), Writer::new())
    }
}
