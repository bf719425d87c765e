//! A small control plane: the outside service that knows whose session a cookie is.
//!
//! `GET /cp/auth/tenant-member?slug=…` is the one route that a host knows of. The others are for the test
//! that started it: `POST /sessions` and `/sessions/end`, `/mode`, `/calls`, which lists what was
//! asked, and `/most`, which says how much of it at one time. It says where it listens in one line on standard output, and ends when standard input does.
//!
//! HTTP is written by hand, because half of what it is for is to speak it badly: one request for each
//! connection, with `Content-Length` or without a body.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What it knows.
#[derive(Debug, Default)]
struct State {
    /// Users by the Cookie header of their sessions.
    sessions: HashMap<String, String>,
    mode: String,
    calls: Vec<Value>,
    /// Questions that are not answered yet, and the most that there ever were.
    open: usize,
    most: usize,
}

type Shared = Arc<Mutex<State>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    #[expect(
        clippy::print_stdout,
        reason = "this is how the test learns the address"
    )]
    {
        println!("http://{}", listener.local_addr()?);
    }
    let shared = Shared::default();
    let mut connections = JoinSet::new();
    std::thread::spawn(|| {
        // The test says nothing; what ends its standard input is its own end, however that came.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0)
    });
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A request, as far as it matters here.
struct Request {
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

/// One request, one answer. Whoever hangs up has heard enough.
async fn serve(stream: TcpStream, shared: Shared) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let request = read(&mut stream).await?;
    let answer = match request.target.split_once('?') {
        Some(("/cp/auth/tenant-member", query)) => {
            let answer = membership(&request, query, &shared).await;
            lock(&shared).open -= 1;
            answer
        }
        _ => told(&request, &mut lock(&shared)),
    };
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request {
        target,
        headers,
        body: String::new(),
    };
    let mut body = vec![0; request.header("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Ok(request)
}

/// What the test wants.
fn told(request: &Request, state: &mut State) -> String {
    let body = &request.body;
    match request.target.as_str() {
        "/sessions" => {
            let session: Value = serde_json::from_str(body).unwrap_or_default();
            let text = |name: &str| session[name].as_str().unwrap_or_default().to_owned();
            state.sessions.insert(text("cookie"), text("user"));
        }
        "/sessions/end" => {
            state.sessions.remove(body);
        }
        "/mode" => state.mode.clone_from(body),
        "/most" => return ok(&state.most.to_string()),
        "/calls" => return ok(&Value::from(state.calls.clone()).to_string()),
        _ => return answer("404 Not Found", "", "there is nothing here"),
    }
    ok("{}")
}

/// What the host wants to know.
async fn membership(request: &Request, query: &str, shared: &Shared) -> String {
    let cookie = request.header("cookie");
    let (mode, user) = {
        let mut state = lock(shared);
        state.open += 1;
        state.most = state.most.max(state.open);
        let headers: Vec<&str> = request
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        state.calls.push(json!({
            "cookie": cookie,
            "slug": query.trim_start_matches("slug="),
            "headers": headers,
        }));
        (state.mode.clone(), state.sessions.get(cookie).cloned())
    };
    let member = |user: &str| json!({ "member": true, "user_id": user }).to_string();
    let agreed = match user {
        Some(user) => ok(&member(&user)),
        None => answer("401 Unauthorized", "", r#"{"error":"no session"}"#),
    };
    match mode.as_str() {
        "Tardy" => tokio::time::sleep(Duration::from_secs(1)).await,
        "Slow" => tokio::time::sleep(Duration::from_secs(5)).await,
        "Never" => std::future::pending().await,
        "Html" => return ok("<!doctype html><title>Sign in</title>"),
        "Failing" => return answer("500 Internal Server Error", "", &member("ann")),
        // The query is another one, so that whoever follows is told yes.
        "Redirect" if !query.ends_with("followed") => {
            let location = "Location: /cp/auth/tenant-member?slug=followed\r\n";
            return answer("302 Found", location, &member("ann"));
        }
        "Redirect" => return ok(&member("ann")),
        "Huge" => {
            let padding = "x".repeat(1 << 20);
            let huge = json!({ "member": true, "user_id": "ann", "padding": padding });
            return ok(&huge.to_string());
        }
        "Torn" => return ok(&member("ann")).replace("Length: ", "Length: 9"),
        "Nameless" => return ok(&member("")),
        "Forged" => return ok(&member("ann\nroot")),
        "Stranger" => return ok(r#"{"member":false,"user_id":"ann"}"#),
        _ => {}
    }
    agreed
}

fn ok(body: &str) -> String {
    answer("200 OK", "", body)
}

fn answer(status: &str, header: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, State> {
    shared
        .lock()
        .expect("INVARIANT: nothing panics while it holds the state")
}
