//! The control plane, running: see `control_plane.rs` for what it is.

use std::io::{BufRead as _, BufReader};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::{Client, Method};
use serde::Deserialize;

use crate::process::{Process, built};

/// How the control plane answers when it is asked whose session a cookie is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As agreed.
    Normal,
    /// As agreed, after a second.
    Tardy,
    /// As agreed, after longer than anybody should wait.
    Slow,
    /// Never; the connection stays open.
    Never,
    /// With a page, and 200.
    Html,
    /// With 500.
    Failing,
    /// With a redirect to where the answer would be yes.
    Redirect,
    /// As agreed, with a member that is far too long.
    Huge,
    /// With less than it announced.
    Torn,
    /// Yes, of a user without a name.
    Nameless,
    /// Yes, of a user whose name would break a line of a log.
    Forged,
    /// No.
    Stranger,
}

/// A question that the control plane was asked.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Call {
    /// The Cookie header.
    pub cookie: String,
    /// The tenant in question.
    pub slug: String,
    /// The names of all headers.
    pub headers: Vec<String>,
}

/// A control plane in a process of its own. It ends with this value, or with the test.
#[derive(Debug)]
pub struct ControlPlane {
    client: Client,
    url: String,
    sessions: AtomicUsize,
    _process: Process,
    _stdin: ChildStdin,
}

impl ControlPlane {
    /// Starts one, on a port of its own.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start() -> Self {
        let mut child = Command::new(built("control-plane"))
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the control plane can be run");
        let stdin = child.stdin.take().expect("it has a standard input");
        let stdout = child.stdout.take().expect("it has a standard output");
        let process = Process::new(child);
        let mut url = String::new();
        BufReader::new(stdout)
            .read_line(&mut url)
            .expect("it says where it listens");
        let url = url.trim().to_owned();
        assert!(url.starts_with("http://"), "it says where it listens");
        Self {
            client: crate::host::client(),
            url,
            sessions: AtomicUsize::new(0),
            _process: process,
            _stdin: stdin,
        }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new session of `user`: its cookie (`name=value`).
    pub async fn sign_in(&self, user: &str) -> String {
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        // A cookie holds less than a name may.
        let fits = |c: &char| c.is_ascii_graphic() && *c != ';';
        let shown: String = user.chars().filter(fits).collect();
        let cookie = format!("cp_session={shown}-at-their-browser-{number}");
        let body = serde_json::json!({ "cookie": cookie, "user": user });
        self.tell("/sessions", body.to_string()).await;
        cookie
    }

    /// Ends a session.
    pub async fn sign_out(&self, cookie: &str) {
        self.tell("/sessions/end", cookie.to_owned()).await;
    }

    /// From now on it answers like this.
    pub async fn behave(&self, mode: Mode) {
        self.tell("/mode", format!("{mode:?}")).await;
    }

    /// What it was asked so far.
    pub async fn calls(&self) -> Vec<Call> {
        let answer = self.tell("/calls", String::new()).await;
        serde_json::from_str(&answer).expect("a list of calls")
    }

    /// How much it was asked at one time, at most.
    pub async fn most_at_once(&self) -> usize {
        let answer = self.tell("/most", String::new()).await;
        answer.parse().expect("a number")
    }

    async fn tell(&self, path: &str, body: String) -> String {
        let request = self
            .client
            .request(Method::POST, format!("{}{path}", self.url))
            .body(body);
        let response = request.send().await.expect("the control plane lives");
        assert!(response.status().is_success(), "{path}");
        response.text().await.expect("the control plane lives")
    }
}
