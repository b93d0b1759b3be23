//! `drydock compat`: one check, its result in any number of formats.

use crate::cli::args::{Format, TargetArgs, Written};
use crate::cli::commands::{Out, TextStyle, json, print};
use crate::config;
use crate::error::{Context, Result};
use crate::model::evidence::Outcome;
use crate::report::compat as formats;
use crate::report::compat::{Findings, Places};

pub(super) async fn compat(target: &TargetArgs, output: &[Written], out: &Out) -> Result<u8> {
    let environment = config::resolve(&target.selection()?)?;
    let (compat, changesets) = out.operations().compat(&environment).await?;
    let here = std::env::current_dir().context("the current folder cannot be read")?;
    let places = Places::find(&environment.changelog_root, &environment.contracts, &here);
    let findings = Findings::new(&compat, &changesets, &places);
    let rendered = |format: Format, width: u16| match format {
        Format::Text => Ok(formats::text(&findings, width)),
        Format::Json => json(&formats::json(&findings)),
        Format::Junit => formats::junit(&findings),
        Format::Sarif => json(&formats::sarif(&findings)),
        Format::Codequality => json(&formats::codequality(&findings)),
        Format::Markdown => Ok(formats::markdown(&findings)),
    };
    for Written { format, file } in output {
        let text = rendered(*format, TextStyle::of_a_file().width)?;
        std::fs::write(file, format!("{}\n", text.trim_end()))
            .input(format!("{} cannot be written", file.display()))
            .map_err(|e| e.hint("the folder of a file to write must be there"))?;
    }
    out.terminal.finish();
    print(&rendered(out.format, TextStyle::of_stdout().width)?);
    Ok(match () {
        () if formats::knows_nobody(&compat) => Outcome::Refused.exit_code(),
        () if !compat.held.is_empty() => Outcome::Held.exit_code(),
        () => 0,
    })
}
