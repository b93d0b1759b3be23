//! Private keys: read from PEM as Oracle's tools write it, made for a session, and used to sign.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey};
use rsa::{RsaPrivateKey, RsaPublicKey};

use crate::error::{Context, Error, Result};

/// Bits of a key that is made for one session, as in Oracle's SDKs.
const SESSION_BITS: usize = 2048;

/// An RSA key. It is read and made by `rsa` and signs by `ring`, whose signing takes the same time whatever the key.
pub(super) struct PrivateKey {
    signer: RsaKeyPair,
    public: RsaPublicKey,
}

impl PrivateKey {
    /// From PEM: PKCS#8, plain or encrypted, or PKCS#1. Text around it is left out: Oracle's console adds a line after the key.
    ///
    /// # Errors
    /// `Input` when it is no such key or the passphrase is wrong; the key is never repeated.
    pub(super) fn read(pem: &str, passphrase: Option<&str>) -> Result<Self> {
        let label = pem.split("-----BEGIN ").nth(1).and_then(|rest| rest.split("-----").next());
        let found = label.unwrap_or_default();
        let only = |pem: &str| {
            let (begin, end) = (format!("-----BEGIN {found}-----"), format!("-----END {found}-----"));
            let start = pem.find(&begin)?;
            let stop = pem.get(start..)?.find(&end)? + start + end.len();
            pem.get(start..stop).map(|text| text.replace("\r\n", "\n"))
        };
        let text = only(pem).unwrap_or_default();
        let unusable = |why: String, hint: &str| Error::input(why).hint(hint);
        let key = match found {
            "PRIVATE KEY" => RsaPrivateKey::from_pkcs8_pem(&text).map_err(|e| e.to_string()),
            "ENCRYPTED PRIVATE KEY" => {
                let Some(passphrase) = passphrase else {
                    return Err(unusable(
                        "the private key is encrypted and no passphrase is given".to_owned(),
                        "write pass_phrase into the profile, or set OCI_CLI_PASSPHRASE",
                    ));
                };
                RsaPrivateKey::from_pkcs8_encrypted_pem(&text, passphrase)
                    .map_err(|_| "the passphrase does not fit the private key".to_owned())
            }
            "RSA PRIVATE KEY" if text.contains("Proc-Type:") => {
                return Err(unusable(
                    "the private key is encrypted in OpenSSL's old way".to_owned(),
                    "convert it: openssl pkcs8 -topk8 -in OLD.pem -out NEW.pem",
                ));
            }
            "RSA PRIVATE KEY" => RsaPrivateKey::from_pkcs1_pem(&text).map_err(|e| e.to_string()),
            "PUBLIC KEY" => {
                return Err(unusable(
                    "a private key is needed, this is a public one".to_owned(),
                    "name the file that was made with it, often oci_api_key.pem",
                ));
            }
            _ => {
                return Err(unusable(
                    "this is no private key in PEM".to_owned(),
                    "it begins with -----BEGIN PRIVATE KEY-----",
                ));
            }
        };
        Self::of(&key.map_err(|why| Error::input("the private key cannot be read").because(why))?)
    }

    /// A key for one session.
    ///
    /// # Errors
    /// `Failed` when there is no randomness.
    pub(super) fn for_session() -> Result<Self> {
        let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, SESSION_BITS);
        Self::of(&key.context("no key can be made for the session")?)
    }

    fn of(key: &RsaPrivateKey) -> Result<Self> {
        let der = key.to_pkcs1_der().input("the private key cannot be read")?;
        let signer = RsaKeyPair::from_der(der.as_bytes())
            .map_err(|e| Error::input("the private key cannot be used to sign").because(e.to_string()))
            .map_err(|e| e.hint("Oracle takes RSA keys of 2048 to 4096 bits"))?;
        Ok(Self { signer, public: key.to_public_key() })
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256, in base64.
    ///
    /// # Errors
    /// `Failed` when there is no randomness for blinding.
    pub(super) fn sign(&self, text: &str) -> Result<String> {
        let mut signature = vec![0; self.signer.public().modulus_len()];
        self.signer
            .sign(&RSA_PKCS1_SHA256, &ring::rand::SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| Error::failed("a request cannot be signed"))?;
        Ok(STANDARD.encode(signature))
    }

    /// The public half, as the services that hand out tokens want it: base64 of the DER, without the lines of PEM.
    ///
    /// # Errors
    /// `Failed` when it cannot be written.
    pub(super) fn public(&self) -> Result<String> {
        let der = self.public.to_public_key_der().context("the public key cannot be written")?;
        Ok(STANDARD.encode(der.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PKCS8: &str = include_str!("vectors/pkcs8.pem");

    #[test]
    fn one_key_in_all_its_forms_signs_alike() {
        let signature = PrivateKey::read(PKCS8, None).unwrap().sign("text").unwrap();
        for (pem, passphrase) in [
            (include_str!("vectors/pkcs1.pem").to_owned(), None),
            (include_str!("vectors/encrypted_pkcs8.pem").to_owned(), Some("geheim")),
            (format!("{PKCS8}OCI_API_KEY\n"), None),
            (format!("a comment\n{}", PKCS8.replace('\n', "\r\n")), Some("is not needed")),
        ] {
            assert_eq!(PrivateKey::read(&pem, passphrase).unwrap().sign("text").unwrap(), signature, "{pem}");
        }
        let public = include_str!("vectors/public.pem").lines().filter(|l| !l.starts_with('-'));
        assert_eq!(PrivateKey::read(PKCS8, None).unwrap().public().unwrap(), public.collect::<String>());
    }

    #[test]
    fn what_is_no_private_key_is_told_apart_and_not_repeated() {
        let encrypted = include_str!("vectors/encrypted_pkcs8.pem");
        for (pem, passphrase, wanted) in [
            (encrypted, None, "no passphrase is given"),
            (encrypted, Some("wrong"), "the passphrase does not fit"),
            (include_str!("vectors/encrypted_pkcs1.pem"), Some("geheim"), "in OpenSSL's old way"),
            (include_str!("vectors/public.pem"), None, "this is a public one"),
            ("", None, "no private key in PEM"),
            ("-----BEGIN PRIVATE KEY-----\ngeheim", None, "cannot be read"),
            ("-----BEGIN PRIVATE KEY-----\ngeheim\n-----END PRIVATE KEY-----\n", None, "cannot be read"),
            (
                "-----BEGIN CERTIFICATE-----\ngeheim\n-----END CERTIFICATE-----\n",
                None,
                "no private key in PEM",
            ),
        ] {
            let error = PrivateKey::read(pem, passphrase).err().unwrap().chain();
            assert!(error.contains(wanted) && !error.contains("geheim"), "{error}");
        }
    }

    #[test]
    fn a_key_for_a_session_is_another_each_time() {
        let (one, two) = (PrivateKey::for_session().unwrap(), PrivateKey::for_session().unwrap());
        assert_ne!(one.public().unwrap(), two.public().unwrap());
    }
}
