//! Attribute values, in a file of cases.

use countersign_core::policy::{Properties, Value};
use countersign_core::time::Timestamp;

/// Sets and takes away properties as `table` says. An instant is Unix milliseconds; `{ absent = true }`
/// takes the property away, and `{ json = "…" }` is RFC 8785 text.
pub(crate) fn lay(properties: &mut Properties, table: &toml::Table) -> Result<(), String> {
    for (name, value) in table {
        if is_marked(value, "absent") {
            let kept = properties.iter().filter(|kept| kept.name != *name);
            *properties = kept.cloned().collect();
        } else {
            properties.set(name, read(name, value)?);
        }
    }
    Ok(())
}

fn read(name: &str, value: &toml::Value) -> Result<Value, String> {
    let wrong = || {
        format!(
            "`{name}` must be a text, a number, a boolean, an instant, a list of texts, {{ json = \"…\" }} or {{ absent = true }}"
        )
    };
    Ok(match value {
        toml::Value::String(text) => Value::Text(text.clone()),
        toml::Value::Integer(number) => Value::Integer(*number),
        toml::Value::Float(number) => Value::Decimal(*number),
        toml::Value::Boolean(flag) => Value::Boolean(*flag),
        // `instants` leaves none.
        toml::Value::Datetime(_) => return Err(wrong()),
        toml::Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
            Value::Texts(texts.collect::<Option<_>>().ok_or_else(wrong)?)
        }
        toml::Value::Table(table) => match table.get("json").and_then(toml::Value::as_str) {
            Some(text) if table.len() == 1 => Value::Json(text.to_owned()),
            _ => return Err(wrong()),
        },
    })
}

/// Writes each instant in `table` as Unix milliseconds, which is what a policy is told.
pub(crate) fn instants(table: &mut toml::Table) -> Result<(), String> {
    for (name, value) in table {
        match value {
            toml::Value::Datetime(instant) => {
                let read = Timestamp::parse(&instant.to_string()).ok_or_else(|| {
                    format!(
                        "`{name}` must be an instant with its offset, such as 2026-01-01T03:00:00Z"
                    )
                })?;
                *value = toml::Value::Integer(read.as_millis());
            }
            toml::Value::Table(table) => instants(table)?,
            _ => {}
        }
    }
    Ok(())
}

fn is_marked(value: &toml::Value, mark: &str) -> bool {
    let table = value.as_table().filter(|table| table.len() == 1);
    table.and_then(|table| table.get(mark)) == Some(&toml::Value::Boolean(true))
}
