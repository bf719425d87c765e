//! How a host is started, and with what.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::{Failure, Host, HostBuilder, client};
use crate::edge::{AUDIENCE, Edge, HEADER, ISSUER};
use crate::process::{Process, built};
use crate::{CommandLine, ControlPlane, Database, Disk, FakeClock, until};

/// A host has so long to start or to refuse: it compiles its policies, perhaps beside others that do.
const START: Duration = Duration::from_secs(120);
/// Which tenant the host under test is.
const SLUG: &str = "acme";

impl HostBuilder {
    /// With `ADMIN_TOKEN`.
    pub fn admin_token(self, token: &str) -> Self {
        self.env("ADMIN_TOKEN", token)
    }

    /// With `PROVISION_TOKEN`.
    pub fn provision_token(self, token: &str) -> Self {
        self.env("PROVISION_TOKEN", token)
    }

    /// Behind an edge on this machine, whose assertions are believed.
    pub fn edge(self, edge: &Edge) -> Self {
        self.env("COUNTERSIGN_ASSERTION_HEADER", HEADER)
            .env("COUNTERSIGN_ASSERTION_ISSUER", ISSUER)
            .env("COUNTERSIGN_ASSERTION_AUDIENCE", AUDIENCE)
            .env("COUNTERSIGN_ASSERTION_JWKS", edge.jwks())
            .env("COUNTERSIGN_TRUSTED_PROXIES", "127.0.0.1")
    }

    /// With a control plane that verifies people's sessions.
    pub fn control_plane(self, control_plane: &ControlPlane) -> Self {
        self.env("CP_UPSTREAM_URL", control_plane.url())
            .env("MOLECULE_ORG_SLUG", SLUG)
    }

    /// With a policy folder whose loosening changes wait for an operator, as it is where nobody says otherwise.
    pub fn reviewed(self) -> Self {
        self.without_env("COUNTERSIGN_POLICY_FOLDER")
    }

    /// With a variable in its environment, in place of one of the same name.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Without a variable in its environment.
    pub fn without_env(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    /// With its ledger in a file of the data folder, whichever database the tests run on.
    pub fn sqlite(mut self) -> Self {
        self.environment.retain(|(name, _)| name != "DATABASE_URL");
        self.database = Arc::new(Database::Sqlite);
        self
    }

    /// With its ledger on the PostgreSQL server, whichever database the tests run on.
    pub fn postgres(mut self) -> Self {
        let database = Database::postgres();
        for (name, value) in database.environment() {
            self = self.env(&name, value);
        }
        self.database = Arc::new(database);
        self
    }

    /// With a clock that the test sets.
    pub fn clock(mut self, clock: &FakeClock) -> Self {
        for (name, value) in clock.environment() {
            self = self.env(name, value);
        }
        self
    }

    /// With its data folder on a disk of its own, of `size` as `mount` writes it.
    pub fn disk_of(mut self, size: &str) -> Self {
        self.disk = Some(Arc::new(Disk::mount(&self.data_path(), size)));
        self
    }

    /// That disk.
    ///
    /// # Panics
    ///
    /// If it has none of its own.
    pub fn disk(&self) -> &Disk {
        self.disk.as_deref().expect("a disk of its own")
    }

    /// On an address, in place of a free port of loopback.
    pub fn listen(mut self, address: &str) -> Self {
        address.clone_into(&mut self.listen);
        self
    }

    /// With an argument.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With its data in a folder whose name begins so.
    ///
    /// # Panics
    ///
    /// If there can be no such folder.
    pub fn in_folder(mut self, prefix: &str) -> Self {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir();
        self.folder = Arc::new(folder.expect("a folder for the host"));
        self
    }

    /// With a file in its policy folder.
    pub fn policy(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let policies = self.data_dir().join("policies");
        fs::create_dir_all(&policies).expect("the policy folder can be made");
        fs::write(policies.join(name), bytes).expect("a policy can be written");
        self
    }

    /// Its data folder, as the test reaches it.
    pub fn data_dir(&self) -> PathBuf {
        let path = self.data_path();
        match &self.disk {
            Some(disk) => disk.outside(&path),
            None => path,
        }
    }

    /// Its data folder, as the host names it.
    pub fn data_path(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Somebody at a command line on its machine, with its settings.
    pub fn command_line(&self) -> CommandLine {
        let line = CommandLine::new()
            .env(
                "COUNTERSIGN_DATA_DIR",
                self.data_dir().display().to_string(),
            )
            .env("COUNTERSIGN_LISTEN", self.listen.clone());
        self.environment
            .iter()
            .fold(line, |line, (name, value)| line.env(name, value.clone()))
    }

    /// Where its ledger is.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Starts it, and waits until it serves.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn start(self) -> Host {
        self.try_start().await.unwrap_or_else(|failure| {
            panic!("the host ended ({:?}): {}", failure.code, failure.said)
        })
    }

    /// Starts it, and waits until it serves or has refused to.
    ///
    /// # Panics
    ///
    /// If it does neither.
    pub async fn try_start(self) -> Result<Host, Failure> {
        let mut process = self.spawn();
        let origin = until("the host serves", START, async || {
            if let Some(status) = process.ended() {
                return Some(Err(Failure {
                    code: status.code(),
                    said: self.said(),
                }));
            }
            serving(&self.stdout()).map(Ok)
        })
        .await?;
        Ok(Host {
            client: client(),
            process,
            origin,
            builder: self,
        })
    }

    /// Starts it, and waits until it has refused to.
    ///
    /// # Panics
    ///
    /// If it does not end, or serves after all.
    pub async fn fail(self) -> Failure {
        let mut process = self.spawn();
        let status = until("the host refuses to start", START, async || {
            assert_eq!(serving(&self.stdout()), None, "the host serves");
            process.ended()
        })
        .await;
        Failure {
            code: status.code(),
            said: self.said(),
        }
    }

    fn spawn(&self) -> Process {
        let open = |path: PathBuf| File::create(path).expect("the test's folder is writable");
        let program = built("countersign");
        let mut command = match &self.disk {
            Some(disk) => disk.within(&program),
            None => Command::new(program),
        };
        let child = command
            .args(["--listen", &self.listen])
            .arg("--data-dir")
            .arg(self.data_path())
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(open(self.output("out")))
            .stderr(open(self.output("err")))
            .spawn()
            .expect("the host's binary can be run");
        Process::new(child)
    }

    pub(super) fn output(&self, kind: &str) -> PathBuf {
        self.folder.path().join(format!("run-{}.{kind}", self.run))
    }

    fn stdout(&self) -> String {
        fs::read_to_string(self.output("out")).unwrap_or_default()
    }

    /// What this run wrote to both outputs.
    pub(super) fn said(&self) -> String {
        let stderr = fs::read_to_string(self.output("err")).unwrap_or_default();
        format!("{}{stderr}", self.stdout())
    }
}

/// Where the host serves, once it has said all that it says at a start.
fn serving(stdout: &str) -> Option<String> {
    let (_, rest) = stdout.split_once("Countersign serves on ")?;
    let (origin, rest) = rest.split_once('\n')?;
    let (_, sign_in) = rest.split_once("sign in")?;
    sign_in.contains('\n').then(|| origin.to_owned())
}
