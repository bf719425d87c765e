//! Taking settings in, or saying what is wrong with them.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::{Manifest, Setting};

/// A module's settings: checked names, defaults filled in.
///
/// Each getter's error is a sentence for the person who wrote the settings file.
#[derive(Clone, Debug)]
pub struct Settings {
    resolved: Vec<Setting>,
}

impl Settings {
    /// Checks the names against the manifest and fills the defaults in.
    ///
    /// # Errors
    ///
    /// A sentence, where a name is unknown or given twice.
    pub fn resolve(manifest: &Manifest, given: &[Setting]) -> Result<Self, String> {
        for (position, setting) in given.iter().enumerate() {
            let name = &setting.name;
            if !manifest.settings.iter().any(|spec| spec.name == *name) {
                let known: Vec<_> = manifest
                    .settings
                    .iter()
                    .map(|spec| format!("`{}`", spec.name))
                    .collect();
                let known = if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                };
                return Err(format!(
                    "the setting `{name}` is unknown; `{}` has {known}",
                    manifest.name
                ));
            }
            if given[..position]
                .iter()
                .any(|earlier| earlier.name == *name)
            {
                return Err(format!("the setting `{name}` is given twice"));
            }
        }
        let resolved = manifest
            .settings
            .iter()
            .map(|spec| Setting {
                name: spec.name.clone(),
                values: given
                    .iter()
                    .find(|setting| setting.name == spec.name)
                    .map_or(&spec.default, |setting| &setting.values)
                    .clone(),
            })
            .collect();
        Ok(Self { resolved })
    }

    /// All values, in order.
    ///
    /// # Errors
    ///
    /// Where the manifest does not declare the setting.
    pub fn texts(&self, name: &str) -> Result<&[String], String> {
        self.resolved
            .iter()
            .find(|setting| setting.name == name)
            .map(|setting| setting.values.as_slice())
            .ok_or_else(|| {
                format!(
                    "the module reads the setting `{name}`, which its manifest does not declare"
                )
            })
    }

    /// The one value.
    ///
    /// # Errors
    ///
    /// Where there is none, or more than one.
    pub fn text(&self, name: &str) -> Result<&str, String> {
        match self.texts(name)? {
            [value] => Ok(value),
            values => Err(format!(
                "the setting `{name}` takes one value, not {}",
                values.len()
            )),
        }
    }

    /// The one value, as a number within bounds.
    ///
    /// # Errors
    ///
    /// Where it is not one whole number within them.
    pub fn number<N>(&self, name: &str, bounds: RangeInclusive<N>) -> Result<N, String>
    where
        N: FromStr + PartialOrd + Display,
    {
        let value = self.text(name)?;
        value
            .parse()
            .ok()
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| {
                let (least, most) = (bounds.start(), bounds.end());
                format!("the setting `{name}` is a number from {least} to {most}, not `{value}`")
            })
    }

    /// The one value, `true` or `false`.
    ///
    /// # Errors
    ///
    /// Where it is anything else.
    pub fn flag(&self, name: &str) -> Result<bool, String> {
        match self.text(name)? {
            "true" => Ok(true),
            "false" => Ok(false),
            value => Err(format!(
                "the setting `{name}` is `true` or `false`, not `{value}`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::settings;

    fn resolve(given: &[(&str, &[&str])]) -> Result<Settings, String> {
        let manifest = Manifest::new("quota", "0.1.0", "a test")
            .setting("limit", "how many", &["10"])
            .setting("strict", "whether", &["false"]);
        Settings::resolve(&manifest, &settings(given))
    }

    #[test]
    fn an_absent_setting_has_its_default() -> Result<(), String> {
        let settings = resolve(&[("strict", &["true"])])?;
        assert_eq!(settings.number("limit", 1..=100)?, 10_u32);
        assert!(settings.flag("strict")?);
        Ok(())
    }

    #[test]
    fn a_mistake_is_named_in_a_sentence() {
        let refused = |given: &[(&str, &[&str])]| {
            resolve(given)
                .and_then(|settings| {
                    settings.number::<u32>("limit", 1..=100)?;
                    settings.flag("strict")
                })
                .expect_err("INVARIANT: each case is a mistake")
        };
        assert_eq!(
            refused(&[("limits", &["3"])]),
            "the setting `limits` is unknown; `quota` has `limit`, `strict`"
        );
        assert_eq!(
            refused(&[("limit", &["3"]), ("limit", &["4"])]),
            "the setting `limit` is given twice"
        );
        assert_eq!(
            refused(&[("limit", &["0"])]),
            "the setting `limit` is a number from 1 to 100, not `0`"
        );
        assert_eq!(
            refused(&[("limit", &["1", "2"])]),
            "the setting `limit` takes one value, not 2"
        );
        assert_eq!(
            refused(&[("strict", &["yes"])]),
            "the setting `strict` is `true` or `false`, not `yes`"
        );
    }

    #[test]
    fn reading_an_undeclared_setting_is_a_sentence_not_a_panic() {
        let settings = resolve(&[]).expect("INVARIANT: the defaults are good");
        assert!(settings.texts("nowhere").is_err());
    }
}
