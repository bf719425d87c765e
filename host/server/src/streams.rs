//! Answers that take their time, counted by credential: streams of events, and waits for a change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One credential has so many streams open at once: a person's browsers, or an agent's few processes. Each
/// holds a connection for as long as it lasts.
pub const MOST_STREAMS: usize = 4;

/// One credential waits for so many changes at once: each holds a connection, of which one address has 128.
/// An agent asks for a handful of things at a time; more than that would keep the people at its address out.
pub const MOST_WAITS: usize = 16;

/// Who has how many.
#[derive(Clone, Debug)]
pub struct Streams {
    most: usize,
    open: Arc<Mutex<HashMap<String, usize>>>,
}

/// A place for one stream, free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    streams: Streams,
    credential: String,
}

impl Streams {
    /// With so many places for each credential.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            open: Arc::default(),
        }
    }

    /// A place, if the credential has one left.
    pub fn take(&self, credential: &str) -> Option<Place> {
        let mut open = self.open();
        let count = open.entry(credential.to_owned()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place {
            streams: self.clone(),
            credential: credential.to_owned(),
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        if let Some(count) = open.get_mut(&self.credential) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.credential);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_has_so_many_places_and_gets_back_what_it_leaves() {
        let streams = Streams::new(MOST_STREAMS);
        let mut taken: Vec<Place> = (0..MOST_STREAMS)
            .map(|_| streams.take("a").expect("a place"))
            .collect();
        assert!(streams.take("a").is_none());
        assert!(streams.take("b").is_some());
        taken.pop();
        assert!(streams.take("a").is_some());
        taken.clear();
        assert!(streams.open().is_empty(), "nobody is remembered for ever");
    }
}
