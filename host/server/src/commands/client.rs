//! The host, as a command reaches it: which one, as whom, and what its answers mean.

mod meaning;
mod origin;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_core::time::{Clock as _, SystemClock};
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Url};
use serde::de::DeserializeOwned;

use self::meaning::not_signed_in;
use self::origin::{is_here, token_in};
pub use self::origin::{origin, shown};
use super::answers::Refused;
use super::failure::{Exit, Failure};
use super::session::Session;
use super::terminal::{self, Plain};
use crate::cli::Access;
use crate::config::{Config, Flags, Hidden, token_of_environment};
use crate::routes::policy_signature::POLICY_SIGNATURE;

/// A connection is made within this, or the host is not there.
const CONNECT: Duration = Duration::from_secs(10);
/// A host answers within 65 seconds; a long poll takes 55 of them.
const ANSWER: Duration = Duration::from_secs(90);
/// The longest answer that is read: a page of the audit log is a few hundred kilobytes.
const MAX_ANSWER: usize = 16 << 20;

/// As whom a command acts.
pub enum Credential {
    /// As nobody.
    Nobody,
    /// As the person who signed in.
    Session(Session),
    /// As a program.
    Bearer(Hidden),
}

/// A host, and who asks it.
pub struct Client {
    http: reqwest::Client,
    origin: Url,
    credential: Credential,
}

/// A request, as it can be repeated.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// A body, and what it is.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// The approval that is to be used.
    pub approval: Option<String>,
    /// The signature of the component in the body.
    pub signature: Option<String>,
}

impl Request {
    /// Of what changes nothing.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, None)
    }

    /// Of what brings a component, and perhaps its signature.
    pub fn component(
        path: impl Into<String>,
        component: Vec<u8>,
        signature: Option<Vec<u8>>,
    ) -> Self {
        Self {
            signature: signature.map(|text| STANDARD.encode(text)),
            body: Some(("application/wasm", component)),
            ..Self::new(Method::PUT, path, None)
        }
    }

    /// Of what does.
    pub fn new(method: Method, path: impl Into<String>, body: Option<serde_json::Value>) -> Self {
        Self {
            method,
            path: path.into(),
            body: body.map(|body| ("application/json", body.to_string().into_bytes())),
            approval: None,
            signature: None,
        }
    }
}

/// What a host answered.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, if it is text.
    pub body: String,
}

impl Client {
    /// The host and the caller that the command line, the environment and `login` name.
    pub fn new(access: &Access, flags: Flags) -> Result<Self, Failure> {
        let bearer = match &access.token_file {
            Some(file) => Some(token_in(file)?),
            None => token_of_environment().map_err(Failure::usage)?,
        };
        let named = access.url.as_deref().filter(|url| !url.is_empty());
        let named = named.map(origin).transpose()?;
        let credential = match bearer {
            Some(bearer) => Credential::Bearer(bearer),
            None => match Session::load()? {
                Some(session) => Credential::Session(session.alive(SystemClock.now())?),
                None => Credential::Nobody,
            },
        };
        let origin = match (named, &credential) {
            (Some(named), Credential::Session(session)) if named != origin(&session.url)? => {
                return Err(Failure::new(
                    Exit::NotSignedIn,
                    format!(
                        "you are signed in at {}, and that session is sent nowhere else: sign in at {} by `countersign login`",
                        Plain::new(&session.url),
                        shown(&named)
                    ),
                ));
            }
            (Some(named), _) => named,
            (None, Credential::Session(session)) => origin(&session.url)?,
            (None, Credential::Bearer(_)) => match Session::load() {
                Ok(Some(session)) => origin(&session.url)?,
                _ => configured(flags)?,
            },
            (None, Credential::Nobody) => {
                return Err(not_signed_in("you are not signed in"));
            }
        };
        Self::at(origin, credential)
    }

    /// A client of the host at `origin`.
    pub fn at(origin: Url, credential: Credential) -> Result<Self, Failure> {
        let mut http = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
        if origin.scheme() == "http" {
            // A proxy would read what is not encrypted.
            http = http.no_proxy();
            if !is_here(&origin) {
                terminal::tell(&format!(
                    "warning: {} is not encrypted: whoever is on the way reads what you send, credentials included",
                    shown(&origin)
                ));
            }
        }
        let http = http
            .build()
            .map_err(|error| Failure::failed(format!("cannot make an HTTP client: {error}")))?;
        Ok(Self {
            http,
            origin,
            credential,
        })
    }

    /// The host's origin, for people.
    pub fn origin(&self) -> String {
        shown(&self.origin)
    }

