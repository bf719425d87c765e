//! How long approvals live, as the operator sets it.

use std::time::Duration;

use countersign_core::approval::{GRANT_TTL, Lives, MOST_COOL_DOWN, PENDING_TTL, Ttl};

use super::Flags;
use super::number::number;

/// The settings in seconds, where they are set: pending, grant, cool-down.
pub type Seconds = [Option<u32>; 3];

/// The lives that flags or the environment set; none where neither does.
pub fn lives_of(flags: &Flags) -> Result<Option<Lives>, String> {
    let mut mistakes = Vec::new();
    let set = [
        ("COUNTERSIGN_PENDING_SECONDS", &flags.pending_seconds),
        ("COUNTERSIGN_GRANT_SECONDS", &flags.grant_seconds),
    ];
    let [pending, grant] =
        set.map(|(name, said)| number(name, [said.clone(), None], &mut mistakes));
    let lives = lives([pending, grant, None], &mut mistakes);
    match mistakes.first() {
        Some(mistake) => Err(mistake.clone()),
        None => Ok((pending.or(grant).is_some()).then_some(lives)),
    }
}

/// The lives that `seconds` make.
pub fn lives([pending, grant, cool_down]: Seconds, mistakes: &mut Vec<String>) -> Lives {
    let default = Lives::default();
    let mut ttl = |name: &str, bounds: Ttl, seconds: Option<u32>| {
        let Some(seconds) = seconds else {
            return bounds;
        };
        let set = bounds.set_to(Duration::from_secs(seconds.into()));
        set.unwrap_or_else(|| {
            let (least, most) = (bounds.least.as_secs(), bounds.most.as_secs());
            mistakes.push(format!(
                "{name}: `{seconds}` is not a number of seconds from {least} to {most}"
            ));
            bounds
        })
    };
    let pending = ttl("COUNTERSIGN_PENDING_SECONDS", PENDING_TTL, pending);
    let grant = ttl("COUNTERSIGN_GRANT_SECONDS", GRANT_TTL, grant);
    let cool_down = cool_down.map_or(default.cool_down, |s| Duration::from_secs(s.into()));
    if cool_down > MOST_COOL_DOWN {
        mistakes.push(format!(
            "COUNTERSIGN_COOL_DOWN_SECONDS: `{}` is not a number of seconds from 0 to {}",
            cool_down.as_secs(),
            MOST_COOL_DOWN.as_secs(),
        ));
    }
    Lives {
        pending,
        grant,
        cool_down,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_the_default() {
        let mut mistakes = Vec::new();
        assert_eq!(lives([None; 3], &mut mistakes), Lives::default());
        let none = lives([None, None, Some(0)], &mut mistakes);
        assert_eq!(none.cool_down, Duration::ZERO);
        assert!(mistakes.is_empty());
    }

    #[test]
    fn each_life_outside_its_bounds_is_a_mistake_that_names_them() {
        let mut mistakes = Vec::new();
        lives([Some(29), Some(86_401), Some(86_401)], &mut mistakes);
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(mistakes[0].contains("COUNTERSIGN_PENDING_SECONDS") && mistakes[0].contains("30"));
        assert!(mistakes[1].contains("86400") && mistakes[2].contains("from 0"));
    }
}
