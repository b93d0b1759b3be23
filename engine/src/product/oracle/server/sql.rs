//! Names as SQL writes them.

/// A name in quotes. Oracle's names cannot have one in them.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', ""))
}

/// `SCHEMA.NAME` of the catalog.
pub fn relation(name: &str) -> String {
    match name.split_once('.') {
        Some((schema, bare)) => format!("{}.{}", quoted(schema), quoted(bare)),
        None => quoted(name),
    }
}
