//! Somebody asks for what is under way to end. What would leave something behind listens, and clears it away first.

use std::sync::Arc;

use tokio::sync::watch;

/// Copies of one belong together.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<watch::Sender<bool>>);

impl Default for Interrupt {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

/// Held while something listens.
#[derive(Debug)]
pub struct Listener(watch::Receiver<bool>);

impl Interrupt {
    /// Asks; whether anybody listens, and so whether to wait for it.
    pub fn ask(&self) -> bool {
        self.0.send_replace(true);
        self.0.receiver_count() > 0
    }

    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// Returns when it was asked for.
    pub async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            // Nobody is left who could ask.
            std::future::pending::<()>().await;
        }
    }
}
