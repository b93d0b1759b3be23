//! A wallet with nothing in it that opens anything.

use std::io::Write;

use super::{Answer, Asked, fail, give};

pub(super) fn generate(asked: &Asked<'_>) -> Answer {
    if asked.body["password"].as_str().is_none_or(|p| p.len() < 8) {
        return fail(400, "InvalidParameter", "The wallet's password is too short");
    }
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [
        ("ewallet.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"),
        ("cwallet.sso", "\u{0}\u{1}"),
        (
            "sqlnet.ora",
            "WALLET_LOCATION = (SOURCE = (METHOD = file) (METHOD_DATA = (DIRECTORY=\"?/network/admin\")))\nSSL_SERVER_DN_MATCH=yes\n",
        ),
        (
            "tnsnames.ora",
            "app_tp = (description= (address=(protocol=tcps)(port=1522)(host=adb.fake))(connect_data=(service_name=x_app_tp.adb.fake))(security=(ssl_server_dn_match=yes)))\n",
        ),
        (
            "README",
            "Wallet Expiry Date\n-----------\nThe SSL certificates provided in this wallet will expire on 2031-01-01.\n",
        ),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    give(zip.finish().unwrap().into_inner())
}
