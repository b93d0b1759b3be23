//! How Liquibase reaches the database, by Oracle's driver for Java.

use std::collections::BTreeMap;

use crate::model::endpoint::{Endpoint, JdbcTarget};
use crate::product::oracle::session::connect_string;
use crate::product::oracle::session::setup::Setup;
use crate::product::oracle::url;

/// The link to Oracle's help.
const HELP: &[&str] = &[r"\s*https://docs\.oracle\.com/(?:en/)?error-help/\S*\s*$"];

pub fn target(endpoint: &Endpoint) -> JdbcTarget {
    let mut properties = BTreeMap::new();
    let mut set = |name: &str, value: String| properties.insert(name.to_owned(), value);
    if let Some(folder) = endpoint.options.get(url::WALLET) {
        set("oracle.net.tns_admin", folder.clone());
        set("oracle.net.wallet_location", format!("file:{folder}"));
    }
    let seconds = endpoint.options.get(url::CONNECT_TIMEOUT).and_then(|text| text.parse::<u64>().ok());
    let milliseconds = seconds.unwrap_or(20).saturating_mul(1_000);
    set("oracle.net.CONNECT_TIMEOUT", milliseconds.to_string());
    set("v$session.module", "drydock".to_owned());
    JdbcTarget {
        // No schema and no service of a URL can have what would end it.
        url: format!("jdbc:oracle:thin:@{}", connect_string(endpoint)),
        user: endpoint.user.clone(),
        password: endpoint.password.clone(),
        properties,
        application_property: Some("v$session.program"),
        transactional_ddl: false,
        role_switch: None,
        message_prefixes: &[],
        message_ends: HELP,
        value_states: &[],
        session: Setup::of(endpoint).statements(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::product::oracle::url::parse_url;

    #[test]
    fn a_url_of_ours_is_one_of_jdbcs() {
        let jdbc = |text: &str| target(&parse_url(text).unwrap());
        let plain = jdbc("oracle://app:S3cret@db.example:1600/orders?connect_timeout=5&schema=shop");
        assert_eq!(
            plain.url,
            "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=db.example)(PORT=1600))\
             (CONNECT_DATA=(SERVICE_NAME=orders)))"
        );
        assert!(!plain.url.contains("S3cret"));
        assert_eq!(plain.user, "app");
        assert_eq!(plain.password.unwrap().expose(), "S3cret");
        assert_eq!(plain.properties["oracle.net.CONNECT_TIMEOUT"], "5000");
        assert!(plain.session.iter().any(|sql| sql == "ALTER SESSION SET CURRENT_SCHEMA = \"SHOP\""));
        let wallet = jdbc("oracle://app@db_tp?wallet=/opt/wallet");
        assert_eq!(wallet.url, "jdbc:oracle:thin:@db_tp");
        assert_eq!(wallet.properties["oracle.net.tns_admin"], "/opt/wallet");
        assert_eq!(wallet.properties["oracle.net.wallet_location"], "file:/opt/wallet");
        let tls = jdbc("oracles://app@h/s");
        assert!(tls.url.contains("(PROTOCOL=tcps)"), "{}", tls.url);
        assert!(!tls.properties.contains_key("oracle.net.tns_admin"));
    }
}
