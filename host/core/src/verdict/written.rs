//! An opinion, as it is recorded and shown: a `verdict` or a `failure`, never both.

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{ModuleId, Opinion, Took};
use crate::policy::{Ground, Terms, Verdict};

impl Serialize for Opinion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members =
            2 + usize::from(!self.notes.is_empty()) + usize::from(!self.took.is_unknown());
        let mut written = serializer.serialize_struct("Opinion", members)?;
        written.serialize_field("module", &self.module)?;
        match &self.verdict {
            Ok(verdict) => written.serialize_field("verdict", verdict)?,
            Err(failure) => written.serialize_field("failure", failure)?,
        }
        if !self.notes.is_empty() {
            written.serialize_field("notes", &self.notes)?;
        }
        if !self.took.is_unknown() {
            written.serialize_field("duration_us", &self.took)?;
        }
        written.end()
    }
}

#[derive(Deserialize)]
struct Written {
    module: ModuleId,
    verdict: Option<Said>,
    failure: Option<String>,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    duration_us: Took,
}

/// [`Verdict`], and what an earlier version wrote around it: ledgers hold that for ever.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Abstain,
    Allow(Ground),
    Gate(Terms),
    Deny(Ground),
    #[serde(rename = "Ok")]
    Wrapped(Verdict),
    #[serde(rename = "Err")]
    WrappedFailure(String),
}

impl<'de> Deserialize<'de> for Opinion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let verdict = match (written.verdict, written.failure) {
            (Some(said), None) => said.verdict(),
            (None, Some(failure)) => Err(failure),
            (Some(_), Some(_)) => {
                return Err(de::Error::custom(
                    "an opinion has both a verdict and a failure",
                ));
            }
            (None, None) => {
                return Err(de::Error::custom(
                    "an opinion has neither a verdict nor a failure",
                ));
            }
        };
        Ok(Self {
            module: written.module,
            verdict,
            notes: written.notes,
            took: written.duration_us,
        })
    }
}

impl Said {
    fn verdict(self) -> Result<Verdict, String> {
        Ok(match self {
            Self::Abstain => Verdict::Abstain,
            Self::Allow(ground) => Verdict::Allow(ground),
            Self::Gate(terms) => Verdict::Gate(terms),
            Self::Deny(ground) => Verdict::Deny(ground),
            Self::Wrapped(verdict) => verdict,
            Self::WrappedFailure(failure) => return Err(failure),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn opinion(member: &str, value: Value) -> Value {
        let module = json!({ "name": "m", "version": "1.0.0", "digest": "00" });
        json!({ "module": module, member: value })
    }

    fn read(written: Value) -> Result<Opinion, serde_json::Error> {
        serde_json::from_value(written)
    }

    #[test]
    fn an_opinion_is_a_verdict_or_a_failure_and_is_read_as_it_was_written() {
        let ground = json!({ "rule": "r", "reason": "because" });
        let terms = json!({ "ground": ground, "quorums": [{ "people": 1 }],
                            "pending_ttl": null, "grant_ttl": 60 });
        for written in [
            opinion("verdict", json!("abstain")),
            opinion("verdict", json!({ "allow": ground })),
            opinion("verdict", json!({ "gate": terms })),
            opinion("verdict", json!({ "deny": ground })),
            opinion("failure", json!("it trapped")),
        ] {
            let opinion = read(written.clone()).expect("an opinion");
            assert_eq!(serde_json::to_value(&opinion).expect("JSON"), written);
        }
        let mut both = opinion("verdict", json!("abstain"));
        both["failure"] = json!("it trapped");
        for wrong in [
            both,
            opinion("notes", json!([])),
            opinion("verdict", json!("maybe")),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_an_earlier_version_recorded_is_read() {
        let said = json!({ "deny": { "rule": "r", "reason": "because" } });
        let wrapped = read(opinion("verdict", json!({ "Ok": said }))).expect("an opinion");
        assert_eq!(wrapped, read(opinion("verdict", said)).expect("an opinion"));
        let abstains = read(opinion("verdict", json!({ "Ok": "abstain" }))).expect("an opinion");
        assert_eq!(abstains.verdict, Ok(Verdict::Abstain));
        let failed = read(opinion("verdict", json!({ "Err": "it trapped" }))).expect("an opinion");
        assert_eq!(failed.verdict, Err("it trapped".to_owned()));
    }
}
