//! The folder of a cache: private, bounded, and each file in it whole.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;
use rustix::process::Uid;

use super::Unfit;

/// What compiled modules end in.
pub(super) const ENDING: &str = ".code";
/// What one ends in that is being written.
const UNFINISHED: &str = ".code.new";

/// How much is kept. A module leaves three files for its first settings and one for each others, so this is
/// a full folder of 64 modules, and what they were before.
const MOST_FILES: usize = 512;
/// What a compiled module of ours takes is some 300 kB, an interpreter's 100 MB.
const MOST_BYTES: u64 = 512 << 20;

/// Nobody but the owner has a part in it.
const OTHERS: u32 = 0o077;

/// Why there is no cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder cannot be made or read.
    #[error("cannot use `{folder}`")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others have a part in the folder.
    #[error(
        "`{0}` is not this user's alone: remove it, or `chmod 700` it and see that this user owns it"
    )]
    Open(PathBuf),
}

/// A folder that is held open, so that it stays the one that was looked at.
#[derive(Debug)]
pub(super) struct Files {
    folder: OwnedFd,
    pub(super) owner: Uid,
    pub(super) most_files: usize,
    pub(super) most_bytes: u64,
    /// One file is written at a time, and then what is too much is taken away.
    writing: Mutex<()>,
}

/// A file of the cache, as it is when room is made.
struct Kept {
    name: String,
    bytes: u64,
    /// When it was last written or used, in seconds and nanoseconds.
    used: (i64, u64),
}

impl Files {
    pub(super) fn open(folder: &Path) -> Result<Self, CacheError> {
        let cannot = |source| CacheError::Io {
            folder: folder.to_owned(),
            source,
        };
        match std::fs::DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(cannot(error));
            }
            _ => {}
        }
        let owner = rustix::process::geteuid();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = fs::open(folder, flags, Mode::empty()).map_err(|errno| cannot(errno.into()))?;
        let stat = fs::fstat(&held).map_err(|errno| cannot(errno.into()))?;
        if stat.st_uid != owner.as_raw() || stat.st_mode & OTHERS != 0 {
            return Err(CacheError::Open(folder.to_owned()));
        }
        let files = Self {
            folder: held,
            owner,
            most_files: MOST_FILES,
            most_bytes: MOST_BYTES,
            writing: Mutex::new(()),
        };
        // What a host was writing when it was killed.
        for name in files.names().map_err(cannot)? {
            if name.ends_with(UNFINISHED) {
                files.remove(&name);
            }
        }
        Ok(files)
    }

    /// All of a file, if it is there and a file of ours.
    pub(super) fn read(&self, name: &str, most_bytes: usize) -> Result<Option<Vec<u8>>, Unfit> {
        // Opening a pipe would wait for whoever writes to it; a link leads to what somebody else chose.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match fs::openat(&self.folder, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(Unfit::NotAFile),
            Err(errno) => return Err(Unfit::Unreadable(errno.into())),
        };
        let stat = fs::fstat(&file).map_err(|errno| Unfit::Unreadable(errno.into()))?;
        self.is_ours(&stat)?;
        let most = most_bytes as u64;
        if size(&stat) > most {
            return Err(Unfit::TooLarge);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size(&stat)).unwrap_or_default());
        File::from(file)
            .take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(Unfit::Unreadable)?;
        match bytes.len() > most_bytes {
            true => Err(Unfit::TooLarge),
            false => Ok(Some(bytes)),
        }
    }

    fn is_ours(&self, stat: &Stat) -> Result<(), Unfit> {
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Unfit::NotAFile);
        }
        if stat.st_uid != self.owner.as_raw() {
            return Err(Unfit::NotOurs);
        }
        if stat.st_mode & OTHERS != 0 {
            return Err(Unfit::Open);
        }
        Ok(())
    }

    /// Notes that a file was of use: what was not for longest goes first.
    pub(super) fn touch(&self, name: &str) {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        let times = Timestamps {
            last_access: now,
            last_modification: now,
        };
        // It would only go sooner.
        let _ = fs::utimensat(&self.folder, name, &times, AtFlags::SYMLINK_NOFOLLOW);
    }

    /// Writes a file, whole or not at all, and takes away what is then too much.
    pub(super) fn write(&self, name: &str, parts: [&[u8]; 2]) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let unfinished = format!("{}{UNFINISHED}", name.trim_end_matches(ENDING));
        self.remove(&unfinished);
        let write = || {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let private = Mode::RUSR | Mode::WUSR;
            let mut file = File::from(fs::openat(&self.folder, &unfinished, flags, private)?);
            for part in parts {
                file.write_all(part)?;
            }
            file.sync_data()?;
            fs::renameat(&self.folder, &unfinished, &self.folder, name)?;
            Ok(())
        };
        let written = write().inspect_err(|_| self.remove(&unfinished));
        self.make_room()?;
        written
    }

    /// Takes a file away, or says that it cannot.
    pub(super) fn remove(&self, name: &str) {
        match fs::unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => tracing::warn!(
                file = name,
                error = %io::Error::from(errno),
                "a file cannot be removed from the policy cache"
            ),
        }
    }

    fn make_room(&self) -> io::Result<()> {
        let mut kept = Vec::new();
        for name in self.names()? {
            let stat = fs::statat(&self.folder, &name, AtFlags::SYMLINK_NOFOLLOW);
            // What is gone, and what is none of ours, is no matter here.
            if let (true, Ok(stat)) = (name.ends_with(ENDING), stat) {
                kept.push(Kept {
                    name,
                    bytes: size(&stat),
                    used: (stat.st_mtime, stat.st_mtime_nsec),
                });
            }
        }
        kept.sort_by_key(|one| std::cmp::Reverse(one.used));
        let mut bytes = 0;
        for (at, one) in kept.iter().enumerate() {
            bytes += one.bytes;
            if at >= self.most_files || bytes > self.most_bytes {
                self.remove(&one.name);
            }
        }
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&self.folder)? {
            // Ours are ASCII.
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or_default()
}
