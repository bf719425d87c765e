//! What is another value with every run: how it is found in a text, and what each must be.
//!
//! All of it is computed here, and nothing by the host's own code, which is what is tested.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

/// A kind of value that a snapshot does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A UUID.
    Id,
    /// An RFC 3339 instant.
    Instant,
    /// A token in clear.
    Token,
    /// The first eight characters of a token.
    Prefix,
    /// Twelve hex digits or more: a digest, a fingerprint, a signature.
    Hex,
}

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Plain(&'a str),
    Volatile(Kind, &'a str),
}

/// `text` in pieces. What only looks like a value of some kind is found too, so that it is refused.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut plain, mut at) = (0, 0);
    while at < text.len() {
        let begins_word = !text[..at].ends_with(|last: char| last.is_ascii_alphanumeric());
        match volatile(&text[at..]).filter(|_| begins_word && text.is_char_boundary(at)) {
            Some((kind, length)) => {
                if plain < at {
                    pieces.push(Piece::Plain(&text[plain..at]));
                }
                pieces.push(Piece::Volatile(kind, &text[at..at + length]));
                at += length;
                plain = at;
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    if plain < text.len() {
        pieces.push(Piece::Plain(&text[plain..]));
    }
    pieces
}

/// What `text` begins with, and its length.
fn volatile(text: &str) -> Option<(Kind, usize)> {
    let run = |is_part: fn(char) -> bool| text.find(|c| !is_part(c)).unwrap_or(text.len());
    if text.starts_with("cso_") || text.starts_with("csw_") {
        let length = run(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        let kind = if length == 8 {
            Kind::Prefix
        } else {
            Kind::Token
        };
        return Some((kind, length));
    }
    if begins_like(text, "0000-00-00T") {
        let length = run(|c| "0123456789-:.TZ+".contains(c));
        // A sentence goes on or ends behind it.
        let instant = text[..length].trim_end_matches([':', '.']);
        return Some((Kind::Instant, instant.len()));
    }
    if begins_like(text, "hhhhhhhh-hhhh-") {
        return Some((Kind::Id, run(|c| c.is_ascii_hexdigit() || c == '-')));
    }
    let word = run(|c| c.is_ascii_alphanumeric());
    let is_hex = text[..word].chars().all(|c| c.is_ascii_hexdigit());
    (is_hex && word >= 12).then_some((Kind::Hex, word))
}

/// Whether `text` begins as `form` says: `0` is a digit, `h` a hex digit, and the rest itself.
fn begins_like(text: &str, form: &str) -> bool {
    let fits = |(c, form): (char, char)| match form {
        '0' => c.is_ascii_digit(),
        'h' => c.is_ascii_hexdigit(),
        other => c == other,
    };
    text.len() >= form.len() && text.chars().zip(form.chars()).all(fits)
}

/// The version of a UUID in lower case, and of version 7 the milliseconds that it was made at (RFC 9562).
pub fn uuid(text: &str) -> Result<(char, i64), String> {
    let is_lower = !text.contains(|c: char| c.is_ascii_uppercase());
    if text.len() != 36 || !is_lower || !begins_like(text, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh") {
        return Err("is no UUID in lower case".to_owned());
    }
    if !"89ab".contains(&text[19..20]) {
        return Err("is a UUID of no known variant".to_owned());
    }
    let version = char::from(text.as_bytes()[14]);
    let millis = i64::from_str_radix(&text[..13].replace('-', ""), 16).unwrap_or(0);
    Ok((version, millis))
}

/// The UUID of version 5 of `name` under `space` (RFC 9562, section 5.5).
pub fn uuid_5(space: &str, name: &str) -> String {
    let digits = space.replace('-', "");
    let octets = (0..16).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16));
    let mut named: Vec<u8> = octets.map(|octet| octet.expect("hex")).collect();
    named.extend(name.bytes());
    let mut made = digest(&SHA1_FOR_LEGACY_USE_ONLY, &named).as_ref()[..16].to_vec();
    made[6] = made[6] & 0x0f | 0x50;
    made[8] = made[8] & 0x3f | 0x80;
    let hex = hex(&made);
    let [a, b, c, d, e] = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    format!("{a}-{b}-{c}-{d}-{e}")
}

/// Microseconds since the Unix epoch of an instant as the host writes them: UTC, at most six digits of a
/// second, and none that says nothing.
pub fn instant(text: &str) -> Result<i64, String> {
    let refuse = |why: &str| Err(format!("is no instant: {why}"));
    let Some(text) = text.strip_suffix('Z') else {
        return refuse("it is not in UTC");
    };
    let (whole, fraction) = match text.split_once('.') {
        None => (text, ""),
        Some((_, "")) => return refuse("a fraction without digits"),
        Some((whole, fraction)) => (whole, fraction),
    };
    if whole.len() != 19 || !begins_like(whole, "0000-00-00T00:00:00") {
        return refuse("it is not written as RFC 3339 says");
    }
    if fraction.len() > 6
        || fraction.ends_with('0')
        || fraction.contains(|c: char| !c.is_ascii_digit())
    {
        return refuse("its fraction is not of microseconds, without zeros at its end");
    }
    let number = |from: usize, to: usize| whole[from..to].parse::<i64>().unwrap_or(-1);
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let is_real = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_real {
        return refuse("there is no such day or time");
    }
    let micros = format!("{fraction:0<6}").parse::<i64>().unwrap_or(0);
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Ok(seconds * 1_000_000 + micros)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, its year counted from March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

/// A token is its marker, 43 random characters, and the CRC-32 of all that in six digits to base 62.
pub fn token(text: &str) -> Result<(), String> {
    if text.len() != 53 {
        return Err(format!(
            "has {} characters, and a token 53, its prefix 8",
            text.len()
        ));
    }
    let (body, check) = text.split_at(47);
    if check != base62(crc32(body.as_bytes())) {
        return Err("is no token: its checksum is wrong".to_owned());
    }
    Ok(())
}

/// CRC-32 as in ISO-HDLC, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
    !bytes
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn base62(mut rest: u32) -> String {
    let mut digits = Vec::new();
    for _ in 0..6 {
        let digit = u8::try_from(rest % 62).expect("less than 62");
        digits.insert(
            0,
            match digit {
                0..10 => b'0' + digit,
                10..36 => b'A' + digit - 10,
                _ => b'a' + digit - 36,
            },
        );
        rest /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

/// SHA-256, in hex.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex(digest(&SHA256, bytes.as_ref()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
