//! The part of `bindgen` that the build script of `pg_query` calls: it hands out bindings that are already made.
//!
//! `pg_query.rs` holds what bindgen makes of `pg_query.h`. It has pointers, `int`, `bool`, `size_t` and `uint64_t` only, so it is
//! the same on every platform. The headers are compared with those it was made of, so that a new `pg_query` with another
//! interface ends the build instead of calling into the wrong memory. Then make it anew:
//!
//! ```sh
//! cargo install bindgen-cli   # needs libclang
//! bindgen --no-layout-tests --merge-extern-blocks --allowlist-item '(pg_query|PgQuery|PG_QUERY|PostgresDeparse|PG_.*VERSION).*' \
//!     pg_query.h > engine/bindgen/src/pg_query.rs
//! ```

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

const BINDINGS: &str = include_str!("pg_query.rs");

/// The headers that the bindings were made of, and the hash of their text.
const HEADERS: [(&str, u64); 2] =
    [("pg_query.h", 0x14f2_faf6_916e_1f48), ("postgres_deparse.h", 0x1937_d74d_ef07_1ec3)];

#[derive(Debug, Default)]
pub struct Builder {
    header: PathBuf,
}

impl Builder {
    pub fn header(self, header: impl Into<String>) -> Self {
        Self { header: PathBuf::from(header.into()) }
    }

    pub fn generate(self) -> Result<Bindings, Error> {
        for (name, known) in HEADERS {
            let path = self.header.with_file_name(name);
            let text =
                std::fs::read(&path).map_err(|e| Error(format!("cannot read {}: {e}", path.display())))?;
            let found = hash(&text);
            if found != known {
                return Err(Error(format!(
                    "the bindings in engine/bindgen were made of another {name} (its hash is {found:#018x}, not {known:#018x}); \
                     engine/bindgen/src/lib.rs says how to make them anew"
                )));
            }
        }
        Ok(Bindings)
    }
}

#[derive(Debug)]
pub struct Bindings;

impl Bindings {
    pub fn write_to_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, BINDINGS)
    }
}

#[derive(Debug)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// FNV-1a: the standard library promises no hash that stays the same.
fn hash(text: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    text.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        // The reference values of its authors.
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn another_header_is_refused() {
        let folder = std::env::temp_dir().join(format!("drydock-bindgen-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let header = folder.join("pg_query.h");
        std::fs::write(&header, "int pg_query_new(void);").unwrap();
        let said = Builder::default().header(header.to_str().unwrap()).generate().unwrap_err().to_string();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(said.contains("made of another pg_query.h"), "{said}");
    }
}
