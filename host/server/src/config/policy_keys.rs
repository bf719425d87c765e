//! Whose signatures of policies count.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use countersign_core::signature::TrustedKeys;
use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::values::set;
use super::{ConfigError, Flags, file};

/// What should be `true` or `false`: whether it is, is found out together with all other mistakes.
#[derive(Clone, Debug)]
pub struct Switch(String);

impl FromStr for Switch {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl Visitor<'_> for Written {
            type Value = Switch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a boolean")
            }

            fn visit_bool<E: de::Error>(self, is_on: bool) -> Result<Switch, E> {
                Ok(Switch(is_on.to_string()))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

/// Those that flags, the environment or the file set, for a command that needs nothing else of them.
pub fn policy_keys_of(flags: &Flags) -> Result<TrustedKeys, ConfigError> {
    let mut mistakes = Vec::new();
    let file = match &flags.config {
        Some(path) => file::read(path, &mut mistakes).flags,
        None => Flags::default(),
    };
    let keys = policy_keys(
        set(flags.policy_keys.clone()).or(set(file.policy_keys)),
        [flags.require_signature.clone(), file.require_signature],
        &mut mistakes,
    );
    match mistakes.is_empty() {
        true => Ok(keys),
        false => Err(ConfigError(mistakes)),
    }
}

/// The keys of a list, and whether a module needs a signature by one of them; of each, what the flag or the
/// environment says, else the file.
pub fn policy_keys(
    list: Option<String>,
    is_required: [Option<Switch>; 2],
    mistakes: &mut Vec<String>,
) -> TrustedKeys {
    let mut keys = Vec::new();
    let mut is_wrong = false;
    match list.as_deref().map(TrustedKeys::parse) {
        None => {}
        Some(Ok(parsed)) => keys = parsed,
        Some(Err((place, error))) => {
            is_wrong = true;
            mistakes.push(format!(
                "COUNTERSIGN_POLICY_KEYS: key {place} of the list: {error}"
            ));
        }
    }
    let mut said = is_required.into_iter().flatten();
    let said = said.find(|Switch(text)| !text.is_empty());
    let is_required = match said.as_ref().map(|Switch(text)| text.as_str()) {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            mistakes.push(format!(
                "COUNTERSIGN_REQUIRE_SIGNATURE: `{other}` is neither `true` nor `false`"
            ));
            // Whoever set it wanted something.
            true
        }
    };
    if is_required && keys.is_empty() && !is_wrong {
        mistakes.push(
            "COUNTERSIGN_REQUIRE_SIGNATURE: needs COUNTERSIGN_POLICY_KEYS beside it, the keys whose signatures count: without one no policy could ever load (`countersign policy keygen` makes a pair)"
                .to_owned(),
        );
    }
    TrustedKeys::new(keys, is_required)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "RWRqHhs6/PorDJYyMaDACteVdvcZ2+LsazDRo0Hxj2ApPiPsri6hUsBw";

    fn read(list: Option<&str>, is_required: Option<&str>) -> Result<TrustedKeys, Vec<String>> {
        let mut mistakes = Vec::new();
        let switch = is_required.map(|text| Switch(text.to_owned()));
        let keys = policy_keys(list.map(str::to_owned), [switch, None], &mut mistakes);
        match mistakes.is_empty() {
            true => Ok(keys),
            false => Err(mistakes),
        }
    }

    #[test]
    fn keys_are_a_list_and_a_signature_is_required_of_somebody() {
        let keys = read(Some(&format!("release={KEY}")), Some("true")).expect("it is right");
        assert!(keys.is_required());
        assert_eq!(keys.keys()[0].name.as_deref(), Some("release"));
        assert!(!read(None, None).expect("nothing is said").is_required());
        assert!(
            !read(None, Some("false"))
                .expect("it is right")
                .is_required()
        );
    }

    #[test]
    fn every_mistake_says_what_to_do_and_repeats_no_key() {
        let mistakes = read(None, Some("true")).expect_err("nobody could sign");
        assert!(
            mistakes[0].contains("needs COUNTERSIGN_POLICY_KEYS"),
            "{mistakes:?}"
        );
        let mistakes = read(Some(&format!("{KEY},hunter2")), Some("yes")).expect_err("wrong");
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
        assert!(mistakes[0].contains("key 2 of the list"), "{mistakes:?}");
        assert!(!mistakes.concat().contains("hunter2"), "{mistakes:?}");
        assert!(
            mistakes[1].contains("neither `true` nor `false`"),
            "{mistakes:?}"
        );
    }
}
