//! What is in the folder, without reading it.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::FolderError;
use crate::text::tame;

/// How many modules a folder may hold. Each one's time adds to every decision.
const FILES: usize = 64;

/// How many names of any kind are looked at, so that a folder of something else ends quickly.
const NAMES: usize = 4_096;

/// A module's file, and its settings' and its signature's, if there are such.
#[derive(Clone, Debug)]
pub struct Found {
    /// The file's name.
    pub file: String,
    /// The component.
    pub component: PathBuf,
    /// Where its settings are, or would be.
    pub settings: PathBuf,
    /// Where its signature is, or would be.
    pub signature: PathBuf,
    /// The files' state, or in one sentence why it cannot be found out.
    pub stamp: Result<Stamp, String>,
}

/// What changes when a file, its settings' or its signature's, is written, replaced or moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    component: FileStamp,
    settings: Option<FileStamp>,
    signature: Option<FileStamp>,
}

impl Stamp {
    pub(super) fn has_settings(&self) -> bool {
        self.settings.is_some()
    }

    pub(super) fn has_signature(&self) -> bool {
        self.signature.is_some()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FileStamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Device, inode and time of change where the system has them.
    identity: [i128; 3],
}

/// What a folder holds.
#[derive(Debug)]
pub struct Contents {
    /// Its modules, by file.
    pub modules: Vec<Found>,
    /// Settings and signatures beside which no module is, by file.
    pub alone: Vec<String>,
}

/// The modules in `folder`, by name. It reads names and states, no content.
pub fn scan(folder: &Path) -> Result<Contents, FolderError> {
    let unreadable = |source: io::Error| match source.kind() {
        ErrorKind::NotFound => FolderError::Absent(folder.to_owned()),
        ErrorKind::NotADirectory => FolderError::NotAFolder(folder.to_owned()),
        _ => FolderError::Unreadable {
            folder: folder.to_owned(),
            source,
        },
    };
    let too_many = |most| FolderError::TooMany {
        folder: folder.to_owned(),
        most,
    };
    let mut modules = Vec::new();
    let mut beside = Vec::new();
    for (count, entry) in fs::read_dir(folder).map_err(unreadable)?.enumerate() {
        if count == NAMES {
            return Err(too_many(NAMES));
        }
        let path = entry.map_err(unreadable)?.path();
        if is_hidden(&path) {
            continue;
        }
        if path.extension().is_some_and(|name| name == "wasm") {
            modules.push(found(path));
        } else if is_of_a_module(&path) {
            beside.push(path);
        }
        if modules.len() > FILES {
            return Err(too_many(FILES));
        }
    }
    modules.sort_by(|a, b| a.component.cmp(&b.component));
    beside.sort();
    let is_alone = |path: &PathBuf| {
        let is_of = |module: &Found| module.settings == *path || module.signature == *path;
        !modules.iter().any(is_of)
    };
    let alone = beside.into_iter().filter(is_alone);
    let alone = alone.map(|path| file_name(&path)).take(FILES).collect();
    Ok(Contents { modules, alone })
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Whether it is meant for a module: neither cases, nor what a module is built from.
fn is_of_a_module(path: &Path) -> bool {
    let name = file_name(path);
    let is_other = name.ends_with(".cases.toml") || name == "Cargo.toml";
    (name.ends_with(".toml") && !is_other) || name.ends_with(".wasm.minisig")
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    tame(&name, 255)
}

fn found(component: PathBuf) -> Found {
    let settings = component.with_extension("toml");
    let signature = component.with_extension("wasm.minisig");
    Found {
        file: file_name(&component),
        stamp: stamp(&component, &settings, &signature),
        component,
        settings,
        signature,
    }
}

fn stamp(component: &Path, settings: &Path, signature: &Path) -> Result<Stamp, String> {
    let component = file_stamp(component)?.ok_or("it has just been removed")?;
    let settings = file_stamp(settings).map_err(|error| format!("its settings: {error}"))?;
    let signature = file_stamp(signature).map_err(|error| format!("its signature: {error}"))?;
    Ok(Stamp {
        component,
        settings,
        signature,
    })
}

fn file_stamp(path: &Path) -> Result<Option<FileStamp>, String> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match fs::symlink_metadata(path) {
                Ok(_) => Err("the link leads nowhere".to_owned()),
                Err(_) => Ok(None),
            };
        }
        Err(error) => return Err(format!("cannot look at it: {error}")),
    };
    // Opening a pipe would wait for whoever writes to it.
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    Ok(Some(FileStamp {
        bytes: metadata.len(),
        modified: metadata.modified().ok(),
        identity: identity(&metadata),
    }))
}

/// What tells two files apart that have the same size and time.
#[cfg(unix)]
pub(super) fn identity(metadata: &Metadata) -> [i128; 3] {
    use std::os::unix::fs::MetadataExt;
    let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
    [metadata.dev().into(), metadata.ino().into(), changed]
}

/// What tells two files apart that have the same size and time: here, nothing.
#[cfg(not(unix))]
pub(super) fn identity(_: &Metadata) -> [i128; 3] {
    [0; 3]
}
