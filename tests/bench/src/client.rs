//! A load of one request, repeated on many connections at once by one thread.
//!
//! It is written by hand, because on two cores what the client takes the server lacks: the request is
//! rendered once, and of an answer only its status and its length are read.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use crate::timing::thread_time;

/// An answer that takes longer is a breakdown and not a figure.
const ANSWER: Duration = Duration::from_secs(30);
/// The longest answer; none of the host's here has a twentieth of it.
const MAX_ANSWER: usize = 64 * 1024;

/// Where a body differs from one connection to the next.
pub const CONNECTION: &str = "{connection}";

/// One request, and how it must be answered.
#[derive(Clone, Debug)]
pub struct Shot {
    /// The method and the path.
    pub line: String,
    /// Headers beside `Host` and those of the body.
    pub headers: Vec<(String, String)>,
    /// JSON, or nothing. Each connection puts its number where [`CONNECTION`] is.
    pub body: String,
    /// The status of each answer. Another one ends the load: what is refused costs less.
    pub status: u16,
}

/// What a round of load found.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// How long each answer took, in microseconds, in no order.
    pub latencies_us: Vec<u32>,
    /// How long the round was.
    pub wall: Duration,
    /// How much of it the client had a processor.
    pub client: Duration,
}

impl Round {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.latencies_us.len() as f64 / self.wall.as_secs_f64()
    }
}

/// Repeats `shot` for `length` on so many connections that are kept, each with one request at a time.
/// Called on a thread of its own.
pub fn fire(
    to: SocketAddr,
    shot: &Shot,
    connections: usize,
    length: Duration,
) -> anyhow::Result<Round> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let status = shot.status;
    LocalSet::new().block_on(&runtime, async {
        let mut streams = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(to).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let (start, on_processor) = (Instant::now(), thread_time());
        let mut tasks = JoinSet::new();
        for (connection, stream) in streams.into_iter().enumerate() {
            let request = render(to, shot, connection);
            tasks.spawn_local(repeat(stream, request, status, start + length));
        }
        let mut round = Round::default();
        while let Some(latencies) = tasks.join_next().await {
            round.latencies_us.extend(latencies??);
        }
        round.wall = start.elapsed();
        round.client = thread_time() - on_processor;
        Ok(round)
    })
}

fn render(to: SocketAddr, shot: &Shot, connection: usize) -> Vec<u8> {
    let body = shot.body.replace(CONNECTION, &connection.to_string());
    let mut request = format!("{} HTTP/1.1\r\nhost: {to}\r\n", shot.line);
    for (name, value) in &shot.headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        let length = body.len();
        request.push_str(&format!(
            "content-type: application/json\r\ncontent-length: {length}\r\n"
        ));
    }
    request.push_str("\r\n");
    request.push_str(&body);
    request.into_bytes()
}

async fn repeat(
    mut stream: TcpStream,
    request: Vec<u8>,
    status: u16,
    end: Instant,
) -> anyhow::Result<Vec<u32>> {
    let mut latencies = Vec::new();
    let mut buffer = Vec::with_capacity(MAX_ANSWER);
    loop {
        let start = Instant::now();
        if start >= end {
            return Ok(latencies);
        }
        stream.write_all(&request).await?;
        let answered = tokio::time::timeout(ANSWER, answer(&mut stream, &mut buffer));
        let found = answered.await.context("no answer in time")??;
        ensure!(
            found == status,
            "answered {found} and not {status}: {}",
            String::from_utf8_lossy(&buffer)
        );
        latencies.push(u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
}

/// Reads one answer into `buffer`, and gives its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<u16> {
    buffer.clear();
    let mut whole = None;
    while whole.is_none_or(|whole| buffer.len() < whole) {
        ensure!(buffer.len() < MAX_ANSWER, "the answer is too long");
        ensure!(
            stream.read_buf(buffer).await? > 0,
            "the connection was closed"
        );
        if whole.is_none()
            && let Some(head) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n")
        {
            whole = Some(head + 4 + content_length(&buffer[..head])?);
        }
    }
    let status = buffer.get(9..12).context("no status")?;
    Ok(std::str::from_utf8(status)?.parse()?)
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            continue;
        };
        if name.eq_ignore_ascii_case(b"content-length") {
            return Ok(std::str::from_utf8(value)?.trim().parse()?);
        }
    }
    bail!("the answer does not say how long it is")
}
