//! The built binary as somebody types it: a home of its own, and nothing of the test's environment.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use crate::process::built;

/// A command has so long. The longest ones wait for a person, whom the test is as well.
const PATIENCE: Duration = Duration::from_secs(90);

/// Somebody at a command line.
#[derive(Clone, Debug)]
pub struct CommandLine {
    home: Arc<TempDir>,
    environment: Vec<(String, String)>,
}

impl CommandLine {
    /// Somebody who has never typed a command of ours.
    ///
    /// # Panics
    ///
    /// If there is no room for a home.
    pub fn new() -> Self {
        Self {
            home: Arc::new(tempfile::tempdir().expect("a home")),
            environment: Vec::new(),
        }
    }

    /// With a variable in their environment, in place of one of the same name.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Without a variable.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    /// A program with this token, on the same machine, with a home of its own.
    pub fn agent(&self, token: &str) -> Self {
        Self {
            home: Self::new().home,
            ..self.clone()
        }
        .env("COUNTERSIGN_TOKEN", token)
    }

    /// Where the session of `login` is kept.
    pub fn session_file(&self) -> PathBuf {
        self.home.path().join("config/countersign/session.json")
    }

    /// A folder for whatever the test writes.
    pub fn folder(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    /// Types a command, and reads all of its answer.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn run(&self, arguments: &[&str]) -> Said {
        self.start(arguments).end().await
    }

    /// The same, with something on standard input.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        self.begin(built("countersign"), arguments, Some(input))
            .end()
            .await
    }

    /// Types a command at a terminal, and `input` when it reads. What it says comes back as one.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn run_at_terminal(&self, arguments: &[&str], input: &str) -> Said {
        let words: Vec<String> = arguments
            .iter()
            .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
            .collect();
        let line = format!("{} {}", built("countersign").display(), words.join(" "));
        // Of util-linux, which every Debian has: it runs a command on a terminal of its own.
        let typed = ["--quiet", "--return", "--command", &line, "/dev/null"];
        self.begin("/usr/bin/script".into(), &typed, Some(input))
            .end()
            .await
    }

    /// Types a command, which goes on.
    pub fn start(&self, arguments: &[&str]) -> Running {
        self.begin(built("countersign"), arguments, None)
    }

    /// Runs another program as if it were typed.
    ///
    /// # Panics
    ///
    /// If it cannot be run.
    pub fn begin(&self, program: PathBuf, arguments: &[&str], input: Option<&str>) -> Running {
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("XDG_CONFIG_HOME", self.home.path().join("config"))
            .env("SHELL", "/bin/sh")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path())
            .stdin(match input {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program can be run");
        Running {
            child,
            what: arguments.join(" "),
            input: input.map(str::to_owned),
            ear: None,
        }
    }
}

impl Default for CommandLine {
    fn default() -> Self {
        Self::new()
    }
}

/// A command that goes on.
#[derive(Debug)]
pub struct Running {
    child: Child,
    what: String,
    input: Option<String>,
    /// What it tells beside its result, where the test listens to that.
    ear: Option<BufReader<ChildStderr>>,
}

impl Running {
    /// The first line that it tells beside its result.
    ///
    /// # Panics
    ///
    /// If it tells nothing.
    pub async fn first_words(&mut self) -> String {
        let stderr = self.child.stderr.as_mut().expect("it was not read yet");
        let mut line = String::new();
        timeout(PATIENCE, BufReader::new(stderr).read_line(&mut line))
            .await
            .unwrap_or_else(|_| panic!("`{}` says nothing", self.what))
            .expect("it can be read");
        line
    }

    /// Waits until it tells a line with `words` in it, beside its result.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn hears(&mut self, words: &str) {
        let stderr = self.child.stderr.take().map(BufReader::new);
        self.ear = self.ear.take().or(stderr);
        let ear = self.ear.as_mut().expect("it listens");
        let mut told = String::new();
        let hear = async {
            while !told.contains(words) {
                let read = ear.read_line(&mut told).await.expect("it can be read");
                assert!(read > 0, "it has ended");
            }
        };
        let heard = timeout(PATIENCE, hear).await;
        assert!(
            heard.is_ok(),
            "`{}` does not say `{words}`: {told}",
            self.what
        );
    }

    /// Ends it, as Ctrl-C does.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub async fn stop(self) -> Said {
        let id = self.child.id().expect("it goes on");
        let id = rustix::process::Pid::from_raw(id.cast_signed()).expect("a process");
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it goes on");
        self.end().await
    }

    /// Its process.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn process_id(&self) -> u32 {
        self.child.id().expect("it goes on")
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn end(self) -> Said {
        self.end_within(PATIENCE).await
    }

    /// Waits for the end of one that takes longer than others.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn end_within(mut self, patience: Duration) -> Said {
        if let (Some(mut stdin), Some(input)) = (self.child.stdin.take(), self.input) {
            // A command that does not read it has ended, and says so.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let ended = timeout(patience, self.child.wait_with_output());
        let output = ended
            .await
            .unwrap_or_else(|_| panic!("`{}` does not end", self.what))
            .expect("a child can be waited for");
        Said {
            what: self.what,
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// What a command said.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its result.
    pub out: String,
    /// What it told beside that.
    pub err: String,
    what: String,
}

impl Said {
    /// The same, of which the exit code is certain.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        assert!(!self.err.contains("panicked"), "{self}");
        self
    }

    /// The same, of which it is certain that it says each of `words`, somewhere.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        // A terminal breaks lines anywhere between words.
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let all = flat(&format!("{} {}", self.out, self.err));
        for word in words {
            assert!(all.contains(word), "`{word}` is not in: {self}");
        }
        self
    }

    /// The same, of which it is certain that it says nothing of `words`.
    #[track_caller]
    pub fn hides(self, words: &[&str]) -> Self {
        for word in words {
            assert!(!self.out.contains(word), "`{word}` is in: {self}");
            assert!(!self.err.contains(word), "`{word}` is in: {self}");
        }
        self
    }

    /// The result as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in: {self}"))
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` → {:?}\n{}{}",
            self.what, self.code, self.out, self.err
        )
    }
}
