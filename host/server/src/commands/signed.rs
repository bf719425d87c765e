//! Who signed the policies of a host, and the signature that a push takes along.

use std::path::Path;

use countersign_core::signature::MOST_BYTES;
use serde::Deserialize;

use super::failure::Failure;
use super::terminal::Plain;

/// A signature, as a host tells of it.
#[derive(Deserialize)]
pub struct Signature {
    key_id: Option<Plain>,
    name: Option<Plain>,
    trusted: bool,
    comment: Plain,
}

/// Who signed a policy, in a cell.
pub fn signed_by(signatures: &[Signature], is_built_in: bool) -> Plain {
    let one = |signature: &Signature| {
        let name = signature.name.as_ref().or(signature.key_id.as_ref());
        match (name, signature.trusted) {
            (Some(name), true) => name.to_string(),
            (Some(name), false) => format!("{name}, not trusted"),
            (None, _) => format!("nobody: {}", signature.comment),
        }
    };
    match (signatures, is_built_in) {
        ([], true) => Plain::new("built in"),
        ([], false) => Plain::new("nobody"),
        (some, _) => Plain::new(&some.iter().map(one).collect::<Vec<_>>().join("; ")),
    }
}

/// The signature beside a component, if there is one: a push takes it along.
pub fn beside(component: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let mut path = component.as_os_str().to_owned();
    path.push(".minisig");
    let path = Path::new(&path);
    if std::fs::symlink_metadata(path).is_err() {
        return Ok(None);
    }
    super::policies::read(path, MOST_BYTES as u64).map(Some)
}
