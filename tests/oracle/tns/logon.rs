//! Logging on with the verifier of 12c. The server never sees the password: both sides make a key of it (PBKDF2 with SHA-512), send
//! each other half of a session key under that (AES-256), and the password comes under a key that is made of both halves. (Crate
//! `oracledb`, `messages/auth.rs`; python-oracledb, `auth.pyx`, which also checks the server's proof.)

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use rand::RngCore;
use ring::digest::{SHA512, digest};
use ring::pbkdf2;

use super::fixtures::hexadecimal;
use super::packet::{Broken, Result, Wire};
use super::read::text;
use super::version::Version;
use super::write::Writer;

/// How often the password is hashed. Clients do as they are told.
const ITERATIONS: u32 = 4096;
const SESSION_ITERATIONS: u32 = 3;
/// The type of verifier, in the place of the flags.
const VERIFIER_12C: u64 = 18453;

/// What a client sends in either half: its name and pairs of keys and values.
pub struct Credentials {
    pub user: String,
    pub pairs: BTreeMap<String, String>,
}

impl Credentials {
    /// `unsized_texts`: ojdbc sends the name without its length.
    pub fn read(from: &mut Wire, unsized_texts: bool) -> Result<Self> {
        from.u8()?;
        let size = from.size()?;
        from.ub()?; // how to log on: as SYSDBA, …
        from.u8()?;
        let count = from.size()?;
        from.take(2)?;
        let user = text(&match (size, unsized_texts) {
            (0, _) => Vec::new(),
            (size, true) => from.raw(size)?,
            (_, false) => from.chunked()?,
        });
        let mut pairs = BTreeMap::new();
        for _ in 0..count {
            let key = from.twice_sized_text()?;
            let value = from.twice_sized_text()?;
            from.ub()?;
            pairs.insert(key.trim_end_matches('\0').to_owned(), value);
        }
        // A name that is not quoted is in capitals, as everywhere.
        let user = match user.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => quoted.to_owned(),
            None => user.to_uppercase(),
        };
        Ok(Credentials { user, pairs })
    }
}

/// Between the two halves.
pub struct Challenge {
    hash: [u8; 32],
    half: [u8; 32],
    salt: [u8; 16],
}

impl Challenge {
    /// Answers the first half. A user that there is not is asked for a password like every other.
    pub fn new(password: Option<&str>, to: &mut Writer) -> Self {
        let (salt, session_salt): ([u8; 16], [u8; 16]) = (random(), random());
        let password = match password {
            Some(password) => password.as_bytes().to_vec(),
            None => random::<16>().to_vec(),
        };
        let mut key = [0; 64];
        derive(&password, &[&salt[..], b"AUTH_PBKDF2_SPEEDY_KEY"].concat(), ITERATIONS, &mut key);
        let hashed = digest(&SHA512, &[&key[..], &salt].concat());
        let mut hash = [0; 32];
        hash.copy_from_slice(hashed.as_ref().get(..32).unwrap_or(&[0; 32]));
        let half = random();
        write_pairs(
            &[
                ("AUTH_SESSKEY", &shown(&encrypt(&hash, &half)), 0),
                ("AUTH_VFR_DATA", &shown(&salt), VERIFIER_12C),
                ("AUTH_PBKDF2_CSK_SALT", &shown(&session_salt), 0),
                ("AUTH_PBKDF2_VGEN_COUNT", &ITERATIONS.to_string(), 0),
                ("AUTH_PBKDF2_SDER_COUNT", &SESSION_ITERATIONS.to_string(), 0),
                ("AUTH_GLOBALLY_UNIQUE_DBID\0", &"A".repeat(32), 0),
            ],
            to,
        );
        Challenge { hash, half, salt: session_salt }
    }

    /// The password that the second half carries, and the key that it came under.
    pub fn open(&self, pairs: &BTreeMap<String, String>) -> Result<(Vec<u8>, [u8; 32])> {
        let given = |key: &str| {
            let value = pairs.get(key).and_then(|value| hexadecimal(value));
            value.ok_or_else(|| Broken::Malformed(format!("no {key}")))
        };
        let mut theirs = decrypt(&self.hash, &given("AUTH_SESSKEY")?);
        theirs.truncate(32);
        let mut key = [0; 32];
        let both = shown(&[&theirs[..], &self.half].concat());
        derive(both.as_bytes(), &self.salt, SESSION_ITERATIONS, &mut key);
        let mut password = decrypt(&key, &given("AUTH_PASSWORD")?).split_off(16);
        let padding = password.last().map_or(0, |last| usize::from(*last));
        if (1..=16).contains(&padding) {
            password.truncate(password.len().saturating_sub(padding));
        }
        Ok((password, key))
    }
}

