//! Signing in by the host's one-time link, for programs: what the console's page does for browsers.

use axum::http::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Answer, Routes, Visit, body};
use crate::console::LINK_IS_DEAD;
use crate::problem::{Problem, json_response};

pub(super) fn add(routes: Routes) -> Routes {
    routes.open(
        Method::POST,
        "/sign-in",
        "whoever signs in is nobody yet: the one-time link is the proof",
        sign_in,
    )
}

#[derive(Deserialize, ToSchema)]
pub(super) struct SignInBody {
    /// The link, or what makes it one.
    link: String,
}

async fn sign_in(visit: Visit) -> Answer {
    // A page of another origin that somebody gave a link to must not sign its visitor in.
    visit.app.origins.same_origin(&visit.headers)?;
    let body: SignInBody = body::parse(&visit.body)?;
    let link = match body.link.rsplit_once("link=") {
        Some((_, link)) => link,
        None => &body.link,
    };
    let redeemed = visit.app.credentials.operator().redeem(link.trim()).await?;
    let started = redeemed.ok_or_else(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            LINK_IS_DEAD,
            "this login link was used, is older than ten minutes, or a newer one was made since: make a new one with `countersign login` on the host's machine",
        )
    })?;
    let mut response = json_response(
        StatusCode::OK,
        &json!({ "proof": started.proof.as_str(), "expires_at": started.expires_at }),
    );
    response
        .headers_mut()
        .insert(header::SET_COOKIE, started.cookie.0);
    Ok(response)
}
