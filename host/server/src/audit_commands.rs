//! `countersign audit …`: an exported audit, checked without the host.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use countersign_core::audit::{ExportError, Heads, Whole};
use countersign_core::keys::from_hex;

use crate::cli::VerifyAudit;
use crate::say;

/// What an audit that does not hold ends with, so that a script can tell it from one that cannot be read.
const BROKEN: u8 = 3;
/// The longest line that is read: an entry is far shorter.
const MAX_LINE: u64 = 1 << 20;

/// Runs one of them.
pub fn run(command: &VerifyAudit) -> anyhow::Result<ExitCode> {
    let VerifyAudit {
        export,
        heads,
        public_key,
    } = command;
    for key in public_key {
        anyhow::ensure!(
            from_hex::<32>(key).is_some(),
            "`{key}` is no public key: 64 hex characters, as in a host's `audit.pub`"
        );
    }
    Ok(match verify(export, heads, public_key)? {
        Ok(whole) => {
            say(&told(&whole, public_key));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("The audit does not hold: {error}."));
            ExitCode::from(BROKEN)
        }
    })
}

fn verify(
    export: &Path,
    heads: &[std::path::PathBuf],
    keys: &[String],
) -> anyhow::Result<Result<Whole, ExportError>> {
    let mut signed = Heads::default();
    for path in heads.iter().map(|path| path.as_path()).chain([export]) {
        let taken = lines(path)?;
        let taken = signed.take_lines(taken, keys);
        let taken = taken.with_context(|| format!("cannot read `{}`", path.display()))?;
        if let Err(error) = taken {
            return Ok(Err(error));
        }
    }
    signed
        .check(lines(export)?)
        .with_context(|| format!("cannot read `{}`", export.display()))
}

fn told(whole: &Whole, keys: &[String]) -> String {
    let mut text = format!("The audit holds: {} entries.", whole.entries);
    match whole.newest {
        None => text.push_str(
            "\n  No signed head was given, so a tail that was cut would not show: give --heads.",
        ),
        Some((seq, at)) => {
            text.push_str(&format!(
                "\n  {} signed heads hold; the newest is that of entry {seq}, signed at {at}.",
                whole.heads
            ));
            if keys.is_empty() {
                text.push_str(
                    "\n  Compare who signed with the hosts' `audit.pub`, or give --public-key:",
                );
                for signer in &whole.signers {
                    text.push_str(&format!("\n    {signer}"));
                }
            }
        }
    }
    text
}

/// The lines of a file, without their ends.
fn lines(path: &Path) -> anyhow::Result<impl Iterator<Item = io::Result<String>>> {
    let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut reader = BufReader::new(file);
    Ok(std::iter::from_fn(move || {
        let mut line = String::new();
        match (&mut reader).take(MAX_LINE).read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => {
                let text = line.trim_end_matches(['\n', '\r']);
                Some(Ok(text.to_owned()))
            }
            Err(error) => Some(Err(error)),
        }
    }))
}
