//! The watched folder. Every test waits for what it expects, and gives up after a while.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::FolderError;
use crate::folder::{Folder, Problem, Proposal, Trust, Vet, Watcher, scan};

const PATIENCE: Duration = Duration::from_secs(20);

/// A watched folder beside a built-in baseline that allows everything.
struct Watched {
    folder: TempDir,
    _watcher: Watcher,
    changes: Receiver<Proposal>,
    latest: Proposal,
}

impl Watched {
    fn open() -> Self {
        Self::open_with(|_| {})
    }

    fn open_with(prepare: impl FnOnce(&Path)) -> Self {
        let folder = TempDir::new().expect("there is room");
        prepare(folder.path());
        let (send, changes) = channel();
        let (watcher, latest) = Watcher::open(settings(folder.path()), move |change| {
            let _ = send.send(change);
        })
        .expect("it is a folder");
        Self {
            folder,
            _watcher: watcher,
            changes,
            latest,
        }
    }

    fn put(&self, file: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(file), content).expect("it can be written");
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.folder.path().join(file)).expect("it is there");
    }

    /// Waits until the folder proposes what `is_it` accepts.
    fn until(&mut self, is_it: impl Fn(&Proposal) -> bool) {
        let start = Instant::now();
        while !is_it(&self.latest) {
            let left = PATIENCE.saturating_sub(start.elapsed());
            let Ok(next) = self.changes.recv_timeout(left) else {
                panic!("it is still {:?}, {:?}", self.names(), self.latest.problems);
            };
            self.latest = next;
        }
    }

    fn until_names(&mut self, names: &[&str]) {
        self.until(|proposal| names_of(proposal) == names);
    }

    fn until_problem(&mut self, file: &str, sentence: &str) {
        self.until(|proposal| has_problem(proposal, file, sentence));
    }

    fn names(&self) -> Vec<String> {
        names_of(&self.latest)
    }
}

fn settings(path: &Path) -> Folder {
    let engine = engine();
    Folder {
        path: path.to_owned(),
        built_in: vec![prove(&engine, &Guest::default()).expect("it is sound")],
        engine,
        classifier: "baseline".to_owned(),
        recorded: Vec::new(),
        trust: Trust::new(|_, _| Ok(())),
        vet: Vet::new(|_| Ok(())),
    }
}

fn names_of(proposal: &Proposal) -> Vec<String> {
    let modules = proposal.policies.modules().iter();
    modules.map(|module| module.id().to_string()).collect()
}

fn has_problem(proposal: &Proposal, file: &str, sentence: &str) -> bool {
    let is_it = |problem: &Problem| {
        problem.file.as_deref().unwrap_or("") == file && problem.sentence.contains(sentence)
    };
    proposal.problems.iter().any(is_it)
}

fn module(name: &'static str, version: &'static str) -> Vec<u8> {
    Guest {
        name,
        version,
        ..Guest::default()
    }
    .component()
}

#[test]
fn a_module_that_is_dropped_in_decides_within_a_second() {
    let mut watched = Watched::open();
    assert_eq!(watched.names(), ["baseline@1.0.0"]);
    // The best of a few, since whatever else this machine does is not what is measured.
    let names = ["one", "two", "three"];
    let times = names.map(|name| {
        let component = module(name, "1.0.0");
        let start = Instant::now();
        watched.put(&format!("{name}.wasm"), component);
        watched.until(|proposal| names_of(proposal).contains(&format!("{name}@1.0.0")));
        start.elapsed()
    });
    assert!(
        times.iter().any(|time| *time < Duration::from_secs(1)),
        "{times:?}"
    );
}

#[test]
fn what_is_there_at_the_start_is_there_at_once() {
    let watched = Watched::open_with(|folder| {
        fs::write(folder.join("a.wasm"), module("mine", "1.0.0")).expect("it can be written");
        fs::write(folder.join("b.wasm"), "broken").expect("it can be written");
        fs::write(folder.join(".c.wasm"), "hidden").expect("it can be written");
        fs::write(folder.join("readme.txt"), "else").expect("it can be written");
    });
    assert_eq!(watched.names(), ["baseline@1.0.0", "mine@1.0.0"]);
    assert!(has_problem(&watched.latest, "b.wasm", "cannot compile it"));
    assert_eq!(watched.latest.problems.len(), 1);
}

