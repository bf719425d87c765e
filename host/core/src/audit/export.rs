//! An exported audit, checked without the ledger: entries as JSON lines, and the heads that were signed.

use std::collections::{BTreeMap, BTreeSet};

use super::{ChainError, Entry, SignedHead, Verifier};
use crate::time::Timestamp;

/// One line of an export.
#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
enum Line {
    Head(SignedHead),
    Entry(Entry),
}

/// An audit that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// How many entries it has.
    pub entries: i64,
    /// How many signed heads it was held against.
    pub heads: usize,
    /// The newest of them: its entry, and when it was signed.
    pub newest: Option<(i64, Timestamp)>,
    /// Who signed them.
    pub signers: BTreeSet<String>,
}

/// Why an exported audit does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// A line is neither an entry nor a head.
    #[error("line {0} is neither an audit entry nor a signed head")]
    Line(usize),
    /// The entries are not a chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A head's signature is not that of its key.
    #[error("the head of entry {0} was not signed by the key that it names")]
    Forged(i64),
    /// A head was signed with a key that was not named.
    #[error(
        "the head of entry {seq} was signed by `{public_key}`, which is none of the keys that were named"
    )]
    Stranger {
        /// The head's entry.
        seq: i64,
        /// Who signed.
        public_key: String,
    },
    /// The entry is not the one whose hash was signed.
    #[error(
        "entry {seq} is not the one that a host signed at {at}: the audit was rewritten at or before it"
    )]
    Rewritten {
        /// Which.
        seq: i64,
        /// When it was signed.
        at: Timestamp,
    },
    /// There are fewer entries than were signed.
    #[error(
        "the audit ends at entry {end}, and a host signed entry {seq} at {at}: its tail is cut, unless it was exported before then"
    )]
    Cut {
        /// The last entry that is there.
        end: i64,
        /// The head's entry.
        seq: i64,
        /// When it was signed.
        at: Timestamp,
    },
}

/// Signed heads to hold an audit against.
#[derive(Debug, Default)]
pub struct Heads {
    by_seq: BTreeMap<i64, Vec<SignedHead>>,
    count: usize,
    signers: BTreeSet<String>,
}

impl Heads {
    /// Takes a head whose signature holds; by one of `keys`, where any is named.
    pub fn take(&mut self, head: SignedHead, keys: &[String]) -> Result<(), ExportError> {
        if !head.is_genuine() {
            return Err(ExportError::Forged(head.seq));
        }
        if !keys.is_empty()
            && !keys
                .iter()
                .any(|key| key.eq_ignore_ascii_case(&head.public_key))
        {
            return Err(ExportError::Stranger {
                seq: head.seq,
                public_key: head.public_key,
            });
        }
        self.count += 1;
        self.signers.insert(head.public_key.clone());
        self.by_seq.entry(head.seq).or_default().push(head);
        Ok(())
    }

    /// Takes those of a file of heads, or of an export, whose entries are passed over. What was not
    /// written to its end, at the very end, is no head yet.
    pub fn take_lines<E>(
        &mut self,
        lines: impl Iterator<Item = Result<String, E>>,
        keys: &[String],
    ) -> Result<Result<(), ExportError>, E> {
        let mut unread = None;
        for (at, line) in lines.enumerate() {
            let line = line?;
            if let Some(at) = unread.take() {
                return Ok(Err(ExportError::Line(at)));
            }
            match serde_json::from_str(&line) {
                Ok(Line::Head(head)) => {
                    if let Err(error) = self.take(head, keys) {
                        return Ok(Err(error));
                    }
                }
                Ok(Line::Entry(_)) => {}
                Err(_) => unread = Some(at + 1),
            }
        }
        Ok(Ok(()))
    }

    /// Holds an exported audit against these heads.
    pub fn check<E>(
        &self,
        lines: impl Iterator<Item = Result<String, E>>,
    ) -> Result<Result<Whole, ExportError>, E> {
        let mut verifier = Verifier::default();
        let mut end = 0;
        for (at, line) in lines.enumerate() {
            match serde_json::from_str(&line?) {
                Ok(Line::Head(_)) => {}
                Ok(Line::Entry(entry)) => {
                    if let Err(error) = self.check_entry(&mut verifier, &entry) {
                        return Ok(Err(error));
                    }
                    end = entry.seq;
                }
                Err(_) => return Ok(Err(ExportError::Line(at + 1))),
            }
        }
        Ok(self.end(end))
    }

    fn check_entry(&self, verifier: &mut Verifier, entry: &Entry) -> Result<(), ExportError> {
        verifier.take(entry)?;
        let signed = self.by_seq.get(&entry.seq).into_iter().flatten();
        for head in signed {
            if head.hash != entry.hash {
                return Err(ExportError::Rewritten {
                    seq: entry.seq,
                    at: head.at,
                });
            }
        }
        Ok(())
    }

    fn end(&self, end: i64) -> Result<Whole, ExportError> {
        let newest = self.by_seq.last_key_value();
        let newest = newest.and_then(|(seq, heads)| Some((*seq, heads.last()?.at)));
        match newest {
            Some((seq, at)) if seq > end => Err(ExportError::Cut { end, seq, at }),
            newest => Ok(Whole {
                entries: end,
                heads: self.count,
                newest,
                signers: self.signers.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
