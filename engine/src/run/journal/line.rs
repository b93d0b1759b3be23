//! One line of a journal: how an event is written, read and verified.
//!
//! ```text
//! {"format":2,"seq":7,"at":"…","previous":"…","event":"done",…,"hash":"…"}
//! ```
//!
//! `hash` is the last field. It is the SHA-256 of the bytes of the line before `,"hash":`, as they were written, so that a
//! field that a later version adds breaks no hash. `docs/journal.md` describes the format for other tools.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::format_1;
use crate::error::{Context, Error, Result};
use crate::model::event::{Event, EventKind};
use crate::model::hex;

/// The format that is written, and the newest that is read. It grows when an older Drydock could misread a line, and not
/// when a field is added that it may ignore.
pub const FORMAT: u64 = 2;

const BEFORE_HASH: &str = ",\"hash\":\"";
const AFTER_HASH: &str = "\"}";
const HASH_LENGTH: usize = 64;

#[derive(Serialize)]
struct Written<'a> {
    format: u64,
    seq: u64,
    at: Timestamp,
    previous: &'a str,
    #[serde(flatten)]
    what: &'a EventKind,
}

#[derive(Deserialize)]
struct Fields {
    seq: u64,
    at: Timestamp,
    previous: String,
    #[serde(flatten)]
    what: EventKind,
    hash: String,
}

/// What can be said of a line before its format is known.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default = "first_format")]
    format: u64,
    event: Option<String>,
}

fn first_format() -> u64 {
    1
}

/// Makes the event and its line.
///
/// # Errors
/// `Failed` when it has no JSON form.
pub fn write(seq: u64, at: Timestamp, previous: String, what: EventKind) -> Result<Event> {
    let written = Written { format: FORMAT, seq, at, previous: &previous, what: &what };
    let mut line = serde_json::to_string(&written).context("an event cannot be written")?;
    // The closing brace comes after the hash.
    line.pop();
    let hash = hex(&Sha256::digest(&line));
    line = format!("{line}{BEFORE_HASH}{hash}{AFTER_HASH}");
    Ok(Event { seq, at, previous, what, hash, line })
}

/// Reads a line without its newline. `place` names it for people. The hash is not verified here: a report shows an edited
/// journal too, and says that it was edited.
///
/// # Errors
/// `Input` when a newer Drydock wrote the line, `Stuck` when it is no event.
pub fn read(bytes: &[u8], place: &str) -> Result<Event> {
    let no_event = |cause: Box<dyn std::error::Error + Send + Sync>| {
        Error::stuck(format!("{place}: not a journal event"))
            .because(cause)
            .hint("something other than drydock changed the journal")
    };
    let line = std::str::from_utf8(bytes).map_err(|e| no_event(e.into()))?;
    let envelope: Envelope = serde_json::from_str(line).map_err(|e| no_event(e.into()))?;
    if envelope.format > FORMAT {
        return Err(Error::input(format!(
            "{place}: this journal was written by a newer Drydock (format {}; this one reads up to {FORMAT})",
            envelope.format
        ))
        .hint(NEWER));
    }
    match serde_json::from_str(line) {
        Ok(Fields { seq, at, previous, what, hash }) => {
            Ok(Event { seq, at, previous, what, hash, line: line.to_owned() })
        }
        // The line is as it was written: it is this version that does not know what it says.
        Err(cause) if hash_holds(line, envelope.format) => {
            let event = envelope.event.unwrap_or_default();
            Err(Error::input(format!(
                "{place}: this Drydock ({}) cannot read the event \"{event}\"",
                env!("CARGO_PKG_VERSION")
            ))
            .because(cause)
            .hint(NEWER))
        }
        Err(cause) => Err(no_event(cause.into())),
    }
}

const NEWER: &str = "use the version of Drydock that wrote the journal, or a later one; nothing was changed";

/// Whether the line of an event is the one that was hashed.
pub fn is_intact(event: &Event) -> bool {
    let envelope: Option<Envelope> = serde_json::from_str(&event.line).ok();
    envelope.is_some_and(|envelope| hash_holds(&event.line, envelope.format))
}

fn hash_holds(line: &str, format: u64) -> bool {
    let Some((body, hash)) = split(line) else { return false };
    let digest = match format {
        1 => format_1::hashed(body).map(Sha256::digest),
        FORMAT => Some(Sha256::digest(body)),
        _ => None,
    };
    digest.is_some_and(|digest| hex(&digest) == hash)
}

/// What is before the hash, and the hash.
fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_suffix(AFTER_HASH)?;
    let (before, hash) = line.split_at_checked(line.len().checked_sub(HASH_LENGTH)?)?;
    Some((before.strip_suffix(BEFORE_HASH)?, hash))
}

#[cfg(test)]
mod tests;
