//! What is nearly a verb.

use countersign_core::verb::Verb;
use fastrand::Rng;

use super::super::point::{Change, Text};

/// A verb in other letters, with white space, and nearly: none of them is that verb.
pub(super) fn verb_forms(verb: Verb) -> impl Iterator<Item = Change> {
    let name = verb.as_str();
    let (head, tail) = name.split_at(1);
    let mut forms = vec![
        String::new(),
        " ".to_owned(),
        name.to_uppercase(),
        head.to_uppercase() + tail,
        name.split('_').map(capital).collect::<Vec<_>>().join("_"),
        name.split('_').map(capital).collect(),
        name.replace('_', "-"),
        name.replace('_', " "),
        name.replace('_', ""),
        format!("{name}{name}"),
        format!("{name}_"),
        format!("_{name}"),
        format!("{name}s"),
        format!("x{name}"),
        format!("{name}/"),
        format!("{name}\0x"),
        name.replace('e', "é"),
        name.replace('o', "о"),
        // Lower case, and yet other letters: what only lowers letters takes them for these.
        name.replace('k', "\u{212a}"),
        name.replace('s', "ſ"),
        name.replace('i', "ı"),
        name.chars().rev().collect(),
        name.get(..name.len() - 1).unwrap_or_default().to_owned(),
    ];
    for space in [
        " ", "\t", "\n", "\r\n", "\0", "\u{a0}", "\u{200b}", "\u{feff}", "\u{3000}",
    ] {
        forms.extend([
            format!("{name}{space}"),
            format!("{space}{name}"),
            name.replacen('_', &format!("_{space}"), 1),
        ]);
    }
    for at in 0..name.len() {
        let mut form = name.to_owned();
        form.replace_range(at..=at, &name[at..=at].to_uppercase());
        forms.push(form);
    }
    forms.extend((1..=160).map(|length| "v".repeat(length)));
    forms.extend([256, 1_024, super::texts::LONGEST].map(|length| "v".repeat(length)));
    forms.retain(|form| Verb::parse(form).is_none());
    forms.into_iter().map(|form| Change::Text(Text::Verb, form))
}

pub(super) fn verb_form(name: &str, rng: &mut Rng) -> String {
    let mut form: Vec<char> = name.chars().collect();
    for _ in 0..=rng.usize(..2) {
        let at = rng.usize(..form.len());
        match rng.u8(..3) {
            0 => form[at] = form[at].to_ascii_uppercase(),
            1 => form.insert(at, [' ', '_', 'a', '\u{a0}'][rng.usize(..4)]),
            _ => form.swap(at, 0),
        }
    }
    form.into_iter().collect()
}

fn capital(part: &str) -> String {
    let mut characters = part.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
