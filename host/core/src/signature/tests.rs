use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;

// Made with minisign 0.11: `-G -W`, `-S` and `-S -l`.
const MODULE: &[u8] = include_bytes!("../../../../tests/all/policy_signatures/minisign/module.txt");
const PREHASHED: &str =
    include_str!("../../../../tests/all/policy_signatures/minisign/prehashed.minisig");
const PLAIN: &str = include_str!("../../../../tests/all/policy_signatures/minisign/plain.minisig");
const RELEASE: &str = include_str!("../../../../tests/all/policy_signatures/minisign/release.pub");

fn trusting(keys: &str, is_required: bool) -> TrustedKeys {
    TrustedKeys::new(TrustedKeys::parse(keys).expect("keys"), is_required)
}

fn release() -> String {
    RELEASE.lines().nth(1).expect("a key").to_owned()
}

fn check(keys: &TrustedKeys, bytes: &[u8], text: &str) -> Result<Vec<Signer>, Unsigned> {
    keys.check(bytes, &[text.to_owned()])
}

/// Another key, under this id.
fn pair(id: KeyId) -> (PublicKey, Ed25519KeyPair) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
    let key = pair.public_key().as_ref().try_into().expect("32 bytes");
    (PublicKey::new(id, key), pair)
}

fn made_with(id: KeyId, bytes: &[u8], comment: &str) -> String {
    let (_, pair) = pair(id);
    let sign = |message: &[u8]| pair.sign(message).as_ref().try_into().expect("64 bytes");
    Signature::make(bytes, id, comment, sign).file()
}

#[test]
fn what_minisign_made_holds_prehashed_or_not() {
    let keys = trusting(&format!("release={}", release()), true);
    for (text, algorithm) in [(PREHASHED, Algorithm::Prehashed), (PLAIN, Algorithm::Plain)] {
        let parsed = Signature::parse(text).expect("a signature");
        assert_eq!(parsed.algorithm(), algorithm);
        let signers = check(&keys, MODULE, text).expect("it holds");
        assert_eq!(signers[0].to_string(), "release (0C2BFAFC3A1B1E6A)");
        assert!(signers[0].trusted);
    }
    let comment = check(&keys, MODULE, PREHASHED).expect("it holds")[0]
        .comment
        .clone();
    assert_eq!(comment, "countersign policy demo 1.0.0 sha256:00");
}

#[test]
fn a_public_key_is_a_line_or_a_file() {
    let key = PublicKey::parse(RELEASE).expect("a file");
    assert_eq!(PublicKey::parse(&release()), Ok(key.clone()));
    assert_eq!(key.line(), release());
    assert_eq!(PublicKey::parse(&key.file()), Ok(key));
    for wrong in ["", "RW", "RWRqHhs6", "hello\nworld", PREHASHED] {
        assert_eq!(
            PublicKey::parse(wrong),
            Err(FormatError::NoKey),
            "`{wrong}`"
        );
    }
    let secret = include_str!("../../../../tests/all/policy_signatures/minisign/test-only.key");
    let secret = secret.lines().nth(1).expect("a key");
    assert_eq!(PublicKey::parse(secret), Err(FormatError::SecretKey));
}

#[test]
fn a_list_of_keys_has_no_key_twice_and_names_that_are_fit() {
    let line = release();
    let two = format!("ours={line},{line}");
    let (place, error) = TrustedKeys::parse(&two).expect_err("twice");
    assert_eq!(place, 2);
    assert!(matches!(error, KeyError::Twice(_)), "{error}");
    let secret = include_str!("../../../../tests/all/policy_signatures/minisign/test-only.key");
    let secret = secret.lines().nth(1).expect("a key");
    for wrong in [secret.to_owned(), format!("ours={secret}")] {
        let error = TrustedKeys::parse(&wrong).expect_err("a secret");
        assert_eq!(error, (1, KeyError::Format(FormatError::SecretKey)));
    }
    for wrong in [format!("a\u{1b}={line}"), format!("={line}")] {
        assert_eq!(TrustedKeys::parse(&wrong), Err((1, KeyError::Name)));
    }
    let error = TrustedKeys::parse(&format!("{line},")).expect_err("an empty one");
    assert_eq!(error, (2, KeyError::Format(FormatError::NoKey)));
}

