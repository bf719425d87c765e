//! `countersign audit …`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::answers::AuditPage;
use super::client::{Client, Request};
use super::failure::Failure;
use super::terminal::{self, Plain};
use crate::cli::Export;
use crate::config::Flags;

/// Entries that are asked for at once.
const PAGE: usize = 200;

/// Writes all entries.
pub async fn export(Export { out, after, access }: Export, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&access, flags)?;
    let Some(out) = out else {
        let count = walk(&client, after, &mut |line| terminal::write(line)).await?;
        terminal::tell(&told(count));
        return Ok(());
    };
    // Beside the file, and in its place when it is whole.
    let unfinished = unfinished(&out)?;
    let cannot = |error: std::io::Error| {
        let shown = Plain::new(&out.display().to_string());
        Failure::failed(format!("cannot write `{shown}`: {error}"))
    };
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(cannot)?;
    let written = async {
        let count = walk(&client, after, &mut |line| {
            file.write_all(line).map_err(cannot)
        })
        .await?;
        file.sync_all().map_err(cannot)?;
        std::fs::rename(&unfinished, &out).map_err(cannot)?;
        Ok(count)
    }
    .await;
    if written.is_err() {
        // Half of it is of no use to anybody.
        let _ = std::fs::remove_file(&unfinished);
    }
    terminal::tell(&told(written?));
    Ok(())
}

fn unfinished(out: &Path) -> Result<PathBuf, Failure> {
    let name = out
        .file_name()
        .ok_or_else(|| Failure::usage("--out: name a file"))?;
    let mut unfinished = name.to_owned();
    unfinished.push(format!(".{}.new", std::process::id()));
    Ok(out.with_file_name(unfinished))
}

fn told(count: u64) -> String {
    match count {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    }
}

/// Writes every entry after the given one; how many there were.
async fn walk(
    client: &Client,
    after: u64,
    write: &mut impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let mut cursor = after.to_string();
    let mut count = 0;
    loop {
        let request = Request::get(format!("/audit?limit={PAGE}&cursor={cursor}"));
        let answer = client.get(&request, false).await?;
        let page: AuditPage = client.parse(&answer)?;
        for entry in &page.entries {
            let line = terminal::plain_json(&entry.to_string());
            write(format!("{line}\n").as_bytes())?;
            count += 1;
        }
        match page.next_cursor {
            // A cursor that leads nowhere new would lead there for ever.
            Some(next) if next != cursor && !page.entries.is_empty() => cursor = next,
            _ => return Ok(count),
        }
    }
}
