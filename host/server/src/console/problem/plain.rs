//! What went wrong, without what only a program could make use of: routes, methods and headers.

use axum::http::StatusCode;

use super::super::sign_in::LINK_IS_DEAD;
use crate::problem::{OTHER_THAN_SHOWN, Problem};
use crate::routes::{BODY_TOO_LONG, MAX_BODY, PROOF_MISSING};

/// The code of the problem that the console has no page at an address.
pub const NO_SUCH_PAGE: &str = "no_such_page";

/// What is said of such an address.
pub const ADDRESS: &str = "the address is wrong, or was cut off on its way to you";

/// What stands at the end of what programs are told, and what people are told in its place.
const ENDS: [(&str, &str); 6] = [
    (
        "repeat the request without Approval-Id to ask again",
        "send it again from its page to ask again",
    ),
    (
        "repeat it without Approval-Id to ask again",
        "send it again from its page to ask again",
    ),
    (
        "repeat the request to ask again",
        "send it again from its page to ask again",
    ),
    (
        "if it lasts, GET /policies says why",
        "if it lasts, the page of the policies says why",
    ),
    (
        "read GET /policies, and repeat what still holds",
        "look at them, and repeat what still holds",
    ),
    ("; programs use a token instead", ""),
];

/// What it says.
pub fn in_words(problem: &Problem) -> String {
    let error = problem.error();
    match problem.code() {
        "unauthenticated" => unauthenticated(error).to_owned(),
        "too_many_pending" => {
            error.replace("withdraw some", "take some of them back, each on its own page")
        }
        "internal" => {
            "the host made a mistake: look whether what you asked for was done; whoever runs it finds this request in its log, by the number below"
                .to_owned()
        }
        BODY_TOO_LONG => format!(
            "what you sent is longer than a form may be, which is {} KiB, and all but plain letters and digits counts several times in it: shorten it, and send it again",
            MAX_BODY / 1024
        ),
        "method_not_allowed" => format!("nothing was done: {ADDRESS}"),
        "cross_site" => {
            "it was sent from a page that is not this host's, so nothing was done: open the page here, and do it there"
                .to_owned()
        }
        PROOF_MISSING => {
            "nothing was done: no signing key of your session came along, and its cookie alone changes nothing. A script of the page sends that key, so a browser that runs none only reads: allow scripts here. Then sign in again by a new link, in this browser and at this address: on the host's machine, `countersign login --browser` shows one"
                .to_owned()
        }
        _ if is_about_the_address(problem) => ADDRESS.to_owned(),
        _ => without_routes(error),
    }
}

/// Whether it is the address that is wrong, and not what is there.
pub fn is_about_the_address(problem: &Problem) -> bool {
    let (code, error) = (problem.code(), problem.error());
    code == NO_SUCH_PAGE
        || code == "method_not_allowed"
        || code == "bad_request"
            && (problem.body.contains_key("field") && error.contains(" in the path ")
                || error.starts_with("the path is not ")
                || error == "the query is malformed")
}

/// What is wrong with a credential, without the headers that a program would send.
fn unauthenticated(error: &str) -> &str {
    match error.split_once(": send ") {
        Some(("this needs a credential", _)) => "you are not signed in, or not any more",
        Some((what, _)) => what,
        None => error,
    }
}

fn without_routes(error: &str) -> String {
    // Where what a program reads next is all that follows.
    if let Some((what, _)) = error.rsplit_once(": GET /") {
        return what.to_owned();
    }
    let error = error.replace(", without Approval-Id, after ", " after ");
    for (of_programs, of_people) in ENDS {
        if let Some(begin) = error.strip_suffix(of_programs) {
            return format!("{begin}{of_people}");
        }
    }
    error
}

