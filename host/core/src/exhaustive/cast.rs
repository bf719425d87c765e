//! Whom and what the questions of the table are about.

use sha2::{Digest, Sha256};

/// 2026-01-01T00:00:00Z in Unix milliseconds.
const TIME: u64 = 1_767_225_600_000;
/// An hour, in milliseconds.
const HOUR: u64 = 3_600_000;

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
            time: TIME,
        }
    }

    /// One that nobody knows who does not know `seed`, and always the same of it. The hour is that of the known
    /// one: what a policy lets people do by the hour is no sign that it recognises the table.
    pub fn drawn(seed: &[u8]) -> Self {
        let drawn = |what: &str| {
            let mut hash = Sha256::new();
            hash.update(b"countersign cast v1\0");
            hash.update(what);
            hash.update([0]);
            hash.update(seed);
            <[u8; 32]>::from(hash.finalize())
        };
        let id = |what| {
            let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = drawn(what);
            uuid::Builder::from_random_bytes(bytes)
                .into_uuid()
                .to_string()
        };
        let name = |what| {
            let [length, letters @ ..] = drawn(what);
            let letters = letters.iter().map(|byte| char::from(b'a' + byte % 26));
            letters
                .take(4 + usize::from(length % 9))
                .collect::<String>()
        };
        let [a, b, c, d, ..] = drawn("time");
        Self {
            organisation: id("organisation"),
            own_workspace: id("own workspace"),
            other_workspace: id("other workspace"),
            token: id("token"),
            prefix: name("prefix").chars().take(4).collect(),
            person: name("person"),
            session: crate::keys::hex(&drawn("session"))[..16].to_owned(),
            gateway: name("gateway"),
            token_name: name("token name"),
            workspace_name: name("workspace name"),
            key: name("key").to_uppercase(),
            time: TIME + u64::from(u32::from_be_bytes([a, b, c, d])) % HOUR,
        }
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
