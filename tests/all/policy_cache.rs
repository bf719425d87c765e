//! The cache of compiled policies, through the running host: it makes a start faster and nothing else, and
//! whatever is done to it, what decides is the same.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use countersign_tests::Host;

use crate::metrics::samples;
use crate::reload::PATIENCE;
use crate::reload::shelf::{Freeze, Shelf};

fn cache(host: &Host) -> PathBuf {
    host.data_dir().join("policy-cache")
}

/// The code in the cache, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).expect("the cache can be read");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files
}

/// How often code was found, missed and discarded since the host started.
async fn counts(host: &Host) -> [u64; 3] {
    let samples = samples(host).await;
    ["found", "missed", "discarded"].map(|result| {
        let sample = format!("countersign_policy_cache_total{{result=\"{result}\"}}");
        samples[&sample] as u64
    })
}

async fn frozen() -> Shelf {
    let shelf = Shelf::set().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    shelf
}

/// Starts the host again after `change`, and says what became of the cache; what decides is as before.
async fn restarted(shelf: Shelf, change: impl FnOnce(&Path)) -> (Shelf, [u64; 3]) {
    let folder = cache(&shelf.host);
    let shelf = shelf.restart(|_| change(&folder)).await;
    assert_eq!(shelf.rule().await, "freeze");
    let counts = counts(&shelf.host).await;
    (shelf, counts)
}

#[tokio::test]
async fn a_host_that_starts_again_compiles_nothing_that_it_has_compiled_before() {
    let shelf = frozen().await;
    let [found, missed, discarded] = counts(&shelf.host).await;
    assert_eq!((found, discarded), (0, 0));
    let kept = files(&cache(&shelf.host));
    assert_eq!(kept.len() as u64, missed);
    let mode = |path: &Path| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&cache(&shelf.host)), 0o700);
    assert_eq!(mode(&shelf.host.data_dir().join("policy-cache.key")), 0o600);
    for file in &kept {
        assert_eq!(mode(file), 0o600, "{file:?}");
    }
    let (_, counts) = restarted(shelf, |_| {}).await;
    assert_eq!(counts, [missed, 0, 0]);
}

#[tokio::test]
async fn whatever_is_changed_in_the_cache_is_discarded_and_said_and_decides_nothing() {
    let mut shelf = frozen().await;
    let count = files(&cache(&shelf.host)).len() as u64;
    let mut changed = counts(&shelf.host).await;
    for at in [0, 20, 60, 100, usize::MAX] {
        (shelf, changed) = restarted(shelf, |folder| {
            for file in files(folder) {
                let mut bytes = fs::read(&file).expect("read");
                // The last stands for one in the middle of the machine code.
                let at = if at == usize::MAX {
                    bytes.len() / 2
                } else {
                    at
                };
                bytes[at] ^= 0x10;
                fs::write(&file, bytes).expect("written");
            }
        })
        .await;
        assert_eq!(changed, [0, 0, count], "byte {at}");
        let said = shelf.host.said();
        assert!(said.contains("its seal does not hold"), "{said}");
    }
    assert_eq!(changed, [0, 0, count]);
    let (shelf, whole) = restarted(shelf, |_| {}).await;
    assert_eq!(whole, [count, 0, 0]);
    let (_, cut) = restarted(shelf, |folder| {
        for file in files(folder) {
            let half = fs::read(&file).expect("read");
            fs::write(&file, &half[..half.len() / 2]).expect("written");
        }
    })
    .await;
    assert_eq!(cut, [0, 0, count]);
}

#[tokio::test]
async fn what_another_host_compiled_is_discarded_though_it_is_the_same_to_the_byte() {
    let (ours, other) = tokio::join!(frozen(), frozen());
    let theirs = cache(&other.host);
    let count = files(&theirs).len() as u64;
    let (_, counts) = restarted(ours, |folder| {
        for file in files(&theirs) {
            let name = file.file_name().expect("a name");
            fs::copy(&file, folder.join(name)).expect("copied");
        }
    })
    .await;
    assert_eq!(counts, [0, 0, count]);
}

#[tokio::test]
async fn a_whole_file_of_this_host_under_the_name_of_another_component_is_discarded() {
    let shelf = frozen().await;
    let count = files(&cache(&shelf.host)).len();
    let (_, counts) = restarted(shelf, |folder| {
        // Each takes the place of the next.
        let files = files(folder);
        let bytes: Vec<_> = files
            .iter()
            .map(|file| fs::read(file).expect("read"))
            .collect();
        for (at, file) in files.iter().enumerate() {
            fs::write(file, &bytes[(at + 1) % count]).expect("written");
        }
    })
    .await;
    assert_eq!(counts, [0, 0, count as u64]);
}

#[tokio::test]
async fn a_cache_that_others_have_a_part_in_is_not_used_and_the_host_starts_without() {
    let shelf = frozen().await;
    let folder = cache(&shelf.host);
    let open = folder.clone();
    let shelf = shelf
        .restart(move |_| {
            fs::set_permissions(&open, Permissions::from_mode(0o755)).expect("changed");
        })
        .await;
    assert_eq!(shelf.rule().await, "freeze");
    let said = shelf.host.said();
    assert!(said.contains("compiled policies are not kept"), "{said}");
    assert!(said.contains("chmod 700"), "{said}");

    // Without its key, all of it is somebody else's.
    let key = shelf.host.data_dir().join("policy-cache.key");
    let count = files(&folder).len() as u64;
    let (_, counts) = restarted(shelf, |folder| {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).expect("changed");
        fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("changed");
    })
    .await;
    assert_eq!(counts, [0, 0, count]);
}

/// The baseline, with a section that no module has: another component, which does the same.
fn another_baseline(which: u8) -> Vec<u8> {
    let mut component = countersign_engine::BASELINE.to_vec();
    // A custom section: its length, the length of its name, the name.
    component.extend([0, 3, 1, b'n', which]);
    component
}

#[tokio::test]
async fn the_time_from_file_to_live_the_first_time_and_from_the_cache() {
    const ROUNDS: u8 = 7;
    let shelf = Shelf::set().await;
    shelf.write("baseline.toml", "gated_verbs = [\"org_token_list\"]\n");
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for times in &mut times {
            let component = another_baseline(round);
            let began = Instant::now();
            shelf.write(".part", &component);
            shelf.rename(".part", "baseline.wasm");
            shelf.decides("agents-need-a-person", PATIENCE).await;
            times.push(began.elapsed());
            shelf.remove("baseline.wasm");
            shelf.decides("open-to-agents", PATIENCE).await;
        }
    }
    let [first, cached] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    println!(
        "file to live: {first:?} the first time, {cached:?} from the cache, {:.2} of it",
        cached.as_secs_f64() / first.as_secs_f64()
    );
    let [found, missed, discarded] = counts(&shelf.host).await;
    assert_eq!(discarded, 0);
    assert!(found >= 3 * u64::from(ROUNDS), "{found} of {missed}");
}
