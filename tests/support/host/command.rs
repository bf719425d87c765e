//! The host's program, run for something else than serving, and all that it wrote.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{Host, HostBuilder};
use crate::process::built;

impl HostBuilder {
    /// The program with these arguments, in the host's environment and on its data folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(built("countersign"));
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(self.data_path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// What a command says, and how it ends.
    ///
    /// # Panics
    ///
    /// If it cannot be run.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.output().expect("the host's binary can be run")
    }
}

impl Host {
    /// What this run wrote to its log.
    ///
    /// # Panics
    ///
    /// If the log is not UTF-8.
    pub fn log(&self) -> String {
        let log = fs::read(self.builder.output("err")).unwrap_or_default();
        String::from_utf8(log).expect("the log is UTF-8")
    }

    /// All that this host has written, in all its runs: the data folder, the outputs, and the database
    /// where that is elsewhere.
    pub fn written(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut written = Vec::new();
        if let Some(dump) = self.database().dump() {
            written.push(("the database".into(), dump));
        }
        collect(self.builder.folder.path(), &mut written);
        written
    }
}

fn collect(folder: &Path, written: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            collect(&path, written);
        } else if let Ok(bytes) = fs::read(&path) {
            written.push((path, bytes));
        }
    }
}
