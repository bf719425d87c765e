//! What is known of each file, and which modules follow from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::read::read;
use super::scan::{Contents, Found, Stamp, scan};
use super::{Folder, Problem, Proposal};
use crate::text::tame;
use crate::{FolderError, LoadError, PolicySet, Proven, Settings};

/// How long a file must look the same before it is taken to be the same: two writes within one tick of
/// the file system's clock leave the same time behind, so for so long its content is read again.
const SETTLED: Duration = Duration::from_secs(2);

/// What is said of settings and signatures without a module.
const ALONE: &str = "no module is beside it, so nothing reads it: it is named as the module's file is, `NAME.toml` or `NAME.wasm.minisig` beside `NAME.wasm`";

/// The folder's files, the modules that they are, and the last set that stood.
pub(super) struct Shelf {
    folder: Folder,
    files: BTreeMap<String, Entry>,
    /// What nothing reads, because no module is beside it.
    alone: Vec<String>,
    accepted: Option<PolicySet>,
    /// Why the folder cannot be read at present.
    unreadable: Option<String>,
    /// Why the folder's modules do not make a set.
    disjoint: Option<String>,
    reported: Vec<Problem>,
    /// The signatures that were told of, by the digest of what they sign.
    signatures: BTreeMap<String, String>,
}

#[derive(Default)]
struct Entry {
    seen: Option<(Result<Stamp, String>, Instant)>,
    /// The digest of what was last proven, or tried.
    content: Option<[u8; 32]>,
    /// The file's present content, if it was proven.
    present: Option<Arc<Proven>>,
    /// The signature beside it.
    signature: Option<String>,
    /// The last of its modules that stood.
    good: Option<Arc<Proven>>,
    /// Why the present content is not proven.
    broken: Option<String>,
    /// Why the present content, though proven, does not stand.
    refused: Option<String>,
}

impl Entry {
    /// The module that this file should be.
    fn module(&self) -> Option<&Arc<Proven>> {
        self.fresh().or(self.good.as_ref())
    }

    /// The module that this file would be for the first time.
    fn fresh(&self) -> Option<&Arc<Proven>> {
        self.present.as_ref().filter(|_| self.refused.is_none())
    }
}

impl Shelf {
    pub(super) fn new(folder: Folder) -> Self {
        Self {
            folder,
            files: BTreeMap::new(),
            alone: Vec::new(),
            accepted: None,
            unreadable: None,
            disjoint: None,
            reported: Vec::new(),
            signatures: BTreeMap::new(),
        }
    }

    /// The first look, which the host cannot do without. Where the folder's content does not stand, what
    /// decided when the host last ran does: a broken file is no way to be rid of a policy.
    pub(super) fn open(&mut self) -> Result<Proposal, FolderError> {
        let found = scan(&self.folder.path)?;
        self.refresh(found);
        let lost = self.remember();
        self.settle();
        if self.accepted.is_none() {
            for entry in self.files.values_mut() {
                entry.refused = entry.present.as_ref().and(self.disjoint.clone());
            }
            let last = PolicySet::check(self.modules(), &self.folder.classifier);
            self.accepted = Some(
                last.map_err(|source| match self.folder.recorded.is_empty() {
                    true => FolderError::BuiltIn(source),
                    false => self.lost(source),
                })?,
            );
        }
        for (file, source) in lost {
            if self.files[&file].module().is_none() {
                return Err(self.lost(source));
            }
        }
        self.reported = self.problems();
        self.signatures = self.signatures();
        Ok(self.proposal())
    }

    /// Gives each file its last good module: the one that is recorded, unless it is there.
    /// Says which of those cannot be had.
    fn remember(&mut self) -> Vec<(String, LoadError)> {
        let mut lost = Vec::new();
        for recorded in self.folder.recorded.clone() {
            let Some(entry) = self.files.get_mut(&recorded.file) else {
                continue;
            };
            let digest = Sha256::digest(&recorded.component);
            let is_present = entry.present.as_ref().is_some_and(|present| {
                present.has_digest(&digest) && *present.settings() == recorded.settings
            });
            if is_present {
                entry.good.clone_from(&entry.present);
                continue;
            }
            let (engine, trust) = (&self.folder.engine, &self.folder.trust);
            let proven = trust
                .check(&recorded.component, &recorded.signatures)
                .and_then(|()| engine.prove(&recorded.component, &recorded.settings));
            match proven {
                Ok(good) => entry.good = Some(Arc::new(good)),
                // What is in its place may stand on its own.
                Err(source) => lost.push((recorded.file, source)),
            }
        }
        lost
    }

