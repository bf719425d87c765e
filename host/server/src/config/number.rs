//! Numbers, as they are written: whether each is one is found out together with all other mistakes.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// What should be a whole number.
#[derive(Clone, Debug)]
pub struct Number(String);

impl FromStr for Number {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl Visitor<'_> for Written {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number.to_string()))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

/// The setting `name`: of the flag or the environment, else of the file. Empty is unset.
pub fn number(name: &str, said: [Option<Number>; 2], mistakes: &mut Vec<String>) -> Option<u32> {
    let written = said
        .into_iter()
        .flatten()
        .find(|Number(text)| !text.is_empty())?;
    let number = written.0.parse().ok();
    if number.is_none() {
        mistakes.push(format!("{name}: `{}` is not a whole number", written.0));
    }
    number
}