    /// Asks; any answer is one.
    pub async fn ask(&self, request: &Request) -> Result<Answer, Failure> {
        let (status, headers, body) = self.raw(request, MAX_ANSWER).await?;
        Ok(Answer {
            status,
            headers,
            body: String::from_utf8(body)
                .map_err(|_| self.not_understood("its answer is not text"))?,
        })
    }

    /// Asks for bytes, of which there may be so many; or what the host says in their place.
    pub async fn fetch(
        &self,
        request: &Request,
        most: usize,
    ) -> Result<Result<Vec<u8>, Answer>, Failure> {
        let (status, headers, body) = self.raw(request, most).await?;
        if status == 200 {
            return Ok(Ok(body));
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Err(Answer {
            status,
            headers,
            body,
        }))
    }

    async fn raw(
        &self,
        request: &Request,
        most: usize,
    ) -> Result<(u16, HeaderMap, Vec<u8>), Failure> {
        let url = self
            .origin
            .join(&request.path)
            .map_err(|_| Failure::usage(format!("`{}` is no path", Plain::new(&request.path))))?;
        let mut asked = self
            .http
            .request(request.method.clone(), url)
            .headers(self.evidence(&request.method)?);
        if let Some(approval) = &request.approval {
            asked = asked.header("approval-id", approval);
        }
        if let Some(signature) = &request.signature {
            asked = asked.header(POLICY_SIGNATURE, signature);
        }
        if let Some((kind, body)) = &request.body {
            asked = asked.header("content-type", *kind).body(body.clone());
        }
        let mut response = asked
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let mut body = Vec::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| self.unreachable(&error))?
        {
            if body.len() + piece.len() > most {
                return Err(self.not_understood("its answer is too long"));
            }
            body.extend_from_slice(&piece);
        }
        let status = response.status().as_u16();
        Ok((status, response.headers().clone(), body))
    }

    /// Asks for what is there or is done at once: anything but 200 or 201 is a failure, which is printed as
    /// it came where JSON is wanted.
    pub async fn get(&self, request: &Request, is_json: bool) -> Result<Answer, Failure> {
        let answer = self.ask(request).await?;
        match answer.status {
            200 | 201 => Ok(answer),
            _ if is_json && answer.is_json() => {
                answer.print()?;
                Err(self.failure(&answer))
            }
            _ => Err(self.failure(&answer)),
        }
    }

    /// The answer, parsed.
    pub fn parse<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        serde_json::from_str(&answer.body).map_err(|error| {
            // A wrong value would be quoted, and could be a secret.
            let place = format!("line {}, column {}", error.line(), error.column());
            self.not_understood(&format!(
                "its answer is not what this version expects, at {place}"
            ))
        })
    }

    /// A part of an answer, parsed.
    pub fn parse_value<T: DeserializeOwned>(&self, value: serde_json::Value) -> Result<T, Failure> {
        serde_json::from_value(value)
            .map_err(|_| self.not_understood("its answer is not what this version expects"))
    }

    /// What says who asks. `Sec-Fetch-Site` is what the host demands of whoever acts on a session: that
    /// no other site makes them, as none can make a program.
    fn evidence(&self, method: &Method) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        match &self.credential {
            Credential::Nobody => {}
            Credential::Bearer(bearer) => {
                headers.insert(
                    AUTHORIZATION,
                    hidden(&format!("Bearer {}", bearer.reveal()))?,
                );
            }
            Credential::Session(session) => {
                headers.insert(COOKIE, hidden(session.cookie.reveal())?);
                if *method != Method::GET {
                    headers.insert("x-countersign-proof", hidden(session.proof.reveal())?);
                }
            }
        }
        Ok(headers)
    }
}

impl Answer {
    /// A header, fit for a terminal.
    pub fn header(&self, name: &str) -> Option<Plain> {
        let value = self.headers.get(name)?.to_str().ok()?;
        Some(Plain::new(value))
    }

    /// Whether it is a refusal with this code.
    pub fn is_refused_as(&self, code: &str) -> bool {
        serde_json::from_str::<Refused>(&self.body)
            .is_ok_and(|refused| refused.code.as_str() == code)
    }

    /// Whether it is JSON.
    pub fn is_json(&self) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(&self.body).is_ok()
    }

    /// Prints the JSON as it came.
    pub fn print(&self) -> Result<(), Failure> {
        let json = terminal::plain_json(self.body.trim_end());
        terminal::write(format!("{json}\n").as_bytes())
    }
}

fn hidden(value: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Failure::usage("the credential has characters that none has: see where it comes from")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn configured(flags: Flags) -> Result<Url, Failure> {
    let config = Config::load(flags).map_err(|error| Failure::usage(error.to_string()))?;
    origin(&config.origin())
}
