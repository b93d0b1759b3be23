#![allow(clippy::unwrap_used)]
//! Every way to say who one is, against services that check it.

use super::*;
use crate::error::ErrorKind;
use crate::oci::Client;
use crate::oci::fake::{BUCKET, FINGERPRINT, KEY, NAMESPACE, Oci, TENANCY, USER};
use crate::oci::object_storage::Bucket;

/// A folder with a key, and variables that are only those given.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key.pem"), KEY).unwrap();
        Self { folder }
    }

    fn variables(&self, more: &[(&str, &str)]) -> Variables {
        let home = self.folder.path().display().to_string();
        let mut lines = vec![format!("HOME='{home}'")];
        lines.extend(more.iter().map(|(name, value)| format!("{name}='{}'", value.replace("$HOME", &home))));
        let file = self.folder.path().join("variables");
        std::fs::write(&file, lines.join("\n")).unwrap();
        Variables::read(&file).unwrap()
    }

    fn access(&self, more: &[(&str, &str)]) -> Result<Access> {
        Access::from_variables(&self.variables(more))
    }

    /// What the services answer somebody with these variables.
    async fn asks(&self, more: &[(&str, &str)]) -> Result<(), Failure> {
        let bucket = Bucket::new(Client::new(self.access(more)?), Some(NAMESPACE.into()), BUCKET.into());
        bucket.list("", None).await.map(|_| ())
    }
}

fn by_key(endpoint: &str) -> Vec<(&str, &str)> {
    vec![
        ("OCI_CLI_ENDPOINT", endpoint),
        ("OCI_CLI_TENANCY", TENANCY),
        ("OCI_CLI_USER", USER),
        ("OCI_CLI_FINGERPRINT", FINGERPRINT),
        ("OCI_CLI_KEY_FILE", "~/key.pem"),
    ]
}

#[tokio::test]
async fn a_user_by_variables_by_a_profile_and_by_a_key_in_a_variable() {
    let (desk, oci) = (Desk::new(), Oci::serve());
    desk.asks(&by_key(&oci.endpoint)).await.unwrap();

    let mut inline = by_key(&oci.endpoint);
    let key = KEY.trim().replace('\n', "\\n");
    *inline.last_mut().unwrap() = ("OCI_CLI_KEY_CONTENT", &key);
    desk.asks(&inline).await.unwrap();

    std::fs::create_dir(desk.folder.path().join(".oci")).unwrap();
    let profile = format!(
        "[DEFAULT]\ntenancy={TENANCY}\nuser={USER}\nregion=eu-frankfurt-1\n[prod]\nfingerprint={FINGERPRINT}\nkey_file=~/key.pem\n"
    );
    std::fs::write(desk.folder.path().join(".oci/config"), profile).unwrap();
    let endpoint = ("OCI_CLI_ENDPOINT", oci.endpoint.as_str());
    desk.asks(&[endpoint, ("OCI_CLI_PROFILE", "prod")]).await.unwrap();
    let error = desk.access(&[endpoint]).err().unwrap();
    assert_eq!(error.chain(), "OCI's access has no fingerprint");
}

#[tokio::test]
async fn a_session_until_it_ends() {
    let (desk, oci) = (Desk::new(), Oci::serve());
    let token = desk.folder.path().join("token");
    let profile = "[DEFAULT]\nsecurity_token_file=~/token\nkey_file=~/key.pem\nregion=eu-frankfurt-1\n";
    std::fs::write(desk.folder.path().join("profile"), profile).unwrap();
    let variables = [("OCI_CLI_ENDPOINT", oci.endpoint.as_str()), ("OCI_CLI_CONFIG_FILE", "~/profile")];
    std::fs::write(&token, format!("{}\n", oci.session())).unwrap();
    desk.asks(&variables).await.unwrap();

    oci.set_token_seconds(-10);
    std::fs::write(&token, oci.session()).unwrap();
    let error = desk.asks(&variables).await.unwrap_err().into_error("asked", "a policy");
    assert_eq!(error.kind, ErrorKind::Input);
    assert!(error.chain().contains("the session's token has expired since 20"), "{}", error.chain());
    assert!(error.hint_text().unwrap().contains("oci session authenticate"));
}

