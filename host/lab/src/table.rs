//! What policies answer to every row of the exhaustive table, as data that people review.
//!
//! A [`Table`] is taken from anything that judges, written as tab-separated text (one line a row, in
//! order, so that a changed rule is a short diff) and compared with another one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use countersign_core::exhaustive::{self, FLAGS, Row};
use countersign_core::policy::{CallerClass, Credential, Question, Role, Verdict};
use countersign_core::verb::Verb;
use countersign_core::verdict::{Judgement, Ruling};

/// The first line of the text form.
const HEADER: &str = "credential\trole\tverb\tflags\tclass\tverdict\trule";

/// A verdict without its ground, in order of strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Nothing to say.
    Abstain,
    /// It may.
    Allow,
    /// It may once people agree.
    Gate,
    /// It may not.
    Deny,
}

impl Effect {
    /// Every one, in order.
    pub const ALL: &'static [Self] = &[Self::Abstain, Self::Allow, Self::Gate, Self::Deny];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Abstain => "abstain",
            Self::Allow => "allow",
            Self::Gate => "gate",
            Self::Deny => "deny",
        }
    }

    /// That of a verdict.
    pub const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Abstain => Self::Abstain,
            Verdict::Allow(_) => Self::Allow,
            Verdict::Gate(_) => Self::Gate,
            Verdict::Deny(_) => Self::Deny,
        }
    }

    /// The one with exactly this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|effect| effect.as_str() == word)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one question was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the classifier took the caller for.
    pub class: CallerClass,
    /// The verdict.
    pub effect: Effect,
    /// The rule behind it; empty for an abstention.
    pub rule: String,
}

impl Answer {
    /// One module's answer to a caller of that class.
    pub fn new(class: CallerClass, verdict: &Verdict) -> Self {
        Self {
            class,
            effect: Effect::of(verdict),
            rule: verdict
                .ground()
                .map_or_else(String::new, |ground| ground.rule.clone()),
        }
    }
}

impl From<&Judgement> for Answer {
    fn from(judgement: &Judgement) -> Self {
        Self {
            class: judgement.class,
            effect: match judgement.ruling {
                Ruling::Allow { .. } => Effect::Allow,
                Ruling::Gate { .. } => Effect::Gate,
                Ruling::Deny { .. } => Effect::Deny,
            },
            rule: judgement.ruling.ground().rule.clone(),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = match self.rule.as_str() {
            "" => "-",
            rule => rule,
        };
        write!(f, "{}\t{}\t{rule}", self.class, self.effect)
    }
}

/// Rows and their answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table(BTreeMap<Row, Answer>);

impl Table {
    /// What `judge` answers to every row of the exhaustive table.
    pub fn of(judge: impl Fn(&Question) -> Answer) -> Self {
        exhaustive::rows()
            .map(|row| {
                let answer = judge(&row.question());
                (row, answer)
            })
            .collect()
    }

    /// Reads the text that [`Table`] displays as, and nothing else: a table has one form.
    ///
    /// # Errors
    ///
    /// See [`TableError`]; the line counts from 1, the header included.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(TableError::Header);
        }
        let mut table = Self::default();
        for (at, text) in lines.enumerate() {
            let line = at + 2;
            let (row, answer) = parse_line(line, text)?;
            if table
                .0
                .last_key_value()
                .is_some_and(|(last, _)| *last >= row)
            {
                return Err(TableError::Order { line });
            }
            table.0.insert(row, answer);
        }
        Ok(table)
    }

    /// The rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Row, &Answer)> {
        self.0.iter()
    }

    /// The answer to `row`.
    pub fn get(&self, row: &Row) -> Option<&Answer> {
        self.0.get(row)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rows that `found` answers differently, lacks, or has beyond these.
    pub fn differences(&self, found: &Self) -> Vec<Difference> {
        let rows: BTreeSet<&Row> = self.0.keys().chain(found.0.keys()).collect();
        rows.into_iter()
            .filter(|row| self.get(row) != found.get(row))
            .map(|row| Difference {
                row: row.clone(),
                expected: self.get(row).cloned(),
                found: found.get(row).cloned(),
            })
            .collect()
    }
}

impl FromIterator<(Row, Answer)> for Table {
    fn from_iter<I: IntoIterator<Item = (Row, Answer)>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        for (row, answer) in &self.0 {
            writeln!(f, "{}\t{answer}", row.key().replace(' ', "\t"))?;
        }
        Ok(())
    }
}

/// A row on which two tables do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The row.
    pub row: Row,
    /// The answer of the first table; none where the row is in the second only.
    pub expected: Option<Answer>,
    /// The answer of the second table; none where the row is in the first only.
    pub found: Option<Answer>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |answer: &Option<Answer>| match answer {
            Some(answer) => answer.to_string().replace('\t', " "),
            None => "no such row".to_owned(),
        };
        let (expected, found) = (shown(&self.expected), shown(&self.found));
        write!(f, "{}: expected {expected}; found {found}", self.row.key())
    }
}

