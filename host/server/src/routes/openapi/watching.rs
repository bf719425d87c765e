//! The host itself: whether it works, who signs in, what it forwards, and this document.

use prometheus_client::encoding::prometheus_text;
use serde_json::json;

use super::super::sign_in::SignInBody;
use super::operation::Operation;
use super::schema::{any, count, instant, map, object, text, word};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/health", "Says that the process lives.").answers(
            200,
            "It lives.",
            object(&[("status", word("ok"))]),
        ),
        Operation::get("/ready", "Says whether the host can work, its ledger included.")
            .answers(
                200,
                "It can.",
                object(&[("status", word("ready")), ("policy_generation", count())]),
            )
            .refuses(503, &["policies_outdated"]),
        Operation::get("/metrics", "Says how much of what kind is done, for Prometheus.")
            .answers_as(
                200,
                "The text exposition format.",
                (
                    prometheus_text::CONTENT_TYPE,
                    text(),
                ),
            ),
        Operation::get("/openapi.json", "Describes the routes: this document.").answers(
            200,
            "OpenAPI 3.1.",
            map(any()),
        ),
        Operation::post(
            "/sign-in",
            "Signs in by the host's one-time link, for programs: the session's cookie and its proof.",
        )
        .takes::<SignInBody>()
        .answers(
            200,
            "A session has begun.",
            object(&[("proof", text()), ("expires_at", instant())]),
        )
        .with_headers(&["Set-Cookie"])
        .refuses(403, &["cross_site", "link_is_dead"]),
        Operation::new(
            "*",
            "/cp/{*path}",
            "Forwards to the control plane what is for it: `/cp/auth/…`, `/cp/orgs`, `/cp/orgs/…`, `/cp/billing/…`, `/cp/templates`, `/cp/templates/…` and `/cp/legal/…`.",
        )
        .answers_as(200, "What the control plane answers, with its own status.", ("*/*", json!({})))
        .refuses(400, &["upgrade_refused"])
        .refuses(403, &["service_worker_refused"])
        .refuses(404, &["not_found"])
        .refuses(405, &["method_not_allowed"])
        .refuses(408, &["body_too_slow"])
        .refuses(413, &["body_too_long"])
        .refuses(502, &["control_plane_unavailable"]),
    ]
}
