//! Packets of TNS, the layer below the messages: a header with length and type, then the body. Lengths have 16 bits until the
//! ACCEPT, and 32 bits after it (crate `oracledb`, `transport.rs`, `get_packet_size`; `packet.rs`).

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

pub const CONNECT: u8 = 1;
pub const ACCEPT: u8 = 2;
pub const REFUSE: u8 = 4;
pub const DATA: u8 = 6;
pub const MARKER: u8 = 12;

const BREAK: u8 = 1;
const RESET: u8 = 2;

/// The client closes: the last packet of a session has no message, only this flag.
const DATA_FLAG_EOF: u16 = 0x0040;
/// The last packet of a response, for clients that were promised to be told.
const DATA_FLAG_END_OF_RESPONSE: u16 = 0x2000;

/// Why a conversation does not go on as expected.
#[derive(Debug)]
pub enum Broken {
    /// The other side has closed, or this side has.
    Closed,
    /// The client sent a marker: it wants the call under way to end.
    Interrupted(Vec<u8>),
    /// The client sent something that this stand-in does not read.
    Malformed(String),
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Broken::Closed
    }
}

pub type Result<T> = std::result::Result<T, Broken>;

/// The bytes of one connection. Messages are read across packets: nothing but reading a message tells where it ends.
pub struct Wire {
    stream: TcpStream,
    long_lengths: bool,
    sdu: usize,
    inbox: Vec<u8>,
    at: usize,
}

impl Wire {
    pub fn new(stream: TcpStream, sdu: u16) -> Self {
        // Small answers wait for nothing.
        let _ = stream.set_nodelay(true);
        Wire { stream, long_lengths: false, sdu: usize::from(sdu), inbox: Vec::new(), at: 0 }
    }

    /// From the ACCEPT on.
    pub fn use_long_lengths(&mut self) {
        self.long_lengths = true;
    }

    pub fn close(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// The next packet: its type and its body.
    pub fn packet(&mut self) -> Result<(u8, Vec<u8>)> {
        let mut header = [0; 8];
        self.stream.read_exact(&mut header)?;
        let [a, b, c, d, kind, ..] = header;
        let length = if self.long_lengths {
            u32::from_be_bytes([a, b, c, d]) as usize
        } else {
            usize::from(u16::from_be_bytes([a, b]))
        };
        let mut body = vec![0; length.saturating_sub(8)];
        self.stream.read_exact(&mut body)?;
        trace('<', kind, &body);
        Ok((kind, body))
    }

    pub fn send(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        trace('>', kind, body);
        let length = body.len() + 8;
        let mut packet = Vec::with_capacity(length);
        if self.long_lengths {
            packet.extend((length as u32).to_be_bytes());
        } else {
            packet.extend((length as u16).to_be_bytes());
            packet.extend([0, 0]);
        }
        packet.extend([kind, 0, 0, 0]);
        packet.extend(body);
        Ok(self.stream.write_all(&packet)?)
    }

    /// One response, cut into as many packets as it takes.
    pub fn send_message(&mut self, message: &[u8], tell_the_end: bool) -> Result<()> {
        let room = self.sdu.saturating_sub(10).max(1);
        let parts: Vec<&[u8]> = message.chunks(room).collect();
        for (number, part) in parts.iter().enumerate() {
            let last = number + 1 == parts.len();
            let flags = if last && tell_the_end { DATA_FLAG_END_OF_RESPONSE } else { 0 };
            let mut body = flags.to_be_bytes().to_vec();
            body.extend(*part);
            self.send(DATA, &body)?;
        }
        Ok(())
    }

    /// The next bytes of messages. Waits for packets until there are enough.
    pub fn take(&mut self, count: usize) -> Result<&[u8]> {
        while self.inbox.len() - self.at < count {
            self.receive()?;
        }
        let from = self.at;
        self.at += count;
        self.inbox.get(from..self.at).ok_or_else(|| Broken::Malformed("a length beyond the message".into()))
    }

    /// The next byte, which stays. `None` where the packets that came have no more.
    pub fn peek(&self) -> Option<u8> {
        self.inbox.get(self.at).copied()
    }

    /// What is left of the packets that came.
    pub fn rest(&self) -> &[u8] {
        self.inbox.get(self.at..).unwrap_or_default()
    }

    /// A request has been read: what came before is not needed any more.
    pub fn forget(&mut self) {
        self.inbox.drain(..self.at);
        self.at = 0;
    }

    pub fn discard(&mut self) {
        self.inbox.clear();
        self.at = 0;
    }

    fn receive(&mut self) -> Result<()> {
        let (kind, body) = self.packet()?;
        match kind {
            DATA => {
                let flags = match body.get(..2) {
                    Some(&[high, low]) => u16::from_be_bytes([high, low]),
                    _ => 0,
                };
                if flags & DATA_FLAG_EOF != 0 {
                    return Err(Broken::Closed);
                }
                self.inbox.extend(body.get(2..).unwrap_or_default());
                Ok(())
            }
            MARKER => Err(Broken::Interrupted(body)),
            other => Err(Broken::Malformed(format!("a packet of type {other}"))),
        }
    }

    /// Says nothing for so long. Ends early if the client breaks in or goes.
    pub fn wait(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.stream.set_read_timeout(Some(left))?;
            let peeked = self.stream.peek(&mut [0]);
            self.stream.set_read_timeout(None)?;
            match peeked {
                Ok(0) => return Err(Broken::Closed),
                Ok(_) => self.receive()?,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                }
                Err(_) => return Err(Broken::Closed),
            }
        }
    }

    /// What follows on a break: two markers of ours, and the client's reset. What else was under way is lost on
    /// both sides. The error of the call that was broken off comes after it (crate `oracledb`, `client/mod.rs`, `reset`;
    /// python-oracledb, `protocol.pyx`, `_reset`).
    pub fn reset(&mut self, marker: &[u8]) -> Result<()> {
        self.discard();
        if marker.get(2) == Some(&RESET) {
            return self.send(MARKER, &[1, 0, RESET]);
        }
        self.send(MARKER, &[1, 0, BREAK])?;
        self.send(MARKER, &[1, 0, RESET])?;
        loop {
            let (kind, body) = self.packet()?;
            if kind == MARKER && body.get(2) == Some(&RESET) {
                return Ok(());
            }
        }
    }
}

/// With `DRYDOCK_TNS_TRACE` set, all packets are printed: without that nobody finds out what a new client wants.
fn trace(direction: char, kind: u8, body: &[u8]) {
    static WANTED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("DRYDOCK_TNS_TRACE").is_some());
    if *WANTED {
        let shown: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("{direction} {kind} {shown}");
    }
}
