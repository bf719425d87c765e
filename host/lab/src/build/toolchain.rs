//! Finding what compiles Rust to WebAssembly on this machine, or getting it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{BuildError, TARGET, output};

/// What Debian calls a compiler that is recent enough, with the sources of its standard library.
pub(super) const DEBIAN_PACKAGES: &[&str] =
    &["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm"];

/// Debian's compiler. Named in full: on a machine that also has rustup, `rustc` is rustup's proxy.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// Debian's linkers of LLVM, the plain name first.
const DEBIAN_WASM_LD: &[&str] = &[
    "/usr/bin/wasm-ld",
    "/usr/bin/wasm-ld-22",
    "/usr/bin/wasm-ld-21",
    "/usr/bin/wasm-ld-20",
];

/// A compiler for the target, and the linker that makes components.
#[derive(Debug)]
pub(super) struct Toolchain {
    pub description: String,
    pub cargo_arguments: Vec<String>,
    pub linker: PathBuf,
    pub wasm_ld: PathBuf,
    pub cargo_home: PathBuf,
    /// Where panic messages of the standard library say it lies; empty where it came compiled.
    pub std_sources: Vec<PathBuf>,
    cargo: PathBuf,
    environment: Vec<(&'static str, &'static str)>,
}

impl Toolchain {
    /// The toolchain to build `source` with: rustup's, else rustup's after asking it for the target,
    /// else Debian's, else Debian's after asking apt for it.
    pub fn find(source: &Path) -> Result<Self, BuildError> {
        let active = Compiler::probe(Path::new("rustc"), source);
        let found = active
            .as_ref()
            .filter(|active| active.has_target() || (ask_rustup(source) && active.has_target()));
        if let Some(active) = found {
            return Self::of_rustup(active);
        }
        if !has_debian_set() {
            ask_apt()?;
        }
        if !has_debian_set() {
            return Err(BuildError::NoToolchain);
        }
        let debian =
            Compiler::probe(Path::new(DEBIAN_RUSTC), source).ok_or(BuildError::NoToolchain)?;
        Self::of_debian(&debian, active.as_ref())
    }

    fn of_rustup(active: &Compiler) -> Result<Self, BuildError> {
        let (linker, wasm_ld) = active.linkers().ok_or(BuildError::NoLinker)?;
        Ok(Self {
            description: format!("{}, target {TARGET}", active.version),
            cargo_arguments: Vec::new(),
            linker,
            wasm_ld,
            cargo_home: cargo_home(),
            std_sources: vec![active.std_source()],
            cargo: PathBuf::from("cargo"),
            environment: Vec::new(),
        })
    }

    /// Debian ships no compiled standard library for the target, but its source: cargo builds it, which
    /// is unstable and therefore asked for by name. Its own link to `rust-lld` dangles, so rustup's
    /// linker comes first.
    fn of_debian(debian: &Compiler, active: Option<&Compiler>) -> Result<Self, BuildError> {
        let (linker, wasm_ld) = active
            .and_then(Compiler::linkers)
            .or_else(|| debian.linkers())
            .or_else(|| {
                let wasm_ld = DEBIAN_WASM_LD
                    .iter()
                    .map(PathBuf::from)
                    .find(|wasm_ld| wasm_ld.exists())?;
                Some((debian.component_ld(), wasm_ld)).filter(|(linker, _)| linker.exists())
            })
            .ok_or(BuildError::NoLinker)?;
        let std_source = debian.std_source();
        let real = std::fs::canonicalize(&std_source).unwrap_or_else(|_| std_source.clone());
        Ok(Self {
            description: format!("{}, standard library from source", debian.version),
            cargo_arguments: vec!["-Zbuild-std=std,panic_abort".to_owned()],
            linker,
            wasm_ld,
            cargo_home: cargo_home(),
            std_sources: vec![real, std_source],
            cargo: PathBuf::from(DEBIAN_CARGO),
            environment: vec![("RUSTC", DEBIAN_RUSTC), ("RUSTC_BOOTSTRAP", "1")],
        })
    }

    /// Cargo, of this toolchain and free of what would change the bytes.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(&self.cargo);
        for name in [
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTFLAGS",
        ] {
            cargo.env_remove(name);
        }
        cargo.envs(self.environment.iter().copied());
        cargo
    }

    /// Where crates are unpacked: one folder for each registry, named after the machine's own way to it.
    pub fn registries(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.cargo_home.join("registry/src")) else {
            return Vec::new();
        };
        let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        folders.sort();
        folders
    }
}

/// A compiler that answers.
#[derive(Debug)]
struct Compiler {
    version: String,
    host: String,
    sysroot: PathBuf,
}

impl Compiler {
    /// Asked in the policy's own folder, where a toolchain file may choose.
    fn probe(rustc: &Path, source: &Path) -> Option<Self> {
        let ask = |arguments: &[&str]| {
            output(
                Command::new(rustc)
                    .args(arguments)
                    .current_dir(source)
                    .stderr(Stdio::null()),
            )
        };
        let about = ask(&["-vV"]).ok()?;
        let sysroot = ask(&["--print", "sysroot"]).ok()?;
        Some(Self {
            version: about.lines().next()?.to_owned(),
            host: about
                .lines()
                .find_map(|line| line.strip_prefix("host: "))?
                .to_owned(),
            sysroot: PathBuf::from(sysroot.trim()),
        })
    }

    fn has_target(&self) -> bool {
        self.rustlib().join(TARGET).join("lib").is_dir()
    }

    fn std_source(&self) -> PathBuf {
        self.rustlib().join("src/rust")
    }

    fn component_ld(&self) -> PathBuf {
        self.rustlib()
            .join(&self.host)
            .join("bin/wasm-component-ld")
    }

    fn linkers(&self) -> Option<(PathBuf, PathBuf)> {
        let wasm_ld = self.rustlib().join(&self.host).join("bin/gcc-ld/wasm-ld");
        Some((self.component_ld(), wasm_ld))
            .filter(|(linker, wasm_ld)| linker.exists() && wasm_ld.exists())
    }

    fn rustlib(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib")
    }
}

/// Whether rustup could add the target. Quiet: without rustup, or where it cannot download, there is
/// another way.
fn ask_rustup(source: &Path) -> bool {
    let mut rustup = Command::new("rustup");
    rustup
        .args(["target", "add", TARGET])
        .current_dir(source)
        .stderr(Stdio::null());
    output(&mut rustup).is_ok()
}

fn has_debian_set() -> bool {
    [
        DEBIAN_RUSTC,
        DEBIAN_CARGO,
        "/usr/lib/rustlib/src/rust/library/Cargo.lock",
    ]
    .iter()
    .all(|file| Path::new(file).exists())
}

/// Installs Debian's set where that is possible: on Debian, as root.
fn ask_apt() -> Result<(), BuildError> {
    let is_root = || output(Command::new("id").arg("-u")).is_ok_and(|user| user.trim() == "0");
    if !Path::new("/etc/debian_version").exists() || !is_root() {
        return Ok(());
    }
    let mut apt = Command::new("apt-get");
    apt.args(["install", "-y", "--no-install-recommends"])
        .args(DEBIAN_PACKAGES)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stderr(Stdio::inherit());
    output(&mut apt).map(drop)
}

/// Cargo's own rule: `CARGO_HOME`, else `.cargo` at home.
fn cargo_home() -> PathBuf {
    let set = std::env::var_os("CARGO_HOME").filter(|home: &OsString| !home.is_empty());
    set.map_or_else(
        || std::env::home_dir().unwrap_or_default().join(".cargo"),
        PathBuf::from,
    )
}
