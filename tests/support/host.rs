//! The built host, running.

mod builder;
mod command;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::process::Process;
use crate::{Caller, CommandLine, Database, Disk, Reply};

/// An answer has so long: longer than the host gives itself, so that what it says of that is heard.
const ANSWER: Duration = Duration::from_secs(75);

/// A host to be started: nothing of the test's own environment reaches it.
#[derive(Clone, Debug)]
pub struct HostBuilder {
    folder: Arc<TempDir>,
    database: Arc<Database>,
    disk: Option<Arc<Disk>>,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    listen: String,
    run: usize,
}

pub(crate) fn client() -> Client {
    building().build().expect("a client can be made")
}

fn building() -> ClientBuilder {
    // Another test may have installed it, which is as good. Only http is ever spoken here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(ANSWER)
        // The host lets a connection idle for ten seconds: one that is kept longer may be gone when it is used.
        .pool_idle_timeout(Duration::from_secs(5))
}

/// What every host under test is told: where its ledger is, and that one address may do more than anybody
/// should. A test of a limit sets it.
fn environment(database: &Database) -> Vec<(String, String)> {
    let mut environment = database.environment();
    environment.push(("MINT_LIMIT".to_owned(), "0".to_owned()));
    // Most tests bring modules to see what a host makes of them, and not of how they come in.
    environment.push(("COUNTERSIGN_POLICY_FOLDER".to_owned(), "trusted".to_owned()));
    environment
}

/// A host that did not start.
#[derive(Debug)]
pub struct Failure {
    /// Its exit code.
    pub code: Option<i32>,
    /// All that it wrote.
    pub said: String,
}

impl Failure {
    /// The same, of which it is certain that the host refused in words that hold each of `words`.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(1), "{}", self.said);
        let sentence = self
            .said
            .lines()
            .find(|line| line.starts_with("countersign: "))
            .unwrap_or_else(|| panic!("no sentence in: {}", self.said));
        for word in words {
            assert!(
                self.said.contains(word),
                "`{word}` is not in: {}",
                self.said
            );
        }
        assert!(sentence.len() > 30, "{sentence}");
        assert!(!self.said.contains("panicked"), "{}", self.said);
        self
    }
}

/// A session of the host's own login, as a browser keeps it.
#[derive(Clone, Debug)]
pub struct OperatorSession {
    /// The cookie (`name=value`), which every port of the host's name gets.
    pub cookie: String,
    /// The proof, which only the host's own pages can read.
    pub proof: String,
}

impl OperatorSession {
    /// What the answer to the login link's button hands over.
    ///
    /// # Panics
    ///
    /// If it hands nothing over.
    pub fn of(signed_in: &Reply) -> Self {
        let cookie = signed_in.header("set-cookie").expect("a cookie");
        let page = signed_in.page();
        let (_, proof) = page.split_once("data-proof=\"").expect("a proof");
        Self {
            cookie: cookie.split(';').next().expect("a cookie").to_owned(),
            proof: proof.split('"').next().expect("a proof").to_owned(),
        }
    }
}

/// A running host. It ends with this value.
#[derive(Debug)]
pub struct Host {
    client: Client,
    process: Process,
    origin: String,
    builder: HostBuilder,
}

impl Host {
    /// A host to be configured and started.
    pub fn builder() -> HostBuilder {
        let database = Database::make();
        HostBuilder {
            folder: Arc::new(tempfile::tempdir().expect("a folder for the host")),
            environment: environment(&database),
            database: Arc::new(database),
            disk: None,
            arguments: Vec::new(),
            listen: "127.0.0.1:0".to_owned(),
            run: 1,
        }
    }

    /// A host that nobody configured, but for ADMIN_TOKEN.
    pub async fn start(admin_token: &str) -> Self {
        Self::builder().admin_token(admin_token).start().await
    }

    /// `http://address:port`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// `address:port`.
    pub fn authority(&self) -> &str {
        self.origin.trim_start_matches("http://")
    }

