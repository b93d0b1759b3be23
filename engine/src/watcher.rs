//! How the engine tells that it is at work. It never prints: whoever runs it decides what becomes of this.

use std::sync::Arc;

use crate::model::stage::Stage;

/// Progress of something long, shown to people: a label and, where known, done out of total.
pub type Progress = Arc<dyn Fn(&str, Option<(u64, u64)>) + Send + Sync>;

/// Hears of a run's progress. Calls come from any task and must not block.
pub trait Watcher: Send + Sync {
    fn stage_began(&self, stage: Stage);
    /// `text`: one line of what came of it.
    fn stage_done(&self, stage: Stage, seconds: f64, text: &str);
    fn stage_failed(&self, stage: Stage, seconds: f64, text: &str);
    /// Under way in the current stage, with done and total where they are known.
    fn progress(&self, label: &str, of: Option<(u64, u64)>);
    /// Something a person wants to know now.
    fn note(&self, text: &str);
}

/// Hears nothing.
pub struct Silent;

impl Watcher for Silent {
    fn stage_began(&self, _: Stage) {}
    fn stage_done(&self, _: Stage, _: f64, _: &str) {}
    fn stage_failed(&self, _: Stage, _: f64, _: &str) {}
    fn progress(&self, _: &str, _: Option<(u64, u64)>) {}
    fn note(&self, _: &str) {}
}

/// The same, as the provider wants it.
pub fn as_progress(watcher: &Arc<dyn Watcher>) -> Progress {
    let watcher = Arc::clone(watcher);
    Arc::new(move |label, of| watcher.progress(label, of))
}
