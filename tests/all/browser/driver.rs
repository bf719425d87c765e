//! A browser, driven.
//!
//! WebDriver is JSON over HTTP, of which these tests need a dozen commands: they are here, on the HTTP
//! client that the tests have anyway. A crate for it would bring a second client and a cookie jar.

pub mod hurry;
pub mod keyboard;
pub mod screen;

use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use countersign_tests::until;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Chromium has so long to start, and a page so long to show what it should.
const PATIENCE: Duration = Duration::from_secs(60);

/// A script has so long to answer, in milliseconds: less than the client waits.
const SCRIPT_MS: u64 = 55_000;

/// So often a driver is started that finds no port.
const STARTS: usize = 5;

/// The member that makes a JSON object a reference to an element, as W3C WebDriver names it.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Headless, and silent towards everything but the page.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// One browser with one window, and nothing left of it when it is dropped.
pub struct Browser {
    client: Client,
    driver: Driver,
    session: String,
    version: String,
    // Behind the driver: Chromium writes to it until it ends.
    _profile: TempDir,
}

impl Browser {
    /// Starts one, as if it were never used before.
    pub async fn start() -> Self {
        Self::start_with(json!({})).await
    }

    /// Starts one that runs no script of any page.
    pub async fn without_script() -> Self {
        let off = json!({ "profile.default_content_setting_values.javascript": 2 });
        Self::start_with(off).await
    }

    async fn start_with(preferences: Value) -> Self {
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let mut driver = Driver::start(profile.path());
        // Another test may have installed it, which is as good. Only http is ever spoken here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .expect("a client can be made");
        let mut arguments: Vec<_> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments, "prefs": preferences },
            "goog:loggingPrefs": { "browser": "ALL" },
            // axe-core reads a long page for a while, on a machine that does much else.
            "timeouts": { "script": SCRIPT_MS },
        }}});
        let url = format!("{}/session", driver.origin());
        let begun = ask(&client, Method::POST, &url, wanted)
            .await
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let session = text(&begun["sessionId"]);
        driver.session = Some(session.clone());
        Self {
            client,
            driver,
            session,
            version: text(&begun["capabilities"]["browserVersion"]),
            _profile: profile,
        }
    }

    /// Chromium's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Goes to an address.
    pub async fn open(&self, url: &str) {
        self.must(Method::POST, "/url", json!({ "url": url })).await;
    }

    /// Clicks what `selector` finds, as soon as it is there.
    pub async fn click(&self, selector: &str) {
        self.act(selector, "/click", json!({})).await;
    }

    /// Types into what `selector` finds, as soon as it is there.
    pub async fn write(&self, selector: &str, text: &str) {
        self.act(selector, "/value", json!({ "text": text })).await;
    }

    /// The text that people see in what `selector` finds, as soon as there is some.
    pub async fn text(&self, selector: &str) -> String {
        let what = format!("`{selector}` has a text");
        self.wait(&what, async || {
            let text = self.text_now(selector).await?;
            (!text.is_empty()).then_some(text)
        })
        .await
    }

    /// Waits until people see `words` on the page.
    pub async fn shows(&self, words: &str) {
        let what = format!("the page shows `{words}`");
        self.wait(&what, async || {
            let page = self.text_now("body").await?;
            page.contains(words).then_some(())
        })
        .await;
    }

    /// Waits until the browser is at that path.
    pub async fn is_at(&self, path: &str) {
        let what = format!("the browser is at {path}");
        self.wait(&what, async || {
            let url = self.tell(Method::GET, "/url", Value::Null).await.ok()?;
            url.as_str()?.ends_with(path).then_some(())
        })
        .await;
    }

    /// Whether `selector` finds anything now.
    pub async fn has(&self, selector: &str) -> bool {
        self.find(selector).await.is_some()
    }

    /// All of the page's HTML, as the browser holds it.
    pub async fn source(&self) -> String {
        let source = self.must(Method::GET, "/source", Value::Null).await;
        source.as_str().expect("a text").to_owned()
    }

    /// The cookies that the browser would send to this page.
    pub async fn cookies(&self) -> Vec<Value> {
        let cookies = self.must(Method::GET, "/cookie", Value::Null).await;
        cookies.as_array().expect("a list").clone()
    }

    /// What a script says that runs in the page.
    pub async fn run(&self, script: &str) -> Value {
        let script = json!({ "script": script, "args": [] });
        self.must(Method::POST, "/execute/sync", script).await
    }

    /// What a script hands to the last of its arguments, once it does.
    pub async fn tells(&self, script: &str) -> Value {
        let script = json!({ "script": script, "args": [] });
        self.must(Method::POST, "/execute/async", script).await
    }

    /// A command of Chromium's own, beyond WebDriver.
    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.must(Method::POST, "/goog/cdp/execute", body).await
    }

    /// What the browser had to complain about, the policies that guard the page among it.
    pub async fn complaints(&self) -> Vec<Value> {
        let log = json!({ "type": "browser" });
        let log = self.must(Method::POST, "/se/log", log).await;
        log.as_array().expect("a list").clone()
    }

    /// Does something to an element. One that its page has left in the meantime is looked for again:
    /// nothing was done to it.
    async fn act(&self, selector: &str, command: &str, body: Value) {
        self.wait(&format!("{command} on `{selector}`"), async || {
            let path = format!("/element/{}{command}", self.find(selector).await?);
            self.tell(Method::POST, &path, body.clone()).await.ok()
        })
        .await;
    }

    /// What `look` finds, as soon as it finds something; where it does not, the page says why.
    async fn wait<T>(&self, what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
        match tokio::time::timeout(PATIENCE, until(what, PATIENCE * 2, look)).await {
            Ok(found) => found,
            Err(_) => {
                let page = self.text_now("body").await.unwrap_or_default();
                panic!("waited {PATIENCE:?} in vain: {what}; the page:\n{page}")
            }
        }
    }

    async fn find(&self, selector: &str) -> Option<String> {
        let query = json!({ "using": "css selector", "value": selector });
        let found = self.tell(Method::POST, "/element", query).await.ok()?;
        found[ELEMENT].as_str().map(str::to_owned)
    }

    async fn text_now(&self, selector: &str) -> Option<String> {
        let path = format!("/element/{}/text", self.find(selector).await?);
        let text = self.tell(Method::GET, &path, Value::Null).await.ok()?;
        text.as_str().map(str::to_owned)
    }

    async fn must(&self, method: Method, path: &str, body: Value) -> Value {
        self.tell(method, path, body)
            .await
            .unwrap_or_else(|refusal| panic!("{path}: {refusal}"))
    }

    async fn tell(&self, method: Method, path: &str, body: Value) -> Result<Value, Refusal> {
        let url = format!("{}/session/{}{path}", self.driver.origin(), self.session);
        ask(&self.client, method, &url, body).await
    }
}

