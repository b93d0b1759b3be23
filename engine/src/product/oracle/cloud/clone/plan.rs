//! Whether a plan of Terraform makes the clone and does nothing else:
//! <https://developer.hashicorp.com/terraform/internals/json-format#plan-representation>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::names::TAG;
use crate::error::{Error, Result};

const ADDRESS: &str = "oci_database_autonomous_database.clone";
const TYPE: &str = "oci_database_autonomous_database";

/// Passes a plan that makes the one database that the variables say.
///
/// # Errors
/// `Refused`, with the change that is not wanted.
pub(super) fn check(plan: &Value, variables: &BTreeMap<String, String>) -> Result<()> {
    let refused = |text: String| Err(Error::refused(text));
    let format = text(plan, "/format_version");
    if !format.starts_with("1.") {
        return refused(format!("the plan is written in the format \"{format}\", which is not known"));
    }
    if plan.get("errored").and_then(Value::as_bool) == Some(true) {
        return refused("the plan was not finished".to_owned());
    }
    let some = |name: &str| plan.get(name).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if some("deferred_changes") {
        return refused("the plan leaves changes for later".to_owned());
    }
    if some("resource_drift") {
        return refused("the stack has something already, which was changed by others".to_owned());
    }
    let changes = plan.get("resource_changes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for change in changes {
        let address = text(change, "/address");
        let actions: Vec<&str> = change
            .pointer("/change/actions")
            .and_then(Value::as_array)
            .map(|actions| actions.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        if change.pointer("/change/importing").is_some_and(|v| !v.is_null()) {
            return refused(format!("the plan would take over {address}, which is there already"));
        }
        let (kind, name) = (text(change, "/type"), text(change, "/name"));
        let ours =
            text(change, "/mode") == "managed" && kind == TYPE && name == "clone" && address == ADDRESS;
        match actions.as_slice() {
            ["create"] if ours => {}
            ["create"] => return refused(format!("the plan would make {address}, which is not the clone")),
            ["read"] => return refused(format!("the plan would read {address}, which is not the clone")),
            ["no-op"] => return refused(format!("{address} is there already")),
            ["delete"] => return refused(format!("the plan would destroy {address}")),
            ["update"] => return refused(format!("the plan would change {address}")),
            ["delete", "create"] | ["create", "delete"] => {
                return refused(format!("the plan would replace {address}"));
            }
            ["forget"] => return refused(format!("the plan would forget {address}")),
            other => return refused(format!("the plan would do \"{}\" to {address}", other.join(", "))),
        }
        values(change, variables)?;
    }
    match changes.len() {
        1 => Ok(()),
        0 => refused("the plan makes no clone".to_owned()),
        number => refused(format!("the plan makes {ADDRESS} {number} times")),
    }
}

/// Whether the database is the one that was asked for: somebody may have changed the stack meanwhile.
fn values(change: &Value, variables: &BTreeMap<String, String>) -> Result<()> {
    let given = |name: &str| variables.get(name).map_or("", String::as_str);
    for (field, wanted) in [
        ("source", "BACKUP_FROM_ID"),
        ("autonomous_database_backup_id", given("backup_id")),
        ("clone_type", given("clone_type")),
        ("compartment_id", given("compartment_ocid")),
        ("display_name", given("display_name")),
        ("db_name", given("db_name")),
        (&format!("freeform_tags/{TAG}"), given("run")),
    ] {
        let found = text(change, &format!("/change/after/{field}"));
        if found != wanted {
            return Err(Error::refused(format!(
                "the plan would make the clone with {field} \"{found}\", and \"{wanted}\" is wanted"
            )));
        }
    }
    Ok(())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use serde_json::json;

    use super::super::configuration;
    use super::super::tests::{BACKUP, settings};
    use super::*;
    use crate::error::ErrorKind;
    use crate::oci::fake::Oci;

    #[test]
    fn only_the_clone_is_made() {
        let variables = configuration::variables(BACKUP, "r1", Some("r"), &settings()).unwrap();
        let good = Oci::plan_of(&serde_json::to_value(&variables).unwrap());
        check(&good, &variables).unwrap();
        let other = json!({"address": "oci_core_vcn.v", "mode": "managed", "type": "oci_core_vcn", "name": "v",
            "change": {"actions": ["create"]}});
        let data = json!({"address": "data.oci_core_subnets.s", "mode": "data", "type": "oci_core_subnets", "name": "s",
            "change": {"actions": ["read"]}});
        let twin = json!({"address": "oci_database_autonomous_database.clone[0]", "mode": "managed",
            "type": "oci_database_autonomous_database", "name": "clone", "change": {"actions": ["create"]}});
        let actions = |actions: &[&str]| ("/resource_changes/0/change/actions", json!(actions));
        for ((pointer, value), wanted) in [
            (actions(&["delete"]), "would destroy oci_database_autonomous_database.clone"),
            (actions(&["update"]), "would change oci_database_autonomous_database.clone"),
            (actions(&["delete", "create"]), "would replace"),
            (actions(&["create", "delete"]), "would replace"),
            (actions(&["no-op"]), "is there already"),
            (actions(&["forget"]), "would forget"),
            (actions(&["invent"]), "would do \"invent\""),
            (actions(&[]), "would do \"\""),
            (("/resource_changes", json!([])), "makes no clone"),
            (
                ("/resource_changes", json!([good["resource_changes"][0], other])),
                "would make oci_core_vcn.v, which is not",
            ),
            (("/resource_changes", json!([data])), "would read data.oci_core_subnets.s"),
            (("/resource_changes", json!([twin])), "clone[0], which is not the clone"),
            (("/resource_changes/0/change/importing", json!({"id": "x"})), "would take over"),
            (("/resource_changes/0/mode", json!("data")), "is not the clone"),
            (("/format_version", json!("2.0")), "the format \"2.0\""),
            (("/format_version", json!(null)), "the format \"\""),
            (("/errored", json!(true)), "was not finished"),
            (("/deferred_changes", json!([{}])), "for later"),
            (("/resource_drift", json!([{}])), "changed by others"),
            (("/resource_changes/0/change/after/source", json!("DATABASE")), "source \"DATABASE\""),
            (("/resource_changes/0/change/after/autonomous_database_backup_id", json!("b2")), "\"b2\""),
            (("/resource_changes/0/change/after/clone_type", json!("METADATA")), "clone_type \"METADATA\""),
            (
                ("/resource_changes/0/change/after/freeform_tags", json!({})),
                "freeform_tags/drydock-run \"\", and \"r1\"",
            ),
            (("/resource_changes/0/change/after", json!(null)), "source \"\""),
        ] {
            let mut plan = good.clone();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            match plan.pointer_mut(parent).unwrap() {
                serde_json::Value::Object(fields) => fields.insert(name.to_owned(), value.clone()),
                _ => unreachable!(),
            };
            let error = check(&plan, &variables).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Refused);
            assert!(error.chain().contains(wanted), "{pointer} = {value}: {}", error.chain());
        }
        assert!(check(&json!({}), &variables).is_err() && check(&json!(null), &variables).is_err());
    }
}
