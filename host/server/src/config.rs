//! Configuration: command-line flags, then environment, then a TOML file, then defaults.
//!
//! The environment is read here and nowhere else. Secrets come from the environment or the file only:
//! a flag would show in the list of processes.

mod assertion;
mod control_plane;
mod cors;
mod file;
mod flags;
mod lives;
mod number;
mod policy_keys;
mod provisioner;
mod proxies;
mod root_keys;
mod sources;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use countersign_core::approval::Lives;
use countersign_core::id::{OrgId, WorkspaceId};
use countersign_core::keys::RootKey;
use countersign_core::operators::Operators;
use countersign_core::signature::TrustedKeys;
use countersign_store::Address;

use self::assertion::assertion;
#[cfg(test)]
pub use self::assertion::{Allowed, Claim};
pub use self::assertion::{AssertionRules, KeySource};
use self::control_plane::control_plane;
pub use self::control_plane::{ControlPlane, Members};
pub use self::file::{FileSays, keys};
pub use self::flags::{Flags, Hidden};
use self::lives::lives;
pub use self::lives::lives_of;
use self::number::number;
use self::policy_keys::policy_keys;
pub use self::policy_keys::policy_keys_of;
use self::provisioner::provision_token;
pub use self::proxies::TrustedProxies;
use self::root_keys::{root_key, root_key_old};
pub use self::sources::{Source, Sources, config_home, is_in_environment, token_of_environment};
use self::values::{origin, parsed, secret, set};
use crate::logging::LogFormat;
use crate::policies::FolderMode;

/// The port of a host that nobody configured.
const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
const DEFAULT_DATA_DIR: &str = "./countersign-data";
/// The default of `LIVE_TOKEN_LIMIT`.
const DEFAULT_LIVE_TOKENS: u32 = 100;
/// The default of `RATE_LIMIT`.
const DEFAULT_RATE: u32 = 600;
/// More requests a minute are not told apart from no limit.
const MAX_RATE: u32 = 1_000_000;
/// The default of `MINT_LIMIT`.
const DEFAULT_MINTS: u32 = 10;

/// The approval anchor for callers that act from no workspace of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Derived from the organisation's id.
    Derived,
    /// Configured.
    Configured(WorkspaceId),
    /// Configured, and not a UUID: what needs an anchor is refused with a sentence.
    Broken,
}

/// The host's configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How people reach the host: scheme and authority, without a slash at the end.
    pub public_url: Option<String>,
    /// The data folder.
    pub data_dir: PathBuf,
    /// Where the ledger is kept.
    pub database: Address,
    /// The policy folder, and whether it was named by the operator.
    pub policies: PathBuf,
    /// Whether the policy folder is the default one, which the host makes itself.
    pub policies_is_default: bool,
    /// Whose word counts for what is in it.
    pub policy_folder: FolderMode,
    /// The control plane.
    pub control_plane: Option<ControlPlane>,
    /// The organisation's id, where it is configured.
    pub org: Option<OrgId>,
    /// The approval anchor.
    pub anchor: Anchor,
    /// At most so many live organisation tokens; 0: no limit.
    pub live_token_limit: u32,
    /// Whose forwarding and identity headers count.
    pub trusted_proxies: TrustedProxies,
    /// At most so many requests a minute for one address; 0: no limit.
    pub rate_limit: u32,
    /// Origins, besides the host's own, whose pages may use the HTTP interface.
    pub cors_origins: Vec<String>,
    /// Who may change the policies.
    pub operators: Operators,
    /// Which assertions of an edge prove who a person is, if any.
    pub assertion: Option<AssertionRules>,
    /// At most so many organisation tokens minted in an hour from one address; 0: no limit.
    pub mint_limit: u32,
    /// How long approvals live.
    pub lives: Lives,
    /// ADMIN_TOKEN.
    pub admin_token: Option<Hidden>,
    /// PROVISION_TOKEN.
    pub provision_token: Option<Hidden>,
    /// SECRETS_ENCRYPTION_KEY.
    pub root_key: Option<RootKey>,
    /// SECRETS_ENCRYPTION_KEY_OLD.
    pub old_root_key: Option<RootKey>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// Whose signatures of policies count, and whether one is needed.
    pub policy_keys: TrustedKeys,
}

