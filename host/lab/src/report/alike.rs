//! Failures of one case, folded where they are alike.

use crate::run::Failed;

/// Questions of one case that were answered alike.
pub(super) struct Alike<'f>(pub Vec<&'f Failed>);

impl<'f> Alike<'f> {
    /// `failures`, folded, each group at the place of its first.
    pub(super) fn fold(failures: &'f [Failed]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for failed in failures {
            match groups.iter_mut().find(|group| group.is_like(failed)) {
                Some(group) => group.0.push(failed),
                None => groups.push(Self(vec![failed])),
            }
        }
        groups
    }

    /// The one that stands for all.
    pub(super) fn first(&self) -> &'f Failed {
        self.0[0]
    }

    fn is_like(&self, other: &Failed) -> bool {
        let first = self.first();
        first.mismatches == other.mismatches
            && first.answered.class == other.answered.class
            && first.answered.verdict == other.answered.verdict
    }
}
