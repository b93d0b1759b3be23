//! Which server the stand-in says it is, and what of the protocol depends on that.

/// The clients read messages by the "field version" of the server (crate `oracledb`, `constants.rs`, `TTC_FIELD_VERSION_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V19,
    V21,
    V23,
}

/// Function calls carry a token from this version of the fields on, which is that of 23.1.
pub const FIRST_WITH_TOKENS: u8 = 18;

impl Version {
    pub fn field_version(self) -> u8 {
        match self {
            Version::V19 => 12,
            Version::V21 => 16,
            Version::V23 => 24,
        }
    }

    /// Of TNS.
    pub fn protocol(self) -> u16 {
        match self {
            Version::V19 | Version::V21 => 318,
            Version::V23 => 319,
        }
    }

    /// Offers of the ACCEPT: logging on in fewer round trips, and telling the end of each response.
    pub fn accept_flags(self) -> u32 {
        match self {
            Version::V19 | Version::V21 => 0,
            Version::V23 => 0x1000_0000 | 0x0200_0000,
        }
    }

    pub fn tells_the_end(self) -> bool {
        self == Version::V23
    }

    pub fn has_tokens(self) -> bool {
        self.field_version() >= FIRST_WITH_TOKENS
    }

    pub fn has_sql_type_in_errors(self) -> bool {
        self.field_version() >= 14
    }

    pub fn has_domains(self) -> bool {
        self.field_version() >= 17
    }

    pub fn has_annotations(self) -> bool {
        self.field_version() >= 20
    }

    pub fn has_vectors(self) -> bool {
        self.field_version() >= 24
    }

    /// Five numbers, from 18 on packed into bits 24, 16, 12, 4 and 0.
    pub fn number(self) -> u32 {
        match self {
            Version::V19 => 19 << 24 | 24 << 16,
            Version::V21 => 21 << 24 | 3 << 16,
            Version::V23 => 23 << 24 | 7 << 16,
        }
    }

    pub fn banner(self) -> &'static str {
        match self {
            Version::V19 => "Oracle Database 19c Enterprise Edition Release 19.0.0.0.0 - Production",
            Version::V21 => "Oracle Database 21c Enterprise Edition Release 21.0.0.0.0 - Production",
            Version::V23 => {
                "Oracle Database 23ai Enterprise Edition Release 23.0.0.0.0 - for Oracle Cloud and Engineered Systems"
            }
        }
    }
}
