//! The lines of an export, one after the other.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::sync::atomic::Ordering;

use countersign_core::id::DecisionId;
use countersign_core::keys::hex;
use countersign_lab::replay::{Record, Taken};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::wrong::Wrong;
use super::{Export, Place};
use crate::export::{Between, End, FORMAT, Head, VERSION};

/// The longest line that is read: a component of 64 MiB, in base64.
const MAX_LINE: u64 = 96 << 20;
/// The end is shorter than this.
const MAX_END: u64 = 4 << 10;

/// A line that is a decision, or should be.
pub struct Line {
    number: u64,
    bytes: Vec<u8>,
}

impl Taken for Line {
    fn record(self) -> Result<Record, String> {
        serde_json::from_slice(&self.bytes).map_err(|error| {
            format!(
                "line {} is no decision that this version understands: {error}",
                self.number
            )
        })
    }

    fn length(&self) -> usize {
        self.bytes.len()
    }
}

/// The decisions of an export. It remembers where the policies between them are, and fails where the file is
/// not as it was written.
pub struct Lines<'e, R> {
    export: &'e Export,
    file: R,
    digest: Sha256,
    number: u64,
    position: u64,
    decisions: u64,
    newest: Option<DecisionId>,
    /// The line of the decision that came last.
    last: Vec<u8>,
    is_over: bool,
}

impl<'e, R: BufRead> Lines<'e, R> {
    pub(super) fn new(export: &'e Export, file: R) -> Self {
        Self {
            export,
            file,
            digest: Sha256::new(),
            number: 0,
            position: 0,
            decisions: 0,
            newest: None,
            last: Vec::new(),
            is_over: false,
        }
    }

    /// The next decision; none where the file ends as it should.
    fn decision(&mut self) -> Result<Option<Line>, Wrong> {
        loop {
            let begins = self.position;
            let Some(bytes) = self.line()? else {
                return Err(Wrong::Cut);
            };
            if self.number == 1 {
                self.newest = head(&bytes)?.newest;
                self.digest.update(&bytes);
                continue;
            }
            if !Between::is_like(&bytes) {
                self.digest.update(&bytes);
                self.decisions += 1;
                self.is_newest(&bytes)?;
                self.last.clone_from(&bytes);
                return Ok(Some(Line {
                    number: self.number,
                    bytes,
                }));
            }
            let between = serde_json::from_slice(&bytes);
            match between.map_err(|error| Wrong::Policies(self.number, error))? {
                Between::End(end) => return self.end(&end).map(|()| None),
                policies => {
                    self.digest.update(&bytes);
                    let place = Place {
                        begins,
                        length: bytes.len(),
                    };
                    self.export.note(policies, place)?;
                }
            }
        }
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, Wrong> {
        let mut line = Vec::new();
        let file = (&mut self.file).take(MAX_LINE);
        let read = { file }.read_until(b'\n', &mut line)? as u64;
        self.position += read;
        let far = &self.export.position;
        far.store(self.position, Ordering::Relaxed);
        self.number += 1;
        match read {
            0 => Ok(None),
            MAX_LINE => Err(Wrong::TooLong(self.number)),
            _ => Ok(Some(line)),
        }
    }

    /// Whether the first decision is the one that the head names.
    fn is_newest(&self, line: &[u8]) -> Result<(), Wrong> {
        match (self.decisions, id(line)) {
            (1, Some(id)) if self.newest != Some(id) => Err(Wrong::Changed(
                "its first decision is not the one that it names",
            )),
            _ => Ok(()),
        }
    }

    /// Whether all is there that the end says, and nothing after it.
    fn end(&mut self, end: &End) -> Result<(), Wrong> {
        if hex(&std::mem::take(&mut self.digest).finalize()) != end.sha256 {
            return Err(Wrong::Changed(
                "its lines do not have the digest that it ends with",
            ));
        }
        if self.decisions != end.decisions {
            return Err(Wrong::Changed("it has not as many decisions as it says"));
        }
        if self.decisions > 0 && id(&self.last).is_some_and(|last| end.oldest != Some(last)) {
            return Err(Wrong::Changed(
                "its last decision is not the one that it names",
            ));
        }
        match self.line()? {
            None => Ok(()),
            Some(_) => Err(Wrong::GoesOn(self.number)),
        }
    }
}

impl<R: BufRead> Iterator for Lines<'_, R> {
    type Item = anyhow::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.decision();
        self.is_over = !matches!(next, Ok(Some(_)));
        next.map_err(|wrong| wrong.in_file(&self.export.path))
            .transpose()
    }
}

/// Whether a file begins and ends as an export does.
pub(super) fn look(file: &File) -> Result<(), Wrong> {
    let length = file.metadata()?.len();
    if length == 0 {
        return Err(Wrong::Empty);
    }
    let mut reader = BufReader::new(file);
    let mut first = Vec::new();
    (&mut reader).take(MAX_END).read_until(b'\n', &mut first)?;
    head(&first)?;
    let mut tail = Vec::new();
    reader.seek(SeekFrom::Start(length.saturating_sub(MAX_END)))?;
    reader.read_to_end(&mut tail)?;
    reader.seek(SeekFrom::Start(0))?;
    let tail = tail.strip_suffix(b"\n").unwrap_or(&tail);
    let last = tail.rsplit(|byte| *byte == b'\n').next().unwrap_or(tail);
    match serde_json::from_slice(last) {
        Ok(Between::End(_)) => Ok(()),
        _ => Err(Wrong::Cut),
    }
}

fn head(line: &[u8]) -> Result<Head, Wrong> {
    #[derive(Deserialize)]
    struct Named {
        format: String,
        version: u32,
    }
    let named: Named = serde_json::from_slice(line).map_err(|_| Wrong::NoExport)?;
    match (named.format == FORMAT, named.version) {
        (false, _) => Err(Wrong::NoExport),
        (true, VERSION) => serde_json::from_slice(line).map_err(|_| Wrong::NoExport),
        (true, other) => Err(Wrong::Version(other)),
    }
}

fn id(line: &[u8]) -> Option<DecisionId> {
    #[derive(Deserialize)]
    struct Identified {
        id: DecisionId,
    }
    let identified: Identified = serde_json::from_slice(line).ok()?;
    Some(identified.id)
}
