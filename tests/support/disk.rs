//! A disk of a test's own, which can be full or read-only without anybody else's being so.
//!
//! It is a tmpfs in a mount namespace that a small process holds. A host runs in that namespace, and the
//! test reaches into it by `/proc`. Root may make one; anybody else is root in a user namespace of its own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

use crate::process::Process;

/// Mounts, says so, and waits until its standard input ends, which it does with the test's process.
const HOLD: &str = r#"mount -t tmpfs -o "size=$2,mode=700" tmpfs "$1" && echo ready && exec cat"#;
/// What takes the room.
const FILLER: &str = "filler";
/// It is taken in pieces of a page, so that none is left.
const PIECE: usize = 4096;

/// A disk, for as long as this lives.
#[derive(Debug)]
pub struct Disk {
    holder: Process,
    mounted: PathBuf,
    is_root: bool,
    /// The holder ends with it.
    _stdin: ChildStdin,
}

impl Disk {
    /// One of `size` (as `mount` writes it) at `folder`, for whoever runs in its namespace.
    ///
    /// # Panics
    ///
    /// If the system makes none.
    pub fn mount(folder: &Path, size: &str) -> Self {
        fs::create_dir_all(folder).expect("the test's folder is writable");
        let is_root = rustix::process::geteuid().is_root();
        let mut unshare = Command::new("unshare");
        if !is_root {
            unshare.args(["--user", "--map-root-user"]);
        }
        let mut child = unshare
            .args(["--mount", "sh", "-c", HOLD, "sh"])
            .arg(folder)
            .arg(size)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("util-linux is installed");
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        let holder = Process::new(child);
        let mut said = String::new();
        BufReader::new(stdout)
            .read_line(&mut said)
            .expect("it speaks UTF-8");
        assert_eq!(said, "ready\n", "a tmpfs can be mounted");
        Self {
            holder,
            mounted: folder.to_owned(),
            is_root,
            _stdin: stdin,
        }
    }

    /// `path` on it, as the test reaches it.
    pub fn outside(&self, path: &Path) -> PathBuf {
        let inside = path.strip_prefix("/").expect("an absolute path");
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(inside)
    }

    /// What runs `program` where the disk is; it keeps the process id.
    pub fn within(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.id().to_string(), "--mount"]);
        if !self.is_root {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--").arg(program);
        command
    }

    /// Takes all the room that is left.
    ///
    /// # Panics
    ///
    /// If that fails before there is none.
    pub fn fill(&self) {
        let mut filler = File::options()
            .create(true)
            .append(true)
            .open(self.filler())
            .expect("the disk is writable");
        loop {
            match filler.write_all(&[0; PIECE]) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("the disk fails otherwise: {error}"),
            }
        }
    }

    /// Takes a part of the room, so that it can be given back when the host has taken the rest.
    ///
    /// # Panics
    ///
    /// If there is not so much.
    pub fn fill_with(&self, pieces: usize) {
        fs::write(self.filler(), vec![0; pieces * PIECE]).expect("there is room");
    }

    /// Gives the room back.
    ///
    /// # Panics
    ///
    /// If it was not taken.
    pub fn free(&self) {
        fs::remove_file(self.filler()).expect("the disk was filled");
    }

    /// Lets nobody write any more, or again. No file may be open for writing.
    ///
    /// # Panics
    ///
    /// If the system does not do it.
    pub fn set_read_only(&self, is_read_only: bool) {
        let how = if is_read_only { "ro" } else { "rw" };
        let done = self
            .within(Path::new("mount"))
            .args(["-o", &format!("remount,{how}")])
            .arg(&self.mounted)
            .output()
            .expect("util-linux is installed");
        assert!(done.status.success(), "{done:?}");
    }

    fn filler(&self) -> PathBuf {
        self.outside(&self.mounted).join(FILLER)
    }
}
