//! The data folder, and what is in it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use countersign_core::time::Timestamp;
use countersign_store::Standing;
use rustix::fs::FlockOperation;
use rustix::process::geteuid;

use super::host::State;
use super::{Report, named, note, right, wrong};
use crate::clock::{Machine, SteadyClock};
use crate::config::Config;
use crate::policies;

/// With less room than this, the next hours of the record do not fit.
const NO_ROOM: u64 = 64 << 20;
/// With less than this, somebody should know.
const LITTLE_ROOM: u64 = 1 << 30;

/// The data folder's lock: held by this command, by somebody else, or not there.
pub enum Lock {
    /// No host runs, and none can start while this is held.
    Ours {
        /// The lock, which ends with it.
        _file: File,
    },
    /// A host runs, or starts.
    Held,
    /// No host has ever started there.
    None,
}

/// Looks at the folder and the key; `None` where there is no folder to look into.
pub fn look(config: &Config, report: &mut Report) -> Option<Lock> {
    let path = &config.data_dir;
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            report.tell(note(
                "data folder",
                format!("{} is not there: the first start makes it", named(path)),
            ));
            return None;
        }
        Err(error) => {
            report.tell(wrong(
                "data folder",
                format!("{} cannot be looked at: {error}", named(path)),
            ));
            return None;
        }
    };
    report.tell(of_folder(path, &metadata));
    if !metadata.is_dir() {
        return None;
    }
    key(config, report);
    match lock(path) {
        Ok(lock) => Some(lock),
        Err(error) => {
            report.tell(wrong(
                "data folder",
                format!(
                    "whether a host runs there cannot be told: {error}. Run this as the host's own user"
                ),
            ));
            // Whoever cannot tell takes it for one that does.
            Some(Lock::Held)
        }
    }
}

fn of_folder(path: &Path, metadata: &fs::Metadata) -> super::Finding {
    const SUBJECT: &str = "data folder";
    let shown = named(path);
    if !metadata.is_dir() {
        return wrong(
            SUBJECT,
            format!("{shown} is not a folder: name another by --data-dir"),
        );
    }
    if metadata.mode() & 0o022 != 0 {
        return wrong(
            SUBJECT,
            format!(
                "{shown} can be written to by others than its owner, and the host does not start: `chmod go-w` it, and look at what is in it"
            ),
        );
    }
    let me = geteuid().as_raw();
    if metadata.uid() != me && me != 0 {
        return wrong(
            SUBJECT,
            format!(
                "{shown} is another user's (uid {}): run the host and this as that user",
                metadata.uid()
            ),
        );
    }
    match metadata.mode() & 0o055 {
        0 => right(SUBJECT, format!("{shown} is its owner's alone")),
        _ => right(
            SUBJECT,
            format!("{shown} can be looked into by others, and written to by its owner alone"),
        ),
    }
}

fn key(config: &Config, report: &mut Report) {
    const SUBJECT: &str = "key";
    if config.root_key.is_some() {
        report.tell(right(SUBJECT, "is set by SECRETS_ENCRYPTION_KEY"));
        return;
    }
    let path = config.data_dir.join("secrets.key");
    let shown = named(&path);
    report.tell(match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => note(
            SUBJECT,
            format!(
                "{shown} is not there: the first start makes it; if secrets are stored already, restore it from a backup"
            ),
        ),
        Err(error) => wrong(SUBJECT, format!("{shown} cannot be looked at: {error}")),
        Ok(metadata) if metadata.mode() & 0o077 != 0 => wrong(
            SUBJECT,
            format!(
                "{shown} can be read by others than its owner, and the host does not start: `chmod 600` it, and consider the key known to them"
            ),
        ),
        Ok(metadata) if metadata.len() != 32 => wrong(
            SUBJECT,
            format!(
                "{shown} does not hold 32 bytes: restore it from a backup, or set SECRETS_ENCRYPTION_KEY"
            ),
        ),
        Ok(_) => right(
            SUBJECT,
            format!("{shown} is there, and its owner's alone; without a backup of it, stored secrets are lost with it"),
        ),
    });
}

