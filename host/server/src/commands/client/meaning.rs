//! What answers that are none of the wanted ones mean, and what no answer means.

use super::super::answers::{Pending, Refused};
use super::super::failure::{Exit, Failure};
use super::super::terminal::Plain;
use super::{Answer, Client, Credential};

/// Of a host's own sentence, so much is shown.
const MAX_SENTENCE: usize = 1_000;

impl Client {
    /// What an answer that is none of the wanted ones means.
    pub fn failure(&self, answer: &Answer) -> Failure {
        let refused: Option<Refused> = serde_json::from_str(&answer.body).ok();
        let code = refused.as_ref().map_or("", |refused| refused.code.as_str());
        let exit = match (answer.status, code) {
            (202, _) => Exit::Pending,
            (401, _) => return self.unauthenticated(),
            (403, "denied_by_policy" | "approval_denied") => Exit::Denied,
            (403, "approval_expired" | "approval_withdrawn" | "grant_expired" | "grant_used")
            | (409, "approval_stale") => Exit::Ended,
            (502..=504, _) => Exit::Unreachable,
            _ => Exit::Failed,
        };
        if let Ok(Pending { reason, .. }) = serde_json::from_str(&answer.body) {
            return Failure::new(exit, format!("this waits for a person: {reason}"));
        }
        let Some(refused) = &refused else {
            return Failure::new(exit, self.odd(answer));
        };
        let mut sentence: String = refused.error.as_str().chars().take(MAX_SENTENCE).collect();
        match (code, &self.credential) {
            ("approver_must_be_human", Credential::Bearer(_)) => sentence.push_str(
                " (a token is given by --token-file or COUNTERSIGN_TOKEN: without it, you act as the person who signed in)",
            ),
            ("proof_missing", _) => sentence.push_str(" (by `countersign login`)"),
            _ => {}
        }
        if answer.status >= 500
            && let Some(id) = answer.header("x-request-id")
        {
            sentence.push_str(&format!(" (request {id})"));
        }
        Failure::new(exit, sentence)
    }

    fn unauthenticated(&self) -> Failure {
        not_signed_in(match self.credential {
            Credential::Bearer(_) => {
                return Failure::new(
                    Exit::NotSignedIn,
                    format!(
                        "the token is not valid at {}: it is wrong, was revoked or has expired",
                        self.origin()
                    ),
                );
            }
            Credential::Session(_) => "your session has ended",
            Credential::Nobody => "you are not signed in",
        })
    }

    fn odd(&self, answer: &Answer) -> String {
        match (answer.status, answer.header("location")) {
            (300..=399, Some(location)) => format!(
                "{} sends its callers to `{location}`: if you trust that address, give it by --url",
                self.origin()
            ),
            (status, _) => format!(
                "{} answered {status} and did not say why: is it a Countersign host?",
                self.origin()
            ),
        }
    }

    pub(super) fn not_understood(&self, why: &str) -> Failure {
        Failure::failed(format!(
            "{} is not understood: {why}. Is it a Countersign host, and of this version?",
            self.origin()
        ))
    }

    pub(super) fn unreachable(&self, error: &reqwest::Error) -> Failure {
        // Which address it was is said already, and a query may hold what is nobody's business.
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let why = match error.is_timeout() {
            true => "it did not answer in time".to_owned(),
            false => Plain::new(&cause.to_string()).to_string(),
        };
        Failure::new(
            Exit::Unreachable,
            format!(
                "cannot reach {}: {why}. See that the host runs, or name another by --url; `countersign doctor` looks for what is wrong on the host's machine",
                self.origin()
            ),
        )
    }
}

/// Nobody is signed in, for this reason; and how to sign in.
pub(super) fn not_signed_in(what: &str) -> Failure {
    Failure::new(
        Exit::NotSignedIn,
        format!(
            "{what}: `countersign login` signs you in on the host's machine (and `--link -` elsewhere); a program puts its token into COUNTERSIGN_TOKEN"
        ),
    )
}
