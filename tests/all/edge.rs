//! The edge of the host: where requests come from, how many, which pages may ask, which tenant is meant, and
//! what goes through to the control plane.

mod addresses;
mod answers;
mod cors;
mod cross_site;
mod forwarded;
mod made_up;
mod rates;
mod smuggling;
mod tenant;
pub mod upstream;

use countersign_tests::Host;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Sends a request of `head` lines, as they are, and returns the status and all that came back.
async fn raw(host: &Host, line: &str, headers: &str) -> (u16, String) {
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
        host.authority()
    );
    let said = sent(host, request.as_bytes()).await;
    let status = said
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.unwrap_or(0), said)
}

/// Sends bytes, and returns all that comes back until the host ends the connection.
async fn sent(host: &Host, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(host.authority())
        .await
        .expect("it listens");
    // The host may have refused before it read all of it.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}
