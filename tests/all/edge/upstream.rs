//! A control plane that a test holds in its hand: it keeps every byte that it was sent, and answers with
//! bytes, whatever they are.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request, as it was sent.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The line and the headers.
    pub head: String,
    /// The body, without its framing.
    pub body: Vec<u8>,
}

impl Heard {
    /// Method and target.
    pub fn line(&self) -> &str {
        let line = self.head.lines().next().unwrap_or_default();
        line.trim_end_matches(" HTTP/1.1")
    }

    /// All values of a header, with commas between them.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect();
        (!values.is_empty()).then(|| values.join(","))
    }
}

/// One that lives as long as the test's process.
pub struct Upstream {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

type Answer = dyn Fn(&Heard) -> Option<Vec<u8>> + Send + Sync;

impl Upstream {
    /// One that answers what `answer` makes of a request. `None`: never.
    pub fn start(answer: impl Fn(&Heard) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard = Arc::default();
        let (ear, answer): (Arc<Mutex<Vec<Heard>>>, Arc<Answer>) =
            (Arc::clone(&heard), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (ear, answer) = (Arc::clone(&ear), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &ear, &*answer));
            }
        });
        Self { address, heard }
    }

    /// One that answers every request alike.
    pub fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |_| Some(bytes.clone()))
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("whole").clone()
    }

    /// The one thing that it was asked.
    pub fn only(&self) -> Heard {
        let heard = self.heard();
        let [only] = &heard[..] else {
            panic!("not one request: {heard:?}")
        };
        only.clone()
    }

    /// Forgets what it was asked.
    pub fn forget(&self) {
        self.heard.lock().expect("whole").clear();
    }
}

/// An answer.
pub fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A good one.
pub fn ok(headers: &str, body: &str) -> Vec<u8> {
    answer("200 OK", headers, body)
}

/// Requests, one after the other: what is smuggled in behind one is heard as another.
fn serve(stream: TcpStream, ear: &Mutex<Vec<Heard>>, answer: &Answer) {
    let mut stream = BufReader::new(stream);
    while let Some(heard) = read(&mut stream) {
        let answer = answer(&heard);
        ear.lock().expect("whole").push(heard);
        match answer {
            Some(bytes) => {
                let closes = ends_with_it(&bytes);
                if stream.get_mut().write_all(&bytes).is_err() || closes {
                    return;
                }
            }
            // Until the other side goes.
            None => {
                let _ = stream.read_to_end(&mut Vec::new());
                return;
            }
        }
    }
}

/// Whether an answer says that the connection ends, or leaves no other way to see its own end.
fn ends_with_it(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let has_length = ["content-length", "transfer-encoding"]
        .iter()
        .any(|name| text.contains(name));
    text.contains("connection: close") || !has_length
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Heard> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut heard = Heard {
        head,
        body: Vec::new(),
    };
    let length = heard
        .header("content-length")
        .and_then(|length| length.parse().ok());
    if let Some(length) = length {
        heard.body = vec![0; length];
        stream.read_exact(&mut heard.body).ok()?;
    } else if heard.header("transfer-encoding").is_some() {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut piece = vec![0; size + 2];
            stream.read_exact(&mut piece).ok()?;
            if size == 0 {
                break;
            }
            heard.body.extend_from_slice(&piece[..size]);
        }
    }
    Some(heard)
}
