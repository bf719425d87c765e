//! What is shown, where it was asked to go.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;

use crate::cli::Shown;
use crate::commands::failure::Failure;
use crate::commands::terminal;

/// How wide a terminal is whose width is not known, and a file.
const WIDTH: usize = 80;

/// Wider than this, lines are harder to read and not easier.
const MOST_WIDTH: usize = 120;

/// Writes `text` to the file that was named, or to standard output.
pub fn show(shown: &Shown, text: &str) -> anyhow::Result<()> {
    match &shown.out {
        Some(path) => write(path, text),
        None => Ok(terminal::write(text.as_bytes())?),
    }
}

/// Writes a report, and never over a component: whoever mistypes a name loses no policy.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    is_no_component(path)?;
    let named = path.display();
    std::fs::write(path, text).with_context(|| format!("cannot write to `{named}`"))
}

/// Whether a report may be written to `path`.
pub fn is_no_component(path: &Path) -> Result<(), Failure> {
    let mut head = [0; 4];
    let is_component = File::open(path)
        .and_then(|mut file| file.read_exact(&mut head))
        .is_ok_and(|()| head == *b"\0asm");
    match is_component {
        true => Err(Failure::usage(format!(
            "`{}` is a component: name another file for the report",
            path.display()
        ))),
        false => Ok(()),
    }
}

/// How many columns there are to write in.
pub fn width(shown: &Shown) -> usize {
    let terminal = terminal::width().filter(|_| shown.out.is_none());
    terminal.unwrap_or(WIDTH).min(MOST_WIDTH)
}

/// Pretty JSON, and the end of its last line.
pub fn json(value: &impl serde::Serialize) -> anyhow::Result<String> {
    let text = serde_json::to_string_pretty(value).context("it cannot be written as JSON")?;
    Ok(terminal::plain_json(&text) + "\n")
}
