//! The thread that keeps looking.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::scan::identity;
use super::shelf::Shelf;
use super::{Folder, Proposal};
use crate::FolderError;

/// How often the folder is looked at though nothing was heard: notifications get lost, and a file that
/// a link leads to elsewhere is not watched. Half of the second within which a change decides.
const POLL: Duration = Duration::from_millis(500);

/// How long it must be quiet after a change, so that one copy of a file is one change.
const QUIET: Duration = Duration::from_millis(50);

/// When a flood of changes is looked at though it goes on.
const PATIENCE: Duration = Duration::from_millis(250);

/// Watches a folder until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    bell: SyncSender<()>,
    is_stopped: Arc<AtomicBool>,
}

impl Watcher {
    /// Looks into `folder`, and then goes on looking on a thread of its own, which hands what changes to
    /// `on_change`: a different set of modules, different problems, or both.
    ///
    /// It proves what it finds before it returns, so it takes as long as that.
    pub fn open(
        folder: Folder,
        mut on_change: impl FnMut(Proposal) + Send + 'static,
    ) -> Result<(Self, Proposal), FolderError> {
        // One ring is enough to look at everything, so that a flood of changes fills nothing.
        let (bell, heard) = sync_channel(1);
        let mut ear = Ear::new(bell.clone());
        // Listening begins before the first look: between the two nothing is missed.
        ear.follow(&folder.path);
        let mut shelf = Shelf::new(folder.clone());
        let first = shelf.open()?;

        let is_stopped = Arc::new(AtomicBool::new(false));
        let watcher = Self {
            bell,
            is_stopped: is_stopped.clone(),
        };
        let watch = move || {
            while wait(&heard) && !is_stopped.load(Ordering::Relaxed) {
                ear.follow(&folder.path);
                let change = shelf.look();
                if let Some(change) = change.filter(|_| !is_stopped.load(Ordering::Relaxed)) {
                    on_change(change);
                }
            }
        };
        std::thread::Builder::new()
            .name("policy-folder".to_owned())
            .spawn(watch)
            .map_err(FolderError::Watch)?;
        Ok((watcher, first))
    }
}

impl Drop for Watcher {
    /// The thread ends once it is through with the file at hand; nobody waits for it.
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        let _ = self.bell.try_send(());
    }
}

/// Waits until it is time to look; `false` if nobody can ring any more.
fn wait(heard: &Receiver<()>) -> bool {
    match heard.recv_timeout(POLL) {
        Err(RecvTimeoutError::Disconnected) => false,
        Err(RecvTimeoutError::Timeout) => true,
        Ok(()) => {
            let first = Instant::now();
            while first.elapsed() < PATIENCE && heard.recv_timeout(QUIET).is_ok() {}
            true
        }
    }
}

/// What rings when the folder changes. The folder that a path leads to can itself be replaced, and is
/// then listened to anew.
struct Ear {
    bell: SyncSender<()>,
    watcher: Option<RecommendedWatcher>,
    watched: Option<[i128; 2]>,
}

impl Ear {
    fn new(bell: SyncSender<()>) -> Self {
        Self {
            bell,
            watcher: None,
            watched: None,
        }
    }

    fn follow(&mut self, path: &Path) {
        let here = std::fs::metadata(path).ok().map(|metadata| {
            let [device, inode, _] = identity(&metadata);
            [device, inode]
        });
        if self.watched == here {
            return;
        }
        self.watched = here;
        self.watcher = here.and_then(|_| {
            listen(path, self.bell.clone())
                .inspect_err(|error| {
                    tracing::warn!(%error, "policy folder is not watched, only looked at");
                })
                .ok()
        });
    }
}

fn listen(path: &Path, bell: SyncSender<()>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An error may be lost events, so it rings too. That the bell is already rung is as good.
        if event.map_or(true, |event| is_change(&event)) {
            let _ = bell.try_send(());
        }
    })?;
    watcher.watch(path, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

/// Reading the files is heard as well, and must not lead to reading them again.
fn is_change(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}
