//! The lines of an export, as they are written.

use std::collections::{HashMap, HashSet};

use countersign_core::id::DecisionId;
use countersign_core::keys::hex;
use countersign_core::time::{Clock as _, SystemClock};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::super::failure::Failure;
use super::super::progress::Progress;
use super::super::terminal::{self, Plain};
use super::super::whole_file::WholeFile;
use super::host::{Decided, Host, Page};
use super::range::Range;
use crate::export::{Between, Component, End, FORMAT, Generation, Head, VERSION};

/// Where they go.
pub enum Out {
    /// Into a file that is there whole or not at all.
    File(Box<WholeFile>),
    /// To standard output.
    Screen,
}

/// What is written, and what of it is known already.
pub struct Lines<'h> {
    /// Whether the modules' bytes are written as well.
    pub with_modules: bool,
    host: &'h Host,
    out: Out,
    digest: Sha256,
    decisions: u64,
    newest: Option<DecisionId>,
    oldest: Option<DecisionId>,
    /// The generations that are written.
    generations: HashSet<u64>,
    /// Some that are not, and will be soon.
    read: HashMap<u64, Generation>,
    /// The components that are written, by digest.
    components: HashSet<String>,
}

impl<'h> Lines<'h> {
    pub fn new(host: &'h Host, out: Out) -> Self {
        Self {
            with_modules: false,
            host,
            out,
            digest: Sha256::new(),
            decisions: 0,
            newest: None,
            oldest: None,
            generations: HashSet::new(),
            read: HashMap::new(),
            components: HashSet::new(),
        }
    }

    /// Writes every decision of `range`, of which `first` is the first page; and what was written, in words.
    pub async fn write_all(&mut self, range: Range, first: Page) -> Result<String, Failure> {
        let progress = Progress::new();
        let mut cursor = None;
        let mut page = first;
        'pages: loop {
            for decision in &page.decisions {
                let decided = self.host.decided(decision)?;
                if range.since.is_some_and(|since| decided.at < since) {
                    break 'pages;
                }
                if range.until.is_none_or(|until| decided.at < until) {
                    self.decision(range, &decided, decision).await?;
                }
            }
            progress.tell(|| count(self.decisions));
            match page.next_cursor {
                // A cursor that leads nowhere new would lead there for ever.
                Some(next) if Some(&next) != cursor.as_ref() && !page.decisions.is_empty() => {
                    page = self.host.decisions(Some(next.clone())).await?;
                    cursor = Some(next);
                }
                _ => break,
            }
        }
        self.end(range)?;
        Ok(count(self.decisions))
    }

    async fn decision(
        &mut self,
        range: Range,
        decided: &Decided,
        decision: &serde_json::Value,
    ) -> Result<(), Failure> {
        if self.newest.is_none() {
            self.newest = Some(decided.id);
            self.head(range)?;
        }
        self.generation(decided).await?;
        self.line(decision)?;
        self.oldest = Some(decided.id);
        self.decisions += 1;
        Ok(())
    }

    fn head(&mut self, range: Range) -> Result<(), Failure> {
        self.line(&Head {
            format: FORMAT.to_owned(),
            version: VERSION,
            origin: self.host.origin(),
            at: SystemClock.now(),
            since: range.since,
            until: range.until,
            newest: self.newest,
        })
    }

    /// Writes the policies that made a decision, before the first that they made. They are read then, and not
    /// before all decisions: policies can change while those are read.
    async fn generation(&mut self, decided: &Decided) -> Result<(), Failure> {
        let number = decided.policy_generation;
        if number == 0 || !self.generations.insert(number) {
            return Ok(());
        }
        if !self.read.contains_key(&number) {
            self.read = self.host.generations(number).await?;
        }
        let Some(generation) = self.read.remove(&number) else {
            terminal::tell(&format!(
                "warning: the host does not say what generation {number} was, of which decision {} is: that cannot be asked again",
                decided.id
            ));
            return Ok(());
        };
        if self.with_modules {
            self.modules(&generation).await?;
        }
        self.line(&Between::Generation(generation))
    }

    async fn modules(&mut self, generation: &Generation) -> Result<(), Failure> {
        for module in &generation.modules {
            if !self.components.insert(module.id.digest.clone()) {
                continue;
            }
            match self.host.component(&module.id).await? {
                Some(bytes) => self.line(&Between::Component(Component::of(&bytes)))?,
                None => terminal::tell(&format!(
                    "warning: the host does not keep the component of `{}` (SHA-256 {})",
                    Plain::new(&module.id.to_string()),
                    Plain::new(&module.id.digest)
                )),
            }
        }
        Ok(())
    }

    fn end(&mut self, range: Range) -> Result<(), Failure> {
        if self.newest.is_none() {
            self.head(range)?;
        }
        let digest = std::mem::take(&mut self.digest);
        self.line(&Between::End(End {
            decisions: self.decisions,
            oldest: self.oldest,
            sha256: hex(&digest.finalize()),
        }))?;
        match std::mem::replace(&mut self.out, Out::Screen) {
            Out::File(file) => file.end(),
            Out::Screen => Ok(()),
        }
    }

    fn line<T: Serialize>(&mut self, line: &T) -> Result<(), Failure> {
        let json = serde_json::to_string(line)
            .map_err(|error| Failure::failed(format!("cannot write a line: {error}")))?;
        let line = format!("{}\n", terminal::plain_json(&json));
        self.digest.update(line.as_bytes());
        match &mut self.out {
            Out::File(file) => file.write(line.as_bytes()),
            Out::Screen => terminal::write(line.as_bytes()),
        }
    }
}

fn count(decisions: u64) -> String {
    match decisions {
        1 => "1 decision".to_owned(),
        decisions => format!("{decisions} decisions"),
    }
}
