//! The words in which the service says how something is. Each list is open: a word that came later is kept as it is and means
//! nothing of what is known.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An enum of the service's words, with a variant for any other.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($variant:ident),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum $name {
            $($variant,)+
            /// One that came later than this program.
            #[serde(untagged)]
            Other(String),
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.serialize(f)
            }
        }
    };
}

words! {
    /// Of an Autonomous Database.
    DatabaseState {
        Provisioning, Available, Stopping, Stopped, Starting, Terminating, Terminated, Unavailable, RestoreInProgress, RestoreFailed,
        BackupInProgress, ScaleInProgress, AvailableNeedsAttention, Updating, MaintenanceInProgress, Restarting, Recreating,
        RoleChangeInProgress, Upgrading, Inaccessible, Standby, Transporting,
    }
}

words! {
    /// Of a backup.
    BackupState { Creating, Active, Deleting, Deleted, Failed, Updating }
}

words! {
    BackupType { Incremental, Full, Longterm, VirtualFull, CumulativeIncremental, RollForwardImageCopy }
}

words! {
    /// Whether a database takes writes.
    OpenMode { ReadOnly, ReadWrite }
}

words! {
    /// Whether everybody may log in, or only administrators.
    PermissionLevel { Restricted, Unrestricted }
}

words! {
    /// Whether only the server shows a certificate (`Server`), or the client too, which needs a wallet (`Mutual`).
    TlsAuthentication { Server, Mutual }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_word_is_read_and_written_as_the_service_writes_it_and_an_unknown_one_is_nothing_known() {
        for (text, wanted) in [
            ("AVAILABLE", DatabaseState::Available),
            ("AVAILABLE_NEEDS_ATTENTION", DatabaseState::AvailableNeedsAttention),
            ("available", DatabaseState::Other("available".to_owned())),
            ("AVAILABLE_IN_PART", DatabaseState::Other("AVAILABLE_IN_PART".to_owned())),
            ("", DatabaseState::Other(String::new())),
        ] {
            let state: DatabaseState = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!((state.to_string().as_str(), &state), (text, &wanted));
        }
        let state: BackupState = serde_json::from_str("\"ACTIVE_SOON\"").unwrap();
        assert_ne!(state, BackupState::Active);
        assert_eq!(BackupType::RollForwardImageCopy.to_string(), "ROLL_FORWARD_IMAGE_COPY");
        assert!(serde_json::from_str::<BackupState>("7").is_err());
    }
}
