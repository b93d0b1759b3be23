//! What goes wrong, and when.

use std::collections::VecDeque;

use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};

use super::Oci;

/// What goes wrong with a request that is not of the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with this status and code, and nothing is done.
    Refuse(u16, &'static str),
    /// It is done, and the connection ends without an answer.
    LoseAnswer,
    /// It is done, and the connection ends in the middle of the answer.
    CutOff,
    /// It is done, and answered so many milliseconds later.
    Slow(u64),
    /// It is done or not, and there is no answer as long as the connection lasts: so one meets it who dies at that moment.
    Hang { done: bool },
    /// Nothing.
    None,
}

#[derive(Default)]
pub(super) struct Faults {
    /// Of the next requests, one each.
    next: VecDeque<Fault>,
    /// Of all requests whose method and target begin so.
    rules: Vec<(String, Fault)>,
}

impl Faults {
    pub(super) fn next(&mut self, asked: &str) -> Option<Fault> {
        if let Some(fault) = self.next.pop_front() {
            return Some(fault);
        }
        self.rules.iter().find(|(begin, _)| asked.starts_with(begin)).map(|(_, fault)| *fault)
    }
}

impl Oci {
    /// What goes wrong with the next requests.
    pub fn faults(&self, faults: &[Fault]) {
        self.state().faults.next.extend(faults);
    }

    /// What goes wrong with every request that begins so, as `POST /20180917/jobs`.
    pub fn always(&self, begin: &str, fault: Fault) {
        self.state().faults.rules.push((begin.to_owned(), fault));
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        self.state().faults = Faults::default();
    }

    /// Carries out `work` until its request of this number (the first is 0) comes, which is done or not, and drops it then: so a process
    /// dies. `None`: it died; else what came of it, which had less requests.
    pub async fn dies_at<T>(&self, number: usize, done: bool, work: impl Future<Output = T>) -> Option<T> {
        self.mend();
        let mut faults = vec![Fault::None; number];
        faults.push(Fault::Hang { done });
        self.faults(&faults);
        let outcome = tokio::select! {
            outcome = work => Some(outcome),
            () = self.cut.notified() => None,
        };
        self.mend();
        outcome
    }
}

/// The first half of an answer, and the end of the connection.
pub(super) fn half(body: Vec<u8>) -> BoxBody<Bytes, std::io::Error> {
    let first = Bytes::from(body[..body.len() / 2].to_vec());
    let frames = [Ok(Frame::data(first)), Err(std::io::Error::other("cut off"))];
    BodyExt::boxed(StreamBody::new(stream::iter(frames)))
}
