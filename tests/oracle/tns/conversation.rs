//! One connection from its first packet to its last: takes messages, and hands them to who answers them.

use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::connect;
use super::cursor::Cursor;
use super::lob::Lobs;
use super::log::Call;
use super::logon::Challenge;
use super::negotiate;
use super::packet::{Broken, Result, Wire};
use super::reply::Ending;
use super::server::Shared;
use super::session::Session;
use super::version::{FIRST_WITH_TOKENS, Version};
use super::write::Writer;

const FUNCTION: u8 = 3;
const PIGGYBACK: u8 = 17;
const END_OF_RESPONSE: u8 = 29;
const TOKEN: u8 = 33;

const PATIENCE_WITH_OJDBC: Duration = Duration::from_millis(100);

pub struct Conversation {
    pub(super) wire: Wire,
    pub(super) shared: Arc<Shared>,
    pub(super) session: Session,
    pub(super) cursors: HashMap<u64, Cursor>,
    pub(super) lobs: Lobs,
    pub(super) call: u8,
    /// It has some things in another form than the thin drivers.
    pub(super) is_ojdbc: bool,
    tokens: bool,
    wants_the_end: bool,
    /// The token of the call under way: in a pipeline the answer carries it.
    token: u64,
    pub(super) challenge: Option<Challenge>,
}

impl Conversation {
    pub fn new(stream: TcpStream, shared: Arc<Shared>, session: Session) -> Self {
        Conversation {
            wire: Wire::new(stream, connect::SDU),
            shared,
            session,
            cursors: HashMap::new(),
            lobs: Lobs::default(),
            call: 0,
            is_ojdbc: false,
            tokens: false,
            wants_the_end: false,
            token: 0,
            challenge: None,
        }
    }

    pub(super) fn version(&self) -> Version {
        self.shared.config.version
    }

    pub fn run(mut self) {
        if let Err(Broken::Malformed(why)) = self.talk() {
            self.log(Call::NotUnderstood(why.clone()));
            let message = format!("ORA-03137: the stand-in does not read what the client sent: {why}");
            let _ = self.end(Ending { code: 3137, message, ..Default::default() }, Writer::new());
        }
        self.wire.close();
    }

    fn talk(&mut self) -> Result<()> {
        let version = self.version();
        match connect::accept(&mut self.wire, &self.shared.config.service, version)? {
            Some(service) => self.session.service = service,
            None => return Ok(()),
        }
        loop {
            match self.message() {
                Ok(()) => {}
                Err(Broken::Interrupted(marker)) => {
                    self.log(Call::Break);
                    if self.is_ojdbc {
                        // It loses an answer that comes before its own thread has noted the break.
                        thread::sleep(PATIENCE_WITH_OJDBC);
                    }
                    self.wire.reset(&marker)?;
                    let message = "ORA-01013: user requested cancel of current operation".into();
                    self.end(Ending { code: 1013, message, ..Default::default() }, Writer::new())?;
                }
                Err(broken) => return Err(broken),
            }
        }
    }

    fn message(&mut self) -> Result<()> {
        match self.wire.u8()? {
            negotiate::PROTOCOL => {
                let name = negotiate::read_protocol(&mut self.wire)?;
                self.client_is(&name);
                self.tokens = self.version().has_tokens();
                let mut reply = Writer::new();
                negotiate::write_protocol(self.version(), &mut reply);
                self.wire.forget();
                self.wire.send_message(reply.bytes(), false)
            }
            negotiate::DATA_TYPES => {
                self.wants_the_end = negotiate::read_data_types(&mut self.wire)?;
                let mut reply = Writer::new();
                negotiate::write_data_types(&mut reply);
                self.wire.forget();
                self.wire.send_message(reply.bytes(), false)
            }
            negotiate::FAST => {
                let fast = negotiate::read_fast(&mut self.wire)?;
                self.client_is(&fast.client);
                self.wants_the_end = fast.wants_the_end;
                let mut reply = Writer::new();
                negotiate::write_protocol(self.version(), &mut reply);
                negotiate::write_data_types(&mut reply);
                self.wire.u8()?;
                self.tokens = fast.written_by >= FIRST_WITH_TOKENS;
                self.function()?;
                self.tokens = self.version().has_tokens();
                self.first_half(reply)
            }
            FUNCTION => {
                let function = self.function()?;
                self.answer(function)?;
                self.leftover();
                Ok(())
            }
            PIGGYBACK => {
                let function = self.function()?;
                self.piggyback(function)
            }
            other => Err(Broken::Malformed(format!("message {other}: {:02x?}", head(self.wire.rest())))),
        }
    }

    fn client_is(&mut self, name: &str) {
        self.is_ojdbc = name.starts_with("Java");
    }

    fn function(&mut self) -> Result<u8> {
        let function = self.wire.u8()?;
        self.call = self.wire.u8()?;
        self.token = if self.tokens { self.wire.ub()? } else { 0 };
        Ok(function)
    }

    /// Clients send one request after the other, so nothing is left after one. If something is, this stand-in reads a message
    /// wrongly, and somebody should know.
    fn leftover(&mut self) {
        let rest = self.wire.rest();
        if !rest.is_empty() && !matches!(rest.first(), Some(&FUNCTION | &PIGGYBACK)) {
            let why = format!("left over: {:02x?}", head(rest));
            self.wire.discard();
            self.log(Call::NotUnderstood(why));
        }
    }

    pub(super) fn note_end(&mut self, committed: bool) {
        self.session.in_transaction = false;
        self.log(if committed { Call::Commit } else { Call::Rollback });
        self.shared.answers().ended(&self.session, committed);
    }

    pub(super) fn log(&self, call: Call) {
        self.shared.log.add(&self.session, call);
    }

    /// Sends a response, with the message that ends it.
    pub(super) fn end(&mut self, mut ending: Ending, body: Writer) -> Result<()> {
        let mut reply = Writer::new();
        if self.token != 0 {
            reply.u8(TOKEN).ub(self.token);
        }
        reply.raw(body.bytes());
        self.wire.forget();
        // Shown first: a test looks as soon as its client has the answer.
        self.shared.show(&self.session);
        ending.in_transaction = self.session.in_transaction;
        ending.call = self.call;
        ending.write(self.version(), &mut reply);
        let tell_the_end = self.version().tells_the_end() && self.wants_the_end;
        if tell_the_end {
            reply.u8(END_OF_RESPONSE);
        }
        self.wire.send_message(reply.bytes(), tell_the_end)
    }
}

pub(super) fn head(bytes: &[u8]) -> &[u8] {
    bytes.get(..64).unwrap_or(bytes)
}