/// The driver's own words on why it did not.
struct Refusal(Value);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0["error"], self.0["message"])
    }
}

async fn ask(client: &Client, method: Method, url: &str, body: Value) -> Result<Value, Refusal> {
    let mut request = client.request(method.clone(), url);
    if method == Method::POST {
        let json = "application/json; charset=utf-8";
        request = request.header("content-type", json).body(body.to_string());
    }
    let response = request.send().await.expect("chromedriver answers");
    let is_done = response.status().is_success();
    let answer = response.bytes().await.expect("chromedriver answers");
    let mut answer: Value = serde_json::from_slice(&answer).expect("chromedriver speaks JSON");
    let value = answer["value"].take();
    if is_done {
        Ok(value)
    } else {
        Err(Refusal(value))
    }
}

/// `chromedriver`, on a port that it chose.
struct Driver {
    process: Child,
    port: u16,
    session: Option<String>,
}

impl Driver {
    /// With all that it and the browser leave behind in `folder`. The port that it chooses may be taken by
    /// another the moment after, and then it ends.
    fn start(folder: &Path) -> Self {
        let mut said = String::new();
        for _ in 0..STARTS {
            match Self::try_start(folder) {
                Ok(driver) => return driver,
                Err(why) => said = why,
            }
        }
        panic!("chromedriver ends: {said}")
    }

    /// What it said, where it ended at once.
    fn try_start(folder: &Path) -> Result<Self, String> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "chromedriver cannot be run ({error}): install it \
                     (on Debian: apt-get install chromium chromium-driver)"
                )
            });
        let mut stdout = BufReader::new(process.stdout.take().expect("it has a standard output"));
        let mut said = String::new();
        let port = loop {
            let begin = said.len();
            let read = stdout
                .read_line(&mut said)
                .expect("it says where it listens");
            if read == 0 {
                let _ = process.wait();
                return Err(said);
            }
            if let Some((_, port)) = said[begin..].split_once("started successfully on port ") {
                break port.trim().trim_end_matches('.').parse().expect("a port");
            }
        };
        Ok(Self {
            process,
            port,
            session: None,
        })
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Tells it to end the browser, and waits for its word. Not with the client, which needs a runtime
    /// that may be ending as well.
    fn end(&self, session: &str) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let authority = format!("127.0.0.1:{}", self.port);
        write!(
            stream,
            "DELETE /session/{session} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
        )?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // A browser that has broken down has ended by itself.
        let _ = self.session.take().map(|session| self.end(&session));
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
