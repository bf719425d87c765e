//! What an agent serves on another port of the host's name: a page, and an ear for the cookies that come.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

const PAGE: &str = "<!doctype html><title>Preview</title><p>A harmless preview</p>";

/// A server of one page, which lives as long as the test's process.
pub struct Neighbour {
    address: SocketAddr,
    heard: Arc<Mutex<String>>,
}

impl Neighbour {
    /// On a port of its own.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard = Arc::new(Mutex::new(String::new()));
        let ear = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                    if let Some((name, value)) = line.split_once(": ")
                        && name.eq_ignore_ascii_case("cookie")
                    {
                        value.trim().clone_into(&mut ear.lock().expect("whole"));
                    }
                    line.clear();
                }
                // A browser that has turned away in the meantime has lost nothing.
                let _ = write!(
                    stream.get_mut(),
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PAGE}",
                    PAGE.len()
                );
            }
        });
        Self { address, heard }
    }

    /// `http://address:port`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The newest Cookie header that a browser sent along.
    pub fn cookies(&self) -> String {
        self.heard.lock().expect("whole").clone()
    }
}
