//! How much a file of cases may ask for, where the file is not one's own.

use toml::{Table, Value};

/// How much a file of cases may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Questions, all cases together.
    pub questions: usize,
    /// What the questions take, written out, in bytes: a small file can say much often.
    pub bytes: usize,
    /// What the file is too much for.
    pub reader: &'static str,
}

impl Bounds {
    /// Those of a file that somebody runs, who may have it from somebody else: what ends within an hour, and in
    /// less memory than a small machine has.
    pub const OWN: Self = Self {
        questions: 10_000_000,
        bytes: 256 * 1024 * 1024,
        reader: "one run: make several of it",
    };

    /// Those of the cases that a module carries, which a host runs when it loads it: as many questions as
    /// the exhaustive table has, and for each of them as much as a long request.
    pub const BUNDLED: Self = Self {
        questions: 2_000,
        bytes: 16 * 1024 * 1024,
        reader: "a module to carry: keep the rest beside it",
    };

    /// What is left after `questions` more.
    pub(super) fn take_questions(&mut self, questions: usize) -> Result<(), String> {
        let left = self.questions.checked_sub(questions);
        self.questions = left.ok_or_else(|| {
            let reader = self.reader;
            format!("with this one the file has too many questions for {reader}")
        })?;
        Ok(())
    }

    /// What is left after `tables`, that often.
    pub(super) fn take_tables<'t>(
        &mut self,
        tables: impl IntoIterator<Item = &'t Table>,
        times: usize,
    ) -> Result<(), String> {
        let weight: usize = tables.into_iter().map(weight).sum();
        let left = self.bytes.checked_sub(weight.saturating_mul(times));
        self.bytes = left.ok_or_else(|| {
            let reader = self.reader;
            format!("with this one the file says too much for {reader}")
        })?;
        Ok(())
    }
}

/// About the bytes that a table takes in memory.
fn weight(table: &Table) -> usize {
    let of = |(name, value): (&String, &Value)| name.len() + of_value(value);
    table.iter().map(of).sum()
}

fn of_value(value: &Value) -> usize {
    /// What a value takes beside its text.
    const SIZE: usize = 32;
    SIZE + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(of_value).sum(),
        Value::Table(table) => weight(table),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use crate::cases::{Bounds, CaseFile};

    fn error(text: &str, bounds: Bounds) -> String {
        let error = CaseFile::parse_within(text, bounds);
        error.expect_err("it is too much").to_string()
    }

    #[test]
    fn a_file_that_is_not_ones_own_asks_as_many_questions_as_there_are() {
        let cases = |names: &[&str]| -> String {
            let case = |name: &&str| {
                format!(
                    "[[case]]\nname = \"{name}\"\ngiven = {{ verb = \"deprovision\", role = \"*\" }}\nexpect.not = \"allow\"\n"
                )
            };
            names.iter().map(case).collect()
        };
        let bounds = Bounds {
            questions: 8,
            ..Bounds::OWN
        };
        assert!(CaseFile::parse_within(&cases(&["a", "b"]), bounds).is_ok());
        let error = error(&cases(&["a", "b", "c"]), bounds);
        assert!(error.contains("line 9: `c`: with this one"), "{error}");
    }

    #[test]
    fn a_small_file_of_anybody_takes_no_more_memory_than_a_small_machine_has() {
        let (text, rows) = ("w".repeat(100_000), "[\"allow\"],\n".repeat(4_000));
        let table = format!(
            "[[table]]\nname = \"t\"\ngiven = {{ verb = \"deprovision\", caller.workspace = \"{text}\" }}\ncolumns = [\"expect.not\"]\nrows = [\n{rows}]\n"
        );
        let error = error(&table, Bounds::OWN);
        assert!(error.contains("says too much for one run"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_ones_own_says_no_more_by_saying_it_often() {
        let bounds = Bounds {
            bytes: 10_000,
            ..Bounds::OWN
        };
        let text = "w".repeat(2_000);
        let given = format!("verb = \"deprovision\", caller.workspace = \"{text}\"");
        let case = |given: &str| {
            format!("[[case]]\nname = \"c\"\ngiven = {{ {given} }}\nexpect.not = \"allow\"\n")
        };
        let fixture = format!("[fixtures.f]\ncaller.workspace = \"{text}\"\n");
        let table = format!(
            "[[table]]\nname = \"t\"\ngiven = {{ {given} }}\ncolumns = [\"expect.not\"]\nrows = [{}]\n",
            "[\"allow\"], ".repeat(3)
        );
        assert!(CaseFile::parse_within(&case(&given), bounds).is_ok());
        for much in [
            case(&format!("{given}, role = \"*\", credential = \"*\"")),
            fixture
                + &case("verb = \"deprovision\"")
                    .replace("given", "like = [\"f\", \"f\", \"f\", \"f\", \"f\"]\ngiven"),
            table,
        ] {
            let error = error(&much, bounds);
            assert!(error.contains("says too much"), "{error}");
        }
    }
}
