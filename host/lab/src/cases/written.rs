//! A file of cases, as it is written, and what is made of each.

use std::collections::BTreeMap;

use countersign_engine::Settings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Spanned, Table, Value};

use super::file::Case;
use super::table::WrittenTable;
use super::values::instants;
use super::words::unknown;
use super::{Bounds, Calls, CaseError, Expected, Given};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default)]
    pub(super) settings: Table,
    #[serde(default)]
    pub(super) fixtures: BTreeMap<String, Table>,
    #[serde(default, rename = "case")]
    pub(super) cases: Vec<Spanned<WrittenCase>>,
    #[serde(default, rename = "table")]
    pub(super) tables: Vec<Spanned<WrittenTable>>,
    #[serde(default, rename = "property")]
    pub(super) properties: Vec<Spanned<WrittenCase>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenCase {
    pub(super) name: String,
    /// Names of fixtures, each laid over those before it.
    #[serde(default)]
    pub(super) like: Vec<String>,
    #[serde(default)]
    pub(super) settings: Table,
    #[serde(default)]
    pub(super) given: Table,
    /// Each as `given`, with a `like` of its own.
    #[serde(default)]
    pub(super) after: OneOrMore,
    pub(super) calls: Option<usize>,
    pub(super) instance: Option<String>,
    #[serde(default)]
    pub(super) expect: Table,
}

/// One table, or several.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(Table),
    More(Vec<Table>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl OneOrMore {
    pub(super) fn as_slice(&self) -> &[Table] {
        match self {
            Self::One(table) => std::slice::from_ref(table),
            Self::More(tables) => tables,
        }
    }
}

impl Written {
    pub(super) fn parse(text: &str) -> Result<Self, CaseError> {
        toml::from_str(text).map_err(|error| CaseError::Toml {
            line: error.span().map_or(1, |span| line(text, span.start)),
            message: error.message().to_owned(),
        })
    }
}

/// What all cases of a file share.
pub(super) struct Reader {
    settings: Table,
    fixtures: BTreeMap<String, Table>,
    /// What is left of them.
    bounds: Bounds,
}

impl Reader {
    pub(super) fn new(settings: Table, fixtures: BTreeMap<String, Table>, bounds: Bounds) -> Self {
        Self {
            settings,
            fixtures,
            bounds,
        }
    }

    /// What is written in the row of `table` that has this number and these values.
    pub(super) fn row(
        &mut self,
        line: usize,
        table: &WrittenTable,
        (index, values): (usize, &[Value]),
    ) -> Result<Case, CaseError> {
        let shared = [&table.settings, &table.given, &table.expect];
        let shared = shared.into_iter().chain(table.after.as_slice());
        let afford = self.bounds.take_tables(shared, 1);
        let case = afford.and_then(|()| table.row(index, values));
        let case = case.map_err(|message| CaseError::Case {
            line,
            name: table.name.clone(),
            message,
        })?;
        self.case(line, case)
    }

    pub(super) fn case(&mut self, line: usize, written: WrittenCase) -> Result<Case, CaseError> {
        let name = written.name.clone();
        self.read(line, written).map_err(|message| CaseError::Case {
            line,
            name,
            message,
        })
    }

    fn read(&mut self, line: usize, written: WrittenCase) -> Result<Case, String> {
        let (given, weighed) = self.given(&written.like, written.given)?;
        let expected: Expected = part("expect", written.expect)?;
        expected.check()?;
        let after = self.after(written.after.as_slice())?;
        let calls = Calls::new(after, written.calls, written.instance.as_deref())?;
        let (questions, each) = (given.count()?, calls.each()?);
        if expected.is_alike() && each == 1 {
            return Err("`alike` compares calls: say `calls = 2`, or `after`".to_owned());
        }
        self.bounds.take_questions(questions.saturating_mul(each))?;
        self.bounds.take_tables([&weighed], questions)?;
        self.bounds.take_tables([&self.settings], 1)?;
        let mut all = self.settings.clone();
        lay(&mut all, written.settings);
        Ok(Case {
            name: written.name,
            line,
            settings: Settings::from_toml(all).map_err(|error| error.to_string())?,
            given,
            calls,
            expected,
        })
    }

    /// What is given, and all that it was laid together of.
    fn given(&mut self, like: &[String], given: Table) -> Result<(Given, Table), String> {
        let mut laid = Table::new();
        for fixture in like {
            let known: Vec<&str> = self.fixtures.keys().map(String::as_str).collect();
            let fixture = self
                .fixtures
                .get(fixture)
                .ok_or_else(|| unknown(fixture, &known))?;
            self.bounds.take_tables([fixture], 1)?;
            lay(&mut laid, fixture.clone());
        }
        lay(&mut laid, given);
        instants(&mut laid)?;
        Ok((part("given", laid.clone())?, laid))
    }

    fn after(&mut self, written: &[Table]) -> Result<Vec<Given>, String> {
        let mut read = |table: &Table| {
            let mut given = table.clone();
            let like = match given.remove("like") {
                Some(like) => like
                    .try_into()
                    .map_err(|error: toml::de::Error| format!("`like`: {}", error.message()))?,
                None => Vec::new(),
            };
            let (given, weighed) = self.given(&like, given)?;
            self.bounds.take_tables([&weighed], given.count()?)?;
            Ok(given)
        };
        let after = written.iter().map(|table| {
            read(table)
                .map_err(|why: String| format!("`after`: {}", why.replacen("`given`: ", "", 1)))
        });
        after.collect()
    }
}

fn part<T: DeserializeOwned>(name: &str, table: Table) -> Result<T, String> {
    let read = table.try_into();
    read.map_err(|error: toml::de::Error| format!("`{name}`: {}", error.message()))
}

/// Lays `over` on `under`: tables join, everything else takes the place of what was there.
pub(super) fn lay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => lay(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

pub(super) fn line(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}
