//! Ends the process when a request takes longer than it may. Nothing else ends a call that the server does not answer.

use std::io::Write;
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use drydock_oracle_protocol::{Answer, Failure, FailureKind, Outcome};

/// The request under way was given up.
const LATE: i32 = 124;

/// Standard output, one answer a line.
#[derive(Default)]
pub struct Output(Mutex<()>);

impl Output {
    pub fn answer(&self, id: u64, outcome: Outcome) {
        let _alone = locked(&self.0);
        write(id, outcome);
    }
}

/// Whoever asked is gone if it cannot be written.
fn write(id: u64, outcome: Outcome) {
    let written =
        serde_json::to_vec(&Answer { id, outcome }).map_err(std::io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            let mut out = std::io::stdout().lock();
            out.write_all(&line)?;
            out.flush()
        });
    if written.is_err() {
        process::exit(1);
    }
}

#[derive(Default)]
struct Shared {
    under_way: Mutex<Option<(u64, Instant)>>,
    changed: Condvar,
}

pub struct Watchdog {
    shared: Arc<Shared>,
}

impl Watchdog {
    pub fn start(output: Arc<Output>) -> Self {
        let shared = Arc::new(Shared::default());
        thread::spawn({
            let shared = shared.clone();
            move || watch(&shared, &output)
        });
        Self { shared }
    }

    /// A request began, and ends by then.
    pub fn begin(&self, id: u64, latest: Instant) {
        *locked(&self.shared.under_way) = Some((id, latest));
        self.shared.changed.notify_one();
    }

    /// It is done. Its answer is written by whoever calls this, and by nobody else.
    pub fn done(&self) {
        *locked(&self.shared.under_way) = None;
    }
}

fn watch(shared: &Shared, output: &Output) {
    let mut under_way = locked(&shared.under_way);
    loop {
        let Some((id, latest)) = *under_way else {
            under_way = shared.changed.wait(under_way).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let left = latest.saturating_duration_since(Instant::now());
        if left.is_zero() {
            // A reader that does not read must not keep the process.
            if let Ok(_alone) = output.0.try_lock() {
                let late = "the server did not answer in time, and the connection was given up";
                write(id, Outcome::Failed(Failure::new(FailureKind::Timeout, late)));
            }
            process::exit(LATE);
        }
        under_way = shared.changed.wait_timeout(under_way, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
