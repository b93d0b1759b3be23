//! Progress on standard error: bars on a terminal, otherwise a line now and then.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use owo_colors::{OwoColorize, Stream};

use crate::model::stage::Stage;
use crate::watcher::Watcher;

/// Shows a run's progress to a person.
pub struct Terminal {
    bar: Option<ProgressBar>,
    state: Mutex<State>,
}

struct State {
    label: String,
    last_line: Instant,
    begun: Instant,
}

impl Terminal {
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if let Some(bar) = &bar {
            bar.set_style(spinner());
        }
        let now = Instant::now();
        Self { bar, state: Mutex::new(State { label: String::new(), last_line: now, begun: now }) }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    /// Asks a person. Where there is none to answer, the answer is no.
    pub fn confirm(&self, question: &str) -> bool {
        if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            return false;
        }
        let ask = || {
            eprint!("{question} [y/N] ");
            let mut answer = String::new();
            std::io::stdin().read_line(&mut answer).is_ok()
                && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
        };
        match &self.bar {
            Some(bar) => bar.suspend(ask),
            None => ask(),
        }
    }

    /// Takes the bar away before results are printed.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("  {spinner} {wide_msg} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn counting() -> ProgressStyle {
    ProgressStyle::with_template("  {spinner} {msg:44!} {bar:24} {human_pos}/{human_len} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ")
}

impl Watcher for Terminal {
    fn stage_began(&self, stage: Stage) {
        if let Ok(mut state) = self.state.lock() {
            state.begun = Instant::now();
            state.label.clear();
        }
        match &self.bar {
            Some(bar) => {
                bar.set_style(spinner());
                bar.reset_elapsed();
                bar.set_message(stage.name());
            }
            None => eprintln!("{stage} …"),
        }
    }

    fn stage_done(&self, stage: Stage, seconds: f64, text: &str) {
        let mark = "✓".if_supports_color(Stream::Stderr, |t| t.green()).to_string();
        self.line(&format!("{mark} {stage:<8} {seconds:>7.1} s  {text}"));
    }

    fn stage_failed(&self, stage: Stage, seconds: f64, text: &str) {
        let mark = "✗".if_supports_color(Stream::Stderr, |t| t.red()).to_string();
        self.line(&format!("{mark} {stage:<8} {seconds:>7.1} s  {text}"));
    }

    fn progress(&self, label: &str, of: Option<(u64, u64)>) {
        if let Some(bar) = &self.bar {
            match of {
                Some((done, total)) => {
                    bar.set_style(counting());
                    bar.set_length(total);
                    bar.set_position(done);
                }
                None => bar.set_style(spinner()),
            }
            bar.set_message(label.to_owned());
            return;
        }
        let Ok(mut state) = self.state.lock() else { return };
        // A log wants to know that it is alive, not every step.
        if state.last_line.elapsed() < Duration::from_secs(3) || state.label == label && of.is_none() {
            return;
        }
        state.last_line = Instant::now();
        label.clone_into(&mut state.label);
        let elapsed = state.begun.elapsed().as_secs();
        match of {
            Some((done, total)) => eprintln!("  {elapsed:>4} s  {label} {done}/{total}"),
            None => eprintln!("  {elapsed:>4} s  {label}"),
        }
    }

    fn note(&self, text: &str) {
        self.line(&format!("• {text}"));
    }
}
