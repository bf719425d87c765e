//! Building a policy module from its Rust source: one recipe, whatever toolchain the machine has.
//!
//! The recipe is written here, in flags that cargo takes from nowhere else, so that the same source
//! gives the same bytes from any folder: user configuration would be the part that nobody reviews.

mod toolchain;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toolchain::Toolchain;

use crate::bundled::{self, COMPONENT_HEADER};
use crate::vet::{self, VetError};

const TARGET: &str = "wasm32-unknown-unknown";

/// The file of cases in a policy's folder that its component carries.
const CASES: &str = "cases.toml";

/// Room for the deepest call of a policy, and small: the host resets the guest's memory each time.
const STACK_BYTES: u32 = 16 * 1_024;

/// A built component.
#[derive(Clone, Debug)]
pub struct Built {
    /// Where it was written. `<path>.sha256` beside it holds its digest as `sha256sum` writes it.
    pub path: PathBuf,
    /// The component itself.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`, in lower-case hexadecimal.
    pub sha256: String,
    /// The compiler and how it got the standard library, for people.
    pub toolchain: String,
}

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The source is no Rust package.
    #[error("`{}` is not the folder of a policy's source: it has no `Cargo.toml`", .0.display())]
    NoSource(PathBuf),
    /// Nothing on this machine compiles Rust to WebAssembly.
    #[error(
        "nothing here compiles Rust to WebAssembly: run `rustup target add wasm32-unknown-unknown`, \
         or on Debian, as root, `apt-get install --no-install-recommends {}`",
        toolchain::DEBIAN_PACKAGES.join(" ")
    )]
    NoToolchain,
    /// The compiler is there, and nothing links what it makes.
    #[error(
        "nothing here links components: install Rust with rustup, whose toolchain brings \
         `wasm-component-ld` and `wasm-ld`"
    )]
    NoLinker,
    /// A program of the recipe did not start.
    #[error("cannot run `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// A program of the recipe failed; it has said why on standard error.
    #[error("`{program}` failed with {status}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// Cargo is content, and there is no component.
    #[error(
        "`{}` made no component: its library has to call `countersign_policy::export!` once",
        .0.display()
    )]
    NoComponent(PathBuf),
    /// The cases that the component would carry are not understood.
    #[error("`{}`: {cause}", path.display())]
    Cases {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: VetError,
    },
    /// A file cannot be read or written.
    #[error("cannot use `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
}

/// Builds the policy module in the folder `source` and writes it to `out`, its digest beside it. The
/// component carries the cases of the file `cases.toml` in that folder, if there is one.
///
/// Cargo's progress and errors go to standard error. Where no toolchain for WebAssembly is there, this
/// asks rustup for one, and as root on Debian apt.
///
/// # Errors
///
/// See [`BuildError`]. Nothing is written unless the build succeeds.
pub fn build(source: &Path, out: &Path) -> Result<Built, BuildError> {
    build_with(source, &[], out)
}

/// [`build`], with those features of the crate, beside its default ones.
///
/// # Errors
///
/// See [`BuildError`]. Nothing is written unless the build succeeds.
pub fn build_with(source: &Path, features: &[String], out: &Path) -> Result<Built, BuildError> {
    let manifest = source.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(BuildError::NoSource(source.to_path_buf()));
    }
    let source = at(source, std::fs::canonicalize(source))?;
    let toolchain = Toolchain::find(&source)?;

    let component = compile(&toolchain, &source, features)?;
    let bytes = at(&component, std::fs::read(&component))?;
    if !bytes.starts_with(&COMPONENT_HEADER) {
        return Err(BuildError::NoComponent(source));
    }
    let bytes = with_cases(bytes, &source.join(CASES))?;

    let sha256 = hex(&Sha256::digest(&bytes));
    let name = out.file_name().unwrap_or(out.as_os_str()).to_string_lossy();
    let mut digest_path = out.as_os_str().to_owned();
    digest_path.push(".sha256");
    replace(out, &bytes)?;
    replace(
        Path::new(&digest_path),
        format!("{sha256}  {name}\n").as_bytes(),
    )?;
    Ok(Built {
        path: out.to_path_buf(),
        bytes,
        sha256,
        toolchain: toolchain.description,
    })
}

/// The component with the cases of `path`, where there are any, as a host can take them.
fn with_cases(component: Vec<u8>, path: &Path) -> Result<Vec<u8>, BuildError> {
    let cases = match std::fs::read_to_string(path) {
        Ok(cases) => cases,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(component),
        Err(cause) => return at(path, Err(cause)),
    };
    let wrong = |cause| BuildError::Cases {
        path: path.to_path_buf(),
        cause,
    };
    let whole = bundled::with_cases(&component, &cases).map_err(|cause| wrong(cause.into()))?;
    vet::bundled(&whole).map_err(wrong)?;
    Ok(whole)
}

