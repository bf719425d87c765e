//! What somebody gave to narrow a list: read from the query, shown in the form again, and carried along by
//! the links that lead on. What cannot be read is said beside its field.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use countersign_core::history::Span;
use countersign_core::time::Timestamp;

/// No label, rule or id is longer.
const MOST: usize = 200;
/// So much can be typed: pages end what is cut with a sign for that, and it may be copied along.
pub const TYPED: usize = MOST + 1;
const DAY: Duration = Duration::from_secs(86_400);

/// The filled fields of a filter.
#[derive(Default)]
pub struct Narrow {
    given: BTreeMap<&'static str, String>,
    wrong: BTreeMap<&'static str, &'static str>,
}

/// One of those among which a field chooses.
pub struct Choice {
    /// What is sent.
    pub word: &'static str,
    /// What is shown.
    pub name: String,
    /// Whether it was chosen.
    pub is_given: bool,
}

impl Narrow {
    /// Those of `names` that `query` fills.
    pub fn of(query: &HashMap<String, String>, names: &[&'static str]) -> Self {
        let mut narrow = Self::default();
        for name in names {
            let Some(text) = query.get(*name).map(|text| text.trim()) else {
                continue;
            };
            // Neither a page nor a database has such a character.
            let shown: String = text.chars().filter(|c| !c.is_control()).collect();
            if shown != text {
                let why = "This has a character that nobody can see, and no name has one.";
                narrow.wrong.insert(name, why);
            }
            if !shown.is_empty() {
                narrow.given.insert(name, shown);
            }
        }
        narrow
    }

    /// A text. The sign with which pages say that a label goes on is no part of it.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let text = self.given.get(name)?.trim_end_matches('…').to_owned();
        if text.chars().count() > MOST {
            self.wrong.insert(name, "This is too long to be one.");
        }
        if self.wrong.contains_key(name) {
            return None;
        }
        (!text.is_empty()).then_some(text)
    }

    /// An id, or a part of one: in it is nothing that JSON would write otherwise.
    pub fn id(&mut self, name: &'static str) -> Option<String> {
        let text = self.text(name)?;
        let is_of_ids = |c: char| c.is_ascii_alphanumeric() || "-_.:/@".contains(c);
        if !text.chars().all(is_of_ids) {
            let why = "This is no id: those have letters, digits and - _ . : / @ only.";
            self.wrong.insert(name, why);
            return None;
        }
        Some(text)
    }

    /// One of several words.
    pub fn word<T>(&mut self, name: &'static str, parse: fn(&str) -> Option<T>) -> Option<T> {
        let parsed = parse(self.given.get(name)?);
        if parsed.is_none() {
            self.wrong.insert(name, "Choose one of the list.");
        }
        parsed
    }

    /// From the beginning of the day `since` to the end of the day `until`, in UTC.
    pub fn span(&mut self) -> Span {
        let since = self.day("since");
        let until = self.day("until").map(|day| day.plus(DAY));
        if since
            .zip(until)
            .is_some_and(|(since, until)| since >= until)
        {
            let why = "This day is before the first one.";
            self.wrong.insert("until", why);
        }
        Span { since, until }
    }

    fn day(&mut self, name: &'static str) -> Option<Timestamp> {
        let text = self.given.get(name)?;
        let day = match text.len() {
            10 => Timestamp::parse(&format!("{text}T00:00:00Z")),
            _ => None,
        };
        if day.is_none() {
            let why = "This is no day: write it as 2026-01-31.";
            self.wrong.insert(name, why);
        }
        day
    }

    /// What the field `name` was filled with.
    pub fn given(&self, name: &str) -> &str {
        self.given.get(name).map_or("", String::as_str)
    }

    /// What is wrong with it.
    pub fn wrong(&self, name: &str) -> Option<&'static str> {
        self.wrong.get(name).copied()
    }

    /// Whether anything is wrong.
    pub fn is_wrong(&self) -> bool {
        !self.wrong.is_empty()
    }

    /// Whether anything was given that narrows: how many a page shows does not.
    pub fn is_given(&self) -> bool {
        self.given.keys().any(|name| *name != "limit")
    }

    /// The choices of the field `name`.
    pub fn choices(
        &self,
        name: &str,
        all: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Vec<Choice> {
        let given = self.given(name);
        let choice = |(word, name)| Choice {
            word,
            name,
            is_given: word == given,
        };
        all.into_iter().map(choice).collect()
    }

    /// `path` with what was given, and `more`.
    pub fn link(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.given).extend_pairs(more);
        match query.finish() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrow(pairs: &[(&str, &str)]) -> Narrow {
        let query = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Narrow::of(&query, &["actor", "about", "since", "until"])
    }

    #[test]
    fn days_are_whole_and_the_last_one_is_among_them() {
        let mut asked = narrow(&[("since", "2026-01-01"), ("until", "2026-01-01")]);
        let span = asked.span();
        let micros = |at: Option<Timestamp>| at.expect("an instant").as_micros();
        assert_eq!(micros(span.until) - micros(span.since), 86_400_000_000);
        assert!(!asked.is_wrong());
    }

    #[test]
    fn what_cannot_be_read_is_said_beside_its_field_and_stays_as_it_was_typed() {
        for (name, text) in [
            ("since", "yesterday"),
            ("since", "2026-02-30"),
            ("since", "-001-01-01"),
            ("about", "a\"b"),
            ("about", "ä"),
        ] {
            let mut asked = narrow(&[(name, text)]);
            assert_eq!((asked.span().since, asked.id("about")), (None, None));
            assert!(asked.wrong(name).is_some(), "{text}");
            assert_eq!(asked.given(name), text);
        }
        let mut asked = narrow(&[("since", "2026-01-02"), ("until", "2026-01-01")]);
        asked.span();
        assert!(asked.wrong("until").is_some());
        let mut asked = narrow(&[("actor", "a\0b"), ("about", "\u{1}")]);
        assert_eq!((asked.text("actor"), asked.id("about")), (None, None));
        assert!(asked.wrong("actor").is_some() && asked.wrong("about").is_some());
        assert_eq!((asked.given("actor"), asked.given("about")), ("ab", ""));
        let long = "x".repeat(TYPED);
        let mut asked = narrow(&[("actor", &long)]);
        assert!(asked.text("actor").is_none() && asked.is_wrong());
        let longest = format!("{}…", "x".repeat(MOST));
        assert_eq!(longest.chars().count(), TYPED);
        assert!(narrow(&[("actor", &longest)]).text("actor").is_some());
    }

    #[test]
    fn a_label_is_taken_as_the_page_shows_it() {
        let mut asked = narrow(&[("actor", " cso_abcd… "), ("about", "")]);
        assert_eq!(asked.text("actor").as_deref(), Some("cso_abcd"));
        assert_eq!(asked.id("about"), None);
        assert!(!asked.is_wrong());
    }

    #[test]
    fn links_carry_what_was_given_and_nothing_breaks_out_of_them() {
        let asked = narrow(&[("actor", "a&b=\"<c>"), ("other", "x")]);
        let link = asked.link("/console/audit", &[("before", "7")]);
        assert_eq!(link, "/console/audit?actor=a%26b%3D%22%3Cc%3E&before=7");
        assert_eq!(narrow(&[]).link("/console/audit", &[]), "/console/audit");
    }
}
