//! An edge: what stands before a host, signs who the person is, and publishes its keys.
//!
//! `rsa.pk8` is a private key of these tests alone, because `ring` makes none of that kind.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

/// What an assertion says that this edge signs.
pub const ISSUER: &str = "https://edge.example";
/// For whom it signs it.
pub const AUDIENCE: &str = "countersign";
/// The header that it puts it into.
pub const HEADER: &str = "x-edge-assertion";

/// A key that signs.
pub struct SigningKey {
    id: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// The RSA key, under the name `id`.
    ///
    /// # Panics
    ///
    /// If the file is none.
    pub fn rsa(id: &str) -> Self {
        let pair = RsaKeyPair::from_pkcs8(include_bytes!("edge/rsa.pk8")).expect("an RSA key");
        Self {
            id: id.to_owned(),
            pair: Pair::Rsa(Box::new(pair)),
        }
    }

    /// A new key on P-256.
    ///
    /// # Panics
    ///
    /// If there is no randomness.
    pub fn p256(id: &str) -> Self {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).expect("a key");
        Self {
            id: id.to_owned(),
            pair: Pair::P256(pair),
        }
    }

    /// A new key on Ed25519.
    ///
    /// # Panics
    ///
    /// If there is no randomness.
    pub fn ed25519(id: &str) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key");
        Self {
            id: id.to_owned(),
            pair: Pair::Ed25519(pair),
        }
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
            Pair::Ed25519(_) => "EdDSA",
        }
    }

    /// Its public half, as it is published.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({
                    "kty": "RSA",
                    "n": encoded(&public.n),
                    "e": encoded(&public.e),
                })
            }
            Pair::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y) })
            }
            Pair::Ed25519(pair) => {
                let x = encoded(pair.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
            }
        };
        jwk["kid"] = self.id.clone().into();
        jwk["alg"] = self.algorithm().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// `claims` under the header that they should have.
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": self.algorithm(), "kid": self.id, "typ": "JWT" });
        self.sign_under(&header, claims)
    }

    /// `claims` under any header.
    pub fn sign_under(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = self.signature(message.as_bytes());
        format!("{message}.{}", encoded(&signature))
    }

    /// Its signature.
    ///
    /// # Panics
    ///
    /// If there is no randomness.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .expect("signed");
                signature
            }
            Pair::P256(pair) => {
                let signature = pair.sign(&random, message).expect("signed");
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// What is signed of a JWT.
pub fn message(header: &Value, claims: &Value) -> String {
    let header = encoded(header.to_string().as_bytes());
    format!("{header}.{}", encoded(claims.to_string().as_bytes()))
}

/// base64url, as JWTs have it.
pub fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// How the edge answers who asks for its keys.
#[derive(Default)]
struct Published {
    /// The status line's end and the body; nothing: it never answers.
    answer: Mutex<Option<(&'static str, String)>>,
    asked: AtomicUsize,
    ended: AtomicBool,
}

/// An edge with a key on P-256. It ends with this value.
pub struct Edge {
    /// The key that it signs with.
    pub key: SigningKey,
    published: Arc<Published>,
    address: SocketAddr,
    server: Option<JoinHandle<()>>,
}

impl Edge {
    /// Starts one that publishes its key, on a port of its own.
    ///
    /// # Panics
    ///
    /// If it cannot.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let published = Arc::new(Published::default());
        let serving = Arc::clone(&published);
        let edge = Self {
            key: SigningKey::p256("first"),
            published,
            address,
            server: Some(std::thread::spawn(move || serve(&listener, &serving))),
        };
        edge.publish(&[edge.key.jwk()]);
        edge
    }

    /// Where its keys are.
    pub fn jwks(&self) -> String {
        format!("http://{}/jwks", self.address)
    }

    /// From now on these are its keys.
    pub fn publish(&self, keys: &[Value]) {
        self.answer("200 OK", &json!({ "keys": keys }).to_string());
    }

    /// From now on it answers so.
    pub fn answer(&self, status: &'static str, body: &str) {
        *self.locked() = Some((status, body.to_owned()));
    }

    /// From now on it does not answer.
    pub fn hang(&self) {
        *self.locked() = None;
    }

    /// How often it was asked for its keys.
    pub fn asked(&self) -> usize {
        self.published.asked.load(Ordering::SeqCst)
    }

    /// What it asserts of `user`, now.
    pub fn assertion(&self, user: &str) -> String {
        self.key.sign(&claims(user))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<(&'static str, String)>> {
        let answer = &self.published.answer;
        answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.published.ended.store(true, Ordering::SeqCst);
        // So that it looks; where it cannot be reached, it has ended.
        let _ = TcpStream::connect(self.address);
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

/// What an assertion of `user` says that was made now, for five minutes.
pub fn claims(user: &str) -> Value {
    let now = now();
    json!({
        "iss": ISSUER, "aud": [AUDIENCE], "sub": user,
        "iat": now, "nbf": now, "exp": now + 300,
    })
}

/// The second that it is.
///
/// # Panics
///
/// Before 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "what the edge's clock says is not the host's business"
)]
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = since.expect("it is after 1970").as_secs();
    i64::try_from(seconds).expect("it is long before the year 292 billion")
}

fn serve(listener: &TcpListener, published: &Published) {
    let mut unanswered = Vec::new();
    for stream in listener.incoming() {
        if published.ended.load(Ordering::SeqCst) {
            return;
        }
        let Ok(mut stream) = stream else { continue };
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
            head.push(byte[0]);
        }
        published.asked.fetch_add(1, Ordering::SeqCst);
        let answer = published.answer.lock();
        match &*answer.unwrap_or_else(PoisonError::into_inner) {
            None => unanswered.push(stream),
            Some((status, body)) => {
                let length = body.len();
                // Whoever hangs up has heard enough.
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
            }
        }
    }
}