    fn lost(&self, source: LoadError) -> FolderError {
        let problems = self
            .problems()
            .into_iter()
            .map(|problem| match problem.file {
                Some(file) => format!("{file}: {}", problem.sentence),
                None => problem.sentence,
            });
        FolderError::Recorded {
            folder: self.folder.path.clone(),
            problem: problems.collect::<Vec<_>>().join("; "),
            source,
        }
    }

    fn proposal(&self) -> Proposal {
        let files = self.files.iter().filter_map(|(file, entry)| {
            let module = entry.good.as_ref()?;
            Some((module.id().name.clone(), file.clone()))
        });
        Proposal {
            policies: self
                .accepted
                .clone()
                .expect("INVARIANT: a set is accepted before anything is proposed"),
            files: files.collect(),
            signatures: self.signatures.clone(),
            problems: self.reported.clone(),
        }
    }

    /// Looks again. `None` if all is as it was reported.
    pub(super) fn look(&mut self) -> Option<Proposal> {
        let before = self.accepted.clone();
        match scan(&self.folder.path) {
            Ok(found) => self.take(found),
            Err(error) => self.unreadable = Some(sentence(&error)),
        }
        let accepted = self.accepted.as_ref()?;
        let problems = self.problems();
        let signatures = self.signatures();
        let is_news = problems != self.reported
            || signatures != self.signatures
            || before.is_none_or(|before| !is_same(before.modules(), accepted.modules()));
        self.reported = problems;
        self.signatures = signatures;
        is_news.then(|| self.proposal())
    }

    fn take(&mut self, found: Contents) {
        if self.refresh(found) {
            self.settle();
        }
    }

    /// Reads what may have changed; whether anything follows from that.
    fn refresh(&mut self, found: Contents) -> bool {
        self.unreadable = None;
        self.alone = found.alone;
        let found = found.modules;
        let count = self.files.len();
        self.files
            .retain(|file, _| found.iter().any(|found| found.file == *file));
        let mut is_changed = self.files.len() < count;
        for found in found {
            let entry = self.files.entry(found.file.clone()).or_default();
            is_changed |= entry.refresh(&found, &self.folder);
        }
        is_changed
    }

    /// Finds the set that the files make: each one's present content, or where that does not stand, its
    /// last good one.
    fn settle(&mut self) {
        for entry in self.files.values_mut() {
            entry.refused = None;
        }
        loop {
            self.refuse_shared_names();
            let modules = self.modules();
            let accepted = self.accepted.as_ref().map(PolicySet::modules);
            if accepted.is_some_and(|accepted| is_same(accepted, &modules)) {
                self.disjoint = None;
                break;
            }
            match PolicySet::check(modules, &self.folder.classifier) {
                Ok(set) => {
                    self.accepted = Some(set);
                    self.disjoint = None;
                    for entry in self.files.values_mut() {
                        entry.good = entry.module().cloned();
                    }
                    break;
                }
                Err(error) => {
                    if !self.refuse_failing(&error) {
                        self.disjoint = Some(error.to_string());
                        break;
                    }
                }
            }
        }
    }

    /// Of files whose modules share a name, those that are new do not stand. Each round refuses one
    /// fresh module at least, so this ends.
    fn refuse_shared_names(&mut self) {
        loop {
            let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (file, entry) in &self.files {
                if let Some(module) = entry.module() {
                    let name = module.id().name.clone();
                    holders.entry(name).or_default().push(file.clone());
                }
            }
            let mut is_refused = false;
            for (name, files) in holders.iter().filter(|(_, files)| files.len() > 1) {
                let sentence = format!("{} are all named `{name}`", files.join(", "));
                for file in files {
                    is_refused |= self.refuse(file, &sentence);
                }
            }
            if !is_refused {
                return;
            }
        }
    }

    /// Whether a module that fails was a fresh one, which then does not stand.
    fn refuse_failing(&mut self, error: &LoadError) -> bool {
        let LoadError::Fails { module, .. } = error else {
            return false;
        };
        let holds = |entry: &Entry| entry.module().is_some_and(|held| held.id().name == *module);
        let file = self.files.iter().find(|(_, entry)| holds(entry));
        match file.map(|(file, _)| file.clone()) {
            Some(file) => self.refuse(&file, &error.to_string()),
            None => false,
        }
    }

