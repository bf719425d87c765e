//! `countersign decision …`.

mod host;
mod lines;
mod range;

use std::path::Path;

use countersign_core::time::{Clock as _, SystemClock};

use self::host::Host;
use self::lines::{Lines, Out};
use self::range::Range;
use super::client::Client;
use super::failure::Failure;
use super::terminal;
use super::whole_file::WholeFile;
use crate::cli::DecisionExport;
use crate::config::Flags;
use crate::signals::Signals;

/// Writes the decisions that are asked for, and what a reader needs to ask them again.
pub async fn export(asked: DecisionExport, flags: Flags) -> Result<(), Failure> {
    let range = Range::of(&asked, SystemClock.now())?;
    let host = Host::new(Client::new(&asked.access, flags)?);
    // Nothing is written where the host has nothing to say.
    let first = host.decisions(range.cursor()).await?;
    let mut lines = Lines::new(&host, begin(asked.out.as_deref())?);
    lines.with_modules = asked.with_modules;
    let told = tokio::select! {
        done = lines.write_all(range, first) => done?,
        () = Signals::listen().heard() => return Err(Failure::failed("stopped: no export was written")),
    };
    terminal::tell(&told);
    Ok(())
}

fn begin(out: Option<&Path>) -> Result<Out, Failure> {
    Ok(match out {
        Some(out) => Out::File(Box::new(WholeFile::begin(out)?)),
        None => Out::Screen,
    })
}