/// Tries the lock, and makes no file: one that is another user's would keep the host from starting.
fn lock(folder: &Path) -> io::Result<Lock> {
    let file = match OpenOptions::new().read(true).open(folder.join("lock")) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lock::None),
        Err(error) => return Err(error),
    };
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock::Ours { _file: file }),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(Lock::Held),
        Err(errno) => Err(errno.into()),
    }
}

/// Looks at the database, if no host does.
pub async fn database(config: &Config, state: State, report: &mut Report) {
    const SUBJECT: &str = "database";
    match state {
        State::Ready => {
            report.tell(right(SUBJECT, "can be written, says the running host"));
            return;
        }
        State::Running => {
            report.tell(note(
                SUBJECT,
                "is the running host's, and is not looked at behind its back",
            ));
            return;
        }
        State::Stopped => {}
    }
    match countersign_store::look(&config.database).await {
        Err(error) => report.tell(wrong(SUBJECT, crate::report(&error))),
        Ok(Standing::Empty) => report.tell(note(
            SUBJECT,
            format!(
                "{} is empty: the first start makes its tables",
                config.database
            ),
        )),
        Ok(Standing::Ours { to_migrate, latest }) => {
            report.tell(match to_migrate {
                0 => right(
                    SUBJECT,
                    format!("{} is there, and of this version", config.database),
                ),
                count => note(
                    SUBJECT,
                    format!(
                        "{} is of an earlier version: the next start does {count} migrations; make a backup first",
                        config.database
                    ),
                ),
            });
            clock(latest, report);
        }
    }
}

fn clock(latest: Option<Timestamp>, report: &mut Report) {
    report.tell(match SteadyClock::start(Machine::default(), latest) {
        Ok(_) => right("clock", "is not behind what the database last recorded"),
        Err(behind) => wrong("clock", behind.to_string()),
    });
}

/// Proves the policies of the folder, as the host does.
pub async fn policies(config: &Config, report: &mut Report) {
    const SUBJECT: &str = "policies";
    let path = config.policies.clone();
    if config.policies_is_default && !path.exists() {
        report.tell(right(
            SUBJECT,
            "are the built-in baseline alone: the folder is made at the first start",
        ));
        return;
    }
    let shown = named(&path);
    let keys = config.policy_keys.clone();
    let proven = tokio::task::spawn_blocking(move || policies::look(path, keys)).await;
    let proposal = match proven {
        Ok(Ok(proposal)) => proposal,
        Ok(Err(error)) => {
            report.tell(wrong(SUBJECT, crate::report(error.as_ref())));
            return;
        }
        Err(_) => {
            report.tell(wrong(SUBJECT, "cannot be proven: that panicked"));
            return;
        }
    };
    for problem in &proposal.problems {
        let sentence = match &problem.file {
            Some(file) => format!("`{file}` in {shown}: {}", problem.sentence),
            None => format!("{shown}: {}", problem.sentence),
        };
        report.tell(wrong(SUBJECT, sentence));
    }
    let modules: Vec<String> = proposal
        .policies
        .modules()
        .iter()
        .map(|module| module.id().to_string())
        .collect();
    if proposal.problems.is_empty() {
        report.tell(right(
            SUBJECT,
            format!("{shown} loads; what decides is {}", modules.join(", ")),
        ));
    }
}

/// Looks at how much room there is.
pub fn disk(config: &Config, report: &mut Report) {
    const SUBJECT: &str = "disk";
    let there = config.data_dir.ancestors().find(|path| path.exists());
    let there = there.unwrap_or_else(|| Path::new("."));
    report.tell(match rustix::fs::statvfs(there) {
        Err(error) => note(SUBJECT, format!("how full it is cannot be told: {error}")),
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let shown = format!("{} MiB are free", free >> 20);
            if free < NO_ROOM {
                wrong(
                    SUBJECT,
                    format!("{shown}: make room, or the host refuses what it cannot record"),
                )
            } else if free < LITTLE_ROOM {
                note(SUBJECT, format!("{shown}, which is little"))
            } else {
                right(SUBJECT, shown)
            }
        }
    });
}