#[tokio::test]
async fn a_token_that_is_renewed_in_its_file_is_taken_when_the_old_one_is_refused() {
    let (desk, oci) = (Desk::new(), Oci::serve());
    let token = desk.folder.path().join("token");
    std::fs::write(&token, oci.session()).unwrap();
    let access = desk
        .access(&[
            ("OCI_CLI_ENDPOINT", &oci.endpoint),
            ("OCI_CLI_AUTH", "resource_principal"),
            ("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2"),
            ("OCI_RESOURCE_PRINCIPAL_RPST", "$HOME/token"),
            ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", "$HOME/key.pem"),
            ("OCI_RESOURCE_PRINCIPAL_REGION", "fra"),
        ])
        .unwrap();
    let bucket = Bucket::new(Client::new(access), Some(NAMESPACE.into()), BUCKET.into());
    bucket.list("", None).await.unwrap();
    oci.forget_keys();
    std::fs::write(&token, oci.session()).unwrap();
    bucket.list("", None).await.unwrap();
    assert_eq!(oci.seen().len(), 3, "one was refused");
    oci.forget_keys();
    assert_eq!(bucket.list("", None).await.unwrap_err().status(), Some(401));
    assert_eq!(oci.seen().len(), 2, "a new one is tried once");
}

#[tokio::test]
async fn an_instance_by_its_certificate() {
    let (desk, oci) = (Desk::new(), Oci::serve());
    let metadata = format!("{}/opc/v2", oci.endpoint);
    let variables = [("OCI_CLI_AUTH", "instance_principal"), ("OCI_METADATA_BASE_URL", &metadata)];
    let access = desk.access(&variables).unwrap();
    assert_eq!(
        access.root(Service::ObjectStorage).await.unwrap(),
        "https://objectstorage.eu-frankfurt-1.oraclecloud.com",
        "the instance knows where it is"
    );
    let here = [variables[0], variables[1], ("OCI_CLI_ENDPOINT", &oci.endpoint)];
    let bucket = Bucket::new(Client::new(desk.access(&here).unwrap()), Some(NAMESPACE.into()), BUCKET.into());
    bucket.list("", None).await.unwrap();
    bucket.list("", None).await.unwrap();
    let seen = oci.seen();
    assert_eq!(
        seen.iter().filter(|s| s.contains("/v1/x509")).count(),
        1,
        "a token is used until it ends: {seen:?}"
    );

    let nowhere = [variables[0], ("OCI_METADATA_BASE_URL", "http://127.0.0.1:1/opc/v2")];
    let error = desk.asks(&nowhere).await.unwrap_err().into_error("asked", "a policy");
    assert!(
        error.chain().contains("the instance's metadata do not give instance/regionInfo"),
        "{}",
        error.chain()
    );
    assert!(error.hint_text().unwrap().contains("compute instances only"));
}

#[tokio::test]
async fn a_pod_by_its_service_account() {
    let oci = Oci::serve();
    let key = crate::oci::key::PrivateKey::for_session().unwrap();
    let token = Workload::at(&oci.endpoint, "pod").token(&key).await.unwrap();
    assert!(!token.starts_with("ST$") && crate::oci::token::end(&token).is_some(), "{token}");
    let error = Workload::at(&oci.endpoint, "nobody").token(&key).await.unwrap_err();
    let error = error.into_error("asked", "a policy");
    assert_eq!(error.hint_text(), Some("workload identity needs an enhanced cluster"));
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_named() {
    let (desk, oci) = (Desk::new(), Oci::serve());
    oci.set_clock(900);
    let error = desk.asks(&by_key(&oci.endpoint)).await.unwrap_err().into_error("asked", "a policy");
    let hint = error.hint_text().unwrap();
    assert!(hint.starts_with("this machine's clock is ") && hint.contains("behind"), "{hint}");
}

#[test]
fn what_is_missing_is_named_with_where_to_say_it() {
    let desk = Desk::new();
    let auth = |method| ("OCI_CLI_AUTH", method);
    let key = |without: &'static str| {
        by_key("").into_iter().filter(move |(name, _)| *name != without && *name != "OCI_CLI_ENDPOINT")
    };
    for (variables, wanted) in [
        (vec![], "OCI's access has no tenancy"),
        (key("OCI_CLI_USER").collect(), "OCI's access has no user"),
        (key("OCI_CLI_KEY_FILE").collect(), "OCI's access has no key_file"),
        (key("").collect(), "OCI's access has no region"),
        (vec![auth("password")], "OCI_CLI_AUTH is \"password\""),
        (vec![auth("security_token")], "OCI's access has no security_token_file"),
        (vec![auth("resource_principal")], "OCI_RESOURCE_PRINCIPAL_VERSION is not set"),
        (
            vec![auth("resource_principal"), ("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2")],
            "OCI_RESOURCE_PRINCIPAL_RPST is not set",
        ),
        (vec![auth("oke_workload_identity")], "KUBERNETES_SERVICE_HOST is not set"),
        (vec![("OCI_CLI_CONFIG_FILE", "$HOME/none")], "/none cannot be read"),
    ] {
        let error = desk.access(&variables).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Input);
        assert!(error.chain().contains(wanted), "{}", error.chain());
    }
}
