//! What a test reads.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use countersign_engine::{Limits, Settings};
use countersign_lab::bundled::{self, BundledError};
use countersign_lab::loads::what_it_is;
use countersign_lab::module::read_at_most;

use crate::cli::Test;
use crate::commands::Failure;

/// The largest file of cases or settings, in bytes: a hundred thousand cases.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// All that a test reads, as it was when it was read.
#[derive(PartialEq)]
pub struct Input {
    pub component: Vec<u8>,
    pub settings: Settings,
    pub cases: Vec<Text>,
}

/// Cases, as they are written.
#[derive(PartialEq)]
pub struct Text {
    /// Where.
    pub name: String,
    pub is_bundled: bool,
    pub content: String,
}

impl Input {
    /// Reads what `asked` means.
    pub fn read(asked: &Test) -> Result<Self, Failure> {
        let most = Limits::default().component_bytes;
        let component = read_at_most(&asked.component, most)
            .map_err(|error| cannot(&asked.component, &error))?;
        Ok(Self {
            settings: settings(asked)?,
            cases: cases(asked, &component)?,
            component,
        })
    }
}

/// The files that a test looks at, whether they are there or not.
pub fn files(asked: &Test) -> Vec<PathBuf> {
    let settings = match &asked.settings {
        Some(settings) => settings.clone(),
        None => beside(&asked.component, "toml"),
    };
    let mut files = vec![asked.component.clone(), settings];
    match asked.cases.as_slice() {
        [] => files.push(beside(&asked.component, "cases.toml")),
        cases => files.extend_from_slice(cases),
    }
    files
}

/// The file beside the component that is named like it, with another ending.
pub fn beside(component: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = component.file_stem().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    component.with_file_name(name)
}

fn settings(asked: &Test) -> Result<Settings, Failure> {
    let (path, text) = match &asked.settings {
        Some(path) => (path.clone(), Some(text(path)?)),
        None => {
            let path = beside(&asked.component, "toml");
            if asked.cases.contains(&path) {
                let (path, component) = (path.display(), asked.component.display());
                let why = format!(
                    "`{path}` is where the settings of `{component}` are: give the cases another name, or the settings with --settings"
                );
                return Err(Failure::usage(why));
            }
            let text = optional(&path)?;
            (path, text)
        }
    };
    Settings::parse_toml(&text.unwrap_or_default())
        .map_err(|error| Failure::usage(format!("`{}`: {error}", path.display())))
}

fn cases(asked: &Test, component: &[u8]) -> Result<Vec<Text>, Failure> {
    let file = |path: &Path, content| Text {
        name: path.display().to_string(),
        is_bundled: false,
        content,
    };
    if !asked.cases.is_empty() {
        let files = asked.cases.iter().map(|path| Ok(file(path, text(path)?)));
        return files.collect();
    }
    let path = beside(&asked.component, "cases.toml");
    let beside = optional(&path)?.map(|content| file(&path, content));
    let named = asked.component.display();
    let bundled = bundled::cases(component)
        .map_err(|error| {
            let next = match error {
                BundledError::NoComponent => what_it_is(component),
                _ => "put its cases there anew, once",
            };
            Failure::usage(format!("`{named}` cannot be loaded: {error}\nnext: {next}"))
        })?
        .map(|content| Text {
            name: format!("{named}[cases]"),
            is_bundled: true,
            content: content.to_owned(),
        });
    Ok(beside.into_iter().chain(bundled).collect())
}

fn text(path: &Path) -> Result<String, Failure> {
    written(path).map_err(|error| cannot(path, &error))
}

fn written(path: &Path) -> io::Result<String> {
    let bytes = read_at_most(path, MOST_BYTES)?;
    if bytes.len() > MOST_BYTES {
        let why = format!("it has more than {MOST_BYTES} bytes: make several of it");
        return Err(io::Error::new(ErrorKind::FileTooLarge, why));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

fn optional(path: &Path) -> Result<Option<String>, Failure> {
    match written(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot(path, &error)),
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("cannot read `{}`: {error}", path.display()))
}
