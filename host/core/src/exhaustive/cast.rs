//! Whom and what the questions of the table are about.

use sha2::{Digest, Sha256};

/// 2026-01-01T00:00:00Z in Unix milliseconds.
const TIME: u64 = 1_767_225_600_000;
/// In milliseconds, like the two below.
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// Names that stand for everything of their kind: no policy has a reason to know them.
#[derive(Clone, Debug)]
pub struct Cast {
    pub(super) organisation: String,
    pub(super) own_workspace: String,
    pub(super) other_workspace: String,
    pub(super) token: String,
    pub(super) prefix: String,
    pub(super) person: String,
    pub(super) session: String,
    pub(super) gateway: String,
    pub(super) token_name: String,
    pub(super) workspace_name: String,
    pub(super) key: String,
    /// Where requests come from; of the known cast it is not told.
    pub(super) address: Option<String>,
    /// How many organisation tokens live.
    pub(super) live_tokens: i64,
    /// How long ago a token was minted, and how long it is to live, in milliseconds.
    pub(super) age: u64,
    pub(super) life: u64,
    /// Unix milliseconds.
    pub(super) time: u64,
}

impl Cast {
    /// The one that is written down, which every module can be made to recognise.
    pub fn known() -> Self {
        let id = |last: &str| format!("5f0c7a4e-0000-4000-8000-0000000000{last}");
        Self {
            organisation: id("01"),
            own_workspace: id("aa"),
            other_workspace: id("bb"),
            token: id("cc"),
            prefix: "Zk3p".to_owned(),
            person: "u-1".to_owned(),
            session: "0123456789abcdef".to_owned(),
            gateway: "gateway".to_owned(),
            token_name: "ci".to_owned(),
            workspace_name: "research".to_owned(),
            key: "API_KEY".to_owned(),
            address: None,
            live_tokens: 3,
            age: DAY,
            life: DAY,
            time: TIME,
        }
    }

    /// One that nobody knows who does not know `seed`, and always the same of it; in the forms that a host's own
    /// have. The day of the week and the hour are those of the known one: what a policy lets people do by the
    /// hour is no sign that it recognises the table.
    pub fn drawn(seed: &[u8]) -> Self {
        let draw = Draw(seed);
        let time = TIME + draw.number("week", 104) * WEEK + draw.number("moment", HOUR);
        let octet = |what| draw.number(what, 256);
        Self {
            organisation: draw.id("organisation", time),
            own_workspace: draw.id("own workspace", time),
            other_workspace: draw.id("other workspace", time),
            token: draw.id("token", time),
            prefix: draw.name("prefix").chars().take(4).collect(),
            person: draw.name("person"),
            session: crate::keys::hex(&draw.bytes::<8>("session")),
            gateway: draw.name("gateway"),
            token_name: draw.name("token name"),
            workspace_name: draw.name("workspace name"),
            key: draw.name("key").to_uppercase(),
            address: Some(format!("10.{}.{}.{}", octet("b"), octet("c"), octet("d"))),
            live_tokens: 1 + draw.number("live tokens", 12) as i64,
            age: HOUR + draw.number("age", 30 * DAY),
            life: HOUR + draw.number("life", 30 * DAY),
            time,
        }
    }
}

/// What comes of a seed.
struct Draw<'s>(&'s [u8]);

impl Draw<'_> {
    fn bytes<const N: usize>(&self, what: &str) -> [u8; N] {
        let mut hash = Sha256::new();
        hash.update(b"countersign cast v1\0");
        hash.update(what);
        hash.update([0]);
        hash.update(self.0);
        let mut bytes = [0; N];
        bytes
            .iter_mut()
            .zip(hash.finalize())
            .for_each(|(byte, drawn)| *byte = drawn);
        bytes
    }

    fn number(&self, what: &str, below: u64) -> u64 {
        u64::from_be_bytes(self.bytes(what)) % below
    }

    /// Made within the half year before `time`.
    fn id(&self, what: &str, time: u64) -> String {
        let made = time - self.number(what, 26 * WEEK);
        let id = uuid::Builder::from_unix_timestamp_millis(made, &self.bytes::<10>(what));
        id.into_uuid().to_string()
    }

    /// Of 4 to 12 letters.
    fn name(&self, what: &str) -> String {
        let [length, letters @ ..] = self.bytes::<13>(what);
        let letters = letters.iter().map(|byte| char::from(b'a' + byte % 26));
        letters.take(4 + usize::from(length % 9)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::*;

    #[test]
    fn what_is_drawn_is_the_same_again_and_another_of_another_seed() {
        let told = |seed: &[u8]| format!("{:?}", Cast::drawn(seed));
        assert_eq!(told(b"a"), told(b"a"));
        assert_ne!(told(b"a"), told(b"b"));
    }

    #[test]
    fn no_name_of_the_known_cast_is_in_a_question_about_a_drawn_one() {
        let (known, drawn) = (Cast::known(), Cast::drawn(b"seed"));
        let names = [
            &known.organisation,
            &known.own_workspace,
            &known.other_workspace,
            &known.token,
            &known.person,
            &known.session,
            &known.prefix,
            &known.workspace_name,
            &known.key,
        ];
        for row in rows() {
            let told = format!("{:?}", row.question_about(&drawn));
            for name in names {
                assert!(!told.contains(name.as_str()), "{name}: {told}");
            }
            let other = row.question_about(&known);
            assert_eq!(format!("{other:?}"), format!("{:?}", row.question()));
        }
    }
}
