//! What reaches a terminal, and what comes from one.

use std::fmt;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use countersign_core::text::{escaped, is_misleading};
use serde::{Deserialize, Deserializer};

use super::failure::Failure;

/// The width of what is no terminal, or does not say.
const DEFAULT_WIDTH: usize = 100;
/// Narrower than this, nothing fits anyway.
const LEAST_WIDTH: usize = 40;

/// Somebody's text, fit for a terminal: no character of it moves the cursor, sets a colour, turns the
/// direction of writing or hides another one. Such a character shows as `\u{…}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plain(String);

impl Plain {
    /// `text`, made fit.
    pub fn new(text: &str) -> Self {
        Self(escaped(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(|text| Self::new(&text))
    }
}

/// JSON that means the same and is fit for a terminal: what would mislead a reader is only ever within a
/// string of it, and is escaped there.
pub fn plain_json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for c in json.chars() {
        if is_misleading(c) && !matches!(c, '\n' | '\t' | '\r') {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                plain.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Says something on standard output; what nobody reads any more (`| head`) is not said.
pub fn say(text: &str) {
    let _ = write(format!("{}\n", plain_lines(text)).as_bytes());
}

/// Says something that has colours of its own; every text of others in it must be fit already.
pub fn draw(text: &str) {
    let _ = write(format!("{text}\n").as_bytes());
}

/// Writes to standard output what must not be lost.
pub fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|error| Failure::failed(format!("cannot write to standard output: {error}")))
}

/// Says something to whoever typed the command, beside its result.
pub fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", plain_lines(text));
}

/// What was composed of parts that are fit already, once more: a part that somebody forgot does no harm.
fn plain_lines(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| Plain::new(line).to_string())
        .collect();
    lines.join("\n")
}

/// Whether a person looks at standard output.
pub fn is_seen() -> bool {
    io::stdout().is_terminal()
}

/// How many columns there are on standard output; `None` where nobody looks, and nothing needs to fit.
pub fn width() -> Option<usize> {
    if !is_seen() {
        return None;
    }
    let columns = rustix::termios::tcgetwinsize(io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0);
    Some(columns.unwrap_or(DEFAULT_WIDTH).max(LEAST_WIDTH))
}

/// Asks the person at the terminal; `None` where there is none. Anything but a clear yes is a no.
pub fn ask(question: &str) -> Option<bool> {
    if !io::stdin().is_terminal() {
        return None;
    }
    {
        let mut screen = io::stderr().lock();
        let _ = write!(screen, "{question} [y/N] ");
        let _ = screen.flush();
    }
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).ok()?;
    let answer = answer.trim().to_ascii_lowercase();
    Some(answer == "y" || answer == "yes")
}

/// One line of standard input, of at most `limit` bytes.
pub fn read_line(prompt: &str, limit: u64) -> io::Result<String> {
    if io::stdin().is_terminal() {
        let mut screen = io::stderr().lock();
        let _ = write!(screen, "{prompt}");
        let _ = screen.flush();
    }
    let mut line = String::new();
    io::Read::take(io::stdin().lock(), limit).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str =
        "ci\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\u{202e}nimda\u{200b}\u{9b}31m\u{2028}\u{7f}";

    #[test]
    fn no_character_that_a_terminal_obeys_gets_through() {
        let plain = Plain::new(HOSTILE);
        assert!(!plain.as_str().chars().any(is_misleading), "{plain}");
        assert!(plain.as_str().starts_with("ci\\u{1b}]0;owned\\u{7}"));
        assert_eq!(Plain::new("Zoë, 東京 ✓").as_str(), "Zoë, 東京 ✓");
    }

    #[test]
    fn json_stays_the_same_json() {
        let json = serde_json::json!({ HOSTILE: [HOSTILE, "😀\u{e0001}"] });
        for text in [
            json.to_string(),
            serde_json::to_string_pretty(&json).expect("JSON"),
        ] {
            let plain = plain_json(&text);
            assert!(
                !plain.chars().any(|c| is_misleading(c) && c != '\n'),
                "{plain}"
            );
            let again: serde_json::Value = serde_json::from_str(&plain).expect("JSON");
            assert_eq!(again, json);
        }
    }
}
