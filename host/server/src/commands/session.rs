//! The session of `countersign login`, kept for its owner alone.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::PathBuf;

use countersign_core::time::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::failure::{Exit, Failure};
use super::terminal::Plain;
use crate::config::{Hidden, config_home};
use crate::data_dir::write_private;

const FILE: &str = "session.json";
/// A session is a few hundred bytes; nothing longer is one.
const MAX_FILE: u64 = 64 * 1024;

/// A session at a host.
#[derive(Deserialize)]
pub struct Session {
    /// The host's origin, and the only one that the session is ever sent to.
    pub url: String,
    /// The cookie, `name=value`.
    pub cookie: Hidden,
    /// What proves that the cookie is presented by who signed in.
    pub proof: Hidden,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Where sessions are kept.
pub fn folder() -> Result<PathBuf, Failure> {
    config_home()
        .map(|home| home.join("countersign"))
        .ok_or_else(|| {
            Failure::failed("neither XDG_CONFIG_HOME nor HOME says where a session could be kept")
        })
}

/// The file that the session is in.
pub fn path() -> Result<PathBuf, Failure> {
    folder().map(|folder| folder.join(FILE))
}

impl Session {
    /// The kept session; `None` where nobody signed in. A file that others can read is refused: what is in
    /// it may be theirs already.
    pub fn load() -> Result<Option<Self>, Failure> {
        Self::read(0o077)
    }

    /// The kept session, where there is one that is fit to be ended: others may have read it, and cannot
    /// have changed where it is sent to.
    pub fn found() -> Option<Self> {
        Self::read(0o022).ok().flatten()
    }

    fn read(refused: u32) -> Result<Option<Self>, Failure> {
        let path = path()?;
        let shown = Plain::new(&path.display().to_string());
        let cannot = |error: io::Error| Failure::failed(format!("cannot read `{shown}`: {error}"));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot(error)),
        };
        let metadata = file.metadata().map_err(cannot)?;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(Failure::failed(format!(
                "`{shown}` is another user's: sign in as yourself, or name another XDG_CONFIG_HOME"
            )));
        }
        if metadata.mode() & refused != 0 {
            return Err(Failure::failed(format!(
                "`{shown}` can be read by others than its owner, and the session in it may be theirs: `countersign login` makes a new one and ends this one"
            )));
        }
        let mut text = String::new();
        file.take(MAX_FILE)
            .read_to_string(&mut text)
            .map_err(cannot)?;
        // What is wrong in it is not quoted: it holds secrets.
        serde_json::from_str(&text).map(Some).map_err(|_| {
            Failure::failed(format!(
                "`{shown}` is not a session that `countersign login` kept: sign in again, which replaces it"
            ))
        })
    }

    /// Keeps it, in place of the one before.
    pub fn keep(&self) -> Result<PathBuf, Failure> {
        let folder = folder()?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| {
                Failure::failed(format!("cannot make `{}`: {error}", folder.display()))
            })?;
        let mode = fs::metadata(&folder).map(|metadata| metadata.mode());
        if mode.is_ok_and(|mode| mode & 0o022 != 0) {
            return Err(Failure::failed(format!(
                "others than its owner can write to `{}`: `chmod go-w` it, and see what is in it",
                folder.display()
            )));
        }
        let text = json!({
            "url": self.url,
            "cookie": self.cookie.reveal(),
            "proof": self.proof.reveal(),
            "expires_at": self.expires_at,
        });
        write_private(&folder, FILE, format!("{text}\n").as_bytes()).map_err(|error| {
            Failure::failed(format!(
                "the session cannot be kept in `{}`: {error}",
                Plain::new(&folder.display().to_string())
            ))
        })
    }

    /// The same, if it has not ended.
    pub fn alive(self, now: Timestamp) -> Result<Self, Failure> {
        if self.expires_at > now {
            return Ok(self);
        }
        Err(Failure::new(
            Exit::NotSignedIn,
            format!(
                "the session at {} ended {}: sign in again by `countersign login`",
                Plain::new(&self.url),
                self.expires_at
            ),
        ))
    }
}

/// Forgets the kept session. Whether there was one.
pub fn forget() -> Result<bool, Failure> {
    let path = path()?;
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::failed(format!(
            "cannot remove `{}`: {error}",
            path.display()
        ))),
    }
}
