//! `countersign doctor`: looks for what is wrong, and says what to do about it. It changes nothing, and
//! names no secret.

mod folder;
mod host;

use crate::config::{Config, ConfigError, Flags, Sources};

use super::config_check;
use super::failure::{Exit, Failure};
use super::table::wrapped;
use super::terminal::{self, Plain};

/// Before the sentence: the verdict, and what it is about.
const INDENT: usize = 23;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Right,
    /// Not wrong, and worth knowing.
    Note,
    /// The host does not work so, or not for long.
    Wrong,
}

/// What was found of one thing.
#[derive(Debug)]
pub struct Finding {
    verdict: Verdict,
    subject: &'static str,
    sentence: String,
}

/// `subject` is as it should be.
pub fn right(subject: &'static str, sentence: impl Into<String>) -> Finding {
    found(Verdict::Right, subject, sentence.into())
}

/// `subject` is not wrong.
pub fn note(subject: &'static str, sentence: impl Into<String>) -> Finding {
    found(Verdict::Note, subject, sentence.into())
}

/// `subject` is wrong; the sentence says what to do.
pub fn wrong(subject: &'static str, sentence: impl Into<String>) -> Finding {
    found(Verdict::Wrong, subject, sentence.into())
}

fn found(verdict: Verdict, subject: &'static str, sentence: String) -> Finding {
    Finding {
        verdict,
        subject,
        sentence,
    }
}

/// Looks, tells, and fails where something is wrong.
pub async fn run(flags: Flags, sources: &Sources) -> Result<(), Failure> {
    let mut report = Report::default();
    report.tell(note(
        "program",
        format!("this is countersign {}", env!("CARGO_PKG_VERSION")),
    ));
    let (config, _) = Config::look(flags.clone());
    match &config {
        Ok(_) => report.tell(right("configuration", "has no mistakes")),
        Err(ConfigError(_)) => {
            let mistakes = config_check::check(flags.clone(), sources);
            let sentence = mistakes.err().map(|failure| failure.sentence);
            report.tell(wrong("configuration", sentence.unwrap_or_default()));
        }
    }
    if let Ok(config) = config {
        let lock = folder::look(&config, &mut report);
        let state = host::look(&config, lock.as_ref(), &mut report).await;
        folder::database(&config, state, &mut report).await;
        drop(lock);
        folder::policies(&config, &mut report).await;
        folder::disk(&config, &mut report);
        host::control_plane(&config, &mut report).await;
    }
    host::session(&mut report).await;
    report.end()
}

/// What was found so far.
#[derive(Default)]
pub struct Report {
    wrong: usize,
}

impl Report {
    /// Tells one more finding.
    pub fn tell(&mut self, finding: Finding) {
        let verdict = match finding.verdict {
            Verdict::Right => "right",
            Verdict::Note => "note",
            Verdict::Wrong => "WRONG",
        };
        self.wrong += usize::from(finding.verdict == Verdict::Wrong);
        let room = terminal::width().map_or(usize::MAX, |width| width.saturating_sub(INDENT));
        let mut text = String::new();
        for (at, line) in wrapped(&finding.sentence, room.max(20)).iter().enumerate() {
            if at == 0 {
                text.push_str(&format!("{verdict:5}  {:14}  {line}", finding.subject));
            } else {
                text.push_str(&format!("\n{:INDENT$}{line}", ""));
            }
        }
        terminal::say(&text);
    }

    fn end(self) -> Result<(), Failure> {
        match self.wrong {
            0 => {
                terminal::say("\nNothing is wrong.");
                Ok(())
            }
            1 => Err(Failure::new(Exit::Failed, "one thing is wrong")),
            count => Err(Failure::new(
                Exit::Failed,
                format!("{count} things are wrong"),
            )),
        }
    }
}

/// A path, as it is written to a terminal.
pub fn named(path: &std::path::Path) -> Plain {
    Plain::new(&format!("`{}`", path.display()))
}
