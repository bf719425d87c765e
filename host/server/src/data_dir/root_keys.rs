//! The root key's file, and that of the one which it replaces.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;

use countersign_core::chance::{self, Chance};
use countersign_core::keys::RootKey;

use super::{DataDir, DataDirError};

const KEY: &str = "secrets.key";
const OLD_KEY: &str = "secrets.key.old";

/// The roots that a host was given.
pub struct Roots {
    /// The current one.
    pub current: RootKey,
    /// The one that it replaces, and that is another.
    pub old: Option<RootKey>,
}

impl Roots {
    /// The current one first.
    pub fn all(&self) -> Vec<RootKey> {
        let current = std::iter::once(self.current.clone());
        current.chain(self.old.clone()).collect()
    }
}

impl DataDir {
    /// The root key: read from its file, or made and kept at the first start; and the one that it
    /// replaces, while it does.
    pub fn root_keys(&self, chance: &dyn Chance) -> Result<Roots, DataDirError> {
        let current = match self.read_root_key(KEY)? {
            Some(current) => current,
            None => self.make_root_key(chance)?,
        };
        let old = self.read_root_key(OLD_KEY)?;
        Ok(Roots {
            old: old.filter(|old| old.id() != current.id()),
            current,
        })
    }

    /// Begins to replace the key, or finds that this has begun. The present key is kept beside it before
    /// there is another one, so that whenever this ends, nothing is lost.
    pub fn replace_root_key(&self, chance: &dyn Chance) -> Result<Roots, DataDirError> {
        let Roots { current, old } = self.root_keys(chance)?;
        if old.is_some() {
            return Ok(Roots { current, old });
        }
        self.write_private(OLD_KEY, current.reveal())?;
        Ok(Roots {
            current: self.make_root_key(chance)?,
            old: Some(current),
        })
    }

    /// Forgets the key that was replaced.
    pub fn forget_old_root_key(&self) -> Result<(), DataDirError> {
        let path = self.path.join(OLD_KEY);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DataDirError::of(error, path))
            }
            _ => Ok(()),
        }
    }

    fn make_root_key(&self, chance: &dyn Chance) -> Result<RootKey, DataDirError> {
        let root = RootKey::new(chance::bytes(chance));
        self.write_private(KEY, root.reveal())?;
        Ok(root)
    }

    fn read_root_key(&self, name: &str) -> Result<Option<RootKey>, DataDirError> {
        let bytes = self.read_private_key(name)?;
        Ok(bytes.map(RootKey::new))
    }

    /// A file of 32 bytes that nobody else can read; `None` where there is none.
    pub fn read_private_key(&self, name: &str) -> Result<Option<[u8; 32]>, DataDirError> {
        let path = self.path.join(name);
        let io = |source| DataDirError::of(source, path.clone());
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let mode = file.metadata().map_err(io)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(DataDirError::OpenKey(path));
        }
        let mut bytes = Vec::new();
        file.take(33).read_to_end(&mut bytes).map_err(io)?;
        match bytes.try_into() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(_) => Err(DataDirError::BadKey(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::chance::OsChance;

    use super::*;

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    }

    #[test]
    fn the_key_is_made_once_kept_private_and_refused_when_it_is_broken() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = DataDir::take(dir.path()).expect("it is free");
        data.root_keys(&OsChance).expect("a new key");
        let path = dir.path().join("secrets.key");
        let first = fs::read(&path).expect("it was kept");
        assert_eq!(mode(&path), 0o600);
        data.root_keys(&OsChance).expect("the same key");
        assert_eq!(fs::read(&path).expect("it is there"), first);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
        assert!(matches!(
            data.root_keys(&OsChance),
            Err(DataDirError::OpenKey(_))
        ));
        data.write_private("secrets.key", b"short")
            .expect("written");
        assert!(matches!(
            data.root_keys(&OsChance),
            Err(DataDirError::BadKey(_))
        ));
    }

    #[test]
    fn a_key_is_replaced_once_however_often_that_is_begun_and_the_former_is_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = DataDir::take(dir.path()).expect("it is free");
        let zeroth = data.root_keys(&OsChance).expect("a new key").current;
        let first = data.replace_root_key(&OsChance).expect("replaced").current;
        let kept = data.root_keys(&OsChance).expect("two keys").old;
        assert_eq!(kept.as_ref().map(RootKey::id), Some(zeroth.id()));
        data.forget_old_root_key().expect("forgotten");

        // The end came when the former one was kept, and there was no other yet.
        data.write_private(OLD_KEY, first.reveal())
            .expect("written");
        let roots = data.root_keys(&OsChance).expect("one key");
        assert!(roots.old.is_none());
        let begun = data.replace_root_key(&OsChance).expect("replaced");
        let again = data.replace_root_key(&OsChance).expect("still replaced");
        for roots in [&begun, &again] {
            assert_eq!(roots.current.id(), begun.current.id());
            assert_eq!(roots.old.as_ref().map(RootKey::id), Some(first.id()));
        }
        assert_ne!(begun.current.id(), first.id());
        assert_eq!(mode(&dir.path().join(OLD_KEY)), 0o600);

        data.forget_old_root_key().expect("forgotten");
        data.forget_old_root_key().expect("it is gone already");
        assert!(data.root_keys(&OsChance).expect("one key").old.is_none());
    }
}