#[test]
fn a_file_replaces_the_built_in_module_of_its_name_until_it_is_gone() {
    let mut watched = Watched::open();
    watched.put("other.wasm", module("baseline", "2.0.0"));
    watched.until_names(&["baseline@2.0.0"]);
    watched.remove("other.wasm");
    watched.until_names(&["baseline@1.0.0"]);
}

#[test]
fn a_file_that_is_renamed_into_place_replaces_its_module() {
    let mut watched = Watched::open();
    watched.put("mine.wasm", module("mine", "1.0.0"));
    watched.until_names(&["baseline@1.0.0", "mine@1.0.0"]);
    watched.put(".mine.tmp", module("mine", "1.1.0"));
    let [from, to] = [".mine.tmp", "mine.wasm"].map(|file| watched.folder.path().join(file));
    fs::rename(from, to).expect("it can be renamed");
    watched.until_names(&["baseline@1.0.0", "mine@1.1.0"]);
}

#[test]
fn a_half_written_file_leaves_the_last_good_one_and_shows_its_error_until_it_is_whole() {
    let mut watched = Watched::open();
    watched.put("mine.wasm", module("mine", "1.0.0"));
    watched.until_names(&["baseline@1.0.0", "mine@1.0.0"]);
    let next = module("mine", "1.1.0");
    for half in [next.len() / 2, next.len() - 1] {
        watched.put("mine.wasm", &next[..half]);
        watched.until_problem("mine.wasm", "cannot compile it");
        assert_eq!(watched.names(), ["baseline@1.0.0", "mine@1.0.0"]);
    }
    watched.put("mine.wasm", next);
    watched.until_names(&["baseline@1.0.0", "mine@1.1.0"]);
    assert_eq!(watched.latest.problems, []);
}

#[test]
fn a_file_that_is_broken_twice_and_then_deleted_takes_its_module_along() {
    let mut watched = Watched::open();
    watched.put("mine.wasm", module("mine", "1.0.0"));
    watched.until_names(&["baseline@1.0.0", "mine@1.0.0"]);
    watched.put("mine.wasm", "broken");
    watched.until_problem("mine.wasm", "cannot compile it");
    let refuses = Guest {
        name: "mine",
        configure: "(global.get $refused)",
        ..Guest::default()
    };
    watched.put("mine.wasm", refuses.component());
    watched.until_problem("mine.wasm", "it refuses its settings");
    assert_eq!(watched.names(), ["baseline@1.0.0", "mine@1.0.0"]);
    watched.remove("mine.wasm");
    watched.until_names(&["baseline@1.0.0"]);
    assert_eq!(watched.latest.problems, []);
}

#[test]
fn settings_come_from_the_file_beside_the_module() {
    let mut watched = Watched::open();
    let guest = Guest {
        name: "mine",
        settings: vec![("ttl", "900")],
        ..Guest::default()
    };
    watched.put("mine.toml", "ttl = 60");
    watched.put("mine.wasm", guest.component());
    let is_set_to = |proposal: &Proposal, ttl: &str| {
        let modules = proposal.policies.modules().iter();
        let mine = modules.clone().find(|module| module.id().name == "mine");
        mine.is_some_and(|mine| mine.settings().get("ttl") == Some(&[ttl.to_owned()]))
    };
    watched.until(|proposal| is_set_to(proposal, "60"));
    watched.put("mine.toml", "tll = 60");
    watched.until_problem("mine.wasm", "`tll` is not known, only ttl: is `ttl` meant?");
    assert!(is_set_to(&watched.latest, "60"));
    watched.remove("mine.toml");
    watched.until(|proposal| is_set_to(proposal, "900"));
}

