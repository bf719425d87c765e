//! The control socket: how whoever may use the data folder asks the running host for a login link.
//!
//! Architecture invariant: there is one thing to ask for here, and whoever asks could as well read the
//! data folder: the socket is its owner's, and the kernel says who is at the other end.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use crate::app::App;
use crate::data_dir::DataDir;
use crate::report;

/// The socket's name in the data folder.
const NAME: &str = "control.sock";
/// What is said to be given a link. Whoever only connects, to see whether a host runs, uses up nothing.
const ASK: &str = "login-link\n";
/// A question or an answer has so long, so that one who says nothing does not hold up the next.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest line, either way.
const MAX_LINE: u64 = 4096;

/// What the host answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// A new link; the one before it works no longer.
    Link(String),
    /// Why there is none.
    Refused(String),
    /// Whoever asks is another user.
    NotAllowed,
}

/// Why no link was given.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens there.
    #[error("no host runs with the data folder `{0}`")]
    NotRunning(PathBuf),
    /// The socket is another user's.
    #[error(
        "the host of `{0}` runs as another user, who alone may ask it for a link: run this as that user, or as root"
    )]
    NotAllowed(PathBuf),
    /// The host would not.
    #[error("the host gave no link: {0}")]
    Refused(String),
    /// The conversation broke off.
    #[error("the host of `{path}` gave no link")]
    Broken {
        /// The data folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The listening socket of a running host.
pub struct ControlSocket {
    listener: UnixListener,
    place: Place,
}

/// A folder, held, and a short name of the socket in it: the kernel takes names of 107 bytes at most,
/// wherever the folder is.
struct Place {
    folder: OwnedFd,
}

impl Place {
    fn of(folder: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(folder, flags, Mode::empty())?;
        Ok(Self { folder })
    }

    fn socket(&self) -> PathBuf {
        format!("/proc/self/fd/{}/{NAME}", self.folder.as_raw_fd()).into()
    }
}

impl ControlSocket {
    /// Listens in the data folder. What an earlier host left there is nobody's: `data` holds the lock.
    pub fn listen(data: &DataDir) -> io::Result<Self> {
        let place = Place::of(data.path())?;
        let path = place.socket();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        // The process's umask has made it private already; what a socket's mode means is said once more.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, place })
    }

    /// Answers, one at a time, until told to stop.
    pub async fn serve(self, app: App, mut stop: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let answered = match accepted {
                Ok((stream, _)) => tokio::time::timeout(PATIENCE, answer(stream, &app)).await,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept on the control socket");
                    // Out of file descriptors: another one is not there at once.
                    tokio::time::sleep(PATIENCE).await;
                    continue;
                }
            };
            if let Ok(Err(error)) = answered {
                tracing::warn!(%error, "somebody at the control socket was not answered");
            }
        }
        // The next start would do it as well.
        let _ = std::fs::remove_file(self.place.socket());
    }
}

async fn answer(mut stream: UnixStream, app: &App) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    if line(&mut stream).await? != ASK {
        return Ok(());
    }
    let answer = if is_allowed(peer, geteuid().as_raw()) {
        new_link(app).await
    } else {
        tracing::warn!(peer, "another user at the control socket was sent away");
        Answer::NotAllowed
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    stream.write_all(&text).await
}

async fn new_link(app: &App) -> Answer {
    match app.credentials.operator().new_link().await {
        Ok(link) => Answer::Link(link),
        Err(error) => {
            tracing::error!(error = %report(&error), "no login link was made");
            Answer::Refused("its database cannot be written; its log says why".to_owned())
        }
    }
}

/// Who could read the data folder anyway: the host's own user, and root.
fn is_allowed(peer: u32, own: u32) -> bool {
    peer == own || peer == 0
}

async fn line(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut rest = stream.take(MAX_LINE);
    let mut piece = [0; 512];
    while !bytes.contains(&b'\n') {
        match rest.read(&mut piece).await? {
            0 => break,
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
    String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Whether a host listens in the data folder `folder`.
pub async fn is_running(folder: &Path) -> bool {
    match connect(folder).await {
        Ok(_) => true,
        // Whose it is, is another question.
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// Asks the host that runs with the data folder `folder` for a new login link.
pub async fn ask_for_link(folder: &Path) -> Result<String, AskError> {
    let broken = |source| AskError::Broken {
        path: folder.to_owned(),
        source,
    };
    let mut stream = connect(folder).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            AskError::NotRunning(folder.to_owned())
        }
        io::ErrorKind::PermissionDenied => AskError::NotAllowed(folder.to_owned()),
        _ => broken(error),
    })?;
    let exchange = async {
        stream.write_all(ASK.as_bytes()).await?;
        line(&mut stream).await
    };
    let answer = tokio::time::timeout(PATIENCE * 2, exchange)
        .await
        .map_err(|_| broken(io::ErrorKind::TimedOut.into()))?
        .map_err(broken)?;
    match serde_json::from_str(&answer) {
        Ok(Answer::Link(link)) => Ok(link),
        Ok(Answer::Refused(why)) => Err(AskError::Refused(why)),
        Ok(Answer::NotAllowed) => Err(AskError::NotAllowed(folder.to_owned())),
        Err(error) => Err(broken(error.into())),
    }
}

async fn connect(folder: &Path) -> io::Result<UnixStream> {
    let place = Place::of(folder)?;
    UnixStream::connect(place.socket()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_data_folder_may_have_a_longer_name_than_a_socket() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("d".repeat(100)).join("e".repeat(100));
        assert!(!is_running(&folder).await);
        let data = DataDir::take(&folder).expect("it is free");
        let first = ControlSocket::listen(&data).expect("it listens");
        assert!(is_running(&folder).await);
        drop(first);
        assert!(!is_running(&folder).await);
        // What the first one left is in nobody's way.
        let _second = ControlSocket::listen(&data).expect("it listens");
        assert!(is_running(&folder).await);
        assert!(matches!(
            ask_for_link(root.path()).await,
            Err(AskError::NotRunning(_))
        ));
    }

    #[test]
    fn nobody_but_the_hosts_own_user_and_root_is_answered() {
        assert!(is_allowed(1000, 1000));
        assert!(is_allowed(0, 1000));
        assert!(!is_allowed(1001, 1000));
        assert!(!is_allowed(1000, 0));
    }
}
