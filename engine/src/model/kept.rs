//! What inverses take and is kept aside: what it is, where it lies, and for how long.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::changeset::ChangesetId;
use super::data_at_risk::{Loss, Taken};

/// What one statement of an inverse takes, kept aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    pub run: String,
    #[serde(flatten)]
    pub key: ChangesetId,
    /// Which statement of the inverse takes it, counted from 0.
    pub statement: u32,
    pub taken: Taken,
    pub place: KeptPlace,
    /// The columns that tell a row from others. None: there is no key, and nothing can be put back by itself.
    pub key_columns: Vec<String>,
    pub columns: Vec<String>,
    pub rows: u64,
    /// The moment whose rows and values these are.
    pub as_of: Timestamp,
    /// Whether nobody could write between that moment and the inverse.
    pub complete: bool,
    /// The end of the rollback window.
    pub until: Timestamp,
    /// When it was put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put_back_at: Option<Timestamp>,
}

/// Where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum KeptPlace {
    /// A table of the same database.
    Table { table: String },
    /// A file in the folder `kept` of the run.
    File { file: String },
}

/// What a run's inverses take: what of it is kept, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Keeping {
    pub kept: Vec<Kept>,
    pub not_kept: Vec<NotKept>,
}

/// Something that inverses take and that is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotKept {
    #[serde(flatten)]
    pub loss: Loss,
    #[serde(flatten)]
    pub why: WhyNotKept,
}

/// Why something is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "not_kept", rename_all = "snake_case")]
pub enum WhyNotKept {
    /// The settings say so.
    Settings,
    /// The product keeps nothing.
    Product,
    /// Code runs, or rows change in a way that cannot be read beforehand.
    Unknown,
    Failed {
        error: String,
    },
}

impl Keeping {
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.not_kept.is_empty()
    }

    /// The end of the window, where anything is kept.
    pub fn until(&self) -> Option<Timestamp> {
        self.kept.iter().map(|kept| kept.until).max()
    }
}

impl Kept {
    /// Whether this is what a statement of a changeset's inverse takes.
    pub fn is_of(&self, key: &ChangesetId, statement: u32, taken: &Taken) -> bool {
        self.key == *key && self.statement == statement && self.taken == *taken
    }

    /// What to know of it besides its size; empty where there is nothing.
    pub fn reservations(&self) -> String {
        let mut said = Vec::new();
        if !self.complete {
            said.push(format!("as of {}", moment(self.as_of)));
        }
        if self.key_columns.is_empty() {
            said.push("without a key, so that it cannot be put back by itself".to_owned());
        }
        if let KeptPlace::File { file } = &self.place {
            said.push(format!("in the file {file} of the run"));
        }
        said.join(", ")
    }
}

fn moment(at: Timestamp) -> impl fmt::Display {
    at.strftime("%Y-%m-%d %H:%M:%S UTC")
}

/// `150 values of public.customers.phone`
impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.clone();
        Loss { key, taken: self.taken.clone(), rows: Some(self.rows), at_least: false }.fmt(f)
    }
}

impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.loss)?;
        match &self.why {
            WhyNotKept::Settings => f.write_str("[rollback] keep_days = 0"),
            WhyNotKept::Product => f.write_str("the product keeps nothing"),
            WhyNotKept::Unknown => f.write_str("what it takes cannot be known beforehand"),
            WhyNotKept::Failed { error } => f.write_str(error),
        }
    }
}

/// What became of something that was to be put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PutBack {
    #[serde(flatten)]
    pub kept: Kept,
    #[serde(flatten)]
    pub outcome: PutBackOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum PutBackOutcome {
    /// Rows, or values of rows.
    Done {
        put_back: u64,
        /// They are the same in the database already.
        there: u64,
        /// They have been written since, and stay as they are.
        written_since: u64,
        /// Values whose row is not there any more.
        row_gone: u64,
    },
    /// It was put back before.
    DoneBefore { at: Timestamp },
    /// There is no key to put it back by.
    NoKey,
}

impl fmt::Display for PutBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.kept)?;
        let (put_back, there, written_since, row_gone) = match &self.outcome {
            PutBackOutcome::DoneBefore { at } => {
                return write!(f, "there already, put back {}", moment(*at));
            }
            PutBackOutcome::NoKey => {
                let place = match &self.kept.place {
                    KeptPlace::Table { table } => table,
                    KeptPlace::File { file } => file,
                };
                return write!(f, "there is no key to put them back by; they are in {place}");
            }
            PutBackOutcome::Done { put_back, there, written_since, row_gone } => {
                (*put_back, *there, *written_since, *row_gone)
            }
        };
        write!(f, "{put_back} put back")?;
        for (count, what) in [
            (there, "there already"),
            (written_since, "written since, which stay as they are"),
            (row_gone, "of rows that are not there any more"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

/// For tests.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub fn example() -> Kept {
    let key = ChangesetId { id: "phone".into(), author: "shop".into(), path: "a.sql".into() };
    Kept {
        run: "20261128T074100-0001".into(),
        key,
        statement: 0,
        taken: Taken::Column { table: "public.customers".into(), column: "phone".into() },
        place: KeptPlace::Table { table: "drydock_kept.run_1".into() },
        key_columns: vec!["id".into()],
        columns: vec!["phone".into()],
        rows: 150,
        as_of: "2026-11-28T07:41:00Z".parse().unwrap(),
        complete: true,
        until: "2026-12-05T07:41:00Z".parse().unwrap(),
        put_back_at: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_kept_is_said_with_its_reservations() {
        let mut kept = example();
        assert_eq!(kept.to_string(), "150 values of public.customers.phone");
        assert_eq!(kept.reservations(), "");
        kept.complete = false;
        kept.key_columns.clear();
        assert_eq!(
            kept.reservations(),
            "as of 2026-11-28 07:41:00 UTC, without a key, so that it cannot be put back by itself"
        );
    }

    #[test]
    fn what_was_put_back_is_told_apart_from_what_stays() {
        let done =
            |put_back, written_since| PutBackOutcome::Done { put_back, there: 0, written_since, row_gone: 0 };
        let said = |outcome| PutBack { kept: example(), outcome }.to_string();
        assert_eq!(said(done(150, 0)), "150 values of public.customers.phone: 150 put back");
        assert_eq!(
            said(done(149, 1)),
            "150 values of public.customers.phone: 149 put back, 1 written since, which stay as they are"
        );
    }

    #[test]
    fn a_fact_is_read_as_it_is_written() {
        let text = serde_json::to_string(&example()).unwrap();
        assert_eq!(serde_json::from_str::<Kept>(&text).unwrap(), example());
        let not_kept = NotKept {
            loss: Loss { key: example().key, taken: example().taken, rows: None, at_least: false },
            why: WhyNotKept::Failed { error: "full".into() },
        };
        let text = serde_json::to_string(&not_kept).unwrap();
        assert_eq!(serde_json::from_str::<NotKept>(&text).unwrap(), not_kept);
    }
}