#[test]
fn a_flood_of_writes_ends_in_the_last_one() {
    let mut watched = Watched::open();
    let last = module("mine", "1.1.0");
    for round in 0..1_000 {
        let file = if round % 2 == 0 {
            "mine.wasm"
        } else {
            "mine.toml"
        };
        let content: &[u8] = if round % 2 == 0 { &last[..round] } else { b"" };
        watched.put(file, content);
    }
    watched.put("mine.wasm", &last);
    watched.until_names(&["baseline@1.0.0", "mine@1.1.0"]);
    // At most one look for each quarter of a second that the flood took, not one for each write.
    assert!(watched.changes.try_iter().count() < 20);
}

#[cfg(unix)]
#[test]
fn moving_one_link_swaps_all_modules() {
    use std::os::unix::fs::symlink;
    let linked = |folder: &Path| {
        for (version, dir) in [("1.0.0", "..v1"), ("2.0.0", "..v2")] {
            fs::create_dir(folder.join(dir)).expect("it is new");
            for name in ["one", "two"] {
                let file = folder.join(dir).join(format!("{name}.wasm"));
                fs::write(file, module(name, version)).expect("it can be written");
            }
        }
        symlink("..v1", folder.join("..data")).expect("it is new");
        for file in ["one.wasm", "two.wasm"] {
            symlink(Path::new("..data").join(file), folder.join(file)).expect("it is new");
        }
    };
    let mut watched = Watched::open_with(linked);
    assert_eq!(
        watched.names(),
        ["baseline@1.0.0", "one@1.0.0", "two@1.0.0"]
    );
    let folder = watched.folder.path();
    symlink("..v2", folder.join("..data_tmp")).expect("it is new");
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("it can be renamed");
    watched.until_names(&["baseline@1.0.0", "one@2.0.0", "two@2.0.0"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_shown_and_waits_for_nobody() {
    use std::os::unix::fs::symlink;
    let watched = Watched::open_with(|folder| {
        fs::create_dir(folder.join("folder.wasm")).expect("it is new");
        symlink("nowhere", folder.join("link.wasm")).expect("it is new");
        let large = fs::File::create(folder.join("large.wasm")).expect("it is new");
        large.set_len(1 << 40).expect("it is sparse");
    });
    assert_eq!(watched.names(), ["baseline@1.0.0"]);
    for (file, sentence) in [
        ("folder.wasm", "it is not a regular file"),
        ("link.wasm", "the link leads nowhere"),
        ("large.wasm", "it is larger than 33554432 bytes"),
    ] {
        assert!(has_problem(&watched.latest, file, sentence), "{file}");
    }
}

#[test]
fn of_two_new_files_with_one_name_neither_stands() {
    let mut watched = Watched::open();
    watched.put("a.wasm", module("mine", "1.0.0"));
    watched.until_names(&["baseline@1.0.0", "mine@1.0.0"]);
    watched.put("b.wasm", module("mine", "2.0.0"));
    let sentence = "a.wasm, b.wasm are all named `mine`";
    watched.until_problem("b.wasm", sentence);
    assert_eq!(watched.names(), ["baseline@1.0.0", "mine@1.0.0"]);
    watched.remove("a.wasm");
    watched.until_names(&["baseline@1.0.0", "mine@2.0.0"]);

    let both = Watched::open_with(|folder| {
        for (file, version) in [("a.wasm", "1.0.0"), ("b.wasm", "2.0.0")] {
            fs::write(folder.join(file), module("mine", version)).expect("it can be written");
        }
    });
    assert_eq!(both.names(), ["baseline@1.0.0"]);
    assert!(has_problem(&both.latest, "a.wasm", sentence));
    assert!(has_problem(&both.latest, "b.wasm", sentence));
}

#[test]
fn a_module_that_fails_when_asked_is_left_out_and_the_others_stand() {
    let mut watched = Watched::open();
    let traps = Guest {
        name: "traps",
        decide: "(unreachable)",
        ..Guest::default()
    };
    watched.put("traps.wasm", traps.component());
    watched.until_problem("traps.wasm", "module `traps` fails here");
    watched.put("mine.wasm", module("mine", "1.0.0"));
    watched.until_names(&["baseline@1.0.0", "mine@1.0.0"]);
    assert!(has_problem(&watched.latest, "traps.wasm", "fails here"));
}

#[test]
fn a_set_that_leaves_a_verb_to_abstention_does_not_stand() {
    let mut watched = Watched::open();
    let abstains = Guest {
        version: "2.0.0",
        decide: "(global.get $abstain)",
        ..Guest::default()
    };
    watched.put("mine.wasm", abstains.component());
    watched.until_problem("", "no module has a rule for");
    assert_eq!(watched.names(), ["baseline@1.0.0"]);
    watched.put("mine.wasm", module("baseline", "3.0.0"));
    watched.until_names(&["baseline@3.0.0"]);
    assert_eq!(watched.latest.problems, []);
}

#[test]
fn a_folder_that_is_gone_for_a_while_leaves_everything_as_it_was() {
    let parent = TempDir::new().expect("there is room");
    let [here, away] = ["here", "away"].map(|name| parent.path().join(name));
    fs::create_dir(&here).expect("it is new");
    fs::write(here.join("mine.wasm"), module("mine", "1.0.0")).expect("it can be written");
    let (send, changes) = channel();
    let (watcher, first) = Watcher::open(settings(&here), move |change| {
        let _ = send.send(change);
    })
    .expect("it is a folder");
    let mut watched = Watched {
        folder: parent,
        _watcher: watcher,
        changes,
        latest: first,
    };
    fs::rename(&here, &away).expect("it can be renamed");
    watched.until_problem("", "does not exist");
    assert_eq!(watched.names(), ["baseline@1.0.0", "mine@1.0.0"]);
    fs::rename(&away, &here).expect("it can be renamed");
    watched.until(|proposal| proposal.problems.is_empty());
    fs::write(here.join("mine.wasm"), module("mine", "2.0.0")).expect("it can be written");
    watched.until_names(&["baseline@1.0.0", "mine@2.0.0"]);
}

#[test]
fn settings_and_signatures_that_nothing_reads_are_named() {
    let mut watched = Watched::open_with(|folder| {
        fs::write(folder.join("baselin.toml"), "gated_verbs = []").expect("it can be written");
        fs::write(folder.join(".hidden.toml"), "").expect("it can be written");
        for other in ["README.md", "Cargo.toml", "mine.cases.toml"] {
            fs::write(folder.join(other), "").expect("it can be written");
        }
    });
    let named = |proposal: &Proposal| {
        let problems = proposal.problems.iter();
        let named = problems.filter(|one| one.sentence.contains("no module is beside it"));
        named.filter_map(|one| one.file.clone()).collect::<Vec<_>>()
    };
    assert_eq!(named(&watched.latest), ["baselin.toml"]);
    watched.put("mine.toml", "");
    watched.put("mine.wasm.minisig", "");
    watched.until(|proposal| named(proposal) == ["baselin.toml", "mine.toml", "mine.wasm.minisig"]);
    watched.remove("mine.wasm.minisig");
    watched.put("mine.wasm", module("mine", "1.0.0"));
    watched.until(|proposal| named(proposal) == ["baselin.toml"]);
    watched.remove("baselin.toml");
    watched.until(|proposal| proposal.problems.is_empty());
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let parent = TempDir::new().expect("there is room");
    let absent = parent.path().join("absent");
    let error = Watcher::open(settings(&absent), |_| {}).expect_err("it is absent");
    assert_eq!(
        error.to_string(),
        format!("policy folder `{}` does not exist", absent.display())
    );
    let file = parent.path().join("file");
    fs::write(&file, "").expect("it can be written");
    assert!(matches!(scan(&file), Err(FolderError::NotAFolder(_))));
    for count in 0..100 {
        fs::write(parent.path().join(format!("{count}.wasm")), "").expect("it can be written");
    }
    assert!(matches!(
        scan(parent.path()),
        Err(FolderError::TooMany { most: 64, .. })
    ));
}
