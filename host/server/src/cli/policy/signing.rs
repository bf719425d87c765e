//! `countersign policy keygen`, `sign` and `verify-signature`, as they are written.

use std::path::PathBuf;

use clap::Args;

/// A pair of keys that is made.
#[derive(Args, Debug)]
#[command(after_help = "\
The secret key is encrypted with a password, which is asked for at the terminal, and its file is its owner's
alone. Both files are minisign's, and `minisign` takes them as well. No file is ever overwritten.

Give the public key to the hosts that are to trust it:
  COUNTERSIGN_POLICY_KEYS=release=RW…

Examples:
  countersign policy keygen
  countersign policy keygen --secret release.key --public release.pub
  countersign policy keygen --no-password                  for a machine that signs by itself
")]
pub struct Keygen {
    /// Where the secret key goes
    #[arg(long, value_name = "FILE", default_value = "policy.key")]
    pub secret: PathBuf,
    /// Where the public key goes
    #[arg(long, value_name = "FILE", default_value = "policy.pub")]
    pub public: PathBuf,
    /// Do not encrypt the secret key: whoever can read its file can sign
    #[arg(long)]
    pub no_password: bool,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// A module that is signed.
#[derive(Args, Debug)]
#[command(after_help = "\
The signature is minisign's (Ed25519, prehashed), and `minisign -V` checks it as well. What is signed is the
component; its settings are not. The comment that is signed along says name, version, digest and time, for people.
An encrypted key's password is asked for at the terminal. No file is ever overwritten.

Examples:
  countersign policy sign freeze.wasm                      writes freeze.wasm.minisig
  countersign policy sign freeze.wasm --key release.key
")]
pub struct Sign {
    /// The component
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
    /// The secret key, of `policy keygen` or `minisign -G`
    #[arg(long, value_name = "FILE", default_value = "policy.key")]
    pub key: PathBuf,
    /// Where the signature goes [default: <FILE>.minisig]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Another comment to be signed along
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// A signature that is checked.
#[derive(Args, Debug)]
#[command(after_help = "\
The signature must be by one of the keys that --public names, or else of COUNTERSIGN_POLICY_KEYS, as a host
would take it.

Exit codes:
  0  one of them signed exactly this file, and the comment
  1  none did: the sentence says who signed, and why that does not count
  2  the command, a key or a file was not understood

Examples:
  countersign policy verify-signature freeze.wasm --public release.pub
  countersign policy verify-signature freeze.wasm --policy-keys release=RW…
")]
pub struct VerifySignature {
    /// The component
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
    /// The signature [default: <FILE>.minisig]
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
    /// The public key that must have signed; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub public: Vec<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}
