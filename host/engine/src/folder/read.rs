//! Reading what is in the folder, within bounds.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Folder;
use super::scan::{Found, Stamp};

/// The component and the text of its settings.
pub(super) fn read(found: &Found, folder: &Folder) -> Result<(Vec<u8>, Option<String>), String> {
    let limits = folder.engine.limits();
    let bytes = read_file(&found.component, limits.component_bytes)?;
    let has_settings = found.stamp.as_ref().is_ok_and(Stamp::has_settings);
    if !has_settings {
        return Ok((bytes, None));
    }
    let settings = read_file(&found.settings, limits.settings_bytes)
        .and_then(|text| String::from_utf8(text).map_err(|_| "not UTF-8".to_owned()))
        .map_err(|error| format!("its settings: {error}"))?;
    Ok((bytes, Some(settings)))
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
