//! The stack: the files of `ci/oci/`, and the values of their variables.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::super::names::{db_name, display_name};
use super::CloneSettings;
use crate::error::{Context, Error, Result};

pub(super) const FILES: [(&str, &str); 4] = [
    ("main.tf", include_str!("../../../../../../ci/oci/main.tf")),
    ("variables.tf", include_str!("../../../../../../ci/oci/variables.tf")),
    ("outputs.tf", include_str!("../../../../../../ci/oci/outputs.tf")),
    ("schema.yaml", include_str!("../../../../../../ci/oci/schema.yaml")),
];

/// The files as a zip, which is the same each time.
pub(super) fn zip() -> Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in FILES {
        zip.start_file(name, options).context("the stack cannot be written")?;
        zip.write_all(text.as_bytes()).context("the stack cannot be written")?;
    }
    Ok(zip.finish().context("the stack cannot be written")?.into_inner())
}

/// What Resource Manager is told: strings, which whoever may read stacks can read.
///
/// # Errors
/// `Input` where something is missing or cannot be meant. What may be a password is not repeated.
pub(super) fn variables(
    backup: &str,
    run: &str,
    region: Option<&str>,
    settings: &CloneSettings,
) -> Result<BTreeMap<String, String>> {
    if !settings.secret.starts_with("ocid1.vaultsecret.") {
        return Err(Error::input("the clone's password is to be named by the OCID of a vault's secret")
            .hint("make a secret with the password of ADMIN in a vault; its OCID begins with ocid1.vaultsecret."));
    }
    if !backup.starts_with("ocid1.autonomousdatabasebackup.") {
        return Err(Error::input(format!("{backup} is no OCID of a backup")));
    }
    let region = region.ok_or_else(|| {
        Error::input("it is not known in which region the clone is to be").hint("set OCI_CLI_REGION")
    })?;
    let optional = |value: &Option<String>| value.clone().unwrap_or_default();
    let clone_type =
        serde_json::to_value(settings.clone_type).context("the kind of clone cannot be written")?;
    let pairs = [
        ("region", region.to_owned()),
        ("compartment_ocid", settings.compartment.clone()),
        ("run", run.to_owned()),
        ("display_name", display_name(run)),
        ("db_name", db_name(run)),
        ("backup_id", backup.to_owned()),
        ("clone_type", clone_type.as_str().unwrap_or_default().to_owned()),
        ("ecpu_count", settings.ecpus.to_string()),
        ("license_model", optional(&settings.license_model)),
        ("secret_id", settings.secret.clone()),
        ("secret_version_number", settings.secret_version.unwrap_or_default().to_string()),
        ("subnet_id", optional(&settings.subnet)),
        ("nsg_ids", settings.network_security_groups.join(",")),
        ("whitelisted_ips", settings.allowed_addresses.join(",")),
        ("is_mtls_connection_required", settings.mutual_tls.to_string()),
    ];
    Ok(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::collections::BTreeSet;
    use std::io::Read;

    use super::super::tests::{BACKUP, settings};
    use super::*;

    /// Names of blocks of a kind, as `variable "name" {`.
    fn declared<'a>(text: &'a str, kind: &str) -> BTreeSet<&'a str> {
        let begin = format!("{kind} \"");
        text.lines().filter_map(|line| line.strip_prefix(&begin)?.split('"').next()).collect()
    }

    #[test]
    fn every_variable_is_declared_given_and_asked_for_in_the_console() {
        let given = variables(BACKUP, "r1", Some("eu-frankfurt-1"), &settings()).unwrap();
        let given: BTreeSet<&str> = given.keys().map(String::as_str).collect();
        let [main, declares, outputs, schema] = FILES.map(|(_, text)| text);
        assert_eq!(declared(declares, "variable"), given);
        for name in &given {
            assert!(main.contains(&format!("var.{name}")), "{name} is not used");
        }
        let schema: serde_yaml_ng::Value = serde_yaml_ng::from_str(schema).unwrap();
        let keys: BTreeSet<&str> =
            schema["variables"].as_mapping().unwrap().keys().map(|k| k.as_str().unwrap()).collect();
        assert_eq!(keys, given);
        let list = |groups: &str, names: &str| -> Vec<String> {
            let groups = schema[groups].as_sequence().unwrap().iter();
            groups
                .flat_map(|g| g[names].as_sequence().unwrap())
                .map(|n| n.as_str().unwrap().to_owned())
                .collect()
        };
        let grouped = list("variableGroups", "variables");
        assert_eq!(grouped.iter().map(String::as_str).collect::<BTreeSet<_>>(), given);
        assert_eq!(grouped.len(), given.len(), "each in one group");
        let shown = list("outputGroups", "outputs");
        assert_eq!(shown.iter().map(String::as_str).collect::<BTreeSet<_>>(), declared(outputs, "output"));
    }

    #[test]
    fn the_zip_has_the_files_and_is_the_same_each_time() {
        let bytes = zip().unwrap();
        assert_eq!(bytes, zip().unwrap());
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for (name, text) in FILES {
            let mut found = String::new();
            archive.by_name(name).unwrap().read_to_string(&mut found).unwrap();
            assert_eq!(found, text, "{name}");
        }
        assert_eq!(archive.len(), FILES.len());
    }

    #[test]
    fn a_password_is_no_variable_and_not_repeated() {
        let mut given = settings();
        given.secret = "Geheim_123456".to_owned();
        let error = variables(BACKUP, "r1", Some("r"), &given).unwrap_err();
        assert!(!format!("{error:?}").contains("Geheim"), "{error:?}");
        assert!(error.hint_text().unwrap().contains("ocid1.vaultsecret."));
        for (backup, region, wanted) in [
            ("ocid1.autonomousdatabase.oc1..a", Some("r"), "no OCID of a backup"),
            (BACKUP, None, "in which region"),
        ] {
            let error = variables(backup, "r1", region, &settings()).unwrap_err();
            assert!(error.chain().contains(wanted), "{}", error.chain());
        }
    }
}
