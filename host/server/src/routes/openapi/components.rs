//! What many routes have in common: headers, parameters, credentials.

use serde_json::{Map, Value, json};

use super::schema;
use super::{Made, Purpose, refusals};

/// What holds for all routes.
pub(super) const DESCRIPTION: &str = "Puts a person between an agent and a privileged action.\n\n\
A request for a verb (`x-verb`) is done, refused, or answered 202: people are asked, and nothing else happened. \
Once they have approved, the same credential repeats the same request.\n\n\
Errors are `{\"error\", \"code\"}`; the code is stable. \
Where the host is one tenant of many, requests name it in `X-Molecule-Org-Id`, or they are answered 404.\n\n\
The pages under `/console` are for people and are not described here.";

/// The headers that every answer can have.
pub(super) const EVERY_HEADER: &[&str] = &[
    "X-Decision-Id",
    "X-Policy-Generation",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-Id",
    "X-Token-Draining",
];

/// Whether requests for this path are counted. Those of watchers are not.
pub(super) fn is_counted(path: &str) -> bool {
    !matches!(path, "/health" | "/ready")
}

/// The headers of what a route answers where it does what it is for.
pub(super) fn headers_of(route: &Made) -> Vec<&'static str> {
    let (is_verbs, is_judged) = match route.purpose {
        Purpose::Verb(verb) => (true, refusals::is_judged(verb)),
        Purpose::Ahead => (true, true),
        Purpose::Open(_) | Purpose::Forwarded => (false, false),
    };
    let is_here = |name: &&str| match *name {
        "X-Decision-Id" | "X-Policy-Generation" => is_judged,
        "X-Token-Draining" => is_verbs,
        _ => true,
    };
    EVERY_HEADER.iter().copied().filter(is_here).collect()
}

/// References to these headers.
pub(super) fn headers(names: &[&str]) -> Value {
    let references = names.iter().map(|name| {
        let reference = json!({ "$ref": format!("#/components/headers/{name}") });
        ((*name).to_owned(), reference)
    });
    Value::Object(references.collect())
}

/// All that is shared.
pub(super) fn all() -> Value {
    let schemas: Map<String, Value> = schema::all_shared()
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    json!({
        "schemas": schemas,
        "headers": described_headers(),
        "parameters": parameters(),
        "responses": { "Pending": pending() },
        "securitySchemes": credentials(),
    })
}

fn described_headers() -> Value {
    let text = || json!({ "type": "string" });
    let uuid = || json!({ "type": "string", "format": "uuid" });
    let count = || json!({ "type": "integer", "minimum": 0 });
    let described = [
        ("Location", text(), "Where to look for the decision."),
        ("Retry-After", count(), "So many seconds to wait."),
        ("Set-Cookie", text(), "The session."),
        ("WWW-Authenticate", text(), "The scheme of the bearer."),
        (
            "X-Accel-Buffering",
            text(),
            "Tells proxies not to collect what is told.",
        ),
        (
            "X-Decision-Id",
            uuid(),
            "The decision behind the answer, where one was made.",
        ),
        (
            "X-Next-Cursor",
            text(),
            "Where the next part begins, if there may be one.",
        ),
        ("X-Policy-Generation", count(), "The policies that decided."),
        (
            "X-RateLimit-Limit",
            count(),
            "How many requests a minute, unless that is not limited.",
        ),
        ("X-RateLimit-Remaining", count(), "How many are left now."),
        (
            "X-RateLimit-Reset",
            count(),
            "In so many seconds none will have been used.",
        ),
        (
            "X-Request-Id",
            text(),
            "The request, as the host's log names it.",
        ),
        (
            "X-Token-Draining",
            json!({ "type": "string", "enum": ["true"] }),
            "The token was revoked and works for a while yet.",
        ),
    ];
    let headers = described.into_iter().map(|(name, schema, what)| {
        let is_required = name == "X-Request-Id";
        let header = json!({ "schema": schema, "description": what, "required": is_required });
        (name.to_owned(), header)
    });
    Value::Object(headers.collect())
}

fn parameters() -> Value {
    json!({
        "limit": {
            "name": "limit", "in": "query", "description": "At most so many.",
            "schema": { "type": "integer", "minimum": 1, "maximum": super::super::call::MAX_PAGE, "default": super::super::call::PAGE },
        },
        "cursor": {
            "name": "cursor", "in": "query", "description": "Where the part begins, as the part before it said.",
            "schema": { "type": "string", "maxLength": 64, "pattern": "^[A-Za-z0-9-]*$" },
        },
        "Approval-Id": {
            "name": "Approval-Id", "in": "header",
            "description": "The approval to use; without it the one for the same request is found.",
            "schema": { "type": "string", "format": "uuid" },
        },
        "X-Molecule-Org-Id": {
            "name": "X-Molecule-Org-Id", "in": "header",
            "description": "Which tenant is meant; needed where the host is one of many.",
            "schema": { "type": "string" },
        },
    })
}

/// People are asked, and nothing else happened.
fn pending() -> Value {
    let mut names = EVERY_HEADER.to_vec();
    names.extend(["Location", "Retry-After"]);
    json!({
        "description": "People are asked, and nothing else happened: repeat the request once they have approved.",
        "headers": headers(&names),
        "content": { "application/json": { "schema": schema::shared("Pending") } },
    })
}

fn credentials() -> Value {
    json!({
        "session": {
            "type": "apiKey", "in": "cookie", "name": "countersign",
            "description": "A signed-in person: the host's own login (`__Host-countersign` under https), or where configured the control plane's own cookie, or an edge's identity assertion. Requests that change something come from the host's own pages: `Sec-Fetch-Site: same-origin`, or an `Origin` that is known.",
        },
        "proof": {
            "type": "apiKey", "in": "header", "name": "X-Countersign-Proof",
            "description": "What signing in gave beside the cookie. Only sessions of the host's own login have one, and need it.",
        },
        "bearer": {
            "type": "http", "scheme": "bearer",
            "description": "An organisation token, ADMIN_TOKEN, or for its own workspace's routes a workspace's token.",
        },
        "provisionToken": {
            "type": "apiKey", "in": "header", "name": "X-Provision-Token",
            "description": "PROVISION_TOKEN: the install path's own secret.",
        },
    })
}
