//! Whether a module loads, and what to do about it where it does not.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_engine::{
    CLASSIFIER, Engine, LoadError, Mode, PolicySet, Proven, SettingSpec, Settings,
};
use serde::Serialize;

use crate::cases::nearest;
use crate::module::{Module, ModuleError, read_at_most};
use crate::vet::{bundled, vet};

/// What a module is that loads.
#[derive(Clone, Debug, Serialize)]
pub struct Loaded {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is for.
    pub description: String,
    /// SHA-256 of its component, in hex.
    pub digest: String,
    /// How its decisions get their settings.
    pub mode: Mode,
    /// What it is set to, defaults included.
    pub settings: Settings,
    /// How many cases it carries, all of which hold.
    pub cases: usize,
}

/// Why a module does not load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong.
    pub sentence: String,
    /// What to do about it.
    pub next: String,
}

/// Loads the component at `path` as a host would, with the cases that it carries, beside the built-in baseline,
/// and asks it the whole exhaustive table.
pub fn load(
    engine: &Engine,
    path: &Path,
    settings: Option<&Settings>,
) -> Result<Loaded, Box<Problem>> {
    let opened = match settings {
        Some(settings) => Module::open_with(engine, path, settings),
        None => Module::open(engine, path),
    };
    let module = opened.map_err(|error| Box::new(Problem::of(engine, (path, None), error)))?;
    let proven = module.proven();
    // As a host does it, and in its order: what the module itself says of its answers comes first.
    vet(engine, proven.bytes(), Some(proven), module.classifier()).map_err(|error| {
        Box::new(Problem {
            sentence: error.to_string(),
            next: "see `countersign policy test`, and build it anew with cases that hold"
                .to_owned(),
        })
    })?;
    let mut set = vec![Arc::clone(proven)];
    if !module.is_classifier() {
        set.push(Arc::clone(module.classifier()));
    }
    match PolicySet::check(set, CLASSIFIER) {
        Ok(_) => Ok(Loaded::of(proven)),
        Err(error) => Err(Box::new(Problem {
            next: next(&error, path, &beside(path)),
            sentence: error.to_string(),
        })),
    }
}

impl Loaded {
    fn of(proven: &Proven) -> Self {
        let manifest = proven.manifest();
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            description: manifest.description.clone(),
            digest: proven.id().digest.clone(),
            mode: proven.mode(),
            settings: proven.settings().clone(),
            cases: bundled(proven.bytes()).map_or(0, |file| file.cases.len()),
        }
    }
}

impl Problem {
    /// Of what cannot be worked on: the component at `path`, with the settings beside it unless others are named.
    pub fn of(
        engine: &Engine,
        (path, settings): (&Path, Option<&Path>),
        error: ModuleError,
    ) -> Self {
        match error {
            ModuleError::Read { path, source } => Self {
                sentence: format!("cannot read `{path}`: {source}"),
                next: match source.kind() {
                    ErrorKind::PermissionDenied => "let the user who runs this read it".to_owned(),
                    _ => "name the file of a component, such as `target/policy.wasm`".to_owned(),
                },
            },
            ModuleError::Load { source, .. } => {
                let most = engine.limits().component_bytes;
                let bytes = read_at_most(path, most).unwrap_or_default();
                Self::of_loading(engine, (path, settings), &bytes, &source)
            }
            ModuleError::Baseline(source) => Self {
                sentence: format!("the built-in baseline cannot be loaded: {source}"),
                next: "this is a fault of this program or machine, and not of the module"
                    .to_owned(),
            },
        }
    }

    /// Of `bytes`, which were read from `path` and do not load.
    pub fn of_loading(
        engine: &Engine,
        (path, settings): (&Path, Option<&Path>),
        bytes: &[u8],
        error: &LoadError,
    ) -> Self {
        let settings = settings.map_or_else(|| beside(path), Path::to_owned);
        let of_bytes = match error {
            LoadError::Compile(_) => Some(what_it_is(bytes).to_owned()),
            _ => None,
        };
        let next = of_bytes
            .or_else(|| of_settings(engine, bytes, &settings, error))
            .unwrap_or_else(|| next(error, path, &settings));
        Self {
            sentence: error.to_string(),
            next,
        }
    }
}

