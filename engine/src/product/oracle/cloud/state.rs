//! Whether a database can be worked with, and if not, why and what to do.

use crate::error::{Error, Result};
use crate::oci::database::autonomous::AutonomousDatabase;
use crate::oci::database::{DatabaseState as State, OpenMode, PermissionLevel};

/// Passes a database that takes reads and writes of everybody.
///
/// # Errors
/// `Busy` where it will by itself, `Refused` where somebody has to do something.
pub fn ready(database: &AutonomousDatabase) -> Result<()> {
    let (name, id) = (name(database), &database.id);
    let command = |words: &str| format!("`oci db autonomous-database {words} --autonomous-database-id {id}`");
    let details = database.lifecycle_details.as_deref().filter(|d| !d.is_empty());
    let because = |error: Error| match details {
        Some(details) => error.because(details.to_owned()),
        None => error,
    };
    let refused = |text: String, hint: String| Err(because(Error::refused(text).hint(hint)));
    match &database.lifecycle_state {
        State::Available => match (&database.open_mode, &database.permission_level) {
            (Some(OpenMode::ReadOnly), _) => refused(
                format!("the database {name} is open for reading only"),
                format!("open it: {}", command("update --open-mode READ_WRITE")),
            ),
            (Some(OpenMode::Other(mode)), _) => {
                refused(format!("the database {name} is open as {mode}"), unknown())
            }
            (_, Some(PermissionLevel::Restricted)) => refused(
                format!("the database {name} lets only administrators in"),
                format!("let everybody in: {}", command("update --permission-level UNRESTRICTED")),
            ),
            (_, Some(PermissionLevel::Other(level))) => {
                refused(format!("the database {name} has the permission level {level}"), unknown())
            }
            _ => Ok(()),
        },
        State::Stopped => {
            refused(format!("the database {name} is stopped"), format!("start it: {}", command("start")))
        }
        State::AvailableNeedsAttention => refused(
            format!("the database {name} needs attention: after a restore it is open for reading only"),
            "see that its data are as wanted, then stop and start it".to_owned(),
        ),
        State::Terminating | State::Terminated => refused(
            format!("the database {name} has been terminated"),
            "name another one, or restore it from a backup".to_owned(),
        ),
        State::Standby => {
            refused(format!("the database {name} is a standby"), "name its primary database".to_owned())
        }
        State::Unavailable | State::Inaccessible | State::RestoreFailed | State::Transporting => refused(
            format!("the database {name} cannot be used: it is {}", database.lifecycle_state),
            "Oracle's console says what to do; its support wants the database's OCID".to_owned(),
        ),
        State::Other(state) => refused(format!("the database {name} is {state}"), unknown()),
        state => Err(because(
            Error::busy(format!("the database {name} is not ready: it is {state}"))
                .hint("wait until it is AVAILABLE, then run the same command again"),
        )),
    }
}

fn unknown() -> String {
    "this version of Drydock does not know what that means: see that it is AVAILABLE, or update Drydock"
        .to_owned()
}

pub(super) fn name(database: &AutonomousDatabase) -> &str {
    database.display_name.as_deref().unwrap_or(&database.db_name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn every_state_is_said_with_what_to_do() {
        for (fields, wanted) in [
            (json!({"lifecycleState": "AVAILABLE"}), None),
            (
                json!({"lifecycleState": "AVAILABLE", "openMode": "READ_WRITE", "permissionLevel": "UNRESTRICTED"}),
                None,
            ),
            (
                json!({"lifecycleState": "STOPPED"}),
                Some((ErrorKind::Refused, "is stopped", "autonomous-database start --auton")),
            ),
            (
                json!({"lifecycleState": "AVAILABLE", "openMode": "READ_ONLY"}),
                Some((ErrorKind::Refused, "open for reading only", "--open-mode READ_WRITE")),
            ),
            (
                json!({"lifecycleState": "AVAILABLE", "openMode": "MOUNTED"}),
                Some((ErrorKind::Refused, "open as MOUNTED", "update Drydock")),
            ),
            (
                json!({"lifecycleState": "AVAILABLE", "permissionLevel": "RESTRICTED"}),
                Some((ErrorKind::Refused, "only administrators", "UNRESTRICTED")),
            ),
            (
                json!({"lifecycleState": "AVAILABLE_NEEDS_ATTENTION"}),
                Some((ErrorKind::Refused, "needs attention", "stop and start it")),
            ),
            (
                json!({"lifecycleState": "SCALE_IN_PROGRESS"}),
                Some((ErrorKind::Busy, "it is SCALE_IN_PROGRESS", "wait")),
            ),
            (json!({"lifecycleState": "TERMINATED"}), Some((ErrorKind::Refused, "terminated", "another"))),
            (json!({"lifecycleState": "STANDBY"}), Some((ErrorKind::Refused, "is a standby", "primary"))),
            (
                json!({"lifecycleState": "INACCESSIBLE", "lifecycleDetails": "the key is disabled"}),
                Some((ErrorKind::Refused, "it is INACCESSIBLE: the key is disabled", "console")),
            ),
            (
                json!({"lifecycleState": "DREAMING"}),
                Some((ErrorKind::Refused, "is DREAMING", "update Drydock")),
            ),
        ] {
            let mut database = json!({"id": "ocid1.x", "compartmentId": "c", "dbName": "APP"});
            database.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            let outcome = ready(&serde_json::from_value(database).unwrap());
            match (outcome, wanted) {
                (Ok(()), None) => {}
                (Err(error), Some((kind, text, hint))) => {
                    assert_eq!(error.kind, kind, "{fields}");
                    assert!(error.chain().contains(text), "{fields}: {}", error.chain());
                    assert!(error.hint_text().unwrap().contains(hint), "{fields}: {:?}", error.hint_text());
                }
                (outcome, _) => panic!("{fields}: {outcome:?}"),
            }
        }
    }
}
