//! What a policy has to allow for each thing that is done:
//! <https://docs.oracle.com/en-us/iaas/Content/Identity/policyreference/adbpolicyreference.htm>.

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    ReadDatabase,
    ReadBackups,
    MakeBackup,
    DeleteBackup,
    Wallet,
    StartAndStop,
    Restore,
    Stacks,
    Jobs,
    /// What a job does, it does as whoever began it.
    MakeClone,
    DeleteClone,
}

/// A statement of a policy. `GROUP` and `COMPARTMENT` are for people to fill in.
macro_rules! allow {
    ($what:literal) => {
        concat!("Allow group GROUP to ", $what, " in compartment COMPARTMENT")
    };
}

impl Right {
    /// Statements that allow it, all of them needed.
    const fn statements(self) -> &'static [&'static str] {
        match self {
            Self::ReadDatabase | Self::Wallet => &[allow!("read autonomous-databases")],
            Self::ReadBackups => &[allow!("read autonomous-backups")],
            Self::MakeBackup => &[allow!("manage autonomous-backups"), allow!("read autonomous-databases")],
            Self::DeleteBackup => &[allow!("manage autonomous-backups")],
            Self::StartAndStop => &[allow!("use autonomous-databases")],
            Self::Restore => &[allow!("use autonomous-databases"), allow!("read autonomous-backups")],
            Self::Stacks => &[allow!("manage orm-stacks")],
            Self::Jobs => &[allow!("manage orm-jobs")],
            Self::MakeClone => &[
                allow!("manage autonomous-databases"),
                allow!("read autonomous-backups"),
                allow!("read secret-family"),
                allow!("use virtual-network-family"),
            ],
            Self::DeleteClone => &[allow!("manage autonomous-databases")],
        }
    }

    /// The statements, one after another.
    pub(super) fn statement(self) -> String {
        self.statements().join("; ")
    }

    #[cfg(test)]
    const ALL: [Self; 11] = [
        Self::ReadDatabase,
        Self::ReadBackups,
        Self::MakeBackup,
        Self::DeleteBackup,
        Self::Wallet,
        Self::StartAndStop,
        Self::Restore,
        Self::Stacks,
        Self::Jobs,
        Self::MakeClone,
        Self::DeleteClone,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_is_in_the_documentation() {
        let page = include_str!("../../../../../docs/oracle.md");
        for right in Right::ALL {
            for statement in right.statements() {
                assert!(page.lines().any(|line| line.trim() == *statement), "{right:?}: {statement}");
            }
        }
    }
}
