//! Tokens that were revoked and still work for a while: every answer to one says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use countersign_core::caller::Caller;

const NAME: HeaderName = HeaderName::from_static("x-token-draining");

/// Whether a request was authenticated by such a token. It comes with the request and stays outside of its
/// handler, so that an answer that the handler never gave says it too.
#[derive(Clone, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// By whom the request was authenticated.
    pub fn note(&self, caller: &Caller) {
        self.0
            .store(caller.identity.is_draining(), Ordering::Relaxed);
    }

    /// Writes the header, if there is something to say.
    pub fn stamp(&self, headers: &mut HeaderMap) {
        if self.0.load(Ordering::Relaxed) {
            headers.insert(NAME, HeaderValue::from_static("true"));
        }
    }
}
