//! How long it took to judge.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long policies took, in microseconds, where that was measured.
///
/// It is no part of what was judged: any two are equal, so nothing that compares judgements can ever find a
/// difference in it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Took(Option<u64>);

impl Took {
    /// It was not measured.
    pub const UNKNOWN: Self = Self(None);

    /// So many microseconds.
    pub fn of_micros(micros: u64) -> Self {
        Self(Some(micros))
    }

    /// How many, if it was measured.
    pub fn micros(self) -> Option<u64> {
        self.0
    }

    /// Whether it was not measured.
    pub fn is_unknown(&self) -> bool {
        self.0.is_none()
    }
}

impl From<Duration> for Took {
    fn from(duration: Duration) -> Self {
        Self::of_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }
}

impl PartialEq for Took {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Took {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Judgement;

    #[test]
    fn how_long_it_took_is_no_part_of_what_was_judged() {
        let judged = |took: Took| Judgement {
            generation: 1,
            class: crate::policy::CallerClass::Agent,
            ruling: crate::verdict::Ruling::denied_by_core("r", "because"),
            opinions: Vec::new(),
            took,
        };
        let (one, another) = (Took::of_micros(7), Took::from(Duration::from_millis(3)));
        assert_eq!(judged(one), judged(another));
        assert_eq!(judged(one), judged(Took::UNKNOWN));
        assert_eq!(another.micros(), Some(3_000));
    }
}
