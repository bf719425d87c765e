//! Testing again whenever something changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use countersign_engine::Engine;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::input::{Input, files};
use super::once;
use crate::cli::Test;
use crate::commands::{Failure, terminal};

/// How often the files are looked at though nothing was heard: notifications get lost.
const POLL: Duration = Duration::from_millis(500);
/// How long it must be quiet after a change, so that one build is one change.
const QUIET: Duration = Duration::from_millis(80);
/// When a flood of changes is looked at though it goes on.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tests now and after each change, until the process is ended. What is wrong is said, and waited out.
pub fn run(engine: &Engine, asked: &Test) -> Result<(), Failure> {
    let files = files(asked);
    let (bell, heard) = sync_channel(1);
    // Where it cannot listen it still looks.
    let _ear = listen(&files, bell);
    let mut seen: Vec<Stamp> = Vec::new();
    let mut last = None;
    loop {
        let stamps: Vec<Stamp> = files.iter().map(|file| Stamp::of(file)).collect();
        if stamps == seen {
            wait(&heard);
            continue;
        }
        let changed = changed(&files, &seen, &stamps);
        seen = stamps;
        let input = Input::read(asked);
        // Touched and not changed is no news, unless what was there was not understood.
        if matches!((&input, &last), (Ok(input), Some(last)) if input == last) {
            continue;
        }
        if !changed.is_empty() {
            terminal::tell(&format!("── changed: {changed}"));
        }
        let held = input.and_then(|input| {
            let held = once(engine, asked, &input);
            last = Some(input);
            held
        });
        if let Err(failure) = held {
            terminal::tell(&format!("countersign: {failure}"));
            last = None;
        }
        terminal::tell("── waiting for a change; Ctrl-C ends");
    }
}

/// Which files differ, by name; none where nothing was seen yet.
fn changed(files: &[PathBuf], before: &[Stamp], now: &[Stamp]) -> String {
    let pairs = before.iter().zip(now).zip(files);
    let changed = pairs.filter(|((before, now), _)| before != now);
    let names: Vec<String> = changed
        .map(|((_, now), file)| match now {
            Stamp(None) => format!("{} (gone)", file.display()),
            Stamp(Some(_)) => file.display().to_string(),
        })
        .collect();
    names.join(", ")
}

fn wait(heard: &Receiver<()>) {
    if heard.recv_timeout(POLL).is_ok() {
        let first = Instant::now();
        while first.elapsed() < PATIENCE && heard.recv_timeout(QUIET).is_ok() {}
    }
}

/// What tells a file from what it was. `None` where there is none.
#[derive(PartialEq)]
struct Stamp(Option<(Option<SystemTime>, u64, u64)>);

impl Stamp {
    fn of(file: &Path) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = fs::metadata(file).ok();
        Self(metadata.map(|it| (it.modified().ok(), it.len(), it.ino())))
    }
}

/// Rings when something happens in a folder of `files`: editors and builds put another file in the place of
/// one, which is heard by the folder alone.
fn listen(files: &[PathBuf], bell: SyncSender<()>) -> Option<RecommendedWatcher> {
    let ring = move |event: notify::Result<Event>| {
        if event.map_or(true, |event| !event.kind.is_access()) {
            let _ = bell.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(ring).ok()?;
    let mut folders: Vec<&Path> = files
        .iter()
        .filter_map(|file| file.parent())
        .map(|folder| match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        })
        .collect();
    folders.sort();
    folders.dedup();
    for folder in folders {
        let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
    }
    Some(watcher)
}
