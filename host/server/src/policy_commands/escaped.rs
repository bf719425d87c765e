//! What a module says, made fit for a document: it can break out of no cell, and mark nothing up.

use crate::commands::terminal::Plain;

/// Within a line of Markdown.
pub fn markdown(text: &str) -> String {
    const MARKS: &[char] = &[
        '\\', '`', '*', '_', '{', '}', '[', ']', '<', '>', '(', ')', '#', '+', '!', '|', '~', '&',
        '$', '@', ':',
    ];
    let mut escaped = String::with_capacity(text.len());
    for c in Plain::new(text).as_str().chars() {
        if MARKS.contains(&c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Of our own words, which have no backtick: as code.
pub fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A cell of a CSV file (RFC 4180). A spreadsheet takes what begins with one of some characters for a formula,
/// so such a text begins with an apostrophe.
pub fn csv(text: &str) -> String {
    // Some take the full-width ones for the same.
    const FORMULAS: &[char] = &['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let plain = Plain::new(text);
    let mut cell = plain.as_str().to_owned();
    if cell.starts_with(FORMULAS) {
        cell.insert(0, '\'');
    }
    match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_in_its_cell_of_a_table() {
        assert_eq!(markdown("a|b\n| c"), "a\\|b\\\\u\\{a\\}\\| c");
        assert_eq!(markdown("<img src=x>"), "\\<img src=x\\>");
        assert_eq!(markdown("[a](javascript:b)"), "\\[a\\]\\(javascript\\:b\\)");
    }

    #[test]
    fn a_text_stays_in_its_cell_of_a_spreadsheet_and_is_no_formula() {
        assert_eq!(csv("a,b"), "\"a,b\"");
        assert_eq!(csv("a\"b"), "\"a\"\"b\"");
        assert_eq!(csv("=1+1"), "'=1+1");
        for formula in ["=1+1", "+1", "-1", "@SUM(1)", "＝1", "＋1", "－1", "＠1"] {
            assert_eq!(csv(formula), format!("'{formula}"));
        }
        assert_eq!(csv("=a,\"b\""), "\"'=a,\"\"b\"\"\"");
        // What some strip before they look is not there any more.
        assert_eq!(csv("\t=1"), "\\u{9}=1");
        assert_eq!(csv("\r\n=1"), "\\u{d}\\u{a}=1");
    }
}
