//! A table of cases: what they share, and what each row has of its own.

use serde::Deserialize;
use toml::{Spanned, Table, Value};

use super::written::{OneOrMore, WrittenCase, lay};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTable {
    pub(super) name: String,
    #[serde(default)]
    like: Vec<String>,
    #[serde(default)]
    pub(super) settings: Table,
    #[serde(default)]
    pub(super) given: Table,
    #[serde(default)]
    pub(super) after: OneOrMore,
    calls: Option<usize>,
    instance: Option<String>,
    #[serde(default)]
    pub(super) expect: Table,
    columns: Vec<String>,
    pub(super) rows: Vec<Spanned<Vec<Value>>>,
}

impl WrittenTable {
    /// The case of the row that is the `index`th.
    pub(super) fn row(&self, index: usize, values: &[Value]) -> Result<WrittenCase, String> {
        let number = index + 1;
        if values.len() != self.columns.len() {
            let (has, columns) = (values.len(), self.columns.len());
            return Err(format!(
                "row {number} has {has} values for {columns} columns"
            ));
        }
        let mut name = format!("{}, row {number}", self.name);
        let (mut given, mut expect) = (self.given.clone(), self.expect.clone());
        for (column, value) in self.columns.iter().zip(values) {
            let path: Vec<&str> = column.split('.').collect();
            match (path.as_slice(), value) {
                (["name"], Value::String(own)) => name = format!("{}: {own}", self.name),
                (["given", path @ ..], _) if !path.is_empty() => put(&mut given, path, value),
                (["expect", path @ ..], _) if !path.is_empty() => put(&mut expect, path, value),
                _ => {
                    return Err(format!(
                        "the column `{column}` is neither `given.…`, `expect.…` nor a text under `name`"
                    ));
                }
            }
        }
        Ok(WrittenCase {
            name,
            like: self.like.clone(),
            settings: self.settings.clone(),
            given,
            after: self.after.clone(),
            calls: self.calls,
            instance: self.instance.clone(),
            expect,
        })
    }
}

fn put(table: &mut Table, path: &[&str], value: &Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    let (key, value) = match rest {
        [] => ((*first).to_owned(), value.clone()),
        rest => {
            let mut inner = Table::new();
            put(&mut inner, rest, value);
            ((*first).to_owned(), Value::Table(inner))
        }
    };
    lay(table, Table::from_iter([(key, value)]));
}
