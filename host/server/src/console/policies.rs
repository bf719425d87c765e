//! The live policies: who decides, and what is wrong with what should.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::generation::{Mode, Pin};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde::Deserialize;

use super::assets;
use super::frame::{Frame, Place};
use super::moment::Moment;
use super::page;
use crate::problem::Problem;
use crate::routes::{Answer, Call, Routes};

pub(super) fn add(routes: Routes) -> Routes {
    routes.verb(Method::GET, "/console/policies", Verb::PolicyRead, show)
}

/// The live generation.
#[derive(Template)]
#[template(path = "policies.html")]
struct PoliciesPage {
    frame: Frame,
    live: Live,
    now: Timestamp,
}

/// What `GET /policies` answers.
#[derive(Deserialize)]
struct Live {
    generation: u64,
    modules: Vec<Module>,
    shadow: Option<Counts>,
    candidate: Option<Candidate>,
    problems: Vec<Wrong>,
}

/// A module.
#[derive(Deserialize)]
struct Module {
    name: String,
    version: String,
    digest: String,
    /// Absent where a module in shadow does not work.
    description: Option<String>,
    mode: Mode,
    settings: BTreeMap<String, Vec<String>>,
    /// Whether it says what kind of caller asks.
    classifier: bool,
    pinned: Option<Pin>,
    failures: Failures,
    last_error: Option<String>,
    signatures: Vec<Signature>,
    built_in: bool,
}

/// How often a module failed.
#[derive(Deserialize)]
struct Failures {
    count: u64,
    last_at: Option<Timestamp>,
}

impl Module {
    /// When it last failed, seen from `now`.
    fn failed(&self, now: &Timestamp) -> Option<Moment> {
        Some(Moment::new(self.failures.last_at?, *now))
    }
}

/// Who signed it, as far as a trusted key says so.
#[derive(Deserialize)]
struct Signature {
    key_id: Option<String>,
    name: Option<String>,
    trusted: bool,
    comment: String,
}

impl Live {
    /// What is wrong, but for what is told of the candidate by itself.
    fn wrong(&self) -> Vec<&Wrong> {
        let told = self.candidate.as_ref();
        let told = told.and_then(|candidate| candidate.sentence.as_deref());
        let all = self.problems.iter();
        all.filter(|wrong| told != Some(&wrong.sentence)).collect()
    }
}

/// What came of the policies in shadow.
#[derive(Deserialize)]
struct Counts {
    asked: u64,
    looser: u64,
    mixed: u64,
    tighter: u64,
    reworded: u64,
    missed: u64,
}

/// What the folder holds and does not decide yet.
#[derive(Deserialize)]
struct Candidate {
    state: String,
    summary: Option<String>,
    approval_id: Option<String>,
    #[serde(default)]
    loosens: u64,
    #[serde(default)]
    tightens: u64,
    #[serde(default)]
    broken: u64,
    /// The same as among the problems.
    sentence: Option<String>,
}

/// Something wrong in the folder.
#[derive(Deserialize)]
struct Wrong {
    file: Option<String>,
    sentence: String,
}

async fn show(call: Call) -> Answer {
    call.permit(Action::PolicyRead).await?;
    let shown = call
        .app
        .policies
        .shown(&*call.app.ledger, &call.app.base_url)
        .await?;
    let live = serde_json::from_value(shown).map_err(|error| {
        tracing::error!(%error, "the console does not understand the live policies");
        Problem::internal()
    })?;
    let shown = PoliciesPage {
        frame: Frame::of(&call.caller, Place::Policies),
        live,
        now: call.app.clock.now(),
    };
    Ok(page(StatusCode::OK, &shown))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::examples::{is_whole, person};
    use super::*;

    #[test]
    fn modules_settings_and_problems_are_shown_and_cannot_be_markup() {
        let live = serde_json::from_value(json!({
            "generation": 3,
            "modules": [{
                "name": "baseline",
                "version": "0.1.0",
                "digest": "ab".repeat(32),
                "description": "agents need a person <b>always</b>",
                "mode": "enforce",
                "runs": "snapshot",
                "settings": { "exempt": ["actor=org-token:x"] },
                "classifier": true,
                "pinned": { "by": "session:<i>", "since": 2 },
                "failures": {
                    "count": 12,
                    "last_kind": "trap",
                    "last_at": Timestamp::from_micros(1_799_999_940_000_000),
                },
                "last_error": "it trapped, or gave up",
                "signatures": [],
                "built_in": true,
            }, {
                "name": "freeze",
                "version": "1.0.0",
                "digest": "cd".repeat(32),
                "description": null,
                "mode": "shadow",
                "runs": null,
                "settings": {},
                "classifier": false,
                "failures": { "count": 0, "last_kind": null, "last_at": null },
                "last_error": null,
                "signatures": [
                    { "key_id": "F00D", "name": "release", "trusted": true, "comment": "<b>freeze</b>@1.0.0" },
                    { "key_id": "BEEF", "name": null, "trusted": false, "comment": "" },
                ],
                "built_in": false,
            }],
            "shadow": { "asked": 1200, "looser": 3, "mixed": 1, "tighter": 0, "reworded": 7, "missed": 2 },
            "candidate": {
                "state": "waits", "summary": "<b>freeze</b> removed", "loosens": 5, "tightens": 0, "broken": 0,
                "approval_id": "019b76da-a800-7000-8000-000000000001", "approve_url": "x",
                "sentence": "what the folder holds waits",
            },
            "problems": [
                { "file": "<script>.wasm", "sentence": "it is no component" },
                { "file": null, "sentence": "the folder cannot be read" },
                { "file": null, "sentence": "what the folder holds waits" },
            ],
        }))
        .expect("what the host shows");
        let page = PoliciesPage {
            frame: Frame::of(&person("ada"), Place::Policies),
            live,
            now: Timestamp::from_micros(1_800_000_000_000_000),
        };
        let html = page.render().expect("drawn");
        is_whole(&html);
        for shown in [
            "Generation 3",
            "baseline",
            "actor=org-token:x",
            "12 decisions",
            "60 seconds ago",
            "it trapped, or gave up",
            "classifier",
            "in shadow",
            "session:&#60;i&#62;, since generation 2",
            "1200 decisions",
            "4 would have let more happen",
            "&#60;script&#62;.wasm",
            "the folder cannot be read",
            "/console/approvals/019b76da-a800-7000-8000-000000000001",
            "5 changes let more happen",
            "built into the program",
            "<bdi>release</bdi>",
            "<bdi>BEEF</bdi> <span class=\"claim\">not trusted",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(!html.contains("<b>"), "{html}");
        assert!(!html.contains("what the folder holds waits"), "{html}");
        assert!(!html.contains("0 laws"), "{html}");
    }
}
