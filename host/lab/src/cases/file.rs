//! A file of cases, read.

use std::collections::BTreeMap;

use countersign_engine::{Manifest, Settings};

use super::written::{Reader, Written, line};
use super::{Bounds, Calls, CaseError, Expected, Given};
use crate::module::Module;

/// One question, or a family of them, and what is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it is called, in a sentence. No other case of the file is called so.
    pub name: String,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The settings it is about, beside those of the file.
    pub settings: Settings,
    /// The question.
    pub given: Given,
    /// How often it is asked, and after what.
    pub calls: Calls,
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

impl Case {
    /// Whether a module of this manifest is told all that is given.
    pub(crate) fn is_heard_by(&self, manifest: &Manifest) -> Result<(), String> {
        self.given.is_heard_by(manifest)?;
        self.calls.are_heard_by(manifest)
    }
}

impl Property {
    /// What `case` says, as a property, which `verify` asks about in its own way.
    fn of(case: Case) -> Result<Self, CaseError> {
        if case.calls.is_one() {
            return Ok(Self(case));
        }
        Err(CaseError::Case {
            line: case.line,
            name: case.name,
            message: "a property is of one call: leave out `calls`, `after` and `instance`"
                .to_owned(),
        })
    }

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
        Self::parse_within(text, Bounds::OWN)
    }

    /// [`CaseFile::parse`], of a file that is not one's own.
    pub fn parse_within(text: &str, bounds: Bounds) -> Result<Self, CaseError> {
        let written = Written::parse(text)?;
        let mut reader = Reader::new(written.settings, written.fixtures, bounds);
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
                cases.push(reader.row(line, &table, (index, row.get_ref()))?);
            }
        }
        cases.sort_by_key(|case| case.line);
        names_differ(&cases)?;
        let mut properties = Vec::new();
        for property in written.properties {
            let line = line(text, property.span().start);
            properties.push(reader.case(line, property.into_inner())?);
        }
        names_differ(&properties)?;
        let properties = properties.into_iter().map(Property::of);
        Ok(Self {
            properties: properties.collect::<Result<_, _>>()?,
            cases,
        })
    }
}

/// A name is how a case is found again: in a report, and by whoever runs it alone.
fn names_differ(cases: &[Case]) -> Result<(), CaseError> {
    let mut lines = BTreeMap::new();
    for case in cases {
        if let Some(line) = lines.insert(&case.name, case.line) {
            return Err(CaseError::Case {
                line: case.line,
                name: case.name.clone(),
                message: format!("line {line} has one of that name already: give each its own"),
            });
        }
    }
    Ok(())
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
                "[[table]]\nname = \"t\"\ngiven.verb = \"deprovision\"\ncolumns = [\"name\", \"expect.verdict\"]\nrows = [\n[\"a\", \"deny\"],\n[\"b\", \"deny\"],\n[\"a\", \"gate\"],\n]".to_owned(),
                "line 8: `t: a`: line 6 has one of that name already",
            ),
            (
                "[[table]]\nname = \"t\"\ngiven.verb = \"deprovision\"\ncolumns = [\"expect.verdict\"]\nrows = [[\"deny\"]]\n".repeat(2),
                "line 10: `t, row 1`: line 5 has one of that name already",
            ),
            (
                format!("{}\n", case("verb = \"deprovision\"", "verdict = \"deny\"")).replace("case", "property").repeat(2),
                "line 5: `c`: line 1 has one of that name already",
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
