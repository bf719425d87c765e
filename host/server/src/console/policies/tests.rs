//! The page of the live policies, drawn; and what tests of the others are made of.

use countersign_core::generation::{GenerationRecord, ModuleRecord};
use countersign_core::verdict::ModuleId;
use serde_json::json;

use super::super::examples::{NOW, approval, is_whole, person};
use super::*;

/// A module of a record.
pub fn module(name: &str, digest: &str) -> ModuleRecord {
    ModuleRecord {
        id: ModuleId {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            digest: digest.to_owned(),
        },
        settings: [].into(),
        file: None,
        pinned: None,
    }
}

/// A generation of modules of these names.
pub fn generation(number: u64, names: &[&str]) -> GenerationRecord {
    GenerationRecord {
        number,
        at: NOW,
        by: "policy-folder".to_owned(),
        summary: "<i>something</i> added".to_owned(),
        modules: names.iter().map(|name| module(name, "ab")).collect(),
        shadow: Vec::new(),
        approval: Some(approval().id),
        seal: None,
    }
}

#[test]
fn modules_settings_and_problems_are_shown_and_cannot_be_markup() {
    let mut live: Live = serde_json::from_value(json!({
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
    let counts = Counts::since(NOW);
    live.modules[0].pinned_by = Some(Party::of("session:<i>"));
    live.modules[0].answers = Some(Answers::of(&live.modules[0], &counts, NOW));
    live.modules[1].answers = Some(Answers {
        said: Said {
            abstained: 5,
            denied: 2,
            ..Said::default()
        },
        ..Answers::of(&live.modules[1], &counts, NOW)
    });
    let (before, after) = ([module("freeze", "ab")], []);
    let sides = |decide| Sides {
        decide,
        shadow: &[],
    };
    let page = PoliciesPage {
        frame: Frame::of(&person("ada"), Place::Policies),
        tabs: Tabs::at(Tab::Live),
        live,
        candidate_changes: Some(Changes::between(sides(&before), sides(&after))),
        now: Timestamp::from_micros(1_800_000_000_000_000),
    };
    let html = page.render().expect("drawn");
    is_whole(&html);
    for shown in [
        "Generation 3",
        "none <span class=\"quiet\">since this host started",
        "5 abstained · 0 allowed · 0 gated · 2 denied</span> <span class=\"quiet\">in shadow, since this host started",
        "<bdi class=\"subject\">freeze</bdi> <span class=\"step\">removed",
        "/console/policies/playground",
        "baseline",
        "actor=org-token:x",
        "12 decisions",
        "60 seconds ago",
        "it trapped, or gave up",
        "classifier",
        "in shadow",
        "by a person <code><bdi>&#60;i&#62;</bdi></code>, since generation 2",
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
    assert!(
        !html.contains("0 laws") && !html.contains("session:"),
        "{html}"
    );
}

/// The page, where the folder holds what does not decide.
fn with(candidate: &serde_json::Value) -> String {
    let live = json!({
        "generation": 3, "modules": [], "shadow": null, "candidate": candidate, "problems": [],
    });
    let page = PoliciesPage {
        frame: Frame::of(&person("ada"), Place::Policies),
        tabs: Tabs::at(Tab::Live),
        live: serde_json::from_value(live).expect("what the host shows"),
        candidate_changes: None,
        now: NOW,
    };
    let html = page.render().expect("drawn");
    is_whole(&html);
    html
}

#[test]
fn what_was_denied_leads_to_who_denied_it_and_what_is_compared_to_another_look() {
    let id = approval().id;
    let denied =
        json!({ "state": "denied", "summary": "<b>freeze</b> removed", "approval_id": id });
    let html = with(&denied);
    let link = format!("<a href=\"/console/approvals/{id}\">Who denied it");
    for shown in ["An operator denied", "&#60;b&#62;freeze", &link] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    assert!(!html.contains("Read the list and decide"), "{html}");
    let html = with(&json!({ "state": "denied", "summary": "freeze removed" }));
    assert!(!html.contains("Who denied it"), "{html}");
    let html = with(&json!({ "state": "compared" }));
    let link = "<a href=\"/console/policies\">Look again</a>";
    assert!(html.contains(link), "{html}");
}

#[test]
fn a_time_is_said_in_few_digits() {
    assert_eq!(
        [short(512), short(4_096), short(134_217_728)],
        ["512 µs", "4 ms", "134 s"]
    );
}
