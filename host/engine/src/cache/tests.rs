use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hmac::Mac as _;
use tempfile::TempDir;

use super::*;
use crate::tests::{Guest, agent_mints, judge};
use crate::{Compiler, Engine, Limits, Proven, Settings};

const KEY: [u8; 32] = [7; 32];

fn key(bytes: [u8; 32]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(bytes)
}

/// A host's folder of compiled modules.
struct Host {
    folder: TempDir,
}

impl Host {
    /// With one module in it.
    fn with(guest: &Guest) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let host = Self { folder };
        let (counts, _) = host.proves(guest);
        assert_eq!((counts.found, counts.discarded), (0, 0), "{counts:?}");
        assert_eq!(host.files().len() as u64, counts.missed);
        host
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("policy-cache")
    }

    fn open(&self) -> Cache {
        Cache::open(&self.path(), key(KEY)).expect("the folder is private")
    }

    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.path()).expect("the folder can be read");
        let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        files.sort();
        files
    }

    /// Starts anew and proves the module, which decides as ever; what became of the cache.
    fn proves(&self, guest: &Guest) -> (CacheCounts, Arc<Proven>) {
        self.proves_within(guest, limits())
    }

    fn proves_within(&self, guest: &Guest, limits: Limits) -> (CacheCounts, Arc<Proven>) {
        let cache = Arc::new(self.open());
        let engine = Engine::with_cache(limits, Compiler::Here, Arc::clone(&cache));
        let engine = engine.expect("the limits are within their bounds");
        let proven = engine.prove(&guest.component(), &Settings::new());
        let proven = Arc::new(proven.expect("the module is sound"));
        let judged = judge(&[&proven], &agent_mints());
        assert_eq!(judged.ruling.ground().rule, guest.rule);
        (cache.counts(), proven)
    }

    /// Does something to each file; each is then discarded, compiled anew, and found again.
    fn discards(&self, what: &str, harm: impl Fn(&Path)) {
        let files = self.files();
        for file in &files {
            harm(file);
        }
        let (counts, _) = self.proves(&first());
        let count = files.len() as u64;
        assert_eq!((counts.found, counts.discarded), (0, count), "{what}");
        assert_eq!(self.files(), files, "{what}");
        for file in &files {
            let metadata = fs::symlink_metadata(file).expect("it is there");
            assert!(metadata.is_file(), "{what}");
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{what}");
        }
        let (counts, _) = self.proves(&first());
        assert_eq!((counts.found, counts.discarded), (count, 0), "{what}");
    }
}

fn limits() -> Limits {
    Limits {
        memory_bytes: 4 << 20,
        instances: 16,
        ..Limits::default()
    }
}

fn first() -> Guest {
    Guest {
        rule: "first",
        ..Guest::default()
    }
}

fn second() -> Guest {
    Guest {
        rule: "second",
        ..Guest::default()
    }
}

fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).expect("it can be read");
    change(&mut bytes);
    fs::write(file, bytes).expect("it can be written");
}

#[test]
fn what_was_compiled_once_is_not_compiled_again_and_decides_alike() {
    let host = Host::with(&first());
    let files = host.files().len() as u64;
    let (counts, proven) = host.proves(&first());
    assert_eq!(counts.found, files);
    assert_eq!((counts.missed, counts.discarded), (0, 0));
    assert_eq!(proven.mode(), crate::Mode::Snapshot);
    // Another module is another matter.
    let (counts, _) = host.proves(&second());
    assert_eq!((counts.found, counts.missed), (0, files));
}

