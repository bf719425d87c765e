//! Answers that take their time, counted by credential: streams of events, and waits for a change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

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
    open: Arc<Mutex<Open>>,
}

/// How a place was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// With all that makes the credential.
    Whole,
    /// With the cookie of the host's own login alone, which others have whom the browser sends it to.
    CookieAlone,
}

/// A place for one stream, free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    streams: Streams,
    credential: String,
    number: u64,
    /// Cancelled when another was given the place.
    lost: CancellationToken,
}

/// The places that are taken, in the order in which they were.
#[derive(Debug, Default)]
struct Open {
    last: u64,
    places: HashMap<String, Vec<Taken>>,
}

#[derive(Debug)]
struct Taken {
    number: u64,
    standing: Standing,
    lost: CancellationToken,
}

impl Streams {
    /// With so many places for each credential.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            open: Arc::default(),
        }
    }

    /// A place, if the credential has one left. Whoever has all of the credential is given the oldest place
    /// of those who have its cookie alone: so these keep nobody out.
    pub fn take(&self, credential: &str, standing: Standing) -> Option<Place> {
        let mut open = self.open();
        let Open { last, places } = &mut *open;
        let taken = places.entry(credential.to_owned()).or_default();
        if taken.len() >= self.most {
            let weak = |one: &Taken| one.standing == Standing::CookieAlone;
            let oldest = taken.iter().position(weak);
            let at = oldest.filter(|_| standing == Standing::Whole)?;
            taken.remove(at).lost.cancel();
        }
        *last += 1;
        let place = Place {
            streams: self.clone(),
            credential: credential.to_owned(),
            number: *last,
            lost: CancellationToken::new(),
        };
        taken.push(Taken {
            number: place.number,
            standing,
            lost: place.lost.clone(),
        });
        Some(place)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// When another was given it: what holds it is to end then.
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        if let Some(taken) = open.places.get_mut(&self.credential) {
            taken.retain(|one| one.number != self.number);
            if taken.is_empty() {
                open.places.remove(&self.credential);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(streams: &Streams, standing: Standing) -> Vec<Place> {
        (0..MOST_STREAMS)
            .map(|_| streams.take("a", standing).expect("a place"))
            .collect()
    }

    #[test]
    fn a_credential_has_so_many_places_and_gets_back_what_it_leaves() {
        for standing in [Standing::Whole, Standing::CookieAlone] {
            let streams = Streams::new(MOST_STREAMS);
            let mut taken = all(&streams, standing);
            assert!(streams.take("a", standing).is_none());
            assert!(streams.take("b", standing).is_some());
            taken.pop();
            assert!(streams.take("a", standing).is_some());
            taken.clear();
            assert!(streams.open().places.is_empty(), "nobody is remembered");
        }
    }

    #[test]
    fn a_cookie_alone_gives_way_the_oldest_first_and_takes_no_place_of_another() {
        let streams = Streams::new(MOST_STREAMS);
        let weak = all(&streams, Standing::CookieAlone);
        let mut strong = Vec::new();
        for lost in 1..=MOST_STREAMS {
            strong.push(streams.take("a", Standing::Whole).expect("a place"));
            let gone: Vec<bool> = weak.iter().map(|one| one.lost().is_cancelled()).collect();
            let expected: Vec<bool> = (0..MOST_STREAMS).map(|at| at < lost).collect();
            assert_eq!(gone, expected);
        }
        // What has lost its place frees none.
        drop(weak);
        for standing in [Standing::Whole, Standing::CookieAlone] {
            assert!(streams.take("a", standing).is_none());
        }
        assert!(strong.iter().all(|one| !one.lost().is_cancelled()));
        drop(strong);
        assert!(streams.open().places.is_empty(), "nobody is remembered");
    }
}
