//! Decisions in a file that `countersign decision export` wrote.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use countersign_core::verdict::ModuleId;
use countersign_engine::{BASELINE, Engine, Settings};
use countersign_lab::replay::{Kept, KeptModule, Record};
use serde::Deserialize;

/// The longest line that is read: a decision has some kilobytes.
const MAX_LINE: u64 = 4 << 20;

/// An export, and the components that are brought for it.
pub struct Export {
    path: PathBuf,
    file: RefCell<BufReader<File>>,
    /// Bytes by their digest.
    components: HashMap<String, Vec<u8>>,
    generations: RefCell<HashMap<u64, Vec<Module>>>,
}

/// A line that is no decision.
#[derive(Deserialize)]
struct Other {
    generation: Option<Generation>,
    generations: Option<u64>,
}

#[derive(Deserialize)]
struct Generation {
    number: u64,
    modules: Vec<Module>,
}

#[derive(Clone, Deserialize)]
struct Module {
    #[serde(flatten)]
    id: ModuleId,
    settings: BTreeMap<String, Vec<String>>,
}

impl Export {
    pub fn open(path: &Path, kept: &[PathBuf], engine: &Engine) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let mut components = HashMap::new();
        let mut bring = |bytes: Vec<u8>| {
            let digest = engine.describe(&bytes)?.digest;
            components.insert(digest, bytes);
            anyhow::Ok(())
        };
        bring(BASELINE.to_vec())?;
        for component in kept {
            let bytes = super::read(component)?;
            bring(bytes).with_context(|| format!("cannot use `{}`", component.display()))?;
        }
        Ok(Self {
            path: path.to_owned(),
            file: RefCell::new(BufReader::new(file)),
            components,
            generations: RefCell::default(),
        })
    }

    /// Every decision of the file. The generations before them are kept.
    pub fn records(&self) -> impl Iterator<Item = anyhow::Result<Record>> {
        let mut number = 0_u64;
        std::iter::from_fn(move || {
            loop {
                number += 1;
                let text = match self.line() {
                    Ok(Some(text)) => text,
                    Ok(None) => return None,
                    Err(error) => return Some(Err(error)),
                };
                match self.parse(&text) {
                    Ok(Some(record)) => return Some(Ok(record)),
                    Ok(None) => {}
                    Err(error) => {
                        let path = self.path.display();
                        return Some(Err(anyhow::anyhow!(
                            "line {number} of `{path}` is no decision of an export: {error}"
                        )));
                    }
                }
            }
        })
    }

    fn line(&self) -> anyhow::Result<Option<String>> {
        let mut line = String::new();
        let mut file = self.file.borrow_mut();
        let read = (&mut *file).take(MAX_LINE).read_line(&mut line);
        let read = read.with_context(|| format!("cannot read `{}`", self.path.display()))?;
        Ok((read > 0).then_some(line))
    }

    fn parse(&self, text: &str) -> serde_json::Result<Option<Record>> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let decision = match serde_json::from_str::<Record>(text) {
            Ok(record) => return Ok(Some(record)),
            Err(error) => error,
        };
        match serde_json::from_str(text) {
            Ok(Other {
                generation: Some(generation),
                ..
            }) => {
                let mut generations = self.generations.borrow_mut();
                generations.insert(generation.number, generation.modules);
                Ok(None)
            }
            Ok(Other {
                generations: Some(_),
                ..
            }) => Ok(None),
            _ => Err(decision),
        }
    }

    /// What decided, as far as it is known.
    pub fn kept(&self) -> KeptBeside<'_> {
        KeptBeside(self)
    }
}

/// What is known beside an export of the modules that decided.
pub struct KeptBeside<'e>(&'e Export);

impl Kept for KeptBeside<'_> {
    fn generation(&mut self, number: u64) -> Result<Vec<KeptModule>, String> {
        let Self(export) = self;
        let generations = export.generations.borrow();
        let modules = generations
            .get(&number)
            .ok_or_else(|| format!("the export does not say what generation {number} was"))?;
        let kept = modules.iter().map(|module| KeptModule {
            id: module.id.clone(),
            settings: module
                .settings
                .iter()
                .fold(Settings::new(), |all, (name, values)| {
                    all.with(name, values.clone())
                }),
            bytes: export
                .components
                .get(&module.id.digest)
                .cloned()
                .ok_or_else(|| {
                    format!(
                        "the component of `{}` is not here: bring it by --kept (SHA-256 {})",
                        module.id, module.id.digest
                    )
                }),
        });
        Ok(kept.collect())
    }
}