    fn refuse(&mut self, file: &str, sentence: &str) -> bool {
        let Some(entry) = self.files.get_mut(file) else {
            return false;
        };
        let stood = |fresh: &Arc<Proven>| {
            entry
                .good
                .as_ref()
                .is_some_and(|good| Arc::ptr_eq(good, fresh))
        };
        if entry.fresh().is_none_or(stood) {
            return false;
        }
        entry.refused = Some(sentence.to_owned());
        true
    }

    /// The files' modules, and those built in whose names no file has.
    fn modules(&self) -> Vec<Arc<Proven>> {
        let mut modules: Vec<_> = self
            .files
            .values()
            .filter_map(Entry::module)
            .cloned()
            .collect();
        for built_in in &self.folder.built_in {
            if modules
                .iter()
                .all(|module| module.id().name != built_in.id().name)
            {
                modules.push(built_in.clone());
            }
        }
        modules.sort_by(|a, b| a.id().cmp(b.id()));
        modules
    }

    /// The signatures beside the files whose content stands.
    fn signatures(&self) -> BTreeMap<String, String> {
        let signed = self.files.values().filter_map(|entry| {
            let (module, signature) = (entry.fresh()?, entry.signature.as_ref()?);
            Some((module.id().digest.clone(), signature.clone()))
        });
        signed.collect()
    }

    fn problems(&self) -> Vec<Problem> {
        let whole = [&self.unreadable, &self.disjoint].into_iter().flatten();
        let whole = whole.map(|sentence| Problem {
            file: None,
            sentence: sentence.clone(),
        });
        let files = self.files.iter().filter_map(|(file, entry)| {
            let sentence = entry.broken.clone().or_else(|| entry.refused.clone())?;
            Some(Problem {
                file: Some(file.clone()),
                sentence,
            })
        });
        let alone = self.alone.iter().map(|file| Problem {
            file: Some(file.clone()),
            sentence: ALONE.to_owned(),
        });
        whole.chain(files).chain(alone).collect()
    }
}

impl Entry {
    /// Reads and proves the file if it may have changed; whether anything follows from that.
    fn refresh(&mut self, found: &Found, folder: &Folder) -> bool {
        let is_seen = matches!(&self.seen, Some((seen, _)) if *seen == found.stamp);
        match &self.seen {
            Some((_, since)) if is_seen && since.elapsed() >= SETTLED => return false,
            Some(_) if is_seen => {}
            _ => self.seen = Some((found.stamp.clone(), Instant::now())),
        }
        let read = found.stamp.clone().and_then(|_| read(found, folder));
        let read = match read {
            Ok(read) => read,
            Err(sentence) => return self.break_with(None, sentence),
        };
        let content = read.digest();
        // What could not be proven is tried again when its file was touched, and else only once.
        let is_tried = is_seen || self.present.is_some();
        if self.content == Some(content) && is_tried {
            return false;
        }
        // First of all: nothing is made of bytes that nobody answers for.
        let proven = folder
            .trust
            .check(&read.component, read.signature.as_slice())
            .and_then(|()| Settings::parse_toml(read.settings.as_deref().unwrap_or_default()))
            .and_then(|settings| folder.engine.prove(&read.component, &settings))
            .map(|proven| self.known(&proven).unwrap_or_else(|| Arc::new(proven)))
            .and_then(|proven| folder.vet.pass(&proven).map(|()| proven));
        match proven {
            Ok(proven) => {
                self.content = Some(content);
                self.present = Some(proven);
                self.signature = read.signature;
                self.broken = None;
                true
            }
            Err(error) => self.break_with(Some(content), error.to_string()),
        }
    }

    /// The last good module, if it is the same: a file that is mended changes nothing.
    fn known(&self, proven: &Proven) -> Option<Arc<Proven>> {
        let is_same =
            |good: &&Arc<Proven>| good.id() == proven.id() && good.settings() == proven.settings();
        self.good.as_ref().filter(is_same).cloned()
    }

    /// Whether that was not known yet.
    fn break_with(&mut self, content: Option<[u8; 32]>, sentence: String) -> bool {
        let is_known = self.present.is_none() && self.broken.as_ref() == Some(&sentence);
        self.content = content;
        self.present = None;
        self.broken = Some(sentence);
        !is_known
    }
}

fn is_same(some: &[Arc<Proven>], others: &[Arc<Proven>]) -> bool {
    some.len() == others.len() && some.iter().zip(others).all(|(a, b)| Arc::ptr_eq(a, b))
}

fn sentence(error: &FolderError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    tame(&format!("{error}{}", cause.unwrap_or_default()), 512)
}
