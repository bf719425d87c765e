//! Asking the policies something made up. Nothing is done, recorded or counted, and no secret can be told. What
//! is asked is in the form that is sent, and never in an address, which proxies and browsers keep.

mod form;
mod told;

use std::collections::HashMap;

use askama::Template;
use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use countersign_core::action::Action;
use countersign_core::policy::{Credential, Question, Role};
use countersign_core::verb::Verb;

use self::form::Form;
use self::told::Told;
use super::super::frame::{Frame, Place};
use super::super::{assets, page};
use super::people_alone;
use super::tabs::{Tab, Tabs};
use crate::policies::AskError;
use crate::problem::Problem;
use crate::routes::{Answer, Call, Routes};

pub(super) fn add(routes: Routes) -> Routes {
    let path = "/console/policies/playground";
    routes.verb(Method::GET, path, Verb::PolicyRead, show).verb(
        Method::POST,
        path,
        Verb::PolicyRead,
        ask,
    )
}

/// The form, and what came of the question in it.
#[derive(Template)]
#[template(path = "policies/playground.html")]
struct PlaygroundPage {
    frame: Frame,
    tabs: Tabs,
    form: Form,
    told: Option<Told>,
}

/// The form for a verb.
async fn show(call: Call) -> Answer {
    people_alone(&call)?;
    call.permit(Action::PolicyRead).await?;
    let verb = call.query.get_key_value("verb");
    let verb = verb.map(|(name, verb)| (name.clone(), verb.clone()));
    let chosen = HashMap::from_iter(verb);
    let form = Form::read(&chosen, call.app.policies.askable());
    Ok(drawn(&call, form, None))
}

/// What comes of the question.
async fn ask(call: Call) -> Answer {
    people_alone(&call)?;
    let sent = call.form()?;
    call.permit(Action::PolicyRead).await?;
    let app = &call.app;
    let mut form = Form::read(&sent, app.policies.askable());
    let mut told = None;
    if !form.is_wrong() {
        let question = Question {
            time: u64::try_from(form.at.unwrap_or(app.clock.now()).as_millis()).unwrap_or(0),
            ..form.question()
        };
        let asked = (question, form.counted);
        match app.policies.ask(&form.which, asked, app.gate.lives).await {
            Ok(asked) => told = Some(Told::of(&form, asked)),
            Err(AskError::NoSet) => form.lose_whom_to_ask(),
            Err(busy @ AskError::Busy) => {
                return Err(Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "busy",
                    busy.to_string(),
                ));
            }
            Err(AskError::BrokeDown) => return Err(Problem::internal()),
        }
    }
    Ok(drawn(&call, form, told))
}

fn drawn(call: &Call, form: Form, told: Option<Told>) -> Response<Body> {
    let status = match form.is_wrong() {
        true => StatusCode::BAD_REQUEST,
        false => StatusCode::OK,
    };
    let shown = PlaygroundPage {
        frame: Frame::of(&call.caller, Place::Policies),
        tabs: Tabs::at(Tab::Playground),
        form,
        told,
    };
    page(status, &shown)
}

#[cfg(test)]
mod tests;
