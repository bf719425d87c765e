//! The running host, its port, its control plane, and the session at it.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use countersign_core::time::{Clock as _, SystemClock};
use reqwest::redirect::Policy;

use super::super::client::{self, Client, Credential, Request};
use super::super::failure::Exit;
use super::super::moments::when;
use super::super::session::{self, Session};
use super::super::terminal::Plain;
use super::folder::Lock;
use super::{Report, named, note, right, wrong};
use crate::config::Config;
use crate::control_socket::is_running;

/// The control plane has so long to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether a host runs with the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// None does.
    Stopped,
    /// One does, and nothing is known of it.
    Running,
    /// One does, and can work.
    Ready,
}

/// Looks for the host, and at the address where it is or would be.
pub async fn look(config: &Config, lock: Option<&Lock>, report: &mut Report) -> State {
    const SUBJECT: &str = "host";
    if !matches!(lock, Some(Lock::Held)) {
        report.tell(note(SUBJECT, "does not run: `countersign serve` starts it"));
        report.tell(port(config));
        return State::Stopped;
    }
    let asked = is_running(&config.data_dir).await;
    report.tell(match asked {
        true => right(SUBJECT, format!("runs with {}", named(&config.data_dir))),
        false => wrong(
            SUBJECT,
            format!(
                "{} is held, and nobody answers there: the host starts, or hangs, or is of a version that cannot be asked for login links",
                named(&config.data_dir)
            ),
        ),
    });
    ready(config, report).await
}

async fn ready(config: &Config, report: &mut Report) -> State {
    const SUBJECT: &str = "address";
    let here = format!("http://{}", config.listen);
    let asked = async {
        let client = Client::at(client::origin(&here)?, Credential::Nobody)?;
        client.get(&Request::get("/ready"), false).await
    };
    match asked.await {
        Ok(_) => {
            report.tell(right(
                SUBJECT,
                format!("the host answers at {here}, and can work"),
            ));
            State::Ready
        }
        Err(failure) => {
            report.tell(wrong(
                SUBJECT,
                format!(
                    "the host does not say that it can work: {}. If it was started with other settings (--listen), give this the same",
                    failure.sentence
                ),
            ));
            State::Running
        }
    }
}

fn port(config: &Config) -> super::Finding {
    const SUBJECT: &str = "address";
    let address = config.listen;
    match TcpListener::bind(address) {
        Ok(_) => right(SUBJECT, format!("{address} is free to listen on")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => wrong(
            SUBJECT,
            format!(
                "{address} is in use by another program: stop it, or choose another address with --listen"
            ),
        ),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => wrong(
            SUBJECT,
            format!(
                "this user may not listen on {address}: choose a port above 1023 with --listen"
            ),
        ),
        Err(error) => wrong(SUBJECT, format!("cannot listen on {address}: {error}")),
    }
}

/// Looks for the control plane, as the host reaches it.
pub async fn control_plane(config: &Config, report: &mut Report) {
    const SUBJECT: &str = "control plane";
    let Some(control_plane) = &config.control_plane else {
        report.tell(note(
            SUBJECT,
            "there is none: people sign in by the host's own links",
        ));
        return;
    };
    let Some(members) = &control_plane.members else {
        report.tell(note(
            SUBJECT,
            "verifies nobody, and only requests go through to it: set MOLECULE_ORG_SLUG, so that people can sign in by it",
        ));
        return;
    };
    let origin = client::shown(&members.url);
    let asked = async {
        reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .build()?
            .get(members.url.clone())
            .send()
            .await
    };
    report.tell(match asked.await.map(|answer| answer.status().as_u16()) {
        // Nobody's cookie was sent, so it has to say no, in whatever way.
        Ok(200 | 401 | 403) => right(SUBJECT, format!("{origin} answers")),
        Ok(status) => wrong(
            SUBJECT,
            format!(
                "{origin} answers {status} where sessions are verified: check CP_UPSTREAM_URL, and that it knows the tenant `{}` (MOLECULE_ORG_SLUG)",
                Plain::new(&members.slug)
            ),
        ),
        Err(error) => wrong(
            SUBJECT,
            format!(
                "{origin} cannot be reached, so nobody can sign in by it: {}. Check CP_UPSTREAM_URL and the network",
                match error.is_timeout() {
                    true => "it did not answer in time",
                    false => "the connection failed",
                }
            ),
        ),
    });
}

/// Looks at the session of `countersign login`.
pub async fn session(report: &mut Report) {
    const SUBJECT: &str = "session";
    let session = match Session::load() {
        Ok(Some(session)) => session,
        Ok(None) => {
            report.tell(note(
                SUBJECT,
                "nobody is signed in here: `countersign login` does that",
            ));
            return;
        }
        Err(failure) => {
            report.tell(wrong(SUBJECT, failure.sentence));
            return;
        }
    };
    let (url, end) = (Plain::new(&session.url), session.expires_at);
    let session = match session.alive(SystemClock.now()) {
        Ok(session) => session,
        Err(failure) => {
            report.tell(note(SUBJECT, failure.sentence));
            return;
        }
    };
    let asked = async {
        let client = Client::at(client::origin(&session.url)?, Credential::Session(session))?;
        let request = Request::get("/approvals/pending?limit=1");
        client.get(&request, false).await
    };
    report.tell(match asked.await {
        Ok(_) => right(
            SUBJECT,
            format!("you are signed in at {url} until {}", when(end)),
        ),
        Err(failure) if failure.exit == Exit::NotSignedIn => note(
            SUBJECT,
            format!("the one at {url} was ended: sign in again by `countersign login`"),
        ),
        Err(failure) => wrong(SUBJECT, failure.sentence),
    });
    if let Ok(path) = session::path() {
        report.tell(right(SUBJECT, format!("{} is yours alone", named(&path))));
    }
}
