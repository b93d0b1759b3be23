#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
//! Wallets of the service, of zips and folders, whole or not.

use std::io::Write;

use super::super::testing::cloud;
use super::*;
use crate::error::ErrorKind;
use crate::oci::fake::{DATABASE, Fault, Oci};

const NAMES: &str = "app_tp = (description=(address=(host=h)(port=1522)))\n";

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn the_services_wallet_lies_where_only_we_read_it_and_ends() {
    let oci = Oci::serve();
    let wallet = cloud(&oci).wallet(DATABASE, &Secret::new("Abcdefg1!")).await.unwrap();
    let folder = wallet.folder().to_owned();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in ["ewallet.pem", "tnsnames.ora", "sqlnet.ora", "cwallet.sso"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    assert!(!folder.join("README").exists());
    let sqlnet = std::fs::read_to_string(folder.join("sqlnet.ora")).unwrap();
    assert!(sqlnet.contains(&format!("(DIRECTORY=\"{}\")", folder.display())), "{sqlnet}");
    assert!(sqlnet.contains("SSL_SERVER_DN_MATCH=yes"));
    let alias = wallet.aliases().first().unwrap();
    assert_eq!(
        (alias.name.as_str(), alias.parameter("host"), alias.group()),
        ("app_tp", Some("adb.fake"), Some("tp"))
    );
    assert_eq!(wallet.missing(), Vec::<&str>::new());
    let shown = format!("{wallet:?}");
    assert!(!shown.contains("PRIVATE KEY") && !shown.contains("adb.fake"), "{shown}");
    drop(wallet);
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_wallet_that_is_not_given_says_why() {
    let oci = Oci::serve();
    for password in ["short1", "abcdefgh", "12345678", ""] {
        let error = cloud(&oci).wallet(DATABASE, &Secret::new(password)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Input);
        assert!(password.is_empty() || !format!("{error:?}").contains(password));
    }
    assert_eq!(oci.seen().len(), 0);
    oci.faults(&[Fault::Refuse(404, "NotAuthorizedOrNotFound")]);
    let error = cloud(&oci).wallet(DATABASE, &Secret::new("Abcdefg1!")).await.unwrap_err();
    assert!(error.hint_text().unwrap().contains("to read autonomous-databases"), "{:?}", error.hint_text());
}

#[test]
fn a_folder_or_a_zip_is_read_and_what_it_lacks_is_said() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("wallet");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("tnsnames.ora"), NAMES).unwrap();
    let file = home.path().join("wallet.zip");
    std::fs::write(
        &file,
        zip(&[("tnsnames.ora", NAMES.as_bytes()), ("ewallet.p12", b"x"), ("../evil", b"x")]),
    )
    .unwrap();
    for (path, missing) in [
        (&folder, vec!["ewallet.pem", "cwallet.sso", "sqlnet.ora"]),
        (&file, vec!["ewallet.pem", "sqlnet.ora"]),
    ] {
        let wallet = Wallet::read(path).unwrap();
        assert_eq!(wallet.aliases().len(), 1);
        let said = wallet.missing();
        assert_eq!(said.len(), missing.len(), "{said:?}");
        assert!(said.iter().zip(&missing).all(|(said, name)| said.starts_with(name)), "{said:?}");
    }
    assert!(!home.path().join("evil").exists());
}

#[test]
fn what_is_no_wallet_is_said() {
    let home = tempfile::tempdir().unwrap();
    let large = vec![b'#'; 1 << 21];
    for (name, bytes, wanted) in [
        ("none.zip", None, "cannot be read"),
        ("text.zip", Some(b"no zip".to_vec()), "is no zip"),
        ("empty.zip", Some(zip(&[])), "it has no tnsnames.ora"),
        ("names.zip", Some(zip(&[("tnsnames.ora", b"# nothing")])), "names no database"),
        ("large.zip", Some(zip(&[("tnsnames.ora", &large)])), "too large"),
        ("cut.zip", Some(zip(&[("tnsnames.ora", NAMES.as_bytes())])[..40].to_vec()), "is no zip"),
    ] {
        let path = home.path().join(name);
        if let Some(bytes) = bytes {
            std::fs::write(&path, bytes).unwrap();
        }
        let error = Wallet::read(&path).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Input, "{name}");
        assert!(error.chain().contains(wanted), "{name}: {}", error.chain());
    }
}
