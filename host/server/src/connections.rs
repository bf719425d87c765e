//! Connections: who is let in, how slow they may be, and how they end.
//!
//! Nobody has shown a credential yet when all of this is decided, so nothing here may cost the host more
//! than it costs the caller: every connection holds a seat, every wait for the other side has a bound,
//! and the seats are fewer than the file descriptors.

mod patient;

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use self::patient::Patient;

/// A request's head has so long to arrive, counted from the connection's beginning or from the end of
/// the last answer; so this is also how long a connection may idle. A head is one packet or two: whoever
/// needs ten seconds has a broken line, or holds the seat on purpose. A client that idles longer opens a
/// new connection, which on the networks that this host is for takes a millisecond.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// The longest head, in bytes. Browsers send some kilobytes of cookies at most, and common proxies stop
/// at 8 KiB for a line; 32 KiB leaves room for both and keeps all seats together below 20 MiB. What is
/// longer is answered 431.
const MAX_HEAD: usize = 32 * 1024;
/// After the last answer what the client still sends is read and thrown away for so long. To close with
/// bytes unread resets the connection, and the client would lose the answer that says what was wrong.
const LINGER: Duration = Duration::from_secs(1);

/// How many connections there are at most. People and agents of one organisation are some dozens; a
/// long poll holds one seat each. Five hundred leave room for ten times that, and each costs at most two
/// descriptors (its own, and one to the control plane) and some tens of kilobytes.
const MOST_SEATS: usize = 512;
/// With so few seats as descriptors allow at worst, the host still works for a handful of people.
const FEWEST_SEATS: usize = 16;
/// One address holds at most this part of all seats (128 of 512), so that one machine cannot lock out
/// the others. A quarter is still enough for a proxy on the same machine, behind which everybody has one
/// address, and for a machine with a hundred agents that all wait for a person.
const ADDRESS_PART: usize = 4;
/// So many descriptors are not for connections: the database (five connections with three files each),
/// the policy folder and its watcher, the runtime, the outputs, and what is opened for a moment.
const RESERVED_DESCRIPTORS: u64 = 128;
/// The limit of descriptors is raised to this at most: more are never used.
const MOST_DESCRIPTORS: u64 = 8192;

/// After an error of the whole listener (descriptors have run out) so long passes before the next try:
/// long enough not to spin, short enough that nobody notices.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What anybody can cause at will is logged this often at most, with how often it happened.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// What a caller reads for whom there is no seat.
const NO_SEAT: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/json\r\n\
    content-length: 86\r\n\
    retry-after: 5\r\n\
    connection: close\r\n\r\n\
    {\"error\":\"too many connections are open: retry shortly\",\"code\":\"too_many_connections\"}";

/// How many connections fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    seats: usize,
    for_one_address: usize,
}

impl Room {
    /// As many as this process has descriptors for, after its limit is raised as far as it may be.
    pub fn make() -> Self {
        let room = Self::for_descriptors(raise_descriptors());
        if room.seats < MOST_SEATS {
            tracing::warn!(
                connections = room.seats,
                "the limit of file descriptors is low: fewer connections are served (raise `ulimit -n`)"
            );
        }
        room
    }

    fn for_descriptors(descriptors: u64) -> Self {
        let seats = descriptors.saturating_sub(RESERVED_DESCRIPTORS) / 2;
        let seats = usize::try_from(seats)
            .unwrap_or(MOST_SEATS)
            .clamp(FEWEST_SEATS, MOST_SEATS);
        Self {
            seats,
            for_one_address: seats / ADDRESS_PART,
        }
    }
}

/// Raises the limit of descriptors, and says what it is then.
fn raise_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let now = limit.current.unwrap_or(MOST_DESCRIPTORS);
    let aim = limit
        .maximum
        .unwrap_or(MOST_DESCRIPTORS)
        .min(MOST_DESCRIPTORS);
    if now >= aim {
        return now;
    }
    let raised = Rlimit {
        current: Some(aim),
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => aim,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the limit of file descriptors");
            now
        }
    }
}

