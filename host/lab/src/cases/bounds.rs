//! How much a file of cases may ask for, where the file is not one's own.

use toml::{Table, Value};

/// How much a file of cases may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Questions, all cases together.
    pub questions: usize,
    /// What the questions take, written out, in bytes: a small file can say much often.
    pub bytes: usize,
}

impl Bounds {
    /// None: the file is of whoever runs it.
    pub const NONE: Self = Self {
        questions: usize::MAX,
        bytes: usize::MAX,
    };

    /// Those of the cases that a module carries, which a host runs when it loads it: as many questions as
    /// the exhaustive table has, and for each of them as much as a long request.
    pub const BUNDLED: Self = Self {
        questions: 2_000,
        bytes: 16 * 1024 * 1024,
    };

    /// What is left after `questions` more.
    pub(super) fn take_questions(&mut self, questions: usize) -> Result<(), String> {
        self.questions = self.questions.checked_sub(questions).ok_or(
            "with this one the file has too many questions for a module to carry: keep the rest beside it",
        )?;
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
        self.bytes = left.ok_or("with this one the file says too much for a module to carry")?;
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
