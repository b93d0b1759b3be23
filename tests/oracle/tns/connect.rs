//! What a listener does: CONNECT, and ACCEPT or REFUSE (crate `oracledb`, `messages/connect.rs`).

use super::packet::{ACCEPT, Broken, CONNECT, REFUSE, Result, Wire};
use super::read::text;
use super::version::Version;
use super::write::Writer;

const NO_SUCH_SERVICE: u32 = 12514;
const NO_SUCH_SID: u32 = 12505;
pub const SDU: u16 = 8192;

/// Accepts a client that asks for this service. The service as the client wrote it, or `None` for one that was refused.
pub fn accept(wire: &mut Wire, service: &str, version: Version) -> Result<Option<String>> {
    let (kind, body) = wire.packet()?;
    if kind != CONNECT {
        return Err(Broken::Malformed(format!("a packet of type {kind} in the place of CONNECT")));
    }
    let number = |at: usize| match body.get(at..at + 2) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    };
    let (offered, size, offset) = (number(0), usize::from(number(16)), usize::from(number(18)));
    let mut asked = body.get(offset.saturating_sub(8)..).unwrap_or_default().to_vec();
    if asked.len() < size {
        // A long description comes in a packet of its own, of the type DATA with its flags.
        asked = wire.packet()?.1.split_off(2);
    }
    let asked = text(&asked);
    let (name, reason) = match (value_of(&asked, "SERVICE_NAME"), value_of(&asked, "SID")) {
        (Some(name), _) => (name, NO_SUCH_SERVICE),
        (None, Some(name)) => (name, NO_SUCH_SID),
        (None, None) => (String::new(), NO_SUCH_SERVICE),
    };
    if !name.eq_ignore_ascii_case(service) {
        let why = format!(
            "(DESCRIPTION=(TMP=)(VSNNUM=0)(ERR={reason})(ERROR_STACK=(ERROR=(CODE={reason})(EMFI=4))))"
        );
        let mut refusal = Writer::new();
        refusal.u8(34).u8(0).u16be(why.len() as u16).raw(why.as_bytes());
        wire.send(REFUSE, refusal.bytes())?;
        return Ok(None);
    }
    let protocol = offered.min(version.protocol());
    let mut accepted = Writer::new();
    accepted.u16be(protocol).u16be(1).u16be(SDU).u16be(u16::MAX);
    accepted.u16be(0x0100).u16be(0).u16be(41); // order of bytes, size and place of data
    accepted.u8(4).u8(4); // no native encryption
    accepted.zeros(8).u32be(u32::from(SDU));
    accepted.zeros(5).u32be(version.accept_flags()).zeros(32);
    wire.send(ACCEPT, accepted.bytes())?;
    wire.use_long_lengths();
    Ok(Some(name))
}

fn value_of(description: &str, key: &str) -> Option<String> {
    let upper = description.to_uppercase();
    let at = upper.find(&format!("({key}="))? + key.len() + 2;
    description.get(at..)?.split(')').next().map(|value| value.trim().to_owned())
}
