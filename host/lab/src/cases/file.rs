//! A file of cases, read.

use std::collections::BTreeMap;

use countersign_engine::Settings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Spanned, Table, Value};

use super::table::WrittenTable;
use super::values::instants;
use super::words::unknown;
use super::{Bounds, CaseError, Expected, Given};
use crate::module::Module;

/// One question, or a family of them, and what is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it is called, in a sentence.
    pub name: String,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The settings it is about, beside those of the file.
    pub settings: Settings,
    /// The question.
    pub given: Given,
    /// The answer.
    pub expected: Expected,
}

/// What must hold of every question that is given, however all the rest of it is changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Property(pub Case);

/// A file of cases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseFile {
    /// The cases, those of tables included, in their order.
    pub cases: Vec<Case>,
    /// The properties.
    pub properties: Vec<Property>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    settings: Table,
    #[serde(default)]
    fixtures: BTreeMap<String, Table>,
    #[serde(default, rename = "case")]
    cases: Vec<Spanned<WrittenCase>>,
    #[serde(default, rename = "table")]
    tables: Vec<Spanned<WrittenTable>>,
    #[serde(default, rename = "property")]
    properties: Vec<Spanned<WrittenCase>>,
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
    #[serde(default)]
    pub(super) expect: Table,
}

impl Property {
    /// Whether it can be held against `module` as it is set.
    pub fn check(&self, module: &Module) -> Result<(), String> {
        if self.0.settings.iter().next().is_some() {
            return Err("a property holds for the settings that the module has: leave its `settings` out, and name theirs when you verify".to_owned());
        }
        self.0.given.is_heard_by(module.proven().manifest())
    }
}

impl CaseFile {
    /// Reads a file. Every question in it is formed once, so that what is accepted can be asked.
    pub fn parse(text: &str) -> Result<Self, CaseError> {
        Self::parse_within(text, Bounds::NONE)
    }

    /// [`CaseFile::parse`], of a file that is not one's own.
    pub fn parse_within(text: &str, bounds: Bounds) -> Result<Self, CaseError> {
        let written: Written = toml::from_str(text).map_err(|error| CaseError::Toml {
            line: error.span().map_or(1, |span| line(text, span.start)),
            message: error.message().to_owned(),
        })?;
        let mut reader = Reader {
            settings: written.settings,
            fixtures: written.fixtures,
            bounds,
        };
        let mut cases = Vec::new();
        // Cases and tables in the order in which they are written.
        for case in written.cases {
            let line = line(text, case.span().start);
            cases.push(reader.case(line, case.into_inner())?);
        }
        for table in written.tables {
            let begins = line(text, table.span().start);
            let table = table.into_inner();
            for (index, row) in table.rows.iter().enumerate() {
                // Where the row is written in one line, that line is the case's.
                let line = line(text, row.span().start).max(begins);
                let shared = [&table.settings, &table.given, &table.expect];
                let afford = reader.bounds.take_tables(shared, 1);
                let case = afford.and_then(|()| table.row(index, row.get_ref()));
                let case = case.map_err(|message| CaseError::Case {
                    line,
                    name: table.name.clone(),
                    message,
                })?;
                cases.push(reader.case(line, case)?);
            }
        }
        cases.sort_by_key(|case| case.line);
        let mut properties = Vec::new();
        for property in written.properties {
            let line = line(text, property.span().start);
            properties.push(Property(reader.case(line, property.into_inner())?));
        }
        Ok(Self { cases, properties })
    }
}

/// What all cases of a file share.
struct Reader {
    settings: Table,
    fixtures: BTreeMap<String, Table>,
    /// What is left of them.
    bounds: Bounds,
}

impl Reader {
    fn case(&mut self, line: usize, written: WrittenCase) -> Result<Case, CaseError> {
        let name = written.name;
        self.read(
            line,
            &name,
            &written.like,
            (written.settings, written.given, written.expect),
        )
        .map_err(|message| CaseError::Case {
            line,
            name: name.clone(),
            message,
        })
    }

