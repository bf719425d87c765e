//! Connections: those that only hold a seat do not lock others out, and those that are used work on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use countersign_tests::Host;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::stage::{ADMIN_TOKEN, Stage, denying_addresses_that_end_in_2, tokens};

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const THERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// What the host answers at once comes within this, on a machine with much else to do.
const SOON: Duration = Duration::from_secs(20);

/// A connection to `host` from an address of loopback.
async fn connect(host: &Host, from: Ipv4Addr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind(SocketAddr::new(IpAddr::V4(from), 0))
        .expect("an address of loopback");
    let to = host.authority().parse().expect("an address");
    timeout(SOON, socket.connect(to))
        .await
        .expect("the host accepts connections")
        .expect("the host accepts connections")
}

/// The next answer on `stream`. Empty: the host closed it without one.
async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = async {
        loop {
            let text = String::from_utf8_lossy(&answer).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |length| length.parse().expect("a number"));
                if body.len() >= length {
                    return text;
                }
            }
            match stream.read_buf(&mut answer).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return text,
            }
        }
    };
    timeout(SOON, reading).await.expect("an answer or an end")
}

/// Sends a request with `headers` on `stream`, and reads its answer.
async fn exchange(host: &Host, stream: &mut TcpStream, line: &str, headers: &str) -> String {
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n",
        host.authority()
    );
    // The host may have refused before it read all of it.
    let _ = stream.write_all(request.as_bytes()).await;
    answer(stream).await
}

/// Waits until the host ends `stream`, and says what it sent before.
async fn end(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut rest))
        .await
        .expect("the host ends the connection");
    rest
}

/// Starts many connections, each with half a head on it.
async fn half_open(host: &Host, count: usize) -> Vec<TcpStream> {
    // This process needs a descriptor for each, too.
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("the limit of descriptors can be raised");
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = connect(host, HERE).await;
        let half = format!("GET /health HTTP/1.1\r\nHost: {}\r\n", host.authority());
        // Most of these are refused.
        let _ = stream.write_all(half.as_bytes()).await;
        streams.push(stream);
    }
    streams
}

#[tokio::test]
async fn a_thousand_connections_that_ask_nothing_lock_nobody_out() {
    let stage = Stage::set().await;
    let host = &stage.host;
    let cookie = stage.control_plane.sign_in("ann").await;
    let mut idle = half_open(host, 1100).await;

    let mut refused = connect(host, HERE).await;
    let said = answer(&mut refused).await;
    assert!(said.starts_with("HTTP/1.1 503 "), "{said}");
    assert!(said.contains("retry-after: 5\r\n"), "{said}");
    assert!(said.contains(r#""code":"too_many_connections""#), "{said}");

    // From another address there are seats, and all that a deed needs.
    let mut other = connect(host, THERE).await;
    let health = exchange(host, &mut other, "GET /health", "").await;
    assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
    let headers = format!(
        "Cookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    let request = format!(
        "POST /org/tokens HTTP/1.1\r\nHost: {}\r\n{headers}",
        host.authority()
    );
    other
        .write_all(request.as_bytes())
        .await
        .expect("it is open");
    let minted = answer(&mut other).await;
    assert!(minted.starts_with("HTTP/1.1 200 "), "{minted}");

    // In a while those who ask nothing have lost their seats.
    for stream in &mut idle {
        end(stream).await;
    }
    assert_eq!(tokens(&host.session(&cookie)).await.len(), 1);
    let refusals = host.said().matches("no seat").count();
    assert!((1..=5).contains(&refusals), "{}", host.said());
}

#[tokio::test]
async fn half_a_head_is_cut_after_ten_seconds_and_so_is_who_idles() {
    let host = Host::start(ADMIN_TOKEN).await;
    let mut half = connect(&host, HERE).await;
    let mut idle = connect(&host, HERE).await;
    let health = exchange(&host, &mut idle, "GET /health", "").await;
    assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
    let mut silent = connect(&host, HERE).await;
    half.write_all(b"GET /health HTTP/1.1\r\nHost: ")
        .await
        .expect("it is open");
    let began = Instant::now();
    let ends = tokio::join!(end(&mut half), end(&mut idle), end(&mut silent));
    assert_eq!(ends, (Vec::new(), Vec::new(), Vec::new()));
    let after = began.elapsed();
    let bounds = Duration::from_secs(8)..Duration::from_secs(18);
    assert!(bounds.contains(&after), "after {after:?}");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_told_so() {
    let host = Host::start(ADMIN_TOKEN).await;
    for (length, status) in [(16, "401"), (400, "431"), (2000, "431")] {
        let cookie = format!("Cookie: a={}\r\n", "x".repeat(length * 1024));
        let mut stream = connect(&host, HERE).await;
        let said = exchange(&host, &mut stream, "GET /org/tokens", &cookie).await;
        assert!(
            said.starts_with(&format!("HTTP/1.1 {status} ")),
            "{length} KiB: {said}"
        );
    }
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let host = Host::start(ADMIN_TOKEN).await;
    let mut stream = connect(&host, HERE).await;
    for _ in 0..20 {
        let health = exchange(&host, &mut stream, "GET /health", "").await;
        assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
        let bearer = format!("Authorization: Bearer {ADMIN_TOKEN}\r\n");
        let listed = exchange(&host, &mut stream, "GET /org/tokens", &bearer).await;
        assert!(listed.starts_with("HTTP/1.1 200 "), "{listed}");
    }
    let last = exchange(&host, &mut stream, "GET /health", "Connection: close\r\n").await;
    assert!(last.starts_with("HTTP/1.1 200 "), "{last}");
    assert_eq!(end(&mut stream).await, b"");
}

#[tokio::test]
async fn stopping_cuts_a_long_poll_and_half_a_head_and_ends_well() {
    let stage = Stage::set().await;
    let agent = stage.agent();
    let id = agent.post("/org/tokens", json!({})).await.approval();
    let host = &stage.host;
    let mut poll = connect(host, HERE).await;
    let request = format!(
        "GET /approvals/{id}?wait=50 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\r\n",
        host.authority()
    );
    poll.write_all(request.as_bytes())
        .await
        .expect("it is open");
    let mut half = connect(host, HERE).await;
    half.write_all(b"GET /").await.expect("it is open");
    // A round trip behind them, so that they are with the host.
    host.anonymous().get("/health").await.expect(200);

    let began = Instant::now();
    stage.host.stop().await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(3), "it took {took:?}");
    assert_eq!(end(&mut poll).await, b"");
    assert_eq!(end(&mut half).await, b"");
}

#[tokio::test]
async fn the_host_raises_its_limit_of_descriptors() {
    let host = Host::start(ADMIN_TOKEN).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", host.process_id()))
        .expect("the process has limits");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .expect("one of open files");
    let numbers: Vec<u64> = line.split_whitespace().flat_map(str::parse).collect();
    assert!(numbers[0] >= numbers[1].min(8192), "{line}");
}

#[tokio::test]
async fn a_policy_is_told_the_address_that_a_request_came_from() {
    let host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .policy("baseline.wasm", denying_addresses_that_end_in_2())
        .start()
        .await;
    for (from, status) in [(HERE, "200"), (THERE, "403"), (HERE, "200")] {
        let mut stream = connect(&host, from).await;
        let bearer = format!("Authorization: Bearer {ADMIN_TOKEN}\r\n");
        let said = exchange(&host, &mut stream, "GET /org/tokens", &bearer).await;
        assert!(
            said.starts_with(&format!("HTTP/1.1 {status} ")),
            "{from}: {said}"
        );
    }
}
