//! How long people have to decide, how long a grant can be used, and how long a denial stands.

use std::time::Duration;

/// How long people have to decide where no policy says otherwise, and the bounds on what one may say.
pub const PENDING_TTL: Ttl = Ttl {
    default: Duration::from_secs(3_600),
    least: Duration::from_secs(30),
    most: Duration::from_secs(7 * 86_400),
};

/// How long a grant can be used where no policy says otherwise, and the bounds on what one may say.
pub const GRANT_TTL: Ttl = Ttl {
    default: Duration::from_secs(15 * 60),
    least: Duration::from_secs(10),
    most: Duration::from_secs(86_400),
};

/// After a denial, the same lineage may not ask for the same verb on the same resource for so long.
pub const COOL_DOWN: Duration = Duration::from_secs(60);

/// The longest cool-down that can be set: a day, or a denial by mistake is a lasting one.
pub const MOST_COOL_DOWN: Duration = Duration::from_secs(86_400);

/// The lives of one organisation's approvals, as its operator set them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lives {
    /// For people to decide.
    pub pending: Ttl,
    /// For the requester to use what was approved.
    pub grant: Ttl,
    /// After a denial; nothing: it may be asked again at once.
    pub cool_down: Duration,
}

impl Default for Lives {
    fn default() -> Self {
        Self {
            pending: PENDING_TTL,
            grant: GRANT_TTL,
            cool_down: COOL_DOWN,
        }
    }
}

/// A life with its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ttl {
    /// Where nobody says.
    pub default: Duration,
    /// At least.
    pub least: Duration,
    /// At most.
    pub most: Duration,
}

impl Ttl {
    /// The operator's own: what holds where no policy says otherwise, and the most that one may say. A
    /// setting that policies could exceed would be none. `None`: it is outside the bounds.
    pub fn set_to(self, life: Duration) -> Option<Self> {
        let is_within = (self.least..=self.most).contains(&life);
        is_within.then_some(Self {
            default: life,
            most: life,
            ..self
        })
    }

    /// What a policy asked for, within the bounds.
    pub fn bounded(self, seconds: Option<u32>) -> Duration {
        seconds.map_or(self.default, |seconds| {
            Duration::from_secs(seconds.into()).clamp(self.least, self.most)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_cannot_make_a_life_longer_than_the_host_allows() {
        assert_eq!(GRANT_TTL.bounded(Some(u32::MAX)), GRANT_TTL.most);
        assert_eq!(GRANT_TTL.bounded(Some(0)), GRANT_TTL.least);
        assert_eq!(GRANT_TTL.bounded(None), GRANT_TTL.default);
    }

    #[test]
    fn what_the_operator_set_is_the_default_and_the_most() {
        let minute = GRANT_TTL.set_to(Duration::from_secs(60)).expect("within");
        assert_eq!(minute.bounded(None).as_secs(), 60);
        assert_eq!(minute.bounded(Some(900)).as_secs(), 60);
        assert_eq!(minute.bounded(Some(30)).as_secs(), 30);
        assert_eq!(minute.bounded(Some(0)), GRANT_TTL.least);
    }

    #[test]
    fn a_life_outside_the_bounds_cannot_be_set() {
        for seconds in [0, 9, 86_401] {
            assert_eq!(GRANT_TTL.set_to(Duration::from_secs(seconds)), None);
        }
    }
}
