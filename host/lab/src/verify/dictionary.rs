//! What a component has in it that its rules may compare with: texts and numbers.
//!
//! A rule that opens for one text in all texts is not found by chance, but the text has to be somewhere:
//! in the data, or among the constants of the code, where compilers put short ones. What is found here
//! directs the search; what is hidden (put together, hashed) is not found.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{DataKind, Operator, Parser, Payload};

/// The longest text that is looked for.
const LONGEST: usize = 64;
/// At most so many texts: those that are most surely texts of their own.
const MOST_TEXTS: usize = 360;
/// At most so many numbers: the rarest, since what a rule compares with is there once.
const MOST_NUMBERS: usize = 768;
/// At most so much data, and so many constants, are read: what an interpreter brings along is not the policy.
const MOST_DATA: usize = 1 << 20;
const MOST_CONSTANTS: usize = 200_000;
/// An address and a length that belong together are so near to each other in the code.
const NEAR: usize = 2;
/// The shortest piece of a text that is taken for one where nothing points to it.
const SHORTEST: usize = 3;
/// Compilers compare up to so many pieces of a text as numbers.
const PIECES: usize = 4;

/// The texts and numbers of one component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dictionary {
    /// In no order that means anything.
    pub texts: Vec<String>,
    /// As they stand, without sign.
    pub numbers: Vec<u64>,
}

#[derive(Default)]
struct Reader {
    /// Where each piece of data is in memory.
    data: Vec<(u64, Vec<u8>)>,
    /// The constants of each function, in order.
    functions: Vec<Vec<u64>>,
    /// Bytes of data, and constants, so far.
    read: usize,
    constants: usize,
}

/// Somewhere that texts are found.
type Source = fn(&Reader, &mut BTreeSet<String>);

impl Dictionary {
    /// Of a component, which need not be sound: what cannot be read is left out.
    pub fn of(component: &[u8]) -> Self {
        let mut reader = Reader::default();
        for payload in Parser::new(0).parse_all(component) {
            match payload {
                Ok(payload) => reader.read(payload),
                Err(_) => break,
            }
        }
        // No source crowds the others out.
        let sources: [(Source, usize); 6] = [
            (Reader::spelled, 100),
            (Reader::addressed, 200),
            (Reader::wide, 40),
            (Reader::listed, 80),
            (Reader::offset, 40),
            (Reader::said, 40),
        ];
        let mut texts: Vec<String> = Vec::new();
        for (source, most) in sources {
            let mut found = BTreeSet::new();
            source(&reader, &mut found);
            let mut found: Vec<String> = found.into_iter().filter(|text| is_word(text)).collect();
            found.retain(|text| !texts.contains(text));
            found.sort_by_key(String::len);
            found.truncate(most);
            texts.extend(found);
        }
        texts.truncate(MOST_TEXTS);
        Self {
            texts,
            numbers: reader.numbers(),
        }
    }
}

impl Dictionary {
    /// This one and another together.
    pub fn with(mut self, other: Self) -> Self {
        self.texts.extend(other.texts);
        self.numbers.extend(other.numbers);
        self
    }
}

impl Reader {
    fn read(&mut self, payload: Payload<'_>) {
        match payload {
            Payload::DataSection(section) => {
                for data in section.into_iter().flatten() {
                    let at = match data.kind {
                        DataKind::Active { offset_expr, .. } => {
                            let mut operators = offset_expr.get_operators_reader();
                            match operators.read() {
                                Ok(Operator::I32Const { value }) => value.cast_unsigned().into(),
                                _ => continue,
                            }
                        }
                        DataKind::Passive => 0,
                    };
                    let room = MOST_DATA.saturating_sub(self.read);
                    let piece = &data.data[..data.data.len().min(room)];
                    self.read += piece.len();
                    self.data.push((at, piece.to_vec()));
                }
            }
            Payload::CodeSectionEntry(body) => {
                let Ok(operators) = body.get_operators_reader() else {
                    return;
                };
                let constants = operators.into_iter().flatten().flat_map(|op| match op {
                    Operator::I32Const { value } => [Some(value.cast_unsigned().into()), None],
                    Operator::I64Const { value } => [Some(value.cast_unsigned()), None],
                    Operator::V128Const { value } => {
                        let both = value.i128().cast_unsigned();
                        [Some(both as u64), Some((both >> 64) as u64)]
                    }
                    _ => [None, None],
                });
                let constants = constants.flatten();
                let room = MOST_CONSTANTS.saturating_sub(self.constants);
                let constants: Vec<u64> = constants.take(room).collect();
                self.constants += constants.len();
                self.functions.push(constants);
            }
            _ => {}
        }
    }

