//! The wallet of a database: what clients need for mutual TLS, in a folder that only this user reads and that ends with its value.

mod aliases;

use std::fmt;
use std::io::{Cursor, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use tempfile::TempDir;

use super::Cloud;
use super::policy::Right;
use crate::error::{Context, Error, Result};
use crate::model::endpoint::Secret;
use crate::oci::{database, retry_token};

pub use aliases::Alias;

/// The files of a wallet that drivers read; everything else is left where it is.
const FILES: &[&str] = &[
    "tnsnames.ora",
    "sqlnet.ora",
    "ewallet.pem",
    "ewallet.p12",
    "cwallet.sso",
    "ojdbc.properties",
    "keystore.jks",
    "truststore.jks",
];
/// None of them is nearly as large.
const LARGEST: u64 = 1 << 20;

/// A wallet. It does not print what is in it.
pub struct Wallet {
    folder: TempDir,
    aliases: Vec<Alias>,
    names: Vec<&'static str>,
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wallet").field("folder", &self.folder.path()).field("names", &self.names).finish()
    }
}

impl Cloud {
    /// The wallet of a database, made for this. `password` protects the keys in it: at least eight characters, a letter and a digit or
    /// another sign.
    ///
    /// # Errors
    /// `Input` for a password that the service does not take.
    pub async fn wallet(&self, database: &str, password: &Secret) -> Result<Wallet> {
        let text = password.expose();
        let letters = text.chars().any(|c| c.is_ascii_alphabetic());
        let others = text.chars().any(|c| !c.is_ascii_alphabetic());
        if text.chars().count() < 8 || !letters || !others {
            return Err(Error::input("the wallet's password is too weak")
                .hint("it has eight characters or more, with a letter and a digit or another sign"));
        }
        // A wallet is no thing that stays: each call may have its own.
        let token = retry_token(&["wallet", database, &jiff::Timestamp::now().to_string()]);
        let zip = database::wallet::generate(&self.client, database, password, &token).await;
        let zip = zip.map_err(|e| {
            self.error(e, format!("there is no wallet of {database}"), Right::Wallet, database)
        })?;
        Wallet::of_zip(&zip, "the wallet that the service gave")
    }
}

impl Wallet {
    /// From a zip, as the console and the service give it, or a folder with its files.
    ///
    /// # Errors
    /// `Input` when it cannot be read, or lacks what every client needs.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        if path.is_dir() {
            return Self::gather(&shown, |name| {
                let file = path.join(name);
                if !file.is_file() {
                    return Ok(None);
                }
                let file = std::fs::File::open(&file).input(format!("{} cannot be read", file.display()))?;
                read_all(file, name, &shown).map(Some)
            });
        }
        let file =
            std::fs::File::open(path).input(format!("the wallet {shown} cannot be read")).map_err(|e| {
                e.hint("name the zip from the console (Database connection, Download wallet), or its folder")
            })?;
        let mut bytes = Vec::new();
        file.take(LARGEST * 8).read_to_end(&mut bytes).input(format!("the wallet {shown} cannot be read"))?;
        Self::of_zip(&bytes, &shown)
    }

    fn of_zip(bytes: &[u8], shown: &str) -> Result<Self> {
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).input(format!("{shown} is no zip"))?;
        Self::gather(shown, |name| match zip.by_name(name) {
            Ok(file) => read_all(file, name, shown).map(Some),
            Err(zip::result::ZipError::FileNotFound) => Ok(None),
            Err(e) => Err(Error::input(format!("{name} of {shown} cannot be read")).because(e)),
        })
    }

    /// Copies the files that there are. Names come from our list, so nothing is written anywhere else.
    fn gather(shown: &str, mut read: impl FnMut(&'static str) -> Result<Option<Vec<u8>>>) -> Result<Self> {
        let private = std::fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("drydock-wallet-").permissions(private).tempdir();
        let folder = folder.context("there is no place for the wallet")?;
        let (mut names, mut aliases) = (Vec::new(), Vec::new());
        for name in FILES {
            let Some(mut bytes) = read(name)? else { continue };
            match *name {
                "tnsnames.ora" => aliases = aliases::read(&String::from_utf8_lossy(&bytes)),
                "sqlnet.ora" => bytes = at(&bytes, folder.path()),
                _ => {}
            }
            let mut file = std::fs::OpenOptions::new();
            file.write(true).create_new(true).mode(0o600);
            let written = file
                .open(folder.path().join(name))
                .and_then(|mut file| std::io::Write::write_all(&mut file, &bytes));
            written.context(format!("{name} of the wallet cannot be kept"))?;
            names.push(*name);
        }
        if !names.contains(&"tnsnames.ora") {
            return Err(Error::input(format!("{shown} is no wallet: it has no tnsnames.ora"))
                .hint("name the zip from the console (Database connection, Download wallet), or the folder it was unpacked in"));
        }
        if aliases.is_empty() {
            return Err(Error::input(format!("tnsnames.ora of {shown} names no database")));
        }
        Ok(Self { folder, aliases, names })
    }

    /// What `TNS_ADMIN` is to be.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The names that clients connect to.
    pub fn aliases(&self) -> &[Alias] {
        &self.aliases
    }

    /// Why clients of a kind cannot use it, in words; nothing where they can.
    pub fn missing(&self) -> Vec<&'static str> {
        let has = |name: &str| self.names.contains(&name);
        let mut missing = Vec::new();
        if !has("ewallet.pem") {
            missing.push("ewallet.pem: Drydock's own sessions, and those of other thin drivers, need it for mutual TLS");
        }
        if !has("cwallet.sso") && !has("ewallet.p12") && !has("keystore.jks") {
            missing.push("cwallet.sso, ewallet.p12 or keystore.jks: Liquibase's driver needs one of them for mutual TLS");
        }
        if !has("sqlnet.ora") {
            missing.push("sqlnet.ora: clients of Oracle's own libraries find the wallet by it");
        }
        missing
    }
}

fn read_all(from: impl Read, name: &str, shown: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut bytes).input(format!("{name} of {shown} cannot be read"))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(Error::input(format!("{name} of {shown} is too large for a file of a wallet")));
    }
    Ok(bytes)
}

/// `sqlnet.ora` with the folder in which the wallet lies now: that of a downloaded one is a placeholder.
fn at(sqlnet: &[u8], folder: &Path) -> Vec<u8> {
    let text = String::from_utf8_lossy(sqlnet);
    let lower = text.to_ascii_lowercase();
    let value = lower.find("directory").and_then(|at| {
        let after = lower.get(at..)?;
        let begin = at + after.find('=')? + 1;
        let end = begin + lower.get(begin..)?.find(')')?;
        Some(begin..end)
    });
    match value {
        Some(range) => {
            let mut text = text.into_owned();
            text.replace_range(range, &format!("\"{}\"", folder.display()));
            text.into_bytes()
        }
        None => sqlnet.to_vec(),
    }
}

#[cfg(test)]
#[path = "wallet_tests.rs"]
mod tests;
