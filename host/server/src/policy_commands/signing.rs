//! `countersign policy keygen`, `sign` and `verify-signature`.

mod files;
mod password;
mod secret_key;

use std::path::{Path, PathBuf};

use countersign_core::chance::OsChance;
use countersign_core::keys::hex;
use countersign_core::signature::{PublicKey, Signature, Signer, TrustedKey, TrustedKeys};
use countersign_core::time::{Clock as _, SystemClock};
use countersign_engine::Limits;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use self::files::{Access, create, read, text};
use self::password::{fresh_password, password};
use self::secret_key::{SecretKey, SecretKeyError};
use super::engine;
use super::shown::json as pretty;
use crate::cli::{Keygen, Sign, VerifySignature};
use crate::commands::failure::Failure;
use crate::commands::terminal::{self, Plain};
use crate::config::{Flags, policy_keys_of};
use crate::say;

/// The longest file that is read as a key.
const MOST_KEY: u64 = 16 * 1024;

/// Makes a pair of keys.
pub fn keygen(asked: &Keygen) -> anyhow::Result<()> {
    files::is_free(&asked.secret)?;
    files::is_free(&asked.public)?;
    let password = match asked.no_password {
        true => None,
        false => Some(fresh_password()?),
    };
    let key = SecretKey::make(&OsChance);
    let secret = match &password {
        Some(password) => key.encrypted(password.reveal(), &OsChance)?,
        None => key.plain(),
    };
    let public = key.public();
    create(&asked.secret, secret.reveal().as_bytes(), Access::Owner)?;
    if let Err(error) = create(&asked.public, public.file().as_bytes(), Access::All) {
        // Half a pair is of no use, and would be in the way of the next try.
        let _ = std::fs::remove_file(&asked.secret);
        return Err(error.into());
    }
    let (secret_file, public_file) = (shown(&asked.secret), shown(&asked.public));
    if asked.json {
        let answer = json!({
            "key_id": public.id(), "public_key": public.line(), "encrypted": password.is_some(),
            "secret_file": secret_file.as_str(), "public_file": public_file.as_str(),
        });
        return Ok(terminal::write(pretty(&answer)?.as_bytes())?);
    }
    let kept = match password.is_some() {
        true => "encrypted with your password; without it nobody can sign",
        false => "not encrypted: whoever can read it can sign",
    };
    say(&format!(
        "key {}\n  secret  {secret_file}  ({kept})\n  public  {public_file}\n\nHosts trust it with\n  COUNTERSIGN_POLICY_KEYS={}\nnext: `countersign policy sign FILE --key {secret_file}`",
        public.id(),
        public.line()
    ));
    Ok(())
}

/// Signs a module.
pub fn sign(asked: &Sign) -> anyhow::Result<()> {
    let out = beside(&asked.component, asked.out.as_deref());
    files::is_free(&out)?;
    let bytes = component(&asked.component)?;
    // Who signs what is no policy has the wrong file in their hand.
    let id = engine()?.describe(&bytes).map_err(|error| {
        let component = shown(&asked.component);
        Failure::usage(format!("`{component}` is no policy: {error}"))
    })?;
    let key = secret_key(&asked.key)?;
    let comment = match &asked.comment {
        Some(comment) => comment.clone(),
        None => format!(
            "countersign policy {} {} sha256:{} {}",
            id.name,
            id.version,
            id.digest,
            SystemClock.now()
        ),
    };
    let public = key.public();
    let signature = Signature::make(&bytes, public.id(), &comment, |message| key.sign(message));
    create(&out, signature.file().as_bytes(), Access::All)?;
    let signature_file = shown(&out);
    if asked.json {
        let answer = json!({
            "signature_file": signature_file.as_str(), "key_id": public.id(), "module": id,
            "comment": signature.comment(),
        });
        return Ok(terminal::write(pretty(&answer)?.as_bytes())?);
    }
    say(&format!(
        "{signature_file}: key {} signs {id}\n  {}\nnext: put it beside the module in a policy folder, or `countersign policy push` the module, which takes it along",
        public.id(),
        Plain::new(signature.comment())
    ));
    Ok(())
}