/// What it is, in short.
pub fn headline(problem: &Problem, is_signed_in: bool) -> &'static str {
    if is_about_the_address(problem) {
        return "There is no such page";
    }
    match problem.code() {
        "approver_must_be_human" => "Only a person decides",
        "requester_cannot_approve" | "minter_cannot_approve" => "Somebody else must decide this",
        "digest_mismatch" => "What you read is not what is waiting",
        "not_pending" => "This is not waiting any more",
        "not_approved" => "There is nothing to take back",
        "denied_by_policy" => "A policy denies this",
        "approval_denied" => "A person denied this",
        "approval_stale" => "What was approved has changed",
        "cross_site" => "This came from another site",
        PROOF_MISSING => "This browser cannot sign for this session",
        BODY_TOO_LONG => "This is too long",
        OTHER_THAN_SHOWN => "Something else would fall by now",
        "policies_outdated" => "Other policies are coming in",
        "platform_unavailable" => "The records cannot be reached",
        "control_plane_unavailable" => "Your session cannot be checked now",
        LINK_IS_DEAD if is_signed_in => "You are signed in already",
        LINK_IS_DEAD => "This link does not work any more",
        _ => match problem.status {
            StatusCode::UNAUTHORIZED => "Sign in first",
            StatusCode::FORBIDDEN => "This is not allowed",
            StatusCode::NOT_FOUND => "Nothing is here",
            StatusCode::CONFLICT => "Something has changed meanwhile",
            StatusCode::TOO_MANY_REQUESTS => "Too much at once",
            status if status.is_client_error() => "This cannot be taken as it is",
            _ => "The host could not do this",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(status: StatusCode, code: &str, error: &str) -> String {
        in_words(&Problem::new(status, code, error))
    }

    #[test]
    fn people_are_told_of_no_route_no_method_and_no_header() {
        let (bad, missing) = (StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND);
        for problem in [
            Problem::bad_field("id", "in the path is not a UUID"),
            Problem::bad_field("number", "in the path is not that of a generation"),
            Problem::new(bad, "bad_request", "the query is malformed"),
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this route does not take this method",
            ),
            Problem::new(missing, NO_SUCH_PAGE, ADDRESS),
        ] {
            assert!(in_words(&problem).ends_with(ADDRESS), "{problem:?}");
            assert_eq!(headline(&problem, false), "There is no such page");
        }
        for (code, error, told) in [
            (
                "not_found",
                "no generation 7 was recorded: GET /policies/generations lists them",
                "no generation 7 was recorded",
            ),
            (
                "approval_denied",
                "a person denied this: no — it may be asked again, without Approval-Id, after 2026-01-01T00:00:00Z",
                "a person denied this: no — it may be asked again after 2026-01-01T00:00:00Z",
            ),
            (
                "too_many_pending",
                "20 of your requests wait for people: withdraw some, or wait until they are decided",
                "20 of your requests wait for people: take some of them back, each on its own page, or wait until they are decided",
            ),
            (
                "grant_used",
                "the grant was used, and works once: repeat the request without Approval-Id to ask again",
                "the grant was used, and works once: send it again from its page to ask again",
            ),
            (
                "policies_outdated",
                "others: retry shortly; if it lasts, GET /policies says why",
                "others: retry shortly; if it lasts, the page of the policies says why",
            ),
            (
                "policies_moved",
                "live meanwhile: read GET /policies, and repeat what still holds",
                "live meanwhile: look at them, and repeat what still holds",
            ),
        ] {
            assert_eq!(words(missing, code, error), told);
        }
        for code in ["cross_site", PROOF_MISSING] {
            let told = words(bad, code, "a program's words: GET /x");
            assert!(!told.contains("program") && !told.contains("GET"), "{told}");
        }
        // Without script no link helps.
        let told = words(bad, PROOF_MISSING, "");
        assert!(told.contains("allow scripts here. Then"), "{told}");
    }

    #[test]
    fn what_is_wrong_with_a_field_of_a_form_is_told_as_it_is() {
        let problem = Problem::bad_field("reason", "is longer than 500 characters");
        assert_eq!(in_words(&problem), problem.error());
        assert_eq!(headline(&problem, true), "This cannot be taken as it is");
    }
}