    /// Its data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.builder.data_dir()
    }

    /// Where its ledger is.
    pub fn database(&self) -> &Database {
        &self.builder.database
    }

    /// The disk of its own that its data folder is on.
    ///
    /// # Panics
    ///
    /// If it has none.
    pub fn disk(&self) -> &Disk {
        self.builder.disk()
    }

    /// Its process, for whoever looks at it from outside.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Somebody at a command line on this host's machine, whom nobody knows yet.
    pub fn command_line(&self) -> CommandLine {
        let listens = self.authority().to_owned();
        self.builder
            .command_line()
            .env("COUNTERSIGN_LISTEN", listens)
    }

    /// Nobody.
    pub fn anonymous(&self) -> Caller {
        Caller::new(self.client.clone(), self.origin.clone())
    }

    /// An agent, or any program, with a bearer.
    pub fn agent(&self, bearer: &str) -> Caller {
        self.anonymous().bearer(bearer)
    }

    /// A person's browser, with a cookie (`name=value`).
    pub fn session(&self, cookie: &str) -> Caller {
        self.anonymous().cookie(cookie)
    }

    /// A person's browser at the other side of an edge, which asserts so much.
    pub fn asserted(&self, assertion: &str) -> Caller {
        self.anonymous().asserted(assertion)
    }

    /// Nobody, from another address of this machine: no proxy that is believed.
    ///
    /// # Panics
    ///
    /// If a client cannot be made.
    pub fn stranger(&self) -> Caller {
        let elsewhere = std::net::IpAddr::from([127, 0, 0, 2]);
        let client = building().local_address(elsewhere).build();
        Caller::new(client.expect("a client can be made"), self.origin.clone())
    }

    /// The installer, with PROVISION_TOKEN.
    pub fn provisioner(&self, token: &str) -> Caller {
        self.anonymous().with("x-provision-token", token)
    }

    /// The person who started the host, signed in by its login link.
    ///
    /// # Panics
    ///
    /// If the host has another way to sign in, and so no link; or if the link was used.
    pub async fn operator(&self) -> Caller {
        self.signed_in(&self.operator_session().await)
    }

    /// The operator at a browser, by a link that `person` makes on the host's machine.
    ///
    /// # Panics
    ///
    /// If no link is made.
    pub async fn operator_by_link(&self, person: &CommandLine) -> Caller {
        person.run(&["login", "--browser"]).await.expect(0);
        self.operator().await
    }

    /// The operator's browser, in a session that began before.
    pub fn signed_in(&self, session: &OperatorSession) -> Caller {
        self.session(&session.cookie).proof(&session.proof)
    }

    /// A session that the login link starts.
    ///
    /// # Panics
    ///
    /// As [`Host::operator`].
    pub async fn operator_session(&self) -> OperatorSession {
        let link = self.login_secret();
        let browser = self.anonymous().with("sec-fetch-site", "same-origin");
        let reply = browser
            .post_form("/console/sign-in", &[("link", &link)])
            .await
            .expect(200);
        OperatorSession::of(&reply)
    }

    /// What makes the login link one.
    ///
    /// # Panics
    ///
    /// If there is no link.
    pub fn login_secret(&self) -> String {
        let path = self.data_dir().join("login-link");
        let link = fs::read_to_string(&path).expect("the host wrote a login link");
        let (_, secret) = link.trim().split_once("link=").expect("a link");
        secret.to_owned()
    }

    /// Sends `bytes` on a connection of their own, and returns all that comes back.
    ///
    /// # Panics
    ///
    /// If the host cannot be reached, or does not end the connection.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(self.authority()).await?;
            stream.write_all(bytes).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = tokio::time::timeout(ANSWER, exchange)
            .await
            .expect("the host ends the connection")
            .expect("the host answers");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// All that this run wrote to its outputs.
    pub fn said(&self) -> String {
        self.builder.said()
    }

    /// The files, of all runs, that hold `needle`: the data folder's, the outputs, and the database where
    /// that is elsewhere.
    pub fn files_with(&self, needle: &str) -> Vec<PathBuf> {
        assert!(!needle.is_empty(), "nothing is everywhere");
        let mut found = Vec::new();
        if let Some(dump) = self.builder.database.dump()
            && contains(&dump, needle.as_bytes())
        {
            found.push("the database".into());
        }
        search(self.builder.folder.path(), needle.as_bytes(), &mut found);
        found
    }

    /// Stops it as an operator would; its data stay.
    ///
    /// # Panics
    ///
    /// If it does not end by itself, and well.
    pub async fn stop(mut self) -> HostBuilder {
        let status = self.process.stop().await;
        assert!(status.success(), "it ended with {status}: {}", self.said());
        self.next()
    }

    /// Ends it as a crash would; its data stay.
    pub fn crash(mut self) -> HostBuilder {
        self.process.kill();
        self.next()
    }

    /// Stops it, and starts it again on the same data.
    pub async fn restart(self) -> Self {
        self.stop().await.start().await
    }

    /// Another host of the same fleet: a data folder of its own, on this one's database, configured alike.
    pub fn mate(&self) -> HostBuilder {
        HostBuilder {
            folder: Arc::new(tempfile::tempdir().expect("a folder for the host")),
            disk: None,
            run: 1,
            ..self.builder.clone()
        }
    }

    /// A second host on the same data, while this one runs.
    pub fn beside(&self) -> HostBuilder {
        self.next()
    }

    fn next(&self) -> HostBuilder {
        let mut builder = self.builder.clone();
        builder.run += 1;
        builder
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the host said:\n{}", self.said());
        }
    }
}

fn search(folder: &Path, needle: &[u8], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            search(&path, needle, found);
        } else if fs::read(&path).is_ok_and(|bytes| contains(&bytes, needle)) {
            found.push(path);
        }
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
