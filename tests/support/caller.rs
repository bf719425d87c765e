//! A caller is a value: what it sends along with every request is its identity.

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;

use crate::{Host, Stream};

/// Somebody who calls the host.
#[derive(Clone, Debug)]
pub struct Caller {
    client: Client,
    origin: String,
    headers: HeaderMap,
}

impl Caller {
    pub(crate) fn new(client: Client, origin: String) -> Self {
        Self {
            client,
            origin,
            headers: HeaderMap::new(),
        }
    }

    /// The same caller, who asks another host, or one that has started again.
    pub fn at(&self, host: &Host) -> Self {
        Self {
            origin: host.origin().to_owned(),
            ..self.clone()
        }
    }

    /// With `Authorization: Bearer …`.
    pub fn bearer(&self, bearer: &str) -> Self {
        self.with(AUTHORIZATION.as_str(), format!("Bearer {bearer}"))
    }

    /// With a cookie (`name=value`), as a browser on the host's own pages sends it.
    pub fn cookie(&self, cookie: &str) -> Self {
        self.with(COOKIE.as_str(), cookie)
            .with("sec-fetch-site", "same-origin")
    }

    /// With an edge's assertion, as a browser on the host's own pages comes through it.
    pub fn asserted(&self, assertion: &str) -> Self {
        self.with(crate::edge::HEADER, assertion)
            .with("sec-fetch-site", "same-origin")
    }

    /// With a session's proof, as the console's script sends it.
    pub fn proof(&self, proof: &str) -> Self {
        self.with("x-countersign-proof", proof)
    }

    /// With a header, in place of one of the same name.
    pub fn with(&self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let mut caller = self.clone();
        let (name, value) = header(name, value.as_ref());
        caller.headers.insert(name, value);
        caller
    }

    /// With a header beside those of the same name.
    pub fn also(&self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let mut caller = self.clone();
        let (name, value) = header(name, value.as_ref());
        caller.headers.append(name, value);
        caller
    }

    /// Without a header.
    pub fn without(&self, name: &str) -> Self {
        let mut caller = self.clone();
        caller.headers.remove(name);
        caller
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None, Vec::new()).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None, Vec::new()).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_text(path, &body.to_string()).await
    }

    /// PUT of JSON.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        let body = body.to_string().into_bytes();
        self.send(Method::PUT, path, Some("application/json"), body)
            .await
    }

    /// PATCH of JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        let body = body.to_string().into_bytes();
        self.send(Method::PATCH, path, Some("application/json"), body)
            .await
    }

    /// POST of what may be JSON.
    pub async fn post_text(&self, path: &str, body: &str) -> Reply {
        let body = body.to_owned().into_bytes();
        self.send(Method::POST, path, Some("application/json"), body)
            .await
    }

    /// POST of a form, whose fields need no escaping.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let form = Some("application/x-www-form-urlencoded");
        self.send(Method::POST, path, form, fields.join("&").into_bytes())
            .await
    }

    /// GET of a body that goes on.
    ///
    /// # Panics
    ///
    /// If it does not begin.
    pub async fn stream(&self, path: &str) -> Stream {
        let request = self.client.get(format!("{}{path}", self.origin));
        let response = request.headers(self.headers.clone()).send().await;
        let response = response.expect("an answer");
        assert_eq!(response.status(), 200, "GET {path}");
        Stream::new(response)
    }

    /// Any request. A change of policies that is still compared is asked for again, as the host says to, but by
    /// who says how long they wait.
    ///
    /// # Panics
    ///
    /// If no answer comes: a host that closes the connection has broken down.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Vec<u8>,
    ) -> Reply {
        loop {
            let reply = self.try_send(method.clone(), path, content_type, body.clone());
            let reply = reply
                .await
                .unwrap_or_else(|error| panic!("{method} {path}: no answer: {error:?}"));
            if reply.json["code"] != "comparing" || path.contains("wait=") {
                return reply;
            }
        }
    }

    /// POST of JSON to a host that may die meanwhile.
    pub async fn try_post(&self, path: &str, body: Value) -> Option<Reply> {
        let body = body.to_string().into_bytes();
        self.try_send(Method::POST, path, Some("application/json"), body)
            .await
            .ok()
    }

    async fn try_send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Reply, reqwest::Error> {
        let what = format!("{method} {path}");
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.origin))
            .headers(self.headers.clone())
            .body(body);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await?;
        Ok(Reply {
            json: serde_json::from_slice(&body).unwrap_or_default(),
            what,
            status,
            headers,
            body: body.into(),
        })
    }
}

fn header(name: &str, value: &[u8]) -> (HeaderName, HeaderValue) {
    let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
    let value = HeaderValue::from_bytes(value).expect("a header's value");
    (name, value)
}

/// What the host answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// The body as JSON; null where it is none.
    pub json: Value,
    what: String,
}

impl Reply {
    /// The same, of which the status is certain.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// The same, of which it is certain that it refuses, in words, with `code`.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status, self.json["code"].as_str()),
            (status, Some(code)),
            "{self}"
        );
        assert!(!self.text("error").is_empty(), "{self}");
        self
    }

    /// The same, of which it is certain that it blames `field`.
    #[track_caller]
    pub fn blames(self, field: &str) -> Self {
        let reply = self.refused(400, "bad_request");
        assert_eq!(reply.json["field"], field, "{reply}");
        assert!(
            reply.text("error").contains(&format!("`{field}`")),
            "{reply}"
        );
        reply
    }

    /// The approval that a 202 tells to wait for.
    #[track_caller]
    pub fn approval(self) -> String {
        let reply = self.expect(202);
        assert_eq!(reply.json["status"], "pending_approval", "{reply}");
        reply.text("approval_id").to_owned()
    }

    /// A text member of the JSON answer.
    #[track_caller]
    pub fn text(&self, member: &str) -> &str {
        self.json[member]
            .as_str()
            .unwrap_or_else(|| panic!("no text `{member}` in {self}"))
    }

    /// The items of a JSON array.
    #[track_caller]
    pub fn items(&self) -> &[Value] {
        self.json
            .as_array()
            .unwrap_or_else(|| panic!("no array in {self}"))
    }

    /// A header, where it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What was asked: `METHOD /path`.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The body as text.
    pub fn page(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} → {} {}", self.what, self.status, self.page())
    }
}