/// What a client that has logged on is told of the session. `key` makes the proof that the server knew the password.
pub fn write_session(version: Version, service: &str, id: u32, key: &[u8; 32], to: &mut Writer) {
    let proof = [&random::<16>()[..], b"SERVER_TO_CLIENT", &[16; 16]].concat();
    write_pairs(
        &[
            ("AUTH_VERSION_STRING", "- Production", 0),
            ("AUTH_VERSION_SQL", "26", 0),
            ("AUTH_XACTION_TRAITS", "3", 0),
            ("AUTH_VERSION_NO", &version.number().to_string(), 0),
            ("AUTH_VERSION_STATUS", "0", 0),
            ("AUTH_CAPABILITY_TABLE", "", 0),
            ("AUTH_DBNAME", "STANDIN", 0),
            ("AUTH_SC_DB_DOMAIN", "", 0),
            ("AUTH_SC_DBUNIQUE_NAME", "standin", 0),
            ("AUTH_SC_SERVICE_NAME", service, 0),
            ("AUTH_INSTANCENAME", "standin1", 0),
            ("AUTH_INSTANCE_NO", "1", 0),
            ("AUTH_SESSION_ID", &(100 + id).to_string(), 0),
            ("AUTH_SERIAL_NUM", &(1000 + id).to_string(), 0),
            ("AUTH_USER_ID", "107", 0),
            ("AUTH_SC_REAL_DBUNIQUE_NAME", "standin", 0),
            ("AUTH_MAX_OPEN_CURSORS", "300", 0),
            ("AUTH_MAX_IDEN_LENGTH", "128", 0),
            ("AUTH_NLS_LXLAN", "AMERICAN", 0),
            ("AUTH_NLS_LXCTERRITORY", "AMERICA", 0),
            ("AUTH_NLS_LXCCURRENCY", "$", 0),
            ("AUTH_NLS_LXCDATEFM", "DD-MON-RR", 0),
            ("AUTH_SC_SVC_FLAGS", "0", 0),
            ("AUTH_SVR_RESPONSE", &shown(&encrypt(key, &proof)), 0),
        ],
        to,
    );
}

fn write_pairs(pairs: &[(&str, &str, u64)], to: &mut Writer) {
    to.u8(8).size(pairs.len());
    for (key, value, flags) in pairs {
        to.twice_sized(key.as_bytes()).twice_sized(value.as_bytes()).ub(*flags);
    }
}

fn random<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn derive(secret: &[u8], salt: &[u8], iterations: u32, key: &mut [u8]) {
    let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, iterations, salt, secret, key);
}

/// Blocks are chained, beginning with zeros, and nothing is padded.
fn encrypt(key: &[u8; 32], clear: &[u8]) -> Vec<u8> {
    let cipher = Aes256::new(key.into());
    let mut before = [0; 16];
    let mut encrypted = Vec::new();
    for block in clear.chunks(16) {
        let mut mixed = aes::Block::default();
        for ((place, byte), before) in mixed.iter_mut().zip(block).zip(before) {
            *place = byte ^ before;
        }
        cipher.encrypt_block(&mut mixed);
        before = mixed.into();
        encrypted.extend(before);
    }
    encrypted
}

fn decrypt(key: &[u8; 32], encrypted: &[u8]) -> Vec<u8> {
    let cipher = Aes256::new(key.into());
    let mut before = vec![0; 16];
    let mut clear = Vec::new();
    for block in encrypted.chunks(16) {
        let mut mixed = aes::Block::default();
        for (place, byte) in mixed.iter_mut().zip(block) {
            *place = *byte;
        }
        cipher.decrypt_block(&mut mixed);
        clear.extend(mixed.iter().zip(&before).map(|(byte, before)| byte ^ before));
        before = block.to_vec();
    }
    clear
}
