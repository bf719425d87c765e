//! The faulty modules of `policies/faulty`, as data and as components.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use countersign_lab::cases::{Case, CaseFile};
use countersign_tests::built;
use countersign_tests::guest::Guest;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");

/// Where components are kept, by what they are made of: building all takes a minute, and a source seldom
/// changes.
const KEPT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/faulty");

/// Sessions are people, all else are agents.
const HONEST_CLASS: &str = "(i32.ne (local.get $credential) (i32.const 1))";

/// A module that is honest but for one fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// What it is called.
    pub name: String,
    /// The fault, in a sentence.
    pub does: String,
    /// The property of `verify` that it breaks.
    pub kind: String,
    /// Who can find it without the source.
    pub found_by: FoundBy,
    /// Keys of rows of the exhaustive table that it answers otherwise, with `*` for any run of characters.
    #[serde(default)]
    pub rows: Vec<String>,
    /// Whether `verify` finds it, where that is not so: why, `does` and `found-by` say.
    pub verify: Option<bool>,
    /// How many questions to one instance it takes.
    pub warm: Option<usize>,
    before: Option<String>,
    trigger: String,
    decide: Option<String>,
    classify: Option<String>,
    #[serde(default)]
    clock_seconds: u32,
}

/// Who can find a fault without the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoundBy {
    /// Whoever reads the exhaustive table.
    Table,
    /// Whoever tries values that anybody would try.
    Search,
    /// Whoever sees which way the code goes.
    Coverage,
    /// Nobody, but for luck.
    Nobody,
}

#[derive(Deserialize)]
struct Written {
    fault: Vec<Fault>,
}

impl Fault {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let text = std::fs::read_to_string(Path::new(POLICIES).join("faulty/faults.toml"));
        let text = text.expect("the list of faults can be read");
        let written: Written = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        written.fault
    }

    /// Whether it is made by hand, beside a module that denies everything, and not from the baseline.
    pub fn is_by_hand(&self) -> bool {
        self.decide.is_some() || self.classify.is_some()
    }

    /// What only the faulty module answers as is expected.
    pub fn trigger(&self) -> Case {
        case(&self.name, &self.trigger)
    }

    /// What the instance that is asked the trigger was asked before.
    pub fn before(&self) -> Option<Case> {
        let before = self.before.as_ref()?;
        let text = format!("given = {{ {before} }}\nexpect = {{ not = \"fails\" }}");
        Some(case("before", &text))
    }

    /// The component.
    pub fn component(&self) -> Vec<u8> {
        match self.is_by_hand() {
            true => by_hand(Guest {
                decide: leaked(self.decide.as_deref().unwrap_or(DENY)),
                classify: leaked(self.classify.as_deref().unwrap_or(HONEST_CLASS)),
                clock_seconds: self.clock_seconds,
                ..Guest::default()
            }),
            false => built_with(Some(&self.name)),
        }
    }

    /// The component without the fault.
    pub fn honest(&self) -> Vec<u8> {
        match self.is_by_hand() {
            true => by_hand(Guest {
                decide: DENY,
                classify: HONEST_CLASS,
                ..Guest::default()
            }),
            false => countersign_engine::BASELINE.to_vec(),
        }
    }
}

const DENY: &str = "(global.get $deny)";

/// A module by hand; the request's parts lie where the canonical ABI puts them: the caller's properties are
/// at 56 and 60, the verb at 68 and 72, its arguments at 76 and 80, the time at 112.
fn by_hand(guest: Guest) -> Vec<u8> {
    guest.component()
}

/// What is written once for all tests may stay.
fn leaked(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn case(name: &str, written: &str) -> Case {
    let text = format!("[[case]]\nname = \"{name}\"\n{written}");
    let file = CaseFile::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
    file.cases
        .into_iter()
        .next()
        .expect("INVARIANT: there is one")
}

/// The crate's component with that fault, or with none; built where it is not kept from an earlier time.
pub fn built_with(fault: Option<&str>) -> Vec<u8> {
    let name = fault.unwrap_or("none");
    let kept = Path::new(KEPT).join(format!("{name}-{}.wasm", sources(fault)));
    if let Ok(component) = std::fs::read(&kept) {
        return component;
    }
    let mut build = Command::new(built("countersign"));
    build
        .args(["policy", "build"])
        .arg(Path::new(POLICIES).join("faulty"))
        .arg("--out")
        .arg(&kept)
        .args(fault.map(|fault| format!("--features={fault}")));
    // Policies are built with other flags and perhaps another compiler than what tests them.
    match policies_target() {
        Some(folder) => build.env("CARGO_TARGET_DIR", folder),
        None => build.env_remove("CARGO_TARGET_DIR"),
    };
    let said = build.output().expect("the host's binary starts");
    let errors = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{name}: {errors}");
    std::fs::read(&kept).expect("what was built can be read")
}

/// How the tests are told where policies are built.
fn policies_target() -> Option<PathBuf> {
    std::env::var_os("COUNTERSIGN_POLICIES_TARGET").map(PathBuf::from)
}

/// A digest of all that a component is made of.
fn sources(fault: Option<&str>) -> String {
    static SHARED: OnceLock<Sha256> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        let mut digest = Sha256::new();
        let folders = [
            "sdk",
            "sdk/src",
            "baseline",
            "baseline/src",
            "faulty",
            "faulty/src",
        ];
        for folder in folders
            .iter()
            .map(|folder| Path::new(POLICIES).join(folder))
        {
            let files = std::fs::read_dir(&folder).expect("the policies are there");
            let mut files: Vec<_> = files.flatten().map(|file| file.path()).collect();
            files.sort();
            for file in files.iter().filter(|file| {
                file.extension()
                    .is_some_and(|kind| kind == "rs" || kind == "toml")
                    && !file.ends_with("faults.toml")
            }) {
                digest.update(std::fs::read(file).expect("a source can be read"));
            }
        }
        for file in ["Cargo.lock", "Cargo.toml", "../wit/policy.wit"] {
            let file = Path::new(POLICIES).join(file);
            digest.update(std::fs::read(file).expect("the policies' workspace can be read"));
        }
        digest
    });
    let mut digest = shared.clone();
    if let Some(fault) = fault {
        let file = format!("faulty/src/faults/{}.rs", fault.replace('-', "_"));
        let source = std::fs::read(Path::new(POLICIES).join(file));
        digest.update(source.unwrap_or_else(|error| panic!("{fault}: {error}")));
    }
    let digest = digest.finalize();
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
