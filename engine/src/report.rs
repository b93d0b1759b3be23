//! stub
use crate::evidence::*;
pub fn html(_: &RunRecord) -> String { todo!() }
pub mod text {
    use crate::evidence::*;
    pub fn closing(_: &RunSummary, _: &RunRecord, _: bool, _: u16) -> String { todo!() }
    pub fn plan(_: &Plan, _: u16) -> String { todo!() }
    pub fn compat(_: &Compat, _: u16) -> String { todo!() }
    pub fn status(_: &RunRecord, _: u16) -> String { todo!() }
    pub fn history(_: &[RunSummary], _: u16) -> String { todo!() }
}
