//! The configuration's file: every mistake in it, by line and key, and no value repeated: it may be a
//! secret.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize as _;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::DeTable;

use super::Flags;

/// The longest file that is read as configuration.
const MAX_FILE: u64 = 1 << 20;
/// Less alike than this (Jaro-Winkler), two names are not one with a slip in it.
const ALIKE: f64 = 0.8;

/// What a file says.
#[derive(Debug, Default)]
pub struct FileSays {
    /// What is right in it.
    pub flags: Flags,
    /// The keys in it that are known, each with its value as it is written.
    pub written: BTreeMap<String, String>,
}

/// The names of the settings in a file.
pub fn keys() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It always fails: a struct that is asked for says which fields it has, and that is all there is to it.
    let _ = Flags::deserialize(Names(&mut names));
    names
}

/// Reads the file at `path`.
pub fn read(path: &Path, mistakes: &mut Vec<String>) -> FileSays {
    let text = match text(path) {
        Ok(text) => text,
        Err(why) => {
            mistakes.push(format!("{}: {why}", path.display()));
            return FileSays::default();
        }
    };
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let mut blame = |at: usize, why: String| {
        mistakes.push(format!("{}: line {}: {why}", path.display(), line(at)));
    };
    let table = match DeTable::parse(&text) {
        Ok(table) => table,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            blame(at, format!("this is not TOML: {}", error.message()));
            return FileSays::default();
        }
    };
    let span = table.span();
    let mut right = DeTable::new();
    let mut written = BTreeMap::new();
    for (key, value) in table.into_inner() {
        let name = key.get_ref().as_ref();
        if !keys().contains(&name) {
            blame(key.span().start, unknown(name));
            continue;
        }
        let one: DeTable<'_> = [(key.clone(), value.clone())].into_iter().collect();
        match parsed(Spanned::new(span.clone(), one)) {
            Ok(_) => {
                let value_text = text.get(value.span()).unwrap_or_default();
                written.insert(name.to_owned(), value_text.trim_matches('"').to_owned());
                right.insert(key, value);
            }
            Err(error) => blame(value.span().start, wrong(name, error.message())),
        }
    }
    FileSays {
        // Each of them was read by itself.
        flags: parsed(Spanned::new(span, right)).unwrap_or_default(),
        written,
    }
}

fn text(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > MAX_FILE {
        return Err("is longer than a configuration can be".to_owned());
    }
    std::fs::read_to_string(path).map_err(|e| e.to_string())
}

fn parsed(table: Spanned<DeTable<'_>>) -> Result<Flags, toml::de::Error> {
    Flags::deserialize(toml::Deserializer::from(table))
}

fn unknown(name: &str) -> String {
    match nearest(name) {
        Some(known) => format!("unknown key `{name}`: did you mean `{known}`?"),
        None => format!("unknown key `{name}`: there are {}", keys().join(", ")),
    }
}

/// The setting that somebody meant who wrote `name`: as in the environment, or with a slip.
fn nearest(name: &str) -> Option<&'static str> {
    let plain = name.to_ascii_lowercase().replace('-', "_");
    let plain = plain.strip_prefix("countersign_").unwrap_or(&plain);
    keys()
        .iter()
        .map(|known| (strsim::jaro_winkler(plain, known), *known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

/// The parser quotes the value that is wrong; what it expected holds none.
fn wrong(name: &str, message: &str) -> String {
    if message.starts_with("unknown field") {
        return format!("`{name}`: {message}");
    }
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("`{name}` is not {expected}"),
        None => format!("`{name}` is not of the right type"),
    }
}

/// Asks a struct for its fields' names.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("only the names are asked for"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        let mut mistakes = Vec::new();
        read(file.path(), &mut mistakes);
        mistakes
    }

    #[test]
    fn the_keys_are_the_flags_and_the_secrets() {
        for key in ["listen", "admin_token", "secrets_encryption_key"] {
            assert!(keys().contains(&key), "{key}");
        }
        assert!(!keys().contains(&"config"), "a file names no other one");
    }

    #[test]
    fn every_mistake_is_told_with_its_line_and_no_value() {
        let mistakes =
            mistakes("listn = \"hunter2\"\nadmin_token = 4711\nlisten = \"a:1\"\nxyz = 1\n");
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        let all = mistakes.join("\n");
        assert!(
            all.contains("line 1: unknown key `listn`: did you mean `listen`?"),
            "{all}"
        );
        assert!(
            all.contains("line 2: `admin_token` is not a string"),
            "{all}"
        );
        assert!(
            all.contains("line 4: unknown key `xyz`: there are listen,"),
            "{all}"
        );
        assert!(!all.contains("hunter2") && !all.contains("4711"), "{all}");
    }

    #[test]
    fn a_key_as_the_environment_writes_it_is_recognised() {
        assert_eq!(nearest("COUNTERSIGN_DATA_DIR"), Some("data_dir"));
        assert_eq!(nearest("database-url"), Some("database_url"));
        assert_eq!(nearest("admin_tokn"), Some("admin_token"));
        assert_eq!(nearest("colour"), None);
    }

    #[test]
    fn what_is_no_toml_is_named_by_its_line() {
        let mistakes = mistakes("listen = \"a\"\nadmin_token = hunter2\n");
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(
            mistakes[0].contains("line 2: this is not TOML"),
            "{mistakes:?}"
        );
        assert!(!mistakes[0].contains("hunter2"), "{mistakes:?}");
    }
}