/// Says who signed a module, and whether that counts.
pub fn verify(asked: &VerifySignature, flags: &Flags) -> anyhow::Result<()> {
    let keys = match asked.public.is_empty() {
        true => {
            let configured =
                policy_keys_of(flags).map_err(|error| Failure::usage(error.to_string()))?;
            configured.keys().to_vec()
        }
        false => named(&asked.public)?,
    };
    if keys.is_empty() {
        return Err(Failure::usage(
            "no key is named that must have signed: give a public key by --public FILE, or the keys of the hosts by COUNTERSIGN_POLICY_KEYS",
        )
        .into());
    }
    let keys = TrustedKeys::new(keys, true);
    let bytes = component(&asked.component)?;
    let signature = beside(&asked.component, asked.signature.as_deref());
    let text = text(&signature, MOST_KEY)?;
    let found = keys.check(&bytes, &[text]);
    let (component, digest) = (shown(&asked.component), hex(&Sha256::digest(&bytes)));
    if asked.json {
        let answer = match &found {
            Ok(signers) => {
                json!({ "component": component.as_str(), "digest": digest, "holds": true, "signer": signers.first() })
            }
            Err(error) => {
                json!({ "component": component.as_str(), "digest": digest, "holds": false, "problem": error.to_string() })
            }
        };
        terminal::write(pretty(&answer)?.as_bytes())?;
    }
    match found {
        Ok(signers) => {
            if !asked.json {
                say(&format!(
                    "{component}: {}\n  digest  {digest}",
                    told(&signers)
                ));
            }
            Ok(())
        }
        Err(_) if asked.json => Err(Failure::said(crate::commands::failure::Exit::Failed).into()),
        Err(error) => Err(Failure::failed(format!("`{component}`: {error}")).into()),
    }
}

/// Who signed the module in a file, by the signature beside it; `None` where there is none.
pub fn beside_of(path: &Path, keys: &TrustedKeys) -> Option<Result<String, String>> {
    let signature = beside(path, None);
    std::fs::symlink_metadata(&signature).ok()?;
    let checked = (|| {
        let bytes = component(path)?;
        let text = text(&signature, MOST_KEY)?;
        let signers = keys
            .check(&bytes, &[text])
            .map_err(|error| Failure::failed(error.to_string()))?;
        Ok::<_, Failure>(told(&signers))
    })();
    Some(checked.map_err(|failure| failure.sentence))
}

fn told(signers: &[Signer]) -> String {
    let one = |signer: &Signer| match signer.trusted {
        true => format!("signed by {signer}: {}", signer.comment),
        false => format!(
            "signed by key {}, which COUNTERSIGN_POLICY_KEYS does not name: nobody knows whether that holds",
            signer.key_id
        ),
    };
    signers.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn named(files: &[PathBuf]) -> Result<Vec<TrustedKey>, Failure> {
    let one = |path: &PathBuf| {
        let key = PublicKey::parse(&text(path, MOST_KEY)?)
            .map_err(|error| Failure::usage(format!("`{}`: {error}", shown(path))))?;
        Ok(TrustedKey { key, name: None })
    };
    files.iter().map(one).collect()
}

fn secret_key(path: &Path) -> Result<SecretKey, Failure> {
    let file = shown(path);
    let text = crate::config::Hidden::new(text(path, MOST_KEY)?);
    let told = |error: SecretKeyError| Failure::failed(format!("`{file}`: {error}"));
    let sealed = SecretKey::parse(text.reveal()).map_err(told)?;
    match sealed.is_encrypted() {
        true => {
            let password = password(&format!("Password of {file}: "))?;
            sealed.open(password.reveal()).map_err(told)
        }
        false => sealed.open("").map_err(told),
    }
}

fn component(path: &Path) -> Result<Vec<u8>, Failure> {
    read(path, Limits::default().component_bytes as u64)
}

/// Where the signature of a component is that is not named.
fn beside(component: &Path, named: Option<&Path>) -> PathBuf {
    match named {
        Some(named) => named.to_owned(),
        None => {
            let mut name = component.as_os_str().to_owned();
            name.push(".minisig");
            name.into()
        }
    }
}

fn shown(path: &Path) -> Plain {
    Plain::new(&path.display().to_string())
}
