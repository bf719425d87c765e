//! PROVISION_TOKEN.

use super::Hidden;
use super::values::secret;

/// The shortest that is taken. The provisioner passes without a person, so its secret is one that a
/// program made.
const SHORTEST: usize = 32;

/// PROVISION_TOKEN from the environment, else from the file. It is no credential of an agent, and so
/// cannot be the one that agents hold.
pub fn provision_token(
    from_file: Option<Hidden>,
    admin_token: Option<&Hidden>,
    mistakes: &mut Vec<String>,
) -> Option<Hidden> {
    let token = secret("PROVISION_TOKEN", from_file, mistakes)?;
    match mistake(token.reveal(), admin_token.map(Hidden::reveal)) {
        None => Some(token),
        Some(mistake) => {
            mistakes.push(format!("PROVISION_TOKEN: {mistake}"));
            None
        }
    }
}

fn mistake(token: &str, admin_token: Option<&str>) -> Option<&'static str> {
    if token.len() < SHORTEST {
        return Some("is shorter than 32 bytes: make one with `openssl rand -hex 32`");
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("has characters that a header cannot carry: use letters, digits and signs");
    }
    if admin_token == Some(token) {
        return Some(
            "is ADMIN_TOKEN: agents hold that one, and would pass as the provisioner without a person",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_provision_token_is_long_plain_and_not_the_admin_token() {
        assert_eq!(mistake(TOKEN, None), None);
        assert_eq!(mistake(TOKEN, Some("another")), None);
        for (token, admin, word) in [
            (&TOKEN[1..], None, "shorter"),
            ("0123456789abcdef 0123456789abcdef", None, "header"),
            ("0123456789abcdef0123456789abcdé", None, "header"),
            (TOKEN, Some(TOKEN), "ADMIN_TOKEN"),
        ] {
            let mistake = mistake(token, admin).expect(token);
            assert!(mistake.contains(word), "{mistake}");
            assert!(!mistake.contains(token), "{mistake}");
        }
    }
}