    /// The text at an address, if there is one of that length.
    fn text(&self, at: u64, length: u64) -> Option<&str> {
        let length = usize::try_from(length)
            .ok()
            .filter(|length| (1..=LONGEST).contains(length))?;
        self.data.iter().find_map(|(base, bytes)| {
            let from = usize::try_from(at.checked_sub(*base)?).ok()?;
            let piece = bytes.get(from..from.checked_add(length)?)?;
            let text = std::str::from_utf8(piece).ok()?;
            text.chars().all(|c| !c.is_control()).then_some(text)
        })
    }

    /// Texts that something points to: an address and a length, side by side in the code or in the data.
    fn addressed(&self, texts: &mut BTreeSet<String>) {
        for constants in &self.functions {
            for (at, address) in constants.iter().enumerate() {
                let near = at.saturating_sub(NEAR)..(at + NEAR).min(constants.len());
                for length in &constants[near] {
                    texts.extend(self.text(*address, *length).map(str::to_owned));
                }
            }
        }
        for (_, bytes) in &self.data {
            let words: Vec<u64> = bytes
                .chunks_exact(4)
                .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]).into())
                .collect();
            for pair in words.windows(2) {
                texts.extend(self.text(pair[0], pair[1]).map(str::to_owned));
            }
        }
    }

    /// Runs of printable characters in the data that are no sentences, and the members of lists in them.
    fn listed(&self, texts: &mut BTreeSet<String>) {
        for run in self.runs() {
            let members = run.split([',', ';', '|']).map(str::trim);
            texts.extend(
                members
                    .chain([&*run])
                    .filter(|word| !word.contains(' '))
                    .filter(is_length)
                    .map(str::to_owned),
            );
        }
    }

    /// The words of sentences.
    fn said(&self, texts: &mut BTreeSet<String>) {
        for run in self.runs() {
            texts.extend(run.split(' ').filter(is_length).map(str::to_owned));
        }
    }

    fn runs(&self) -> impl Iterator<Item = String> + '_ {
        let runs = self
            .data
            .iter()
            .flat_map(|(_, bytes)| bytes.split(|byte| !byte.is_ascii_graphic() && *byte != b' '));
        runs.map(|run| String::from_utf8_lossy(run).into_owned())
    }

    /// Texts of two bytes for each character.
    fn wide(&self, texts: &mut BTreeSet<String>) {
        for (_, bytes) in &self.data {
            for aligned in [&bytes[..], bytes.get(1..).unwrap_or_default()] {
                let units = aligned.chunks_exact(2);
                let characters: Vec<u8> = units
                    .map(|unit| if unit[1] == 0 { unit[0] } else { 0 })
                    .collect();
                let runs = characters.split(|byte| !byte.is_ascii_graphic());
                let runs = runs.map(|run| String::from_utf8_lossy(run).into_owned());
                texts.extend(runs.filter(|run| is_length(&run.as_str())));
            }
        }
    }

    /// Texts that lie so far behind the beginning of some data.
    fn offset(&self, texts: &mut BTreeSet<String>) {
        for (base, _) in self.data.iter().filter(|(base, _)| *base > 0) {
            for pair in self
                .functions
                .iter()
                .flat_map(|constants| constants.windows(2))
            {
                for (offset, length) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                    let text = base
                        .checked_add(offset)
                        .and_then(|at| self.text(at, length));
                    texts.extend(text.filter(is_length).map(str::to_owned));
                }
            }
        }
    }

    /// Texts that the code compares with as numbers, piece by piece.
    fn spelled(&self, texts: &mut BTreeSet<String>) {
        for constants in &self.functions {
            let pieces: Vec<String> = constants
                .iter()
                .filter_map(|number| spelled(*number))
                .collect();
            for from in 0..pieces.len() {
                for count in 1..=PIECES.min(pieces.len() - from) {
                    let some = &pieces[from..from + count];
                    for text in [joined(some.iter()), joined(some.iter().rev())] {
                        if (SHORTEST..=LONGEST).contains(&text.len()) {
                            texts.insert(text);
                        }
                    }
                }
            }
        }
    }

    /// What the code compares with, the rarest first, each with its neighbours.
    fn numbers(&self) -> Vec<u64> {
        let mut uses: BTreeMap<u64, usize> = BTreeMap::new();
        for number in self.functions.iter().flatten() {
            *uses.entry(*number).or_default() += 1;
        }
        let is_address = |number: u64| {
            let within = |(base, bytes): &(u64, Vec<u8>)| {
                number >= *base && number < base + bytes.len() as u64
            };
            self.data.iter().any(within)
        };
        let mut numbers: Vec<(bool, usize, u64)> = uses
            .into_iter()
            .map(|(number, uses)| (is_address(number) && number > 4_096, uses, number))
            .collect();
        numbers.sort_unstable();
        numbers.truncate(MOST_NUMBERS);
        numbers.into_iter().map(|(_, _, number)| number).collect()
    }
}

