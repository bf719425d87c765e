//! The log, on standard error: a line for each event, whatever those who cause them put into it.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};

use countersign_core::text::is_misleading;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people where standard error is a terminal, else for programs.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Reads the setting.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("`text`, `json` or `auto`"),
        }
    }
}

/// Starts the log. What panics is in it as well: its words on standard error would be no line of it.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env("COUNTERSIGN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Colours are control characters, and those are what must not get through.
        .with_ansi(false)
        .with_writer(Escaping(io::stderr));
    let is_text = match format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    if is_text {
        log.compact().with_target(false).init();
    } else {
        log.json().init();
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let words = panic.payload_as_str().unwrap_or("no words");
        tracing::error!(place, words, "a task broke down");
    }));
}

/// Writes whole events, of which each is a line: what would break or reorder it is written as an escape,
/// `\u202e`, which in JSON stands for the same character.
struct Escaping<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Escaping<M> {
    type Writer = Line<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(self.0.make_writer())
    }
}

struct Line<W>(W);

impl<W: Write> Write for Line<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(escaped(event).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// One event as a line, with the end that it had.
fn escaped(event: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(event);
    let (line, end) = match text.strip_suffix('\n') {
        Some(line) => (line, "\n"),
        None => (&*text, ""),
    };
    if !line.chars().any(is_misleading) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in line.chars() {
        if is_misleading(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                use std::fmt::Write as _;
                write!(safe, "\\u{unit:04x}")
                    .expect("INVARIANT: writing to a String does not fail");
            }
        } else {
            safe.push(c);
        }
    }
    safe.push_str(end);
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event: &str) -> String {
        let mut written = Vec::new();
        Line(&mut written)
            .write_all(event.as_bytes())
            .expect("it is written");
        String::from_utf8(written).expect("UTF-8")
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let hostile = "a\nb\r\u{1b}[2Jc\u{202e}d\u{2028}e\u{85}f\u{9b}g\u{e0041}\n";
        let safe = line(hostile);
        assert_eq!(safe.matches('\n').count(), 1);
        assert!(safe.ends_with('\n'));
        assert!(!safe.trim_end().chars().any(is_misleading), "{safe:?}");
        assert!(safe.starts_with("a\\u000ab\\u000d\\u001b[2Jc\\u202ed"));
    }

    #[test]
    fn what_is_escaped_in_json_is_the_same_text() {
        let text = "é\u{202e}\u{2028}\u{9b}\u{e0041}\u{10ffff}\"\\";
        let written = line(&format!("{}\n", serde_json::json!({ "m": text })));
        let read: serde_json::Value = serde_json::from_str(&written).expect("JSON");
        assert_eq!(read["m"], text);
    }

    #[test]
    fn what_misleads_nobody_is_left_alone() {
        assert_eq!(line("später „so“ 字\n"), "später „so“ 字\n");
    }
}
