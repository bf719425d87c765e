//! Whose requests a module holds.

use countersign_policy::{CallerClass, Credential, Manifest, Request, Settings};

const SETTING: &str = "people_too";

/// Whom the setting `people_too` holds: every program, or people as well.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    people_too: bool,
}

impl Held {
    /// Declares the setting; by default people are not held.
    #[must_use]
    pub fn declare(manifest: Manifest) -> Manifest {
        manifest.setting(
            SETTING,
            "whether people are held as well, and not only agents and other programs",
            &["false"],
        )
    }

    /// Takes it in.
    ///
    /// # Errors
    ///
    /// Where it is neither `true` nor `false`.
    pub fn take(settings: &Settings) -> Result<Self, String> {
        Ok(Self {
            people_too: settings.flag(SETTING)?,
        })
    }

    /// Whether this request is. Who is not proven to be a person is a program.
    #[must_use]
    pub fn holds(self, request: &Request) -> bool {
        self.people_too || !is_by_person(request)
    }
}

/// Whether a person asks: the class says so, and the credential bears it out.
#[must_use]
pub fn is_by_person(request: &Request) -> bool {
    request.class == CallerClass::Human && request.caller.credential == Credential::VerifiedSession
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_policy::testing::{request, settings};

    #[test]
    fn a_person_is_one_by_class_and_by_credential() {
        let asked = |credential, class| request(credential, "workspace_list").class(class).build();
        assert!(is_by_person(&asked(
            Credential::VerifiedSession,
            CallerClass::Human
        )));
        assert!(!is_by_person(&asked(
            Credential::VerifiedSession,
            CallerClass::Agent
        )));
        assert!(!is_by_person(&asked(
            Credential::OrgToken,
            CallerClass::Human
        )));
    }

    #[test]
    fn people_are_held_where_the_setting_says_so() -> Result<(), String> {
        let held = |given: &[(&str, &[&str])]| {
            let manifest = Held::declare(Manifest::new("test", "0.1.0", "a test"));
            Held::take(&Settings::resolve(&manifest, &settings(given))?)
        };
        let person = request(Credential::VerifiedSession, "workspace_list").build();
        let agent = request(Credential::OrgToken, "workspace_list").build();
        assert!(!held(&[])?.holds(&person));
        assert!(held(&[])?.holds(&agent));
        assert!(held(&[("people_too", &["true"])])?.holds(&person));
        Ok(())
    }
}
