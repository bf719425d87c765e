//! How often the question of a case is asked, after what, and by which instance.

use countersign_engine::Manifest;

use super::words::unknown;
use super::{Given, Variant};

/// The most calls that one question of a case takes: more than the whole table, asked before it and after.
const MOST: usize = 100_000;

const FRESH: &str = "fresh";
const REUSED: &str = "reused";

/// How often a question is asked, after what, and by which instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Calls {
    after: Vec<Given>,
    times: usize,
    is_reused: bool,
}

/// What is asked before a question, in turns: of each place one question of its family.
#[derive(Clone, Debug)]
pub struct Earlier(Vec<Vec<Variant>>);

impl Default for Calls {
    fn default() -> Self {
        Self {
            after: Vec::new(),
            times: 1,
            is_reused: false,
        }
    }
}

impl Calls {
    /// `times` after these questions, in one instance if `instance` says so. The error says what is wrong.
    pub(super) fn new(
        after: Vec<Given>,
        times: Option<usize>,
        instance: Option<&str>,
    ) -> Result<Self, String> {
        let is_reused = match instance {
            None | Some(FRESH) => false,
            Some(REUSED) => true,
            Some(other) => return Err(unknown(other, &[FRESH, REUSED])),
        };
        if !is_reused && !after.is_empty() {
            return Err(format!(
                "a fresh instance knows nothing of what was asked before: beside `after`, write `instance = \"{REUSED}\"`"
            ));
        }
        let calls = Self {
            after,
            times: times.unwrap_or(1),
            is_reused,
        };
        match calls.each()? {
            0 => Err("`calls` must be 1 or more".to_owned()),
            1..=MOST => Ok(calls),
            many => Err(format!(
                "`after` and `calls` together make {many} calls of each question, which may be {MOST} at most"
            )),
        }
    }

    /// How many calls each question of the case takes, those before it included.
    pub(super) fn each(&self) -> Result<usize, String> {
        if self.times == 0 {
            return Ok(0);
        }
        let mut rounds: usize = 1;
        for given in &self.after {
            rounds = rounds.saturating_mul(given.count()?);
        }
        Ok(rounds.saturating_mul(self.after.len() + self.times))
    }

    /// How often it is asked after each turn of what comes before it.
    pub fn times(&self) -> usize {
        self.times
    }

    /// Whether one instance answers all of it, as none of a host does.
    pub fn is_reused(&self) -> bool {
        self.is_reused
    }

    /// Whether one question is asked once, as a host asks.
    pub fn is_one(&self) -> bool {
        *self == Self::default()
    }

    /// What comes before each question, formed.
    pub fn earlier(&self) -> Result<Earlier, String> {
        let families = self.after.iter().map(Given::variants);
        families.collect::<Result<_, _>>().map(Earlier)
    }

    pub(super) fn are_heard_by(&self, manifest: &Manifest) -> Result<(), String> {
        let mut after = self.after.iter();
        after.try_for_each(|given| given.is_heard_by(manifest))
    }
}

impl Earlier {
    /// Every turn: of each family each question, with each of the others. One empty turn, where nothing comes
    /// before.
    pub fn turns(&self) -> impl Iterator<Item = Vec<&Variant>> {
        let count = self.0.iter().map(Vec::len).product();
        (0..count).map(|number| {
            let mut rest = number;
            let mut turn: Vec<&Variant> = Vec::with_capacity(self.0.len());
            for family in self.0.iter().rev() {
                turn.push(&family[rest % family.len()]);
                rest /= family.len();
            }
            turn.reverse();
            turn
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::cases::{Bounds, Case, CaseError, CaseFile};

    fn read(how: &str) -> Result<Case, CaseError> {
        let text = format!(
            "[fixtures.people]\ncredential = \"verified-session\"\n[[case]]\nname = \"c\"\ngiven.verb = \"deprovision\"\nexpect.not = \"allow\"\n{how}"
        );
        CaseFile::parse(&text).map(|mut file| file.cases.remove(0))
    }

    #[test]
    fn what_comes_before_a_question_is_asked_in_every_combination() {
        let case = read(
            "calls = 3\ninstance = \"reused\"\nafter = [{ like = [\"people\"], verb = \"deprovision\", role = [\"none\", \"admin\"] }, { verb = \"secret_*\", credential = [\"vouched\", \"other\"] }]",
        )
        .expect("it is right");
        let earlier = case.calls.earlier().expect("it was read");
        let turns: Vec<String> = earlier
            .turns()
            .map(|turn| {
                let keys = turn.iter().map(|variant| variant.row.key());
                keys.collect::<Vec<_>>().join(" / ")
            })
            .collect();
        assert_eq!(turns.len(), 2 * 8);
        assert_eq!(
            turns[0],
            "verified-session none deprovision - / vouched admin secret_write -"
        );
        assert_ne!(turns[0], turns[1]);
        assert_eq!((case.calls.times(), case.calls.is_reused()), (3, true));
        let one = read("").expect("it is right");
        assert!(one.calls.is_one());
        assert_eq!(one.calls.earlier().expect("none").turns().count(), 1);
        // One alone needs no list.
        assert!(read("instance = \"reused\"\nafter = { verb = \"deprovision\" }").is_ok());
    }

    #[test]
    fn calls_that_make_no_sense_are_refused_with_what_would() {
        for (how, sentence) in [
            ("calls = 0", "`calls` must be 1 or more"),
            ("calls = 100001", "make 100001 calls of each question"),
            ("instance = \"reusd\"", "do you mean `reused`?"),
            (
                "after = [{ verb = \"deprovision\" }]",
                "beside `after`, write `instance = \"reused\"`",
            ),
            (
                "instance = \"reused\"\nafter = [{ verb = \"deprovison\" }]",
                "`after`: there is no `deprovison`; do you mean `deprovision`?",
            ),
            (
                "instance = \"reused\"\nafter = [{ verb = \"deprovision\", rol = \"none\" }]",
                "`after`: unknown field `rol`",
            ),
            (
                "instance = \"reused\"\nafter = [{ like = [\"peple\"], verb = \"deprovision\" }]",
                "`after`: there is no `peple`; do you mean `people`?",
            ),
            (
                "instance = \"reused\"\nafter = [{ verb = \"*\", role = \"*\", credential = \"*\" }, { verb = \"*\", role = \"*\" }]",
                "calls of each question, which may be 100000 at most",
            ),
            (
                "expect.alike = true",
                "`alike` compares calls: say `calls = 2`, or `after`",
            ),
            (
                "calls = 2\nexpect.alike = false",
                "`alike` is `true`, or left out",
            ),
        ] {
            let error = read(how).expect_err(how).to_string();
            assert!(error.contains(sentence), "{how}\n{error}");
        }
    }

    #[test]
    fn a_property_is_of_one_call() {
        let text = "[[property]]\nname = \"p\"\ncalls = 2\ngiven.verb = \"deprovision\"\nexpect.not = \"allow\"\n";
        let error = CaseFile::parse(text).expect_err("it is not").to_string();
        assert!(error.contains("a property is of one call"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_ones_own_asks_no_more_by_asking_often() {
        let text = "[[case]]\nname = \"c\"\ncalls = 2001\ngiven.verb = \"deprovision\"\nexpect.not = \"allow\"\n";
        assert!(CaseFile::parse_within(&text.replace("2001", "2000"), Bounds::BUNDLED).is_ok());
        let error = CaseFile::parse_within(text, Bounds::BUNDLED).expect_err("it is too much");
        assert!(error.to_string().contains("too many questions"), "{error}");
    }
}