/// Serves `router` to whoever connects, until `stop`; then nobody new is let in, and this waits for the
/// requests under way. What it waits for goes on if it is dropped.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    room: Room,
    mut stop: watch::Receiver<bool>,
) {
    let seats = Seats::new(room);
    let open = TaskTracker::new();
    let (mut refused, mut failed) = (Rarely::default(), Rarely::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => match seats.take(peer.ip()) {
                Some(seat) => {
                    let attended = attend(stream, peer, router.clone(), stop.clone());
                    open.spawn(async move {
                        attended.await;
                        drop(seat);
                    });
                }
                None => {
                    refuse(stream);
                    if let Some(times) = refused.now() {
                        tracing::warn!(times, latest = %peer.ip(), "no seat: connections refused");
                    }
                }
            },
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if let Some(times) = failed.now() {
                    tracing::error!(times, %error, "cannot accept connections");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

/// Serves one connection to its end.
async fn attend(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Patient::new(stream)), service);
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        _ = stop.wait_for(|stop| *stop) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    match ended {
        // Nothing was answered that could get lost.
        Err(error) if error.is_timeout() => return,
        Err(error) => tracing::debug!(%error, "a connection broke off"),
        Ok(()) => {}
    }
    let stream = connection.into_parts().io.into_inner().into_stream();
    tokio::select! {
        () = linger(stream) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// Lets the client read the last answer before the connection is gone.
async fn linger(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut ignored = [0; 4096];
    let drain = async { while let Ok(1..) = stream.read(&mut ignored).await {} };
    let _ = tokio::time::timeout(LINGER, drain).await;
}

/// Says in one write, without waiting, that there is no seat.
fn refuse(stream: TcpStream) {
    // Through the runtime it would not write before the runtime has seen that the socket is writable.
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(NO_SEAT);
    }
}

/// Whether an error of `accept` is about the connection that was to be accepted, which is gone.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// The seats, and who holds them.
#[derive(Clone, Debug)]
struct Seats {
    room: Room,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Seats {
    fn new(room: Room) -> Self {
        Self {
            room,
            held: Arc::default(),
        }
    }

    /// A seat, if there is one for `address`.
    ///
    /// The fewer seats are free, the fewer one address gets: at most as many as it leaves to others. So
    /// four addresses cannot take everything, only some ten together can, and each must come back for
    /// its seats every [`HEAD_PATIENCE`]. Against more than that only a proxy or a firewall helps.
    fn take(&self, address: IpAddr) -> Option<Seat> {
        let address = neighbourhood(address);
        let mut held = self.held();
        let free = self.room.seats.saturating_sub(held.values().sum());
        let most = self.room.for_one_address.min(free.div_ceil(2));
        let of_address = held.get(&address).copied().unwrap_or(0);
        if of_address >= most {
            return None;
        }
        held.insert(address, of_address + 1);
        Some(Seat {
            seats: self.clone(),
            address,
        })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A seat, free again when this is dropped.
#[derive(Debug)]
struct Seat {
    seats: Seats,
    address: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = self.seats.held();
        if let Some(count) = held.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.address);
            }
        }
    }
}

/// What counts as one address. Who has an IPv6 address has the 2^64 around it as well.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

/// Counts what happens, and says when it is time to log it.
#[derive(Debug, Default)]
struct Rarely {
    times: u64,
    logged: Option<Instant>,
}

impl Rarely {
    /// It happened. How often since it was last logged, if it is to be logged now.
    fn now(&mut self) -> Option<u64> {
        self.times += 1;
        if self.logged.is_some_and(|at| at.elapsed() < LOG_EVERY) {
            return None;
        }
        self.logged = Some(Instant::now());
        Some(std::mem::take(&mut self.times))
    }
}

#[cfg(test)]
#[path = "connections/tests.rs"]
mod tests;
