//! Texts that are easily got wrong.

use countersign_core::policy::Value;

use super::Space;

/// Texts of these lengths are tried, and of those that the component has among its numbers.
pub(super) const LENGTHS: std::ops::RangeInclusive<usize> = 0..=160;
const LONG: [usize; 11] = [
    199, 200, 255, 256, 257, 511, 512, 1_023, 1_024, 1_025, 4_096,
];
/// The longest text that a number of the component leads to. A host has no longer ones: names, keys and groups
/// have their bounds.
pub(super) const LONGEST: usize = 4_096;
/// Characters that are easily taken for others.
pub(super) const UNUSUAL: [&str; 24] = [
    "\0",
    "\u{1}",
    "\u{300}",
    "\u{2028}",
    "\u{2067}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{200b}",
    "\u{202e}",
    "\u{feff}",
    "é",
    "e\u{301}",
    "ß",
    "İ",
    "ı",
    "K",
    "ﬀ",
    "ǅ",
    "Ａ",
    "中",
    "🦀",
    "👩\u{200d}🚀",
    "\u{10ffff}",
];
/// Characters of two, three and four bytes, which are put so far into a text: whoever counts bytes for
/// characters cuts one of them in two.
pub(super) const WIDE: [&str; 3] = ["é", "中", "🦀"];
const OFFSETS: std::ops::RangeInclusive<usize> = 0..=16;
/// Characters at which texts are taken apart, and which nest.
const SEPARATORS: [&str; 12] = ["/", ".", ",", ":", ";", "-", " ", "\n", "[", "(", "{", "%"];
/// Words that identities and permissions go by, whether or not a component names them.
pub(super) const COMMON: [&str; 24] = [
    "user",
    "person",
    "human",
    "admin",
    "admins",
    "administrator",
    "root",
    "system",
    "service",
    "internal",
    "operator",
    "owner",
    "test",
    "debug",
    "session:",
    "org-token:",
    "admin-token",
    "provisioner",
    "global",
    "none",
    "null",
    "true",
    "*",
    "..",
];
/// At most so many of the component's numbers are tried as lengths, and as texts.
const MOST: usize = 64;
impl Space {
    /// Texts to put where a text is: `thoroughly`, with what begins and ends with the component's own, of
    /// every length, and with unusual characters.
    pub(super) fn texts(&self, thoroughly: bool) -> impl Iterator<Item = String> + '_ {
        let words = self.words.iter().cloned();
        let rest = thoroughly.then(|| {
            let near = |word: &String| [format!("{word}x"), format!("x{word}")];
            let near = self.words.iter().flat_map(near);
            let lengths = self
                .numbers
                .iter()
                .filter_map(|number| usize::try_from(*number).ok())
                .filter(|length| (LENGTHS.end() + 1..=LONGEST).contains(length))
                .take(MOST);
            let lengths = LENGTHS.chain(LONG).chain(lengths);
            let lengths = lengths.map(|length| "a".repeat(length));
            let unusual = UNUSUAL.iter().flat_map(|c| [(*c).to_owned(), c.repeat(40)]);
            let wide = WIDE.iter().flat_map(|c| {
                OFFSETS.map(move |offset| format!("{}{c}{}", "a".repeat(offset), "a".repeat(40)))
            });
            let parts = SEPARATORS
                .iter()
                .flat_map(|c| [c.repeat(1_000), format!("a{c}").repeat(500)]);
            let numbers = self.numbers.iter().map(i64::to_string);
            let numbers = numbers.filter(|text| text.len() < 6).take(MOST);
            near.chain(lengths)
                .chain(unusual)
                .chain(wide)
                .chain(parts)
                .chain(numbers)
        });
        words.chain(rest.into_iter().flatten())
    }

    pub(super) fn lists(&self, thoroughly: bool) -> impl Iterator<Item = Value> + '_ {
        let one = self.words.iter().map(|word| vec![word.clone()]);
        let rest = thoroughly.then(|| {
            let pairs = self.words.iter().flat_map(|word| {
                [
                    vec!["a".to_owned(), word.clone()],
                    vec![word.clone(), "z".to_owned()],
                ]
            });
            let many = [0, 2, 3, 7, 8, 16, 31, 32, 33, 64, 100, 1_000];
            let many = many.into_iter().map(|count| vec!["a".to_owned(); count]);
            let unusual = UNUSUAL.iter().map(|c| vec![(*c).to_owned(), String::new()]);
            pairs.chain(many).chain(unusual).chain([self.words.clone()])
        });
        one.chain(rest.into_iter().flatten()).map(Value::Texts)
    }
}