#[test]
fn no_byte_of_what_is_signed_can_be_another() {
    let keys = trusting(&release(), false);
    for text in [PREHASHED, PLAIN] {
        for at in 0..MODULE.len() {
            let mut bytes = MODULE.to_vec();
            bytes[at] ^= 1;
            let refused = check(&keys, &bytes, text).expect_err("another byte");
            assert!(matches!(refused, Unsigned::Bytes { .. }), "{refused}");
            let refused = check(&keys, &MODULE[..at], text).expect_err("it is cut off");
            assert!(matches!(refused, Unsigned::Bytes { .. }), "{refused}");
        }
        let other = text.replace("trusted comment: ", "trusted comment: x");
        let other = other.replacen("untrusted comment: x", "untrusted comment: ", 1);
        let refused = check(&keys, MODULE, &other).expect_err("another comment");
        assert!(matches!(refused, Unsigned::Comment { .. }), "{refused}");
    }
    // The kind is not signed, and a signature of the one kind is none of the other.
    let bytes = PREHASHED.replacen("\nRUR", "\nRWR", 1);
    let refused = check(&keys, MODULE, &bytes).expect_err("another kind");
    assert!(matches!(refused, Unsigned::Bytes { .. }), "{refused}");
}

#[test]
fn no_cut_and_no_change_of_a_signature_lets_it_hold() {
    let keys = trusting(&release(), false);
    let whole = PREHASHED.trim_end();
    for end in 0..whole.len() {
        let refused = check(&keys, MODULE, &whole[..end]).expect_err("it is cut off");
        assert!(
            matches!(refused, Unsigned::Unreadable(_)),
            "{end}: {refused}"
        );
    }
    assert!(
        check(&keys, MODULE, &whole[..whole.len() / 2])
            .expect_err("half of it")
            .to_string()
            .contains("cut off")
    );
    let more = format!("{PREHASHED}more\n");
    check(&keys, MODULE, &more).expect_err("something follows");
    let long = format!("{PREHASHED}{}", "\n".repeat(MOST_BYTES));
    check(&keys, MODULE, &long).expect_err("it is too long");
    check(&keys, MODULE, &whole.replace('\n', "\r\n")).expect("lines end as on another system");
}

#[test]
fn a_key_that_is_not_trusted_counts_for_nothing_and_is_named() {
    let stranger = KeyId::new([9; 8]);
    let text = made_with(stranger, MODULE, "trust me\u{1b}[2J");
    let signers = check(&trusting(&release(), false), MODULE, &text).expect("only told");
    assert_eq!((signers[0].trusted, signers[0].key_id), (false, stranger));
    assert!(!signers[0].comment.contains('\u{1b}'), "{signers:?}");
    let keys = trusting(&format!("release={}", release()), true);
    let refused = check(&keys, MODULE, &text).expect_err("nobody trusted signed");
    let sentence = refused.to_string();
    for word in [
        "0909090909090909",
        "does not trust",
        "release (0C2BFAFC3A1B1E6A)",
        "trust me",
    ] {
        assert!(sentence.contains(word), "{sentence}");
    }
    let nobody = keys.check(MODULE, &[]).expect_err("nobody signed");
    assert!(nobody.to_string().contains("nobody signed it"), "{nobody}");
    // Beside a signature that counts, a stranger's does no harm.
    let both = [text, PREHASHED.to_owned()];
    let signers = keys.check(MODULE, &both).expect("one of them counts");
    assert_eq!(signers.len(), 2);
}

#[test]
fn who_takes_a_trusted_keys_name_signs_nothing() {
    let id = PublicKey::parse(RELEASE).expect("a key").id();
    let text = made_with(id, MODULE, "as if");
    let refused = check(&trusting(&release(), false), MODULE, &text).expect_err("another key");
    assert!(matches!(refused, Unsigned::Bytes { .. }), "{refused}");
}

#[test]
fn what_is_made_here_is_read_here_and_stays_within_its_lines() {
    let id = KeyId::new([1, 2, 3, 4, 5, 6, 7, 8]);
    let text = made_with(id, MODULE, "one\ntrusted comment: two\r\n");
    let (key, _) = pair(id);
    let keys = TrustedKeys::new(vec![TrustedKey { key, name: None }], true);
    let signers = check(&keys, MODULE, &text).expect("it holds");
    assert_eq!(signers[0].comment, "one trusted comment: two  ");
    assert_eq!(signers[0].to_string(), "0807060504030201");
}
