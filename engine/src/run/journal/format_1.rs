//! What the hash of a line of format 1 is over. The first version of Drydock wrote these lines, without a format number.
//!
//! It hashed the event as another JSON text than the one it wrote: `[SEQ,AT,PREVIOUS,{"event":…}]`, made of the types of that
//! version. The line has the same parts in the same spelling and order, so this cuts them out of the line: no type is
//! involved, and no later change of a type can break the hash. Never change this file.

/// The text that was hashed, from the line before `,"hash":`. `None` when the line does not have the parts.
pub fn hashed(body: &str) -> Option<String> {
    let rest = body.strip_prefix("{\"seq\":")?;
    let (seq, rest) = rest.split_once(",\"at\":")?;
    let (at, rest) = rest.split_once(",\"previous\":")?;
    let (previous, event) = rest.split_once(",\"event\":")?;
    Some(format!("[{seq},{at},{previous},{{\"event\":{event}}}]"))
}
