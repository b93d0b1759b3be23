//! A crash on demand: how tests and `--inject kill` end a run in the middle.

use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::model::event::{Action, Event, EventKind};
use crate::run::inject::Inject;
use crate::run::journal::AfterRecord;

/// Dies right after the record with the number in `DRYDOCK_TEST_KILL_AT`, or with a changeset of the second wave intended
/// and no outcome on record.
pub(super) fn after_record(inject: Inject) -> AfterRecord {
    let number: Option<u64> = std::env::var("DRYDOCK_TEST_KILL_AT").ok().and_then(|n| n.parse().ok());
    let dies = move |event: &Event| {
        let intended = matches!(&event.what, EventKind::Intended { action: Action::Apply { wave, .. }, .. } if *wave >= 2);
        number == Some(event.seq) || inject == Inject::Kill && intended
    };
    if number.is_none() && inject != Inject::Kill {
        return AfterRecord::default();
    }
    AfterRecord(Some(Arc::new(move |event| {
        if dies(event) {
            let _ = kill(Pid::this(), Signal::SIGKILL);
            std::thread::sleep(std::time::Duration::from_secs(10));
        }
    })))
}
