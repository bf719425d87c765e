//! The cases that a component carries: a custom section of its own, beside what runs.
//!
//! The section is found by walking over the component's outermost sections, by hand: a section is a number,
//! a length and so many bytes, and that is all that has to be known of a component here.

/// The section's name. Its content is a file of cases, in UTF-8.
pub const SECTION: &str = "countersign:cases";

/// The largest file of cases that a component carries, in bytes: some thousand cases. What is larger
/// belongs beside the component.
pub const MOST_BYTES: usize = 256 * 1024;

/// A component's first bytes; a core module has another layer number in the last four.
pub(crate) const COMPONENT_HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// The number of custom sections.
const CUSTOM: u8 = 0;

/// Why the cases of a component cannot be had, or cannot be put there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundledError {
    /// The bytes are no component.
    #[error("it is no WebAssembly component")]
    NoComponent,
    /// A section is cut off, or its length or name makes no sense.
    #[error("its sections cannot be read: at byte {0} is no section")]
    Section(usize),
    /// There are several sections of cases.
    #[error("it carries more than one section `{SECTION}`")]
    Several,
    /// The cases are too large.
    #[error("its cases are larger than {MOST_BYTES} bytes: keep the rest in a file beside it")]
    TooLarge,
    /// The cases are no text.
    #[error("its cases are not UTF-8")]
    NotText,
}

/// The cases that `component` carries, if it carries any.
pub fn cases(component: &[u8]) -> Result<Option<&str>, BundledError> {
    let mut sections = Sections::of(component)?;
    let mut found = None;
    while let Some(section) = sections.next()? {
        if section.name == Some(SECTION.as_bytes()) && found.replace(section.content).is_some() {
            return Err(BundledError::Several);
        }
    }
    let Some(cases) = found else {
        return Ok(None);
    };
    if cases.len() > MOST_BYTES {
        return Err(BundledError::TooLarge);
    }
    let text = std::str::from_utf8(cases).map_err(|_| BundledError::NotText)?;
    Ok(Some(text))
}

/// `component` with `cases` behind all that it has, which makes another digest.
pub fn with_cases(component: &[u8], cases: &str) -> Result<Vec<u8>, BundledError> {
    if self::cases(component)?.is_some() {
        return Err(BundledError::Several);
    }
    if cases.len() > MOST_BYTES {
        return Err(BundledError::TooLarge);
    }
    let mut content = length(SECTION.len());
    content.extend(SECTION.as_bytes());
    content.extend(cases.as_bytes());
    let mut whole = component.to_vec();
    whole.push(CUSTOM);
    whole.extend(length(content.len()));
    whole.extend(content);
    Ok(whole)
}

/// The outermost sections of a component, one after the other.
struct Sections<'c> {
    bytes: &'c [u8],
    at: usize,
}

struct Section<'c> {
    /// Of a custom section.
    name: Option<&'c [u8]>,
    /// Behind the name.
    content: &'c [u8],
}

impl<'c> Sections<'c> {
    fn of(bytes: &'c [u8]) -> Result<Self, BundledError> {
        match bytes.starts_with(&COMPONENT_HEADER) {
            true => Ok(Self {
                bytes,
                at: COMPONENT_HEADER.len(),
            }),
            false => Err(BundledError::NoComponent),
        }
    }

    fn next(&mut self) -> Result<Option<Section<'c>>, BundledError> {
        let begins = self.at;
        let wrong = BundledError::Section(begins);
        let Some((&id, rest)) = self.bytes.get(begins..).and_then(<[u8]>::split_first) else {
            return Ok(None);
        };
        let (content, rest) = sized(rest).ok_or(wrong.clone())?;
        self.at = self.bytes.len() - rest.len();
        if id != CUSTOM {
            return Ok(Some(Section {
                name: None,
                content,
            }));
        }
        let (name, content) = sized(content).ok_or(wrong)?;
        Ok(Some(Section {
            name: Some(name),
            content,
        }))
    }
}

/// The bytes that a length in front of them announces, and what is behind them.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length: u64 = 0;
    // LEB128: seven bits a byte, the lowest first, and five bytes at most for 32 bits.
    for (index, byte) in bytes.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let length = usize::try_from(u32::try_from(length).ok()?).ok()?;
            return bytes.get(index + 1..)?.split_at_checked(length);
        }
    }
    None
}

/// A length as LEB128, in as few bytes as it takes.
fn length(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        if length == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use countersign_engine::BASELINE;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_put_there_is_found_again_whatever_its_length() {
        for bytes in [0, 1, 109, 110, 127, 128, 16_383, MOST_BYTES] {
            let text = "c".repeat(bytes);
            let whole = with_cases(&COMPONENT_HEADER, &text).expect("there is room");
            assert_eq!(cases(&whole), Ok(Some(&*text)), "{bytes}");
        }
    }

    #[test]
    fn a_component_without_cases_has_none_and_what_is_within_its_parts_is_not_looked_at() {
        assert_eq!(cases(&COMPONENT_HEADER), Ok(None));
        let inner = with_cases(&COMPONENT_HEADER, "inner").expect("there is room");
        // A component within a component is section 4.
        let outer = [&COMPONENT_HEADER[..], &[4], &length(inner.len()), &inner].concat();
        assert_eq!(cases(&outer), Ok(None));
    }

    #[test]
    fn what_is_too_large_twice_there_or_no_text_is_refused() {
        let once = with_cases(&COMPONENT_HEADER, "a").expect("there is room");
        assert_eq!(with_cases(&once, "b"), Err(BundledError::Several));
        let section = &once[COMPONENT_HEADER.len()..];
        assert_eq!(
            cases(&[&once[..], section].concat()),
            Err(BundledError::Several)
        );
        let large = "a".repeat(MOST_BYTES + 1);
        assert_eq!(
            with_cases(&COMPONENT_HEADER, &large),
            Err(BundledError::TooLarge)
        );
        let mut binary = once.clone();
        *binary.last_mut().expect("it has content") = 0xff;
        assert_eq!(cases(&binary), Err(BundledError::NotText));
        assert_eq!(
            cases(b"\0asm\x01\0\0\0"),
            Err(BundledError::NoComponent),
            "a core module"
        );
    }

    #[test]
    fn what_is_cut_off_is_refused_wherever_it_is_cut() {
        let whole = with_cases(BASELINE, "").unwrap_or_else(|_| BASELINE.to_vec());
        let mut boundaries = 0;
        for end in (0..whole.len()).rev().take(4_096) {
            match cases(&whole[..end]) {
                Ok(_) => boundaries += 1,
                Err(error) => assert!(matches!(error, BundledError::Section(_)), "{error}"),
            }
        }
        assert!(boundaries < 64, "{boundaries} cuts were not seen");
    }

    proptest! {
        #[test]
        fn no_bytes_whatever_break_the_walk(garbage in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = cases(&garbage);
            let _ = cases(&[&COMPONENT_HEADER[..], &garbage].concat());
        }

        #[test]
        fn no_single_changed_byte_breaks_the_walk(at in 8_usize..400, byte in any::<u8>()) {
            let mut whole = with_cases(&COMPONENT_HEADER, &"x = 1\n".repeat(80)).expect("there is room");
            whole[at] = byte;
            let _ = cases(&whole);
        }

        #[test]
        fn any_text_comes_back_as_it_was(text in "\\PC{0,300}") {
            let whole = with_cases(&COMPONENT_HEADER, &text).expect("there is room");
            prop_assert_eq!(cases(&whole), Ok(Some(&*text)));
        }
    }
}
