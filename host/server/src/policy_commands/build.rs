//! `countersign policy build`.

use anyhow::Context as _;

use crate::cli::Build;
use crate::say;

pub fn run(asked: &Build) -> anyhow::Result<()> {
    let source = &asked.source;
    let out = match &asked.out {
        Some(out) => out.clone(),
        None => {
            let name = source
                .file_name()
                .context("the crate's folder has no name: say --out")?;
            source.join(name).with_extension("wasm")
        }
    };
    let built = countersign_lab::build::build_with(source, &asked.features, &out)?;
    say(&format!(
        "{}  {} bytes\n  sha256     {}\n  toolchain  {}",
        built.path.display(),
        built.bytes.len(),
        built.sha256,
        built.toolchain
    ));
    Ok(())
}
