//! Processes under test.

use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::until;

/// A process has so long to end when it is told to.
const LAST_WORDS: Duration = Duration::from_secs(15);

/// The binary `name` of this workspace: in the folder that cargo put this test into, or in the one that
/// `COUNTERSIGN_BINARIES` names, for who drives a release build.
///
/// # Panics
///
/// If it is not there.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    // The test is in `<profile>/deps`, the binaries are in `<profile>`.
    let profile = test.parent().and_then(Path::parent).map(Path::to_owned);
    let profile = std::env::var_os("COUNTERSIGN_BINARIES")
        .map(PathBuf::from)
        .or(profile)
        .expect("this test is in a target folder");
    let binary = profile.join(name);
    assert!(
        binary.is_file(),
        "`{}` is missing: run `cargo build --workspace` first",
        binary.display()
    );
    binary
}

/// A child that does not outlive its owner.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn new(child: Child) -> Self {
        Self(child)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("a child can be waited for")
    }

    /// Tells it to stop (SIGTERM), and waits until it has.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        if let Some(status) = self.ended() {
            return status;
        }
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("a child can be signalled");
        until("the process ends on SIGTERM", LAST_WORDS, async || {
            self.ended()
        })
        .await
    }

    /// Ends it at once (SIGKILL), as a crash would.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
