//! Dependencies, as cargo resolves them for this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A workspace's packages, and which needs which. What only tests and benchmarks need is left out.
pub struct Graph {
    metadata: Metadata,
    needs: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: String,
    /// Absent for what lies in a folder.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

/// `kind` is null for a normal dependency, else `build` or `dev`.
#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Graph {
    /// The workspace of `manifest`, without the network: whoever runs this has built it.
    pub fn of(manifest: &Path) -> Self {
        let metadata: Metadata = json(
            Command::new("cargo")
                .args(["metadata", "--format-version", "1", "--locked", "--offline"])
                .args(["--filter-platform", &machine()])
                .arg("--manifest-path")
                .arg(manifest),
        );
        let needs = metadata
            .resolve
            .nodes
            .iter()
            .map(|node| {
                let needed = node.deps.iter().filter(|dependency| {
                    let dev = |kind: &Kind| kind.kind.as_deref() == Some("dev");
                    !dependency.dep_kinds.iter().all(dev)
                });
                let needed = needed.map(|dependency| dependency.pkg.clone()).collect();
                (node.id.clone(), needed)
            })
            .collect();
        Self { metadata, needs }
    }

    /// The workspace's own packages.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        let members = &self.metadata.workspace_members;
        let packages = self.metadata.packages.iter();
        packages
            .filter(|package| members.contains(&package.id))
            .map(|package| &*package.name)
    }

    /// Those packages that `name` needs itself and that are ours, of whichever workspace.
    pub fn ours(&self, name: &str) -> BTreeSet<&str> {
        self.needs[&self.package(name).id]
            .iter()
            .map(|id| self.by_id(id))
            .filter(|package| package.source.is_none())
            .map(|package| &*package.name)
            .collect()
    }

    /// All that `name` needs, itself or through others: names, without `name` itself.
    pub fn tree(&self, name: &str) -> BTreeSet<&str> {
        self.packages(name)
            .into_iter()
            .map(|id| &*self.by_id(id).name)
            .collect()
    }

    /// As [`Graph::tree`]: ids, of which one name can have several.
    pub fn packages(&self, name: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = vec![&*self.package(name).id];
        while let Some(id) = open.pop() {
            let new = self.needs[id]
                .iter()
                .filter(|needed| found.insert(needed.as_str()));
            open.extend(new.map(String::as_str));
        }
        found
    }

    /// Where the package with that id lies.
    pub fn manifest(&self, id: &str) -> &Path {
        Path::new(&self.by_id(id).manifest_path)
    }

    fn package(&self, name: &str) -> &Package {
        let mut packages = self.metadata.packages.iter();
        packages
            .find(|package| package.name == name && package.source.is_none())
            .unwrap_or_else(|| panic!("there is no package `{name}`"))
    }

    fn by_id(&self, id: &str) -> &Package {
        let mut packages = self.metadata.packages.iter();
        packages
            .find(|package| package.id == id)
            .unwrap_or_else(|| panic!("cargo resolves `{id}` and does not know it"))
    }
}

/// The name of this machine's platform: what other platforms need has not been downloaded.
fn machine() -> String {
    let version = output(Command::new("rustc").arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc says where it runs").to_owned()
}

fn json<T: DeserializeOwned>(command: &mut Command) -> T {
    serde_json::from_str(&output(command)).expect("cargo keeps to its format")
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("cargo and rustc are there");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {complaint}");
    String::from_utf8(output.stdout).expect("it speaks UTF-8")
}
