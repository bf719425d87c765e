//! A clock that a test sets: Debian's `faketime` stands between a host and the system's clock. How long
//! something takes is not its business, so that timers run as ever.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

/// The clock of one host, or of several.
#[derive(Debug)]
pub struct FakeClock {
    folder: TempDir,
}

impl Default for FakeClock {
    fn default() -> Self {
        let clock = Self {
            folder: tempfile::tempdir().expect("a folder for the clock"),
        };
        clock.set(0);
        clock
    }
}

impl FakeClock {
    /// Sets it so many seconds after the system's, or before.
    ///
    /// # Panics
    ///
    /// If it cannot be set.
    pub fn set(&self, seconds: i64) {
        // Whole or not at all: it is read at any time.
        let unfinished = self.folder.path().join("unfinished");
        fs::write(&unfinished, format!("{seconds:+}\n")).expect("the folder is writable");
        fs::rename(unfinished, self.file()).expect("the folder is writable");
    }

    /// What puts a process under it.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", library().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("clock")
    }
}

/// The library for programs with threads, where Debian keeps it.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("there are libraries");
    folders
        .filter_map(|folder| Some(folder.ok()?.path().join("faketime/libfaketimeMT.so.1")))
        .find(|library| library.is_file())
        .expect("faketime is installed: on Debian, apt-get install faketime")
}
