//! Which paths are the control plane's.

/// Whether the path of a request, as it was sent, is one that the control plane is asked for.
///
/// It is forwarded as it is, so that nothing may be in it that anybody on the way could take for something
/// else: an empty segment, one of dots, or a delimiter in disguise.
pub fn is_forwarded(path: &str) -> bool {
    let Some(path) = path.strip_prefix("/cp/") else {
        return false;
    };
    let mut segments = path.split('/');
    let first = segments.next();
    let rest: Vec<&str> = segments.collect();
    let is_known = match first {
        Some("auth" | "billing" | "legal") => !rest.is_empty(),
        Some("orgs" | "templates") => true,
        _ => false,
    };
    is_known && rest.iter().all(|segment| is_plain(segment))
}

/// Whether a segment means the same to everybody.
fn is_plain(segment: &str) -> bool {
    let Some(decoded) = decoded(segment) else {
        return false;
    };
    let Ok(text) = std::str::from_utf8(&decoded) else {
        return false;
    };
    // An empty one among them.
    !text
        .trim_matches(|c: char| c == '.' || c.is_whitespace())
        .is_empty()
}

/// The bytes of a segment. `None`: what is in it is not fit for a path, or is hidden where nothing need hide.
fn decoded(segment: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                let hidden = digits.bytes().all(|b| b.is_ascii_hexdigit());
                let hidden = hidden.then(|| u8::from_str_radix(digits, 16).ok())??;
                let is_a_trick = hidden.is_ascii_control() || b"./\\;%?#".contains(&hidden);
                (!is_a_trick).then_some(hidden)?
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => byte,
            _ if b"-._~!$&'()*+,=:@".contains(&byte) => byte,
            _ => return None,
        });
    }
    Some(decoded)
}

#[cfg(test)]
#[path = "path/tests.rs"]
mod tests;
