//! What a run's things are called, so that another process finds them.

use sha2::{Digest, Sha256};

/// The freeform tag that says of what run something is.
pub(super) const TAG: &str = "drydock-run";

/// Of a run's backup, stack and clone.
pub(super) fn display_name(run: &str) -> String {
    format!("drydock-{run}")
}

/// Of a run's clone as clients meet it: letters and digits, and no other database of the tenancy has it.
pub(super) fn db_name(run: &str) -> String {
    let hash = Sha256::digest(run.as_bytes());
    format!("DD{}", hash.iter().take(10).map(|byte| format!("{byte:02X}")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_is_called_as_the_service_allows_and_as_no_other_runs() {
        let name = db_name("2026-11-29-aé");
        assert!(name.len() <= 30 && name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
        assert!(name.starts_with(|c: char| c.is_ascii_alphabetic()));
        assert_eq!(name, db_name("2026-11-29-aé"));
        assert_ne!(name, db_name("2026-11-29-b"));
    }
}
