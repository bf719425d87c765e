//! `countersign policy …`: work on modules alone.

use std::path::Path;

use anyhow::Context as _;
use countersign_engine::{BASELINE, CLASSIFIER, Compiler, Engine, Limits, PolicySet, Settings};
use std::sync::Arc;

use crate::cli::PolicyCommand;
use crate::say;

/// Runs one of them.
pub fn run(command: PolicyCommand) -> anyhow::Result<()> {
    match command {
        PolicyCommand::Build { source, out } => {
            let out = match out {
                Some(out) => out,
                None => {
                    let name = source
                        .file_name()
                        .context("the crate's folder has no name: say --out")?;
                    source.join(name).with_extension("wasm")
                }
            };
            let built = countersign_lab::build::build(&source, &out)?;
            say(&format!(
                "{}  {} bytes\n  sha256     {}\n  toolchain  {}",
                built.path.display(),
                built.bytes.len(),
                built.sha256,
                built.toolchain
            ));
            Ok(())
        }
        PolicyCommand::Check { component } => check(&component),
    }
}

/// Proves the module, alone and beside the built-in baseline, as the host would at load.
fn check(component: &Path) -> anyhow::Result<()> {
    let name = component.display();
    let bytes = std::fs::read(component).with_context(|| format!("cannot read `{name}`"))?;
    let settings_path = component.with_extension("toml");
    let settings = match std::fs::read_to_string(&settings_path) {
        Ok(text) => Settings::parse_toml(&text)
            .with_context(|| format!("`{}` is not right", settings_path.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Settings::new(),
        Err(error) => {
            return Err(error).context(format!("cannot read `{}`", settings_path.display()));
        }
    };
    let compiler = Compiler::apart().context("cannot tell which program this is")?;
    let engine = Engine::with_compiler(Limits::default(), compiler)?;
    let module = engine
        .prove(&bytes, &settings)
        .with_context(|| format!("`{name}` cannot be loaded"))?;
    let manifest = module.manifest();
    let mut text = format!(
        "{} — {}\n  digest    {}\n  runs      {}",
        module.id(),
        manifest.description,
        module.id().digest,
        match module.mode() {
            countersign_engine::Mode::Snapshot => "from a snapshot taken after configure",
            countersign_engine::Mode::Reconfigured => "configured anew for each decision",
        }
    );
    for (setting, values) in module.settings().iter() {
        text.push_str(&format!("\n  {setting} = {values:?}"));
    }
    say(&text);
    let mut set = vec![Arc::new(module)];
    if set[0].id().name != CLASSIFIER {
        set.push(Arc::new(engine.prove(BASELINE, &Settings::new())?));
    }
    PolicySet::check(set, CLASSIFIER).with_context(|| format!("`{name}` cannot go live"))?;
    say("The host would load it.");
    Ok(())
}