/// The file of settings beside a component.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("toml")
}

/// What bytes are that are no component, and what makes one of them.
pub fn what_it_is(bytes: &[u8]) -> &'static str {
    const MAGIC: &[u8] = b"\0asm";
    const CORE: &[u8] = b"\x01\0\0\0";
    match bytes.strip_prefix(MAGIC) {
        _ if bytes.is_empty() => "the file is empty: build it anew",
        Some(rest) if rest.starts_with(CORE) => {
            "it is a core module: make a component of it with `wasm-tools component new`, or link it with \
             `wasm-component-ld`"
        }
        Some(_) => "build it anew, with a toolchain that knows components of WASI 0.2",
        None if bytes.trim_ascii_start().starts_with(b"(") => {
            "it is WebAssembly text: make a component of it with `wasm-tools parse`"
        }
        None => "it is no WebAssembly at all: name the file that your toolchain built",
    }
}

/// Which setting was probably meant.
fn of_settings(engine: &Engine, bytes: &[u8], file: &Path, error: &LoadError) -> Option<String> {
    let LoadError::Settings(_) = error else {
        return None;
    };
    let given = std::fs::read_to_string(file).ok()?;
    let given = Settings::parse_toml(&given).ok()?;
    // What can be set is known once it is loaded without anything set.
    let proven = engine.prove(bytes, &Settings::new()).ok()?;
    let specs: &[SettingSpec] = &proven.manifest().settings;
    let known: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    let (unknown, _) = given
        .iter()
        .find(|(name, _)| !known.contains(&name.as_str()))?;
    let meant = nearest(unknown, &known)?;
    Some(format!(
        "in `{}`, write `{meant}` for `{unknown}`",
        file.display()
    ))
}

fn next(error: &LoadError, path: &Path, settings: &Path) -> String {
    let component = path.display();
    let settings = settings.display();
    match error {
        LoadError::TooLarge { .. } => {
            "leave out debug information (`wasm-tools strip`) and what it does not need".to_owned()
        }
        LoadError::Import(name) if name.starts_with("wasi:") => {
            "build it without WASI (for Rust: `wasm32-unknown-unknown`): a policy has no files, no clock and \
             no environment, and is told the time with each request"
                .to_owned()
        }
        LoadError::Import(name) if name.starts_with("countersign:policy/") => {
            "generate its bindings anew from this host's `wit/policy.wit`".to_owned()
        }
        LoadError::Import(name) => format!("leave out whatever uses `{name}`"),
        LoadError::Contract(_) => {
            "generate its bindings anew from `wit/policy.wit`, and export the world `policy`".to_owned()
        }
        LoadError::Describe(_) => {
            "make `describe` return without asking for anything: it is called before `configure`".to_owned()
        }
        LoadError::Manifest(_) => "mend what `describe` returns, and build it anew".to_owned(),
        LoadError::Settings(_) | LoadError::Refused(_) => {
            format!("mend `{settings}`; `countersign policy describe` says what can be set")
        }
        LoadError::Configure(_) => {
            "make `configure` refuse what it does not like with a sentence; it may not trap, nor call `log`"
                .to_owned()
        }
        LoadError::Uncovered { verb, .. } => format!(
            "give it a rule for `{verb}`, or deny what no other rule covers: nobody else answers beside \
             the module that is named `{CLASSIFIER}`"
        ),
        LoadError::Fails { row, .. } => {
            let mut words = row.split(' ');
            let credential = words.next().unwrap_or("*");
            let verb = words.nth(1).unwrap_or("*");
            format!(
                "see where it fails: `countersign policy matrix {component} --verb {verb} --credential {credential}`"
            )
        }
        LoadError::Slow(_) => format!(
            "see what takes so long: `countersign policy bench {component}`"
        ),
        LoadError::NoCompiler(_) => "let this program start processes".to_owned(),
        _ => "build it anew, and see `docs/policies.md`".to_owned(),
    }
}
