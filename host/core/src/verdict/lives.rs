//! The lives of gates that join.

use super::{Judgement, Opinion, Ruling};
use crate::approval::{Lives, Ttl};
use crate::policy::{Terms, Verdict};

impl Judgement {
    /// The same on a host whose operator set these lives: what one gate leaves to the host beside another that
    /// names a life is as long as they say, and not as the built-in default.
    pub fn within(mut self, lives: &Lives) -> Self {
        let terms = |opinion: &'_ Opinion| match &opinion.verdict {
            Ok(Verdict::Gate(terms)) => Some(terms.clone()),
            _ => None,
        };
        if let Ruling::Gate { terms: joined, .. } = &mut self.ruling {
            let gates: Vec<Terms> = self.opinions.iter().filter_map(terms).collect();
            let gates: Vec<&Terms> = gates.iter().collect();
            // Where nobody's opinion is kept there is nothing to join anew.
            if !gates.is_empty() {
                [joined.pending_ttl, joined.grant_ttl] = shortest(&gates, lives);
            }
        }
        self
    }
}

/// The shortest lives of `gates`: for people to decide, and to use what was approved.
pub(super) fn shortest(gates: &[&Terms], lives: &Lives) -> [Option<u32>; 2] {
    [
        shortest_of(gates.iter().map(|terms| terms.pending_ttl), lives.pending),
        shortest_of(gates.iter().map(|terms| terms.grant_ttl), lives.grant),
    ]
}

/// The shortest of `lives`, of which one that is left to the host is no longer than its default: a gate
/// beside it must not make it longer.
fn shortest_of(lives: impl Iterator<Item = Option<u32>> + Clone, ttl: Ttl) -> Option<u32> {
    let shortest = lives.clone().flatten().min()?;
    let default = u32::try_from(ttl.default.as_secs()).unwrap_or(u32::MAX);
    let is_left = lives.clone().any(|life| life.is_none());
    Some(match is_left {
        true => shortest.min(default),
        false => shortest,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::approval::{GRANT_TTL, PENDING_TTL};
    use crate::policy::{CallerClass, Ground};
    use crate::verdict::{ModuleId, Took, fold};

    fn judged(lives: &[[Option<u32>; 2]]) -> Judgement {
        let opinion = |(at, [pending_ttl, grant_ttl]): (usize, &[Option<u32>; 2])| Opinion {
            module: ModuleId {
                name: format!("m{at}"),
                version: "1.0.0".to_owned(),
                digest: String::new(),
            },
            verdict: Ok(Verdict::Gate(Terms {
                ground: Ground::new("rule", "because"),
                quorums: Vec::new(),
                pending_ttl: *pending_ttl,
                grant_ttl: *grant_ttl,
            })),
            notes: Vec::new(),
            took: Took::UNKNOWN,
        };
        let opinions: Vec<Opinion> = lives.iter().enumerate().map(opinion).collect();
        Judgement {
            generation: 1,
            class: CallerClass::Agent,
            ruling: fold(&opinions),
            opinions,
            took: Took::UNKNOWN,
        }
    }

    fn lives(judgement: &Judgement) -> [Option<u32>; 2] {
        let Ruling::Gate { terms, .. } = &judgement.ruling else {
            panic!("they gate");
        };
        [terms.pending_ttl, terms.grant_ttl]
    }

    /// A host whose operator set these.
    fn set(pending: u64, grant: u64) -> Lives {
        let set = |ttl: Ttl, seconds| ttl.set_to(Duration::from_secs(seconds)).expect("within");
        Lives {
            pending: set(PENDING_TTL, pending),
            grant: set(GRANT_TTL, grant),
            ..Lives::default()
        }
    }

    #[test]
    fn a_gate_does_not_make_longer_what_another_leaves_to_the_host() {
        let life = |lives: &[Option<u32>]| shortest_of(lives.iter().copied(), PENDING_TTL);
        assert_eq!(life(&[None, Some(86_400)]), Some(3_600));
        assert_eq!(life(&[None, Some(60), Some(86_400)]), Some(60));
        assert_eq!(life(&[Some(86_400), Some(90_000)]), Some(86_400));
        assert_eq!(life(&[None, None]), None);
    }

    #[test]
    fn what_is_left_to_the_host_is_as_long_as_its_operator_set_it() {
        let left = judged(&[[None, None], [Some(7_200), Some(1_800)]]);
        assert_eq!(lives(&left), [Some(3_600), Some(900)]);
        for (pending, grant, expected) in [
            (86_400, 3_600, [Some(7_200), Some(1_800)]),
            (5_000, 1_000, [Some(5_000), Some(1_000)]),
            (60, 60, [Some(60), Some(60)]),
        ] {
            let host = set(pending, grant);
            assert_eq!(lives(&left.clone().within(&host)), expected);
        }
        assert_eq!(left.clone().within(&Lives::default()), left);
        let named = judged(&[[Some(4_000), None], [Some(7_200), None]]);
        assert_eq!(named.clone().within(&set(86_400, 3_600)), named);
    }
}
