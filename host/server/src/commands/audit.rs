//! `countersign audit …`.

use super::answers::AuditPage;
use super::client::{Client, Request};
use super::failure::Failure;
use super::terminal;
use super::whole_file::WholeFile;
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
    let mut file = WholeFile::begin(&out)?;
    let count = walk(&client, after, &mut |line| file.write(line)).await?;
    file.end()?;
    terminal::tell(&told(count));
    Ok(())
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
