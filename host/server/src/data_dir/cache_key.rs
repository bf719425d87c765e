//! The key of the cache of compiled policies.

use countersign_core::chance::{self, Chance};
use zeroize::Zeroizing;

use super::{DataDir, DataDirError};

const KEY: &str = "policy-cache.key";

impl DataDir {
    /// The key: read from its file, or made where there is none that is this host's alone. It is no root key
    /// and comes from none, because those are shared by a fleet, and nothing is lost with it but what can be
    /// compiled again.
    pub fn cache_key(&self, chance: &dyn Chance) -> Result<Zeroizing<[u8; 32]>, DataDirError> {
        match self.read_private_key(KEY) {
            Ok(Some(key)) => return Ok(Zeroizing::new(key)),
            Ok(None) => {}
            // Whoever could read it could have sealed what is in the cache.
            Err(error @ (DataDirError::OpenKey(_) | DataDirError::BadKey(_))) => {
                tracing::warn!(
                    file = KEY,
                    %error,
                    "the key of the policy cache is replaced, and all policies are compiled anew"
                );
            }
            Err(error) => return Err(error),
        }
        let key = Zeroizing::new(chance::bytes::<32>(chance));
        self.write_private(KEY, &*key)?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use countersign_core::chance::OsChance;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_made_anew_where_it_is_broken_or_known_to_others() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = DataDir::take(dir.path()).expect("it is free");
        let key = || data.cache_key(&OsChance).expect("a key");
        let path = dir.path().join(KEY);
        let mode = || fs::metadata(&path).expect("it is there").permissions();
        let first = key();
        assert_eq!(mode().mode() & 0o777, 0o600);
        assert_eq!(key(), first);

        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("changed");
        let second = key();
        assert_ne!(second, first);
        assert_eq!(mode().mode() & 0o777, 0o600);
        fs::write(&path, b"short").expect("written");
        let third = key();
        assert_ne!(third, second);
        assert_eq!(key(), third);
    }
}
