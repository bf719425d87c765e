//! One kind of name: the patterns that allow it, and those that refuse it.

use countersign_policy::{Manifest, Settings};

use crate::pattern::Pattern;

/// As many as a person reads.
const PATTERNS: usize = 32;

/// All patterns of all kinds, so that they fit into the module's one page of memory.
const PATTERN_BYTES: usize = 4_096;

/// No name of the host is longer. What is, is not looked at any further.
const NAME_BYTES: usize = 256;

/// As much of the patterns as an answer shows.
const SHOWN_BYTES: usize = 400;

/// The settings of one kind of name.
pub struct Spec {
    /// The setting of the patterns that allow.
    pub allow: &'static str,
    /// The setting of the patterns that refuse.
    pub refuse: &'static str,
    /// What people call it, in the plural.
    pub noun: &'static str,
    /// Whether it has letters, digits and `_` alone.
    pub is_key: bool,
}

/// One kind of name.
#[derive(Clone, Debug)]
pub struct Kind {
    allow: Vec<Pattern>,
    /// In small letters.
    refuse: Vec<Pattern>,
    /// Whether names may have other letters than ASCII's.
    unicode: bool,
    /// What is allowed, for whoever is stopped.
    advice: String,
}

/// Why a name does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    Missing,
    TooLong,
    Characters,
    Refused,
    NotAllowed,
}

/// Refuses more patterns than fit.
pub fn check_sizes(specs: &[Spec], settings: &Settings) -> Result<(), String> {
    let mut bytes = 0;
    for setting in specs.iter().flat_map(|spec| [spec.allow, spec.refuse]) {
        bytes += settings
            .texts(setting)?
            .iter()
            .map(String::len)
            .sum::<usize>();
        if bytes > PATTERN_BYTES {
            return Err(format!(
                "the setting `{setting}` brings all patterns together to {bytes} bytes, \
                 and they take at most {PATTERN_BYTES}"
            ));
        }
    }
    Ok(())
}

impl Spec {
    pub fn declare(&self, manifest: Manifest) -> Manifest {
        let noun = self.noun;
        manifest
            .setting(
                self.allow,
                &format!("patterns for {noun}, one of which must match; none: any, or none at all"),
                &[],
            )
            .setting(
                self.refuse,
                &format!(
                    "patterns for {noun}, none of which may match, in small letters or capitals"
                ),
                &[],
            )
    }

    pub fn take(&self, settings: &Settings, unicode: bool) -> Result<Kind, String> {
        let allow = settings.texts(self.allow)?;
        Ok(Kind {
            allow: self.patterns(self.allow, allow, unicode)?,
            refuse: {
                let refuse: Vec<_> = settings
                    .texts(self.refuse)?
                    .iter()
                    .map(|text| text.to_ascii_lowercase())
                    .collect();
                self.patterns(self.refuse, &refuse, unicode)?
            },
            unicode,
            advice: advice(self.noun, allow),
        })
    }

    fn patterns(
        &self,
        setting: &str,
        texts: &[String],
        unicode: bool,
    ) -> Result<Vec<Pattern>, String> {
        if texts.len() > PATTERNS {
            return Err(format!(
                "the setting `{setting}` has {} patterns, and takes at most {PATTERNS}",
                texts.len()
            ));
        }
        let pattern = |text: &String| {
            if self.is_key
                && !text
                    .chars()
                    .all(|c| is_of_keys(c) || matches!(c, '*' | '?'))
            {
                return Err("no key can match: keys have letters, digits and `_`");
            }
            if !self.is_key && !unicode && !text.is_ascii() {
                return Err("no name can match unless `unicode` is `true`");
            }
            Pattern::parse(text)
        };
        texts
            .iter()
            .map(|text| {
                pattern(text).map_err(|mistake| {
                    format!("the setting `{setting}` has `{text}`, which {mistake}")
                })
            })
            .collect()
    }
}

impl Kind {
    /// Whether anything is asked of names of this kind.
    pub fn is_governed(&self) -> bool {
        !(self.allow.is_empty() && self.refuse.is_empty())
    }

    /// What whoever is stopped can do.
    pub fn advice(&self) -> &str {
        &self.advice
    }

    /// What is wrong with having no name.
    pub fn flaw_of_none(&self) -> Option<Flaw> {
        (!self.allow.is_empty()).then_some(Flaw::Missing)
    }

    /// What is wrong with a name.
    pub fn flaw_of(&self, name: &str) -> Option<Flaw> {
        if !self.is_governed() {
            return None;
        }
        if name.len() > NAME_BYTES {
            return Some(Flaw::TooLong);
        }
        if name.trim() != name || !name.chars().all(|c| self.is_readable(c)) {
            return Some(Flaw::Characters);
        }
        if !self.refuse.is_empty() {
            let small = name.to_ascii_lowercase();
            if self.refuse.iter().any(|pattern| pattern.matches(&small)) {
                return Some(Flaw::Refused);
            }
        }
        let is_allowed =
            self.allow.is_empty() || self.allow.iter().any(|pattern| pattern.matches(name));
        (!is_allowed).then_some(Flaw::NotAllowed)
    }

    fn is_readable(&self, c: char) -> bool {
        match c {
            ' '..='~' => true,
            _ => self.unicode && !c.is_control() && !c.is_whitespace() && !is_invisible(c),
        }
    }
}

fn is_of_keys(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What takes no room, or turns the order of what is read around: joiners, marks of direction, tags,
/// fillers, and characters for private use.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{ffff}'
            | '\u{e0000}'..='\u{10ffff}'
    )
}

fn advice(noun: &str, allow: &[String]) -> String {
    if allow.is_empty() {
        return format!(
            "choose another one; which {noun} are refused is for the people here to say"
        );
    }
    let mut shown = String::new();
    for (position, text) in allow.iter().enumerate() {
        if shown.len() + text.len() > SHOWN_BYTES {
            shown.push_str(&format!(", and {} more", allow.len() - position));
            break;
        }
        if position > 0 {
            shown.push_str(", ");
        }
        shown.push_str(text);
    }
    format!("{noun} that are allowed: {shown}")
}