    fn read(
        &mut self,
        line: usize,
        name: &str,
        like: &[String],
        (settings, given, expect): (Table, Table, Table),
    ) -> Result<Case, String> {
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
        let weighed = laid.clone();
        let given: Given = part("given", laid)?;
        let expected: Expected = part("expect", expect)?;
        expected.check()?;
        let questions = given.count()?;
        self.bounds.take_questions(questions)?;
        self.bounds.take_tables([&weighed], questions)?;
        self.bounds.take_tables([&self.settings], 1)?;
        let mut all = self.settings.clone();
        lay(&mut all, settings);
        Ok(Case {
            name: name.to_owned(),
            line,
            settings: Settings::from_toml(all).map_err(|error| error.to_string())?,
            given,
            expected,
        })
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

fn line(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use countersign_core::policy::{Credential, Value as Attribute};

    use super::*;

    #[test]
    fn fixtures_cases_tables_and_properties_are_read() {
        let file = CaseFile::parse(
            r#"
[settings]
strict = true

[fixtures.agent]
credential = ["admin-token", "org-token"]
caller.workspace = "w-1"

[[case]]
name = "an agent that mints waits"
like = ["agent"]
given = { verb = "org_token_mint", caller.properties.groups = ["ops"] }
expect = { verdict = "gate" }

[[table]]
name = "the hours of the night"
columns = ["given.time", "expect.verdict"]
given.verb = "secret_write"
rows = [
  [2026-01-01T03:00:00Z, "deny"],
  [2026-01-01T12:00:00Z, ["gate", "deny"]],
]

[[property]]
name = "nobody deprovisions alone"
given = { verb = "deprovision", credential = "*", role = "*" }
expect = { not = "allow" }
"#,
        )
        .expect("it is right");
        let names: Vec<(&str, usize)> = file
            .cases
            .iter()
            .map(|case| (&*case.name, case.line))
            .collect();
        assert_eq!(
            names,
            [
                ("an agent that mints waits", 9),
                ("the hours of the night, row 1", 20),
                ("the hours of the night, row 2", 21),
            ]
        );
        let variants = file.cases[0].given.variants().expect("it was read");
        let credentials: Vec<Credential> = variants
            .iter()
            .map(|variant| variant.question.subject.credential)
            .collect();
        assert_eq!(credentials, [Credential::OrgToken, Credential::AdminToken]);
        let groups = variants[0].question.subject.properties.get("groups");
        assert_eq!(groups, Some(&Attribute::Texts(vec!["ops".to_owned()])));
        assert_eq!(variants[0].question.subject.workspace, "w-1");
        assert_eq!(
            file.cases[1].settings.get("strict"),
            Some(&["true".to_owned()][..])
        );
        let night = file.cases[1].given.variants().expect("it was read");
        assert_eq!(night[0].question.time, 1_767_236_400_000);
        let every = file.properties[0].0.given.variants().expect("it was read");
        assert_eq!(every.len(), 32);
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_what_would_be_right() {
        let case = |given: &str, expect: &str| {
            format!("[[case]]\nname = \"c\"\ngiven = {{ {given} }}\nexpect = {{ {expect} }}")
        };
        for (text, sentence) in [
            (
                "[[case]]\nname = \"c\"\nlik = []".to_owned(),
                "line 3: unknown field `lik`",
            ),
            ("a =".to_owned(), "line 1: "),
            (
                case("verb = \"org_token_mit\"", "verdict = \"gate\""),
                "line 1: `c`: there is no `org_token_mit`; do you mean `org_token_mint`?",
            ),
            (
                case("verb = \"secret_write\"", "verdict = \"gatee\""),
                "there is no `gatee`; do you mean `gate`?",
            ),
            (
                case("verb = \"secret_write\"", ""),
                "`expect` needs a `class`",
            ),
            (case("", "verdict = \"gate\""), "`given` needs a `verb`"),
            (
                case(
                    "verb = \"secret_write\", rol = \"admin\"",
                    "verdict = \"gate\"",
                ),
                "`given`: unknown field `rol`",
            ),
            (
                case(
                    "verb = \"secret_write\", flags = [\"moves\"]",
                    "verdict = \"gate\"",
                ),
                "no question of the table has these flags",
            ),
            (
                case(
                    "verb = \"secret_write\", time = \"noon\"",
                    "verdict = \"gate\"",
                ),
                "`given`: invalid type: string \"noon\", expected u64",
            ),
            (
                case(
                    "verb = \"secret_write\", time = 2026-01-01",
                    "verdict = \"gate\"",
                ),
                "`time` must be an instant with its offset",
            ),
            (
                "[[table]]\nname = \"t\"\ncolumns = [\"verb\"]\nrows = [[\"x\"]]".to_owned(),
                "the column `verb` is neither `given.…`, `expect.…` nor a text under `name`",
            ),
            (
                "[[table]]\nname = \"t\"\ncolumns = [\"given.verb\"]\nrows = [[]]".to_owned(),
                "row 1 has 0 values for 1 columns",
            ),
        ] {
            let error = CaseFile::parse(&text).expect_err(&text).to_string();
            assert!(error.contains(sentence), "{text}\n{error}");
        }
    }
}
