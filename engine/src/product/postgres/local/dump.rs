//! Puts a dump into a database as a script, with the database's own search path.
//!
//! `pg_restore` works with an empty path, so that names in a dump mean one thing only. A function that names another one without its
//! schema does not find it then, and the server runs or inlines such functions for generated columns, checks and indexes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use crate::error::{Context, Result};
use crate::model::endpoint::Endpoint;
use crate::product::postgres::local::tools::{Tools, libpq};
use crate::product::postgres::{literal, quoted};

/// How a dump empties the path.
const EMPTY: &str = "SELECT pg_catalog.set_config('search_path', '', false);";

/// Restores `dump` into the database at `to`, `arguments` choosing what of it. `path`: schemas, in order.
///
/// # Errors
/// As the server gives them, for the first statement that it refuses.
pub async fn restore(
    tools: &Tools,
    dump: &Path,
    arguments: &[&str],
    path: &[String],
    folder: &Path,
    to: &Endpoint,
) -> Result<()> {
    let (plain, script) = (folder.join("dump.sql"), folder.join("restore.sql"));
    let mut all = vec!["--no-password".to_owned(), "--no-subscriptions".into()];
    all.extend(arguments.iter().map(|a| (*a).to_owned()));
    all.extend([format!("--file={}", plain.display()), dump.to_string_lossy().into_owned()]);
    tools.output("pg_restore", &all, &[]).await?;
    let written = with_path(&plain, &script, path).and_then(|()| tools.own_alone(&script));
    let file = format!("--file={}", script.display());
    let run = match written {
        Ok(()) => {
            let arguments = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", &file];
            tools.output("psql", &arguments, &libpq(to)).await.map(drop)
        }
        Err(error) => Err(error),
    };
    // They hold rows.
    for file in [plain, script] {
        let _ = std::fs::remove_file(file);
    }
    run
}

/// The script with another path; the rest is passed on as it is, however long.
fn with_path(from: &Path, to: &Path, path: &[String]) -> Result<()> {
    const WHAT: &str = "the dump cannot be written as a script";
    let schemas: Vec<String> = path.iter().map(|schema| quoted(schema)).collect();
    let ours =
        format!("SELECT pg_catalog.set_config('search_path', {}, false);", literal(&schemas.join(", ")));
    let mut reader = BufReader::new(std::fs::File::open(from).context(WHAT)?);
    let mut writer = std::io::BufWriter::new(std::fs::File::create(to).context(WHAT)?);
    let mut line = String::new();
    while reader.read_line(&mut line).context(WHAT)? > 0 {
        let is_it = line.trim_end() == EMPTY;
        let kept = if is_it { format!("{ours}\n") } else { std::mem::take(&mut line) };
        writer.write_all(kept.as_bytes()).context(WHAT)?;
        line.clear();
        if is_it {
            std::io::copy(&mut reader, &mut writer).context(WHAT)?;
        }
    }
    writer.flush().context(WHAT)
}
