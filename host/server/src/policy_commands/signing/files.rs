//! Files of keys and signatures: read within bounds, and never written over.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::shown;
use crate::commands::failure::Failure;

/// Who may read a file.
#[derive(Clone, Copy)]
pub enum Access {
    /// Its owner alone.
    Owner,
    /// Everybody, as far as the user's own umask lets them.
    All,
}

/// Makes a file that is not there yet.
pub fn create(path: &Path, content: &[u8], access: Access) -> Result<(), Failure> {
    let mode = match access {
        Access::Owner => 0o600,
        Access::All => 0o666,
    };
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(mode).open(path);
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => is_there(path),
        _ => Failure::failed(format!("cannot write `{}`: {error}", shown(path))),
    };
    let mut file = made.map_err(cannot)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // What is half a file is worse than none.
        let _ = std::fs::remove_file(path);
        cannot(error)
    })
}

/// Whether a file can be made there; asked before a person types a password in vain.
pub fn is_free(path: &Path) -> Result<(), Failure> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(is_there(path)),
        Err(_) => Ok(()),
    }
}

/// All of a file, if it is not longer than `most`.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let file = shown(path);
    let cannot = |error: io::Error| Failure::usage(format!("cannot read `{file}`: {error}"));
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut content))
        .map_err(cannot)?;
    if content.len() as u64 > most {
        let why = format!("`{file}` is longer than {most} bytes");
        return Err(Failure::usage(why));
    }
    Ok(content)
}

/// The same, of text.
pub fn text(path: &Path, most: u64) -> Result<String, Failure> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| Failure::usage(format!("`{}` is not text", shown(path))))
}

fn is_there(path: &Path) -> Failure {
    Failure::failed(format!(
        "`{}` is there already, and nothing is written over: move it away, or name another file",
        shown(path)
    ))
}