/// Why a text is not a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// It begins otherwise.
    #[error("the first line must be `{}`", HEADER.replace('\t', " "))]
    Header,
    /// A line has more or fewer columns than the header.
    #[error("line {line}: expected {} columns separated by tabs", HEADER.split('\t').count())]
    Columns {
        /// Which.
        line: usize,
    },
    /// A word that its column does not know.
    #[error("line {line}: `{word}` is not a {column}")]
    Word {
        /// Where.
        line: usize,
        /// The column.
        column: &'static str,
        /// The word.
        word: String,
    },
    /// A row that comes after a later one, or twice.
    #[error("line {line}: the row is out of order, or was there before")]
    Order {
        /// Where.
        line: usize,
    },
}

fn parse_line(line: usize, text: &str) -> Result<(Row, Answer), TableError> {
    let columns: Vec<&str> = text.split('\t').collect();
    let [credential, role, verb, flags, class, effect, rule] = columns[..] else {
        return Err(TableError::Columns { line });
    };
    let unknown = |column, word: &str| TableError::Word {
        line,
        column,
        word: word.to_owned(),
    };
    let row = Row {
        credential: Credential::parse(credential)
            .ok_or_else(|| unknown("credential", credential))?,
        role: Role::parse(role).ok_or_else(|| unknown("role", role))?,
        verb: Verb::parse(verb).ok_or_else(|| unknown("verb", verb))?,
        flags: parse_flags(flags).map_err(|flag| unknown("flag", flag))?,
    };
    let effect = Effect::parse(effect).ok_or_else(|| unknown("verdict", effect))?;
    let is_rule = match effect {
        Effect::Abstain => rule == "-",
        _ => !rule.is_empty() && rule != "-",
    };
    let answer = Answer {
        class: CallerClass::parse(class).ok_or_else(|| unknown("class", class))?,
        effect,
        rule: match rule {
            _ if !is_rule => return Err(unknown("rule", rule)),
            "-" => String::new(),
            rule => rule.to_owned(),
        },
    };
    Ok((row, answer))
}

fn parse_flags(flags: &str) -> Result<Vec<&'static str>, &str> {
    if flags == "-" {
        return Ok(Vec::new());
    }
    flags
        .split(',')
        .map(|flag| {
            FLAGS
                .iter()
                .copied()
                .find(|known| *known == flag)
                .ok_or(flag)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusing_programs(question: &Question) -> Answer {
        if question.subject.credential == Credential::VerifiedSession {
            let allow = Verdict::Allow(countersign_core::policy::Ground::new("person", "a person"));
            return Answer::new(CallerClass::Human, &allow);
        }
        Answer::new(CallerClass::Unknown, &Verdict::Abstain)
    }

    #[test]
    fn a_table_is_read_back_as_it_was_written() {
        let table = Table::of(refusing_programs);
        assert_eq!(table.len(), exhaustive::rows().count());
        assert_eq!(Table::parse(&table.to_string()), Ok(table));
    }

    #[test]
    fn a_row_that_is_missing_extra_or_answered_otherwise_is_a_difference() {
        let table = Table::of(refusing_programs);
        assert_eq!(table.differences(&table), []);
        let (row, answer) = table.iter().next().expect("INVARIANT: there are rows");

        let mut fewer = table.clone();
        fewer.0.remove(row);
        let missing = table.differences(&fewer);
        assert_eq!(missing.len(), 1);
        assert_eq!(
            (&missing[0].expected, &missing[0].found),
            (&Some(answer.clone()), &None)
        );
        let extra = fewer.differences(&table);
        assert_eq!(
            (&extra[0].expected, &extra[0].found),
            (&None, &Some(answer.clone()))
        );
        assert_eq!(
            extra[0].to_string(),
            format!(
                "{}: expected no such row; found unknown abstain -",
                row.key()
            )
        );
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        let header = format!("{HEADER}\n");
        let row = "admin-token\tadmin\tdeprovision\t-\tagent\tgate\tr\n";
        for (text, sentence) in [
            (String::new(), "the first line must be `credential role"),
            (
                format!("{header}admin-token\tadmin\n"),
                "line 2: expected 7 columns",
            ),
            (
                format!("{header}{row}{row}"),
                "line 3: the row is out of order",
            ),
            (
                header.clone() + &row.replace("agent", "robot"),
                "line 2: `robot` is not a class",
            ),
            (
                header.clone() + &row.replace('-', "moved"),
                "line 2: `adminmovedtoken`",
            ),
            (
                header.clone() + &row.replace("\t-\t", "\tmoved\t"),
                "`moved` is not a flag",
            ),
            (
                header.clone() + &row.replace("gate", "wait"),
                "`wait` is not a verdict",
            ),
            (
                header.clone() + &row.replace("\tr\n", "\t\n"),
                "`` is not a rule",
            ),
            (
                header + &row.replace("gate\tr", "abstain\tr"),
                "`r` is not a rule",
            ),
        ] {
            let error = Table::parse(&text).expect_err(&text).to_string();
            assert!(error.contains(sentence), "{text}: {error}");
        }
    }
}
