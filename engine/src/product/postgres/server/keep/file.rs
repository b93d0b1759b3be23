//! What is kept where the database takes no tables of ours: files in COPY's text format
//! (<https://www.postgresql.org/docs/current/sql-copy.html>), which only their owner may read.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use bytes::Bytes;
use futures::{SinkExt, StreamExt, pin_mut};
use tokio_postgres::Client;

use crate::error::{Context, Result};
use crate::product::postgres::server::connect::ServerContext;

const PIECE: usize = 1 << 16;

/// A name that no file of the folder has.
pub fn next_name(folder: &Path) -> Result<String> {
    let names = (1_u32..).map(|number| format!("{number}.copy"));
    let free = names.into_iter().find(|name| !folder.join(name).exists());
    Ok(free.unwrap_or_default())
}

/// Writes what a query gives, in place of an earlier file of the name, and gives how many rows that were.
pub async fn write(client: &Client, select: &str, folder: &Path, name: &str) -> Result<u64> {
    let what = format!("{} cannot be written", folder.join(name).display());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).context(&what)?;
    let part = folder.join(format!("{name}.part"));
    let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
    let mut file = open.context(&what)?;
    // The comment tells a harvest whose query it is.
    let copy = format!("COPY (/* drydock_kept. */ {select}) TO STDOUT");
    let stream = client.copy_out(&copy).await.server_context(&what)?;
    pin_mut!(stream);
    let mut rows = 0;
    while let Some(piece) = stream.next().await {
        let piece = piece.server_context(&what)?;
        rows += piece.iter().filter(|byte| **byte == b'\n').count();
        file.write_all(&piece).context(&what)?;
    }
    file.sync_all().context(&what)?;
    std::fs::rename(&part, folder.join(name)).context(&what)?;
    Ok(u64::try_from(rows).unwrap_or(u64::MAX))
}

/// Reads a file into a table.
pub async fn read(client: &Client, folder: &Path, name: &str, table: &str) -> Result<()> {
    let path = folder.join(name);
    let what = format!("{} cannot be read", path.display());
    let mut file = File::open(&path).context(&what)?;
    let sink = client.copy_in::<_, Bytes>(&format!("COPY {table} FROM STDIN")).await.server_context(&what)?;
    pin_mut!(sink);
    let mut piece = vec![0; PIECE];
    loop {
        let length = file.read(&mut piece).context(&what)?;
        let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else { break };
        sink.send(Bytes::copy_from_slice(read)).await.server_context(&what)?;
    }
    sink.finish().await.server_context(&what).map(|_| ())
}
