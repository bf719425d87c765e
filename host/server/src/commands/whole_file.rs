//! A file that is there whole, or not at all.
//!
//! It is written under another name beside its own and takes its place when nothing is missing. That name is
//! always the same, and whoever made the file there has it alone: two who write the same file at once are told
//! so, and what one was killed at is not taken for anything.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::failure::Failure;
use super::terminal::Plain;

/// Decisions and audit entries are nobody else's business.
const ONLY_OWN: u32 = 0o600;

/// A file that is being written.
pub struct WholeFile {
    out: PathBuf,
    unfinished: PathBuf,
    file: BufWriter<File>,
    is_whole: bool,
}

impl WholeFile {
    /// Begins to write what will be `out`.
    pub fn begin(out: &Path) -> Result<Self, Failure> {
        let unfinished = unfinished(out)?;
        is_free(out)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(ONLY_OWN)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&unfinished)
            .map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => in_the_way(&unfinished, out),
                _ => cannot(&unfinished, &error),
            })?;
        let begun = Self {
            out: out.to_owned(),
            unfinished,
            file: BufWriter::new(file),
            is_whole: false,
        };
        let file = begun.file.get_ref();
        // Whatever the umask took away.
        file.set_permissions(fs::Permissions::from_mode(ONLY_OWN))
            .map_err(|error| begun.failed(&error))?;
        Ok(begun)
    }

    /// Writes on.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.file.write_all(bytes);
        written.map_err(|error| self.failed(&error))
    }

    /// It is whole, and on disk, under its own name.
    pub fn end(mut self) -> Result<(), Failure> {
        let ended = self.take_its_place();
        self.is_whole = ended.is_ok();
        ended.map_err(|error| self.failed(&error))
    }

    fn take_its_place(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.unfinished, &self.out)?;
        let folder = self.out.parent().filter(|folder| *folder != Path::new(""));
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn failed(&self, error: &io::Error) -> Failure {
        cannot(&self.out, error)
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.is_whole {
            // Half of it is of no use to anybody.
            let _ = fs::remove_file(&self.unfinished);
        }
    }
}

/// Whether what is there may be replaced: a link would be replaced and not followed, and a device cannot be.
fn is_free(out: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(out) {
        Ok(there) if there.is_file() => Ok(()),
        Ok(there) => {
            let what = match (there.is_dir(), there.is_symlink()) {
                (true, _) => "a folder",
                (_, true) => "a link",
                _ => "no ordinary file",
            };
            Err(Failure::usage(format!(
                "`{}` is {what}, which is neither replaced nor followed: name another file, or leave --out away and redirect the standard output",
                shown(out)
            )))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(cannot(out, &error)),
    }
}

fn unfinished(out: &Path) -> Result<PathBuf, Failure> {
    let name = out
        .file_name()
        .ok_or_else(|| Failure::usage("--out: name a file"))?;
    let mut unfinished = name.to_owned();
    unfinished.push(".unfinished");
    Ok(out.with_file_name(unfinished))
}

fn in_the_way(unfinished: &Path, out: &Path) -> Failure {
    Failure::failed(format!(
        "`{}` is in the way, and was left as it is: another command is writing `{}` now, or one was killed before it was whole. If none is, remove it and run this again",
        shown(unfinished),
        shown(out)
    ))
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot write `{}`: {error}", shown(path)))
}

fn shown(path: &Path) -> Plain {
    Plain::new(&path.display().to_string())
}