#[test]
fn the_folder_and_its_files_are_their_owners_alone() {
    let host = Host::with(&first());
    let mode = |path: &Path| {
        let metadata = fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(&host.path()), 0o700);
    for file in host.files() {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
    for open in [0o750, 0o701, 0o722] {
        fs::set_permissions(host.path(), Permissions::from_mode(open)).expect("changed");
        let refused = Cache::open(&host.path(), key(KEY)).expect_err("it is open");
        assert!(matches!(refused, CacheError::Open(_)), "{refused}");
    }
    fs::set_permissions(host.path(), Permissions::from_mode(0o700)).expect("changed");
    let elsewhere = host.folder.path().join("elsewhere");
    fs::rename(host.path(), &elsewhere).expect("moved");
    symlink(&elsewhere, host.path()).expect("a link");
    assert!(Cache::open(&host.path(), key(KEY)).is_err(), "a link");
}

#[test]
fn one_byte_that_is_flipped_anywhere_has_a_file_discarded() {
    let host = Host::with(&first());
    let flip = |at: fn(usize) -> usize| {
        move |file: &Path| {
            change(file, |bytes| {
                let at = at(bytes.len());
                bytes[at] ^= 1;
            });
        }
    };
    host.discards("the form", flip(|_| 0));
    host.discards("the component", flip(|_| 16));
    host.discards("the engine", flip(|_| 48));
    host.discards("the seal", flip(|_| 80));
    host.discards("the first of the code", flip(|_| seal::HEAD));
    host.discards(
        "in the code",
        flip(|len| seal::HEAD + (len - seal::HEAD) / 2),
    );
    host.discards("the last of the code", flip(|len| len - 1));
}

#[test]
fn a_file_that_is_cut_or_longer_is_discarded() {
    let host = Host::with(&first());
    for left in [0, 1, seal::HEAD - 1, seal::HEAD] {
        host.discards("cut", |file| change(file, |bytes| bytes.truncate(left)));
    }
    host.discards("cut by one", |file| {
        change(file, |bytes| bytes.truncate(bytes.len() - 1))
    });
    host.discards("longer", |file| change(file, |bytes| bytes.push(0)));
    let files = host.files();
    let file = fs::File::options().write(true).open(&files[0]);
    file.and_then(|file| file.set_len(1 << 40))
        .expect("it takes no room");
    let (counts, _) = host.proves(&first());
    let whole = files.len() as u64 - 1;
    assert_eq!((counts.found, counts.discarded), (whole, 1));
}

#[test]
fn a_file_of_another_host_is_discarded() {
    let host = Host::with(&first());
    let other = tempfile::tempdir().expect("a folder");
    let other = other.path().join("policy-cache");
    let cache = Cache::open(&other, key([8; 32])).expect("a folder");
    let engine = Engine::with_cache(limits(), Compiler::Here, Arc::new(cache));
    let proven = engine
        .expect("the limits are within their bounds")
        .prove(&first().component(), &Settings::new());
    proven.expect("the module is sound");
    host.discards("another host's", |file| {
        let name = file.file_name().expect("a name");
        fs::copy(other.join(name), file).expect("copied");
    });
}

#[test]
fn a_file_that_is_renamed_to_another_component_is_discarded() {
    let host = Host::with(&first());
    let of_first = host.files();
    host.proves(&second());
    let all = host.files();
    let mut of_second = all.iter().filter(|file| !of_first.contains(file));
    for file in &of_first {
        // Each is whole, sealed by this host, and of the very same engine.
        let other = of_second.next().expect("as many");
        fs::copy(other, file).expect("copied");
    }
    let (counts, _) = host.proves(&first());
    let count = of_first.len() as u64;
    assert_eq!((counts.found, counts.discarded), (0, count));
}

#[test]
fn a_file_of_another_engine_is_discarded() {
    let host = Host::with(&first());
    let of_first = host.files();
    let larger = Limits {
        memory_bytes: 8 << 20,
        ..limits()
    };
    let (counts, _) = host.proves_within(&first(), larger);
    assert_eq!(counts.found, 0, "other limits are another engine");
    let all = host.files();
    host.discards_of(&of_first, &all);
}

impl Host {
    /// Renames what another engine made to what this one looks for.
    fn discards_of(&self, files: &[PathBuf], all: &[PathBuf]) {
        let start = |file: &Path| {
            let name = file.file_name().expect("a name").to_string_lossy();
            name.split('-').next().map(str::to_owned)
        };
        for file in files {
            let same = all
                .iter()
                .find(|other| *other != file && start(other) == start(file));
            fs::copy(same.expect("the other engine's"), file).expect("copied");
        }
        let (counts, _) = self.proves(&first());
        assert_eq!((counts.found, counts.discarded), (0, files.len() as u64));
    }
}

#[test]
fn a_file_of_another_form_is_discarded_though_its_seal_holds() {
    let seal = Seal::new(key(KEY));
    let wanted = Compilation {
        component: [1; 32],
        engine: [2; 32],
    };
    let file = [seal.head(&wanted, b"code"), b"code".to_vec()].concat();
    assert_eq!(seal.open(&wanted, &file).expect("it holds"), b"code");
    let mut later = seal::FORM.to_vec();
    later[15] = 2;
    later.extend([wanted.component, wanted.engine].concat());
    let sealed = seal.over(&later, b"code").finalize().into_bytes().to_vec();
    let file = [later, sealed, b"code".to_vec()].concat();
    assert!(matches!(seal.open(&wanted, &file), Err(Unfit::Form)));
}

#[test]
fn what_is_no_private_file_of_ours_is_discarded() {
    let host = Host::with(&first());
    for mode in [0o640, 0o604, 0o622] {
        host.discards("others have a part in it", |file| {
            fs::set_permissions(file, Permissions::from_mode(mode)).expect("changed");
        });
    }
    let elsewhere = host.folder.path();
    host.discards("a link to the very file", |file| {
        let moved = elsewhere.join(file.file_name().expect("a name"));
        fs::rename(file, &moved).expect("moved");
        symlink(&moved, file).expect("a link");
    });
    // Whoever opens it to read would wait for one who writes.
    host.discards("a pipe", |file| {
        fs::remove_file(file).expect("removed");
        let made = Command::new("mkfifo")
            .args(["-m", "600"])
            .arg(file)
            .status();
        assert!(made.expect("mkfifo runs").success());
        let name = file.file_name().expect("a name").to_string_lossy();
        let read = host.open().files.read(&name, 1 << 20);
        assert!(matches!(read, Err(Unfit::NotAFile)), "{read:?}");
    });
}

#[test]
fn a_file_of_another_user_is_discarded() {
    let host = Host::with(&first());
    let mut cache = host.open();
    let name = host.files()[0].file_name().expect("a name").to_owned();
    let name = name.to_str().expect("ours are ASCII");
    let read = |cache: &Cache| cache.files.read(name, 1 << 20).map(|file| file.is_some());
    assert!(matches!(read(&cache), Ok(true)));
    cache.files.owner = rustix::process::Uid::from_raw(12_345);
    assert!(matches!(read(&cache), Err(Unfit::NotOurs)));
}

#[test]
fn what_cannot_be_discarded_is_not_used_either() {
    let host = Host::with(&first());
    let files = host.files();
    for file in &files {
        fs::remove_file(file).expect("removed");
        fs::create_dir(file).expect("a folder in its place");
    }
    for _ in 0..2 {
        let (counts, _) = host.proves(&first());
        assert_eq!((counts.found, counts.discarded), (0, files.len() as u64));
    }
}

#[test]
fn what_was_of_no_use_for_longest_goes_when_there_is_too_much() {
    let host = Host::with(&first());
    let mut cache = host.open();
    let [one, two, three, four] = [1, 2, 3, 4].map(|n| Compilation {
        component: [n; 32],
        engine: [0; 32],
    });
    let held = |cache: &Cache, which: &Compilation| {
        let length = |code: &[u8]| Ok::<_, String>(code.len());
        cache.find(which, 1_000, length)
    };
    let age = |which: &Compilation, seconds| {
        let file = fs::File::options()
            .write(true)
            .open(host.path().join(which.file()))
            .expect("it is there");
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        file.set_modified(then).expect("it is older");
    };
    for file in host.files() {
        fs::remove_file(file).expect("removed");
    }
    cache.files.most_files = 3;
    for (which, seconds) in [(&one, 1), (&two, 2), (&three, 3)] {
        cache.keep(which, &[0; 100]);
        age(which, seconds);
    }
    // The oldest, and of use just now.
    assert_eq!(held(&cache, &one), Some(100));
    cache.keep(&four, &[0; 100]);
    let left = [&one, &two, &three, &four].map(|which| held(&cache, which).is_some());
    assert_eq!(left, [true, false, true, true]);

    cache.files.most_bytes = 250 + 2 * seal::HEAD as u64;
    for (which, seconds) in [(&one, 1), (&three, 3), (&four, 4)] {
        age(which, seconds);
    }
    cache.keep(&two, &[0; 100]);
    let left = [&one, &two, &three, &four].map(|which| held(&cache, which).is_some());
    assert_eq!(left, [false, true, false, true]);
}

#[test]
fn what_a_host_was_writing_when_it_was_killed_is_taken_away() {
    let host = Host::with(&first());
    let files = host.files();
    let unfinished = files[0].with_extension("code.new");
    fs::write(&unfinished, b"half").expect("written");
    host.open();
    assert_eq!(host.files(), files);
}

#[test]
fn nothing_of_the_key_is_shown() {
    let host = Host::with(&first());
    let shown = format!("{:?}", host.open());
    assert!(!shown.contains("7, 7"), "{shown}");
}
