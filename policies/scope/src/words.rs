//! Settings that are words: one of a few, or a line that people read.

use countersign_policy::Settings;

use crate::suggest::did_you_mean;

/// The host takes 2 KiB: this leaves room for a sentence around it.
const SENTENCE_BYTES: usize = 1_000;

/// The one value of `name`, one of these words.
///
/// # Errors
///
/// Where it is anything else.
pub fn choice<'w>(settings: &Settings, name: &str, words: &[&'w str]) -> Result<&'w str, String> {
    let value = settings.text(name)?;
    let chosen = words.iter().find(|word| **word == value);
    chosen.copied().ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        let known = known.join(" or ");
        let meant = did_you_mean(value, words.iter().copied());
        format!("the setting `{name}` is {known}, not `{value}`{meant}")
    })
}

/// The one value of `name`, as a line that people read.
///
/// # Errors
///
/// Where it is blank, longer than 1,000 bytes, or more than a line.
pub fn sentence<'s>(settings: &'s Settings, name: &str) -> Result<&'s str, String> {
    let value = settings.text(name)?;
    if value.trim().is_empty() {
        return Err(format!(
            "the setting `{name}` is blank; leave it out for what it says by default"
        ));
    }
    if value.len() > SENTENCE_BYTES {
        let bytes = value.len();
        return Err(format!(
            "the setting `{name}` takes at most {SENTENCE_BYTES} bytes, not {bytes}"
        ));
    }
    if value.chars().any(char::is_control) {
        return Err(format!(
            "the setting `{name}` is one line without control characters"
        ));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_policy::Manifest;
    use countersign_policy::testing::settings;

    #[test]
    fn a_word_is_chosen_and_a_sentence_is_one_line() {
        let manifest = Manifest::new("quota", "0.1.0", "a test")
            .setting("beyond", "what then", &["deny"])
            .setting("reason", "why", &["enough"]);
        let read = |name: &str, value: &str| {
            let settings = Settings::resolve(&manifest, &settings(&[(name, &[value])]))?;
            let beyond = choice(&settings, "beyond", &["deny", "gate"])?;
            Ok::<_, String>(format!("{beyond}: {}", sentence(&settings, "reason")?))
        };
        assert_eq!(read("beyond", "gate").as_deref(), Ok("gate: enough"));
        assert_eq!(read("reason", "too much").as_deref(), Ok("deny: too much"));
        let cases = [
            (
                "beyond",
                "never",
                "the setting `beyond` is `deny` or `gate`, not `never`",
            ),
            (
                "beyond",
                "gat",
                "the setting `beyond` is `deny` or `gate`, not `gat`; did you mean `gate`?",
            ),
            (
                "reason",
                " ",
                "the setting `reason` is blank; leave it out for what it says by default",
            ),
            (
                "reason",
                "two\nlines",
                "the setting `reason` is one line without control characters",
            ),
            (
                "reason",
                &"x".repeat(1_001),
                "the setting `reason` takes at most 1000 bytes, not 1001",
            ),
        ];
        for (name, value, mistake) in cases {
            assert_eq!(read(name, value), Err(mistake.to_owned()));
        }
    }
}
