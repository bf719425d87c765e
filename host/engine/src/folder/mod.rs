//! The watched folder of policy modules.
//!
//! Each `<stem>.wasm` is a module, `<stem>.toml` beside it its settings, and `<stem>.wasm.minisig` its
//! signature. Names that begin with a dot
//! are not looked at; links are followed, so that a folder whose content is swapped by moving one link
//! (as Kubernetes does) is simply a folder whose files change.
//!
//! A file that cannot be proven is a [`Problem`], and the last good module of that file stands. A file
//! that is gone takes its module along, and a built-in module of that name stands again.

mod read;
mod scan;
mod shelf;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

pub use scan::{Found, Stamp, scan};
pub use watch::Watcher;

use crate::{Engine, LoadError, PolicySet, Proven, Settings};

/// Where modules are dropped, and what stands beside them.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// What its modules are proven in.
    pub engine: Engine,
    /// What stands where the folder has no module of the same name.
    pub built_in: Vec<Arc<Proven>>,
    /// The name of the module that says what kind of caller asks.
    pub classifier: String,
    /// The folder's modules that decided when the host last ran.
    pub recorded: Vec<Recorded>,
    /// Whether a component's signatures do; asked before anything else is made of it.
    pub trust: Trust,
    /// What a module that is new in the folder must pass, once it is proven.
    pub vet: Vet,
}

/// What a proven module must pass before it stands in a set: whoever puts a host together says.
#[derive(Clone)]
pub struct Vet(Arc<Test>);

type Test = dyn Fn(&Arc<Proven>) -> Result<(), LoadError> + Send + Sync;

impl Vet {
    /// This test.
    pub fn new(
        test: impl Fn(&Arc<Proven>) -> Result<(), LoadError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(test))
    }

    /// Whether `module` passes.
    pub fn pass(&self, module: &Arc<Proven>) -> Result<(), LoadError> {
        (self.0)(module)
    }
}

impl std::fmt::Debug for Vet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vet")
    }
}

/// Whether the signatures of a component do: whoever puts a host together says.
#[derive(Clone)]
pub struct Trust(Arc<Signed>);

type Signed = dyn Fn(&[u8], &[String]) -> Result<(), LoadError> + Send + Sync;

impl Trust {
    /// This rule, about a component's bytes and its signatures.
    pub fn new(
        rule: impl Fn(&[u8], &[String]) -> Result<(), LoadError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(rule))
    }

    /// Whether `signatures` do for `component`.
    pub fn check(&self, component: &[u8], signatures: &[String]) -> Result<(), LoadError> {
        (self.0)(component, signatures)
    }
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trust")
    }
}

/// A module of the folder, as it last decided: what stands where its file is there and broken when the
/// host starts.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The file's name.
    pub file: String,
    /// The component.
    pub component: Vec<u8>,
    /// Its settings.
    pub settings: Settings,
    /// The signatures that are kept of it.
    pub signatures: Vec<String>,
}

/// What the folder would have decide, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The modules, proven and checked together. Where the folder's present content makes no such set,
    /// it is the last one that did.
    pub policies: PolicySet,
    /// Which file each module comes from, by the module's name; those built in come from none.
    pub files: BTreeMap<String, String>,
    /// The signatures beside those files, by the digest of what they sign.
    pub signatures: BTreeMap<String, String>,
    /// What is not as its owner meant it, by file.
    pub problems: Vec<Problem>,
}

/// Something that is wrong in the folder.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The module's file; `None` where it is the folder or the set as a whole.
    pub file: Option<String>,
    /// What is wrong, in one sentence.
    pub sentence: String,
}
