//! Reading what is in the folder, within bounds.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::Folder;
use super::scan::{Found, Stamp};

/// The longest signature: two comments, and two lines of base64.
const SIGNATURE_BYTES: usize = 16 * 1024;

/// A module's files.
pub(super) struct Content {
    /// The component.
    pub component: Vec<u8>,
    /// The text of its settings.
    pub settings: Option<String>,
    /// The text of its signature.
    pub signature: Option<String>,
}

impl Content {
    /// What changes when any of it does.
    pub(super) fn digest(&self) -> [u8; 32] {
        let texts = [&self.settings, &self.signature];
        let texts = texts.map(|text| text.as_ref().map(String::as_bytes));
        let mut digest = Sha256::new();
        for part in [Some(&self.component[..]), texts[0], texts[1]] {
            // Its length first, so that no part can end in what another begins with.
            let length = part.map_or(0, |part| part.len() as u64 + 1);
            digest.update(length.to_le_bytes());
            digest.update(part.unwrap_or_default());
        }
        digest.finalize().into()
    }
}

/// All of them.
pub(super) fn read(found: &Found, folder: &Folder) -> Result<Content, String> {
    let limits = folder.engine.limits();
    let component = read_file(&found.component, limits.component_bytes)?;
    let stamp = found.stamp.as_ref().ok();
    let text = |(path, most): (&Path, usize), what: &str| {
        read_file(path, most)
            .and_then(|text| String::from_utf8(text).map_err(|_| "not UTF-8".to_owned()))
            .map_err(|error| format!("{what}: {error}"))
    };
    let settings = match stamp.is_some_and(Stamp::has_settings) {
        true => Some(text(
            (&found.settings, limits.settings_bytes),
            "its settings",
        )?),
        false => None,
    };
    let signature = match stamp.is_some_and(Stamp::has_signature) {
        true => Some(text((&found.signature, SIGNATURE_BYTES), "its signature")?),
        false => None,
    };
    Ok(Content {
        component,
        settings,
        signature,
    })
}

/// All of a file, which is refused unread if it is larger than `most`.
fn read_file(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot read it: {error}");
    let too_large = || format!("it is larger than {most} bytes");
    let most = most as u64;
    let file = File::open(path).map_err(cannot)?;
    let bytes = file.metadata().map_err(cannot)?.len();
    if bytes > most {
        return Err(too_large());
    }
    let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
    // It may have grown since.
    file.take(most + 1)
        .read_to_end(&mut content)
        .map_err(cannot)?;
    if content.len() as u64 > most {
        return Err(too_large());
    }
    Ok(content)
}
