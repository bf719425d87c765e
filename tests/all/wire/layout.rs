//! JSON as people read it: what is short on one line, the rest member by member.

use std::fmt::Write as _;

use serde_json::Value;

/// As long may a line be.
const WIDTH: usize = 100;

/// `value`, its members sorted by name, as they are sent.
pub fn laid_out(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0);
    text
}

fn write(text: &mut String, value: &Value, depth: usize) {
    let short = one_line(value);
    if depth > 0 && short.len() + 2 * depth <= WIDTH {
        text.push_str(&short);
        return;
    }
    let (open, close, count) = match value {
        Value::Object(members) => ('{', '}', members.len()),
        Value::Array(items) => ('[', ']', items.len()),
        _ => return text.push_str(&short),
    };
    text.push(open);
    let end = |at: usize| if at + 1 < count { "," } else { "" };
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Object(members) => {
            for (at, (name, member)) in members.iter().enumerate() {
                let _ = write!(text, "\n{indent}\"{name}\": ");
                write(text, member, depth + 1);
                text.push_str(end(at));
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let _ = write!(text, "\n{indent}");
                write(text, item, depth + 1);
                text.push_str(end(at));
            }
        }
        _ => {}
    }
    let _ = write!(text, "\n{}{close}", "  ".repeat(depth));
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let members = members
                .iter()
                .map(|(name, member)| format!("\"{name}\": {}", one_line(member)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(one_line).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}