/// Everything that is wrong with a configuration, a line each.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has mistakes:\n{}", .0.iter().map(|line| format!("  - {line}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Merges and checks. All mistakes are reported at once.
    pub fn load(flags: Flags) -> Result<Self, ConfigError> {
        Self::look(flags).0
    }

    /// The same, and what the file says.
    pub fn look(flags: Flags) -> (Result<Self, ConfigError>, FileSays) {
        let mut mistakes = Vec::new();
        let mut file = match &flags.config {
            Some(path) => file::read(path, &mut mistakes),
            None => FileSays::default(),
        };
        let said = std::mem::take(&mut file.flags);
        let config = match Self::merge(flags, said, &mut mistakes) {
            Some(config) if mistakes.is_empty() => Ok(config),
            _ => Err(ConfigError(mistakes)),
        };
        (config, file)
    }

    fn merge(mut flags: Flags, mut file: Flags, mistakes: &mut Vec<String>) -> Option<Self> {
        let assertion = assertion(&mut flags, &mut file, mistakes);
        let listen = set(flags.listen)
            .or(set(file.listen))
            .unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
        let listen: Option<SocketAddr> = parsed(mistakes, "COUNTERSIGN_LISTEN", &listen, |text| {
            text.parse()
                .map_err(|_| "an address and port, such as 127.0.0.1:8080")
        });
        let data_dir = flags
            .data_dir
            .or(file.data_dir)
            .unwrap_or_else(|| DEFAULT_DATA_DIR.into());
        let database = match set(flags.database_url).or(set(file.database_url)) {
            None => Some(Address::Sqlite(data_dir.join("countersign.db"))),
            // The URL may hold a password, and is not repeated.
            Some(url) => parsed(mistakes, "DATABASE_URL", "", |_| Address::parse(&url)),
        };
        let policies = flags.policies.or(file.policies);
        let public_url = set(flags.public_url)
            .or(set(file.public_url))
            .and_then(|url| parsed(mistakes, "COUNTERSIGN_PUBLIC_URL", &url, origin));
        let org = set(flags.molecule_org_id)
            .or(set(file.molecule_org_id))
            .and_then(|id| {
                parsed(mistakes, "MOLECULE_ORG_ID", &id, |id| {
                    OrgId::parse(id).ok_or("a UUID")
                })
            });
        let anchor = match set(flags.molecule_platform_workspace_id)
            .or(set(file.molecule_platform_workspace_id))
        {
            None => Anchor::Derived,
            Some(id) => WorkspaceId::parse(&id).map_or(Anchor::Broken, Anchor::Configured),
        };
        let control_plane = control_plane(
            set(flags.cp_upstream_url).or(set(file.cp_upstream_url)),
            set(flags.molecule_org_slug).or(set(file.molecule_org_slug)),
            mistakes,
        );
        let trusted_proxies = set(flags.trusted_proxies)
            .or(set(file.trusted_proxies))
            .and_then(|list| {
                let name = "COUNTERSIGN_TRUSTED_PROXIES";
                parsed(mistakes, name, &list, TrustedProxies::parse)
            });
        let cors_origins = set(flags.cors_origins)
            .or(set(file.cors_origins))
            .and_then(|list| parsed(mistakes, "CORS_ORIGINS", &list, cors::origins));
        let said = [flags.rate_limit, file.rate_limit];
        let rate_limit = number("RATE_LIMIT", said, mistakes).unwrap_or(DEFAULT_RATE);
        let said = [flags.live_token_limit, file.live_token_limit];
        let live_token_limit = number("LIVE_TOKEN_LIMIT", said, mistakes);
        let said = [flags.mint_limit, file.mint_limit];
        let mint_limit = number("MINT_LIMIT", said, mistakes);
        let policy_folder = set(flags.policy_folder)
            .or(set(file.policy_folder))
            .and_then(|word| {
                parsed(
                    mistakes,
                    "COUNTERSIGN_POLICY_FOLDER",
                    &word,
                    FolderMode::parse,
                )
            });
        if rate_limit > MAX_RATE {
            mistakes.push(format!(
                "RATE_LIMIT: {MAX_RATE} at most; 0 turns the limit off"
            ));
        }
        let operators = match set(flags.operators).or(set(file.operators)) {
            None => Operators::default(),
            Some(list) => Operators::parse(&list).unwrap_or_else(|error| {
                mistakes.push(format!("COUNTERSIGN_OPERATORS: {error}"));
                Operators::default()
            }),
        };
        if assertion.is_some() && trusted_proxies.is_none() {
            mistakes.push(
                "COUNTERSIGN_TRUSTED_PROXIES: must name the edge, or no identity assertion counts: anybody else could send the header"
                    .to_owned(),
            );
        }
        let admin_token = secret("ADMIN_TOKEN", file.admin_token, mistakes);
        let provision_token = provision_token(file.provision_token, admin_token.as_ref(), mistakes);
        let root_key = root_key(
            "SECRETS_ENCRYPTION_KEY",
            file.secrets_encryption_key,
            mistakes,
        );
        let old_root_key =
            root_key_old(file.secrets_encryption_key_old, root_key.as_ref(), mistakes);
        let log_format = set(flags.log_format)
            .or(set(file.log_format))
            .and_then(|format| {
                parsed(
                    mistakes,
                    "COUNTERSIGN_LOG_FORMAT",
                    &format,
                    LogFormat::parse,
                )
            });
        let seconds = [
            number(
                "COUNTERSIGN_PENDING_SECONDS",
                [flags.pending_seconds, file.pending_seconds],
                mistakes,
            ),
            number(
                "COUNTERSIGN_GRANT_SECONDS",
                [flags.grant_seconds, file.grant_seconds],
                mistakes,
            ),
            number(
                "COUNTERSIGN_COOL_DOWN_SECONDS",
                [flags.cool_down_seconds, file.cool_down_seconds],
                mistakes,
            ),
        ];
        let policy_keys = policy_keys(
            set(flags.policy_keys).or(set(file.policy_keys)),
            [flags.require_signature, file.require_signature],
            mistakes,
        );
        Some(Self {
            policy_keys,
            lives: lives(seconds, mistakes),
            listen: listen?,
            public_url,
            database: database?,
            policies_is_default: policies.is_none(),
            policy_folder: policy_folder.unwrap_or_default(),
            policies: policies.unwrap_or_else(|| data_dir.join("policies")),
            data_dir,
            control_plane,
            org,
            anchor,
            live_token_limit: live_token_limit.unwrap_or(DEFAULT_LIVE_TOKENS),
            trusted_proxies: trusted_proxies.unwrap_or_default(),
            rate_limit,
            cors_origins: cors_origins.unwrap_or_default(),
            operators,
            assertion,
            mint_limit: mint_limit.unwrap_or(DEFAULT_MINTS),
            admin_token,
            provision_token,
            root_key,
            old_root_key,
            log_format: log_format.unwrap_or_default(),
        })
    }
}

impl Config {
    /// Where people reach the host: scheme and authority.
    pub fn origin(&self) -> String {
        let listens_on = || format!("http://{}", self.listen);
        self.public_url.clone().unwrap_or_else(listens_on)
    }
}

#[cfg(test)]
mod tests;
