//! Commands about what rollbacks have kept aside, and about backups.

use super::Out;
use crate::cli::args::TargetArgs;
use crate::config;
use crate::error::Result;
use crate::model::restored_production::MomentAsked;
use crate::operations::restore_production::Taken;
use crate::report;

pub(super) async fn restore_data(target: &TargetArgs, run: &str, out: &Out) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let restored = out.operations().restore_data(&environment, run).await?;
    out.give(&restored, |_| report::kept::put_back(&restored.things))?;
    Ok(0)
}

pub(super) async fn clean(target: &TargetArgs, run: Option<&str>, out: &Out) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let cleaned = out.operations().clean(&environment, run).await?;
    out.give(&cleaned, |_| report::kept::cleaned(&cleaned.dropped, &cleaned.stay))?;
    Ok(0)
}

pub(super) async fn restore_production(
    target: &TargetArgs,
    run: &str,
    to: Option<MomentAsked>,
    accept_loss: bool,
    out: &Out,
) -> Result<u8> {
    let environment = config::resolve_record(&target.selection()?)?;
    let ask = |taken: &Taken| {
        let question = "Services can only read meanwhile. Restore production all the same?";
        out.terminal.confirm(&format!("Production has what is not restored:\n{taken}\n{question}"))
    };
    let restored = out.operations().restore_production(&environment, run, to, accept_loss, &ask).await?;
    out.give(&restored, |_| report::restored_production::text(&restored))?;
    Ok(0)
}
