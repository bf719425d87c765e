//! What a case lays over its rows, for people to read beside a row.

use countersign_core::text::escaped;
use toml::{Table, Value};

use super::Given;
use super::given::Thing;

impl Given {
    /// What is laid over every row, a name and a value each, as they would be written.
    pub fn laid(&self) -> Vec<String> {
        let mut laid = Laid::default();
        laid.text("class", self.class.as_ref());
        let caller = &self.caller;
        laid.text("caller.principal", caller.principal.as_ref());
        laid.text("caller.actor", caller.actor.as_ref());
        laid.text("caller.workspace", caller.workspace.as_ref());
        laid.thing("caller.subject", &caller.subject);
        laid.table("caller.properties", &caller.properties);
        laid.text("action.name", self.action.name.as_ref());
        laid.table("action.properties", &self.action.properties);
        laid.thing("resource", &self.resource);
        if let Some(time) = self.time {
            laid.0.push(format!("time = {time}"));
        }
        for (name, count) in &self.tallies {
            laid.0.push(format!("tallies.{} = {count}", key(name)));
        }
        laid.table("context", &self.context);
        laid.0
    }
}

#[derive(Default)]
struct Laid(Vec<String>);

impl Laid {
    fn text(&mut self, path: &str, text: Option<&String>) {
        self.0
            .extend(text.map(|text| format!("{path} = {}", quoted(text))));
    }

    fn table(&mut self, path: &str, table: &Table) {
        for (name, value) in table {
            let name = key(name);
            self.0.push(format!("{path}.{name} = {}", written(value)));
        }
    }

    fn thing(&mut self, path: &str, thing: &Thing) {
        self.text(&format!("{path}.kind"), thing.kind.as_ref());
        self.text(&format!("{path}.id"), thing.id.as_ref());
        self.table(&format!("{path}.properties"), &thing.properties);
    }
}

/// A value, as TOML has it.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(flag) => flag.to_string(),
        Value::Datetime(instant) => instant.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(written).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) => {
            let members = table
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), written(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A name, as TOML has it.
fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !name.is_empty() && name.chars().all(is_bare) {
        true => name.to_owned(),
        false => quoted(name),
    }
}

fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped(&text))
}
