//! The data folder: one host at a time, readable by its owner alone.

mod cache_key;
mod root_keys;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

pub use self::root_keys::Roots;

/// The data folder, held by this process for as long as this lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be made, read or written.
    #[error("cannot use the data folder `{path}`")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no room in it.
    #[error(
        "`{0}` cannot be written, because its disk is full: make room and start again; what was there is unchanged"
    )]
    Full(PathBuf),
    /// Nobody can write to it.
    #[error(
        "`{0}` cannot be written, because its file system is read-only: mount it writable, or choose another folder with --data-dir; nothing was changed"
    )]
    ReadOnly(PathBuf),
    /// Others can write to it: the policies, the keys and the record would be theirs.
    #[error(
        "the data folder `{0}` can be written to by others than its owner: `chmod go-w` it and look at what is in it, or name a folder inside it with --data-dir, which the host makes private"
    )]
    Open(PathBuf),
    /// Another process holds it.
    #[error(
        "the data folder `{0}` is in use by another Countersign host: stop that one, or choose another folder with --data-dir"
    )]
    Held(PathBuf),
    /// The key file is not a key.
    #[error(
        "`{0}` does not hold 32 bytes: restore it from a backup, or, if it is `secrets.key`, set SECRETS_ENCRYPTION_KEY; without the right key, stored secrets cannot be opened"
    )]
    BadKey(PathBuf),
    /// The key file can be read by others.
    #[error(
        "`{0}` can be read by others than its owner: `chmod 600` it, and consider the key known to them"
    )]
    OpenKey(PathBuf),
}

impl DataDirError {
    /// What an input or output error at `path` means, and what to do about it.
    pub fn of(source: io::Error, path: PathBuf) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(path),
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(path),
            _ => Self::Io { path, source },
        }
    }
}

impl DataDir {
    /// Makes the folder where it is missing, and takes it.
    pub fn take(path: &Path) -> Result<Self, DataDirError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| DataDirError::of(source, path)
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(io(path))?;
        let mode = fs::metadata(path).map_err(io(path))?.permissions().mode();
        if mode & 0o022 != 0 {
            return Err(DataDirError::Open(path.to_owned()));
        }
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(io(&lock_path))?;
        match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(DataDirError::Held(path.to_owned())),
            Err(errno) => Err(io(&lock_path)(errno.into())),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What `write_private` wrote; `None` where it never did.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DataDirError> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(DataDirError::Io { path, source }),
        }
    }

    /// Writes a file that only its owner can read, whole or not at all.
    pub fn write_private(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, DataDirError> {
        write_private(&self.path, name, bytes)
            .map_err(|source| DataDirError::of(source, self.path.join(name)))
    }

    /// Where a file of that name is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes the folder of policies where it is missing.
    pub fn make_policies(&self, path: &Path) -> Result<(), DataDirError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| DataDirError::of(source, path.to_owned()))
    }
}

/// Writes the file `name` of `folder`, which only its owner can read, whole or not at all.
pub fn write_private(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let path = folder.join(name);
    let unfinished = folder.join(format!("{name}.new"));
    let write = || {
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        File::open(folder)?.sync_all()
    };
    // Half of it is of no use to anybody; where it cannot go, the next start takes it away.
    write().inspect_err(|_| {
        let _ = fs::remove_file(&unfinished);
    })?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_another_host_holds_is_refused_and_free_again_afterwards() {
        let dir = tempfile::tempdir().expect("a folder");
        let held = DataDir::take(dir.path()).expect("it is free");
        assert!(matches!(
            DataDir::take(dir.path()),
            Err(DataDirError::Held(_))
        ));
        drop(held);
        DataDir::take(dir.path()).expect("it is free again");
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        for (mode, is_open) in [(0o777, true), (0o720, true), (0o755, false), (0o700, false)] {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).expect("changed");
            let taken = DataDir::take(dir.path());
            assert_eq!(
                matches!(taken, Err(DataDirError::Open(_))),
                is_open,
                "{mode:o}"
            );
        }
    }
}
