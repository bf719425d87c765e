//! What the control plane said of cookies a moment ago, each under a hash of the cookie.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use sha2::{Digest as _, Sha256};

use super::known::Evidence;

/// A member is believed for so long after the control plane said so: as long as a removed member may
/// still be let in, but for what is verified afresh.
const MEMBER_FOR: Duration = Duration::from_secs(30);
/// A stranger is one for so long: short, because people sign in and come back.
const STRANGER_FOR: Duration = Duration::from_secs(5);
/// Remembered answers at most. Each is a hash and a name, so this is a few megabytes.
const REMEMBERED: u64 = 10_000;

/// What the control plane says of a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// It is the session of this user, who is a member of this tenant.
    Member(String),
    /// It is not the session of any member.
    Stranger,
}

impl Membership {
    fn remembered_for(&self) -> Duration {
        match self {
            Self::Member(_) => MEMBER_FOR,
            Self::Stranger => STRANGER_FOR,
        }
    }
}

struct ByAnswer;

impl Expiry<Evidence, Membership> for ByAnswer {
    fn expire_after_create(
        &self,
        _: &Evidence,
        answer: &Membership,
        _: Instant,
    ) -> Option<Duration> {
        Some(answer.remembered_for())
    }

    fn expire_after_update(
        &self,
        _: &Evidence,
        answer: &Membership,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(answer.remembered_for())
    }
}

/// The answers that are remembered for one tenant.
pub struct Memberships {
    slug: String,
    answers: Cache<Evidence, Membership>,
}

impl Memberships {
    /// None so far. Full, they keep what is used: made-up cookies, each of which comes once, push out
    /// nobody who is at work.
    pub fn new(slug: &str) -> Self {
        Self {
            slug: slug.to_owned(),
            answers: Cache::builder()
                .max_capacity(REMEMBERED)
                .expire_after(ByAnswer)
                .build(),
        }
    }

    /// What an answer about `cookies` is remembered under. The slug is of it, so that no tenant's answer is
    /// another's; it holds no zero byte, so that no two pairs look the same.
    pub fn key(&self, cookies: &str) -> Evidence {
        let mut hash = Sha256::new();
        hash.update(&self.slug);
        hash.update([0]);
        hash.update(cookies);
        hash.finalize().into()
    }

    /// The answer under `key`, or that of `question`, which all who ask for it at one time share. An error
    /// is not remembered.
    pub async fn get_or_ask<E: Clone + Send + Sync + 'static>(
        &self,
        key: Evidence,
        question: impl Future<Output = Result<Membership, E>>,
    ) -> Result<Membership, E> {
        let answer = self.answers.try_get_with(key, question).await;
        answer.map_err(Arc::unwrap_or_clone)
    }

    /// Remembers `answer`, whatever was said before.
    pub async fn remember(&self, key: Evidence, answer: Membership) {
        self.answers.insert(key, answer).await;
    }

    /// Forgets what was said of one cookie.
    pub async fn forget(&self, key: &Evidence) {
        self.answers.invalidate(key).await;
    }

    /// Throws away what is over.
    pub async fn sweep(&self) {
        self.answers.run_pending_tasks().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tenants_and_no_two_cookies_share_an_answer() {
        let key = |slug: &str, cookies: &str| Memberships::new(slug).key(cookies);
        let keys = [
            key("acme", "s=1"),
            key("acme", "s=2"),
            key("acm", "es=1"),
            key("globex", "s=1"),
            key("", "acme\0s=1"),
        ];
        let unique: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(unique.len(), keys.len());
        let hash: [u8; 32] = Sha256::digest(b"acme\0s=1").into();
        assert_eq!(key("acme", "s=1"), hash);
    }

    #[tokio::test]
    async fn so_many_answers_are_remembered_and_no_more() {
        let memberships = Memberships::new("acme");
        for number in 0..REMEMBERED + 2_000 {
            let key = memberships.key(&number.to_string());
            memberships.remember(key, Membership::Stranger).await;
        }
        memberships.sweep().await;
        let remembered = memberships.answers.entry_count();
        assert!(remembered <= REMEMBERED, "{remembered}");
        assert!(remembered > REMEMBERED / 2);
    }

    #[test]
    fn a_yes_is_believed_for_half_a_minute_and_a_no_for_moments() {
        let yes = Membership::Member("ann".to_owned());
        assert_eq!(yes.remembered_for(), Duration::from_secs(30));
        assert_eq!(
            Membership::Stranger.remembered_for(),
            Duration::from_secs(5)
        );
    }
}