/// Whether it is long enough to be a text, and short enough to be one.
fn is_length(text: &&str) -> bool {
    (SHORTEST..=LONGEST).contains(&text.len())
}

/// Whether it looks like a name, a key or an identity, and not like a sentence for people or like code.
fn is_word(text: &str) -> bool {
    let is_odd = |c: char| !(c.is_alphanumeric() || "-_.:/@+= ".contains(c));
    !text.contains(is_odd) && text.matches(' ').count() < 2 && text.trim() == text
}

/// The characters that a constant of up to eight bytes spells, if it spells any.
fn spelled(number: u64) -> Option<String> {
    let bytes = number.to_le_bytes();
    let used = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    let text = std::str::from_utf8(&bytes[..used]).ok()?;
    let is_text = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ');
    (used >= 2 && is_text).then(|| text.to_owned())
}

/// Pieces, one after the other; compilers let the last one overlap what comes before it.
fn joined<'a>(pieces: impl Iterator<Item = &'a String>) -> String {
    let mut text = String::new();
    for piece in pieces {
        let overlap = (1..piece.len().min(text.len()))
            .rev()
            .find(|length| text.ends_with(&piece[..*length]))
            .unwrap_or(0);
        text.push_str(&piece[overlap..]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(module: &str) -> Dictionary {
        let text = format!("(component (core module {module}))");
        Dictionary::of(&wat::parse_str(text).expect("it is well formed"))
    }

    #[test]
    fn texts_that_are_pointed_to_are_found_whole() {
        let found = of(
            r#"(memory 1) (data (i32.const 64) "open-sesamethe rest\00\40\00\00\00\04\00\00\00")
            (func (drop (i32.const 64)) (drop (i32.const 11)))"#,
        );
        assert!(found.texts.contains(&"open-sesame".to_owned()), "{found:?}");
        assert!(found.texts.contains(&"open".to_owned()), "{found:?}");
        assert!(found.texts.contains(&"rest".to_owned()), "{found:?}");
    }

    #[test]
    fn texts_that_the_code_spells_are_found_whole() {
        let number = |text: &str| {
            let mut bytes = [0; 8];
            bytes[..text.len()].copy_from_slice(text.as_bytes());
            i64::from_le_bytes(bytes)
        };
        // `open-sesame` in two pieces of eight bytes that share five.
        let found = of(&format!(
            "(func (drop (i64.const {})) (drop (i64.const {})) (drop (i32.const 213)))",
            number("open-ses"),
            number("n-sesame")
        ));
        assert!(found.texts.contains(&"open-sesame".to_owned()), "{found:?}");
        assert!(found.numbers.contains(&213));
    }

    #[test]
    fn texts_are_found_in_lists_in_wide_characters_and_behind_a_beginning() {
        let found = of(
            r#"(memory 1) (data (i32.const 64) "red-1,green-2\00\00w\00i\00d\00e\00\00")
            (data (i32.const 256) "..hidden-textmore")
            (func (drop (i32.const 2)) (drop (i32.const 11)))"#,
        );
        for text in ["red-1", "green-2", "wide", "hidden-text"] {
            assert!(found.texts.contains(&text.to_owned()), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_is_no_component_has_nothing_in_it() {
        assert_eq!(Dictionary::of(b"\0asm nonsense"), Dictionary::default());
        assert_eq!(Dictionary::of(&[]), Dictionary::default());
    }
}
