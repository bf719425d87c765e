//! `countersign decision …`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Seek as _, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_core::id::DecisionId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Client, Request};
use super::failure::Failure;
use super::terminal::{self, Plain};
use crate::cli::DecisionExport;
use crate::config::Flags;

/// Decisions that are asked for at once: each has some kilobytes.
const PAGE: usize = 200;
/// How often somebody who waits hears how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A page of decisions.
#[derive(Deserialize)]
struct DecisionPage {
    decisions: Vec<Value>,
    next_cursor: Option<String>,
}

/// A page of generations.
#[derive(Deserialize)]
struct GenerationPage {
    generations: Vec<Value>,
    next_cursor: Option<String>,
}

/// Writes all decisions.
pub async fn export(asked: DecisionExport, flags: Flags) -> Result<(), Failure> {
    let DecisionExport { out, access } = asked;
    let client = Client::new(&access, flags)?;
    let Some(out) = out else {
        let count = walk(&client, Start::default(), &mut terminal::write).await?;
        terminal::tell(&told(count));
        return Ok(());
    };
    let shown = Plain::new(&out.display().to_string());
    let cannot = |error: io::Error| Failure::failed(format!("cannot write `{shown}`: {error}"));
    let unfinished = unfinished(&out)?;
    let (mut file, start) = begin(&unfinished).map_err(cannot)?;
    if start.written > 0 {
        terminal::tell(&format!("going on after {}", told(start.written)));
    }
    let count = walk(&client, start, &mut |line| {
        file.write_all(line).map_err(cannot)
    })
    .await?;
    file.sync_all().map_err(cannot)?;
    fs::rename(&unfinished, &out).map_err(cannot)?;
    terminal::tell(&told(count));
    Ok(())
}

/// Where an export goes on.
#[derive(Default)]
struct Start {
    /// The generations are there.
    has_generations: bool,
    /// The decision that was written last.
    after: Option<DecisionId>,
    /// How many were written.
    written: u64,
}

/// The file that is not finished yet, and how far an earlier run came in it. What is half written is cut off.
fn begin(path: &Path) -> io::Result<(File, Start)> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).write(true).mode(0o600);
    let mut file = options.truncate(false).open(path)?;
    let mut start = Start::default();
    let mut whole = 0;
    let mut reader = BufReader::new(&file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let Some(written) = Line::parse(&line) else {
            break;
        };
        whole += line.len() as u64;
        line.clear();
        match written {
            Line::Generation => {}
            Line::EndOfGenerations => start.has_generations = true,
            Line::Decision(id) => {
                start.after = Some(id);
                start.written += 1;
            }
        }
    }
    if !start.has_generations {
        (whole, start) = (0, Start::default());
    }
    file.set_len(whole)?;
    file.seek(SeekFrom::End(0))?;
    Ok((file, start))
}

/// A whole line of an export.
enum Line {
    Generation,
    EndOfGenerations,
    Decision(DecisionId),
}

impl Line {
    fn parse(line: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Any {
            generation: Option<serde::de::IgnoredAny>,
            generations: Option<u64>,
            id: Option<DecisionId>,
        }
        let line = line.strip_suffix(b"\n")?;
        let any: Any = serde_json::from_slice(line).ok()?;
        match any {
            Any { id: Some(id), .. } => Some(Self::Decision(id)),
            Any {
                generations: Some(_),
                ..
            } => Some(Self::EndOfGenerations),
            Any {
                generation: Some(_),
                ..
            } => Some(Self::Generation),
            _ => None,
        }
    }
}

fn unfinished(out: &Path) -> Result<PathBuf, Failure> {
    let name = out
        .file_name()
        .ok_or_else(|| Failure::usage("--out: name a file"))?;
    let mut unfinished = name.to_owned();
    unfinished.push(".unfinished");
    Ok(out.with_file_name(unfinished))
}

fn told(count: u64) -> String {
    match count {
        1 => "1 decision".to_owned(),
        count => format!("{count} decisions"),
    }
}

/// Writes every generation, and every decision before the last one that is written; how many there are then.
async fn walk(
    client: &Client,
    start: Start,
    write: &mut impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    if !start.has_generations {
        generations(client, write).await?;
    }
    let mut count = start.written;
    let mut cursor = start.after.map(|id| id.to_string());
    let mut told_at = Instant::now();
    loop {
        let mut path = format!("/decisions?whole=true&limit={PAGE}");
        if let Some(cursor) = &cursor {
            path.push_str(&format!("&cursor={cursor}"));
        }
        let answer = client.get(&Request::get(path), false).await?;
        let page: DecisionPage = client.parse(&answer)?;
        for decision in &page.decisions {
            write(line(decision).as_bytes())?;
            count += 1;
        }
        if told_at.elapsed() >= TELL_EVERY && io::stderr().is_terminal() {
            told_at = Instant::now();
            terminal::tell(&told(count));
        }
        match page.next_cursor {
            // A cursor that leads nowhere new would lead there for ever.
            Some(next) if Some(&next) != cursor.as_ref() && !page.decisions.is_empty() => {
                cursor = Some(next);
            }
            _ => return Ok(count),
        }
    }
}

/// Writes every generation, each in a line, and then how many there are.
async fn generations(
    client: &Client,
    write: &mut impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut cursor: Option<String> = None;
    let mut count = 0_u64;
    loop {
        let mut path = format!("/policies/generations?limit={PAGE}");
        if let Some(cursor) = &cursor {
            path.push_str(&format!("&cursor={cursor}"));
        }
        let answer = client.get(&Request::get(path), false).await?;
        let page: GenerationPage = client.parse(&answer)?;
        for generation in &page.generations {
            write(line(&json!({ "generation": generation })).as_bytes())?;
            count += 1;
        }
        match page.next_cursor {
            Some(next) if Some(&next) != cursor.as_ref() && !page.generations.is_empty() => {
                cursor = Some(next);
            }
            _ => return write(line(&json!({ "generations": count })).as_bytes()),
        }
    }
}

fn line(value: &Value) -> String {
    format!("{}\n", terminal::plain_json(&value.to_string()))
}