/// Runs cargo, and returns the file that it made of the package.
fn compile(
    toolchain: &Toolchain,
    source: &Path,
    features: &[String],
) -> Result<PathBuf, BuildError> {
    let mut cargo = toolchain.cargo();
    // Policies are plain libraries, so that their tests and the host's can use them natively; that
    // cargo makes a dynamic library of one is said here only.
    cargo
        .args([
            "rustc",
            "--release",
            "--lib",
            "--crate-type",
            "cdylib",
            "--target",
            TARGET,
        ])
        .arg("--message-format=json-render-diagnostics")
        .args(&toolchain.cargo_arguments)
        .args(
            features
                .iter()
                .map(|feature| format!("--features={feature}")),
        )
        .current_dir(source)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            flags(toolchain, source)?.join("\u{1f}"),
        )
        .env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
            &toolchain.linker,
        )
        .stderr(Stdio::inherit());
    let messages = output(&mut cargo)?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .flat_map(|message| message.filenames)
        .rfind(|file| {
            file.extension()
                .is_some_and(|extension| extension == "wasm")
        })
        .ok_or_else(|| BuildError::NoComponent(source.to_path_buf()))
}

/// The recipe: what the compiler and the linker are told.
fn flags(toolchain: &Toolchain, source: &Path) -> Result<Vec<String>, BuildError> {
    let workspace = output(
        toolchain
            .cargo()
            .args(["locate-project", "--workspace", "--message-format", "plain"])
            .current_dir(source),
    )?;
    let workspace = Path::new(workspace.trim()).parent().unwrap_or(source);

    // Panic messages hold paths. The last prefix that fits wins, so the narrower ones come later.
    let mut prefixes = vec![(toolchain.cargo_home.clone(), "/cargo".to_owned())];
    prefixes.extend(
        toolchain
            .registries()
            .into_iter()
            .map(|folder| (folder, "/crates".to_owned())),
    );
    prefixes.push((workspace.to_path_buf(), "/policies".to_owned()));
    prefixes.extend(
        toolchain
            .std_sources
            .iter()
            .map(|folder| (folder.clone(), "/std".to_owned())),
    );

    let mut flags: Vec<_> = prefixes
        .into_iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect();
    flags.push(format!(
        "-Clink-arg=--wasm-ld-path={}",
        toolchain.wasm_ld.display()
    ));
    flags.push(format!("-Clink-arg=-zstack-size={STACK_BYTES}"));
    Ok(flags)
}

/// The part of cargo's messages that matters here.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Runs a program and returns its standard output.
fn output(command: &mut Command) -> Result<String, BuildError> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.stdin(Stdio::null()).output() {
        Err(cause) => Err(BuildError::Start { program, cause }),
        Ok(output) if !output.status.success() => Err(BuildError::Failed {
            program,
            status: output.status,
        }),
        Ok(output) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
    }
}

/// Writes a whole file or nothing: a host may be watching the folder.
fn replace(path: &Path, contents: &[u8]) -> Result<(), BuildError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    at(folder, std::fs::create_dir_all(folder))?;
    let mut draft = at(folder, draft_in(folder))?;
    at(path, draft.write_all(contents))?;
    at(
        path,
        draft
            .persist(path)
            .map(drop)
            .map_err(|refused| refused.error),
    )
}

/// A draft readable by all, as a built file is; a temporary file is by default for its owner only.
fn draft_in(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut draft = tempfile::Builder::new();
    draft.prefix(".policy-build-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        draft.permissions(std::fs::Permissions::from_mode(0o644));
    }
    draft.tempfile_in(folder)
}

fn at<T>(path: &Path, result: std::io::Result<T>) -> Result<T, BuildError> {
    result.map_err(|cause| BuildError::File {
        path: path.to_path_buf(),
        cause,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_package_is_refused_before_anything_runs() {
        let empty = tempfile::tempdir().expect("INVARIANT: the temporary folder can be written");
        let refused = build(empty.path(), &empty.path().join("out.wasm"));
        assert!(matches!(refused, Err(BuildError::NoSource(_))));
    }

    #[test]
    fn a_file_is_replaced_whole_and_leaves_no_draft() {
        let folder = tempfile::tempdir().expect("INVARIANT: the temporary folder can be written");
        let path = folder.path().join("policies").join("baseline.wasm");
        for contents in [&b"first"[..], b"second"] {
            replace(&path, contents).expect("INVARIANT: the folder can be written");
            assert_eq!(std::fs::read(&path).ok().as_deref(), Some(contents));
        }
        let beside = path
            .parent()
            .and_then(|folder| std::fs::read_dir(folder).ok());
        assert_eq!(beside.map(Iterator::count), Some(1));
    }
}
