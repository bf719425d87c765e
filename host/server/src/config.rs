//! Configuration: command-line flags, then environment, then a TOML file, then defaults.
//!
//! The environment is read here and nowhere else. Secrets come from the environment or the file only:
//! a flag would show in the list of processes.

mod assertion;
mod control_plane;
mod cors;
mod file;
mod lives;
mod number;
mod provisioner;
mod proxies;
mod root_keys;
mod sources;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use countersign_core::approval::Lives;
use countersign_core::id::{OrgId, WorkspaceId};
use countersign_core::keys::RootKey;
use countersign_core::operators::Operators;
use countersign_store::Address;
use serde::Deserialize;

use self::assertion::assertion;
#[cfg(test)]
pub use self::assertion::{Allowed, Claim};
pub use self::assertion::{AssertionRules, KeySource};
use self::control_plane::control_plane;
pub use self::control_plane::{ControlPlane, Members};
pub use self::file::{FileSays, keys};
use self::lives::lives;
use self::number::{Number, number};
use self::provisioner::provision_token;
pub use self::proxies::TrustedProxies;
use self::root_keys::{root_key, root_key_old};
pub use self::sources::{Source, Sources, config_home, is_in_environment, token_of_environment};
use self::values::{origin, parsed, secret, set};
use crate::logging::LogFormat;

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

/// What can be said on the command line, in the environment and in the file; each says some of it.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flags {
    /// TOML file with further settings; its keys are the flags' names with underscores
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE", global = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(
        long,
        env = "COUNTERSIGN_LISTEN",
        value_name = "ADDR:PORT",
        global = true
    )]
    pub listen: Option<String>,
    /// How people reach the host, for links [default: the listen address]
    #[arg(
        long,
        env = "COUNTERSIGN_PUBLIC_URL",
        value_name = "URL",
        global = true
    )]
    pub public_url: Option<String>,
    /// Folder for the database, keys and policies [default: ./countersign-data]
    #[arg(long, env = "COUNTERSIGN_DATA_DIR", value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// `sqlite:<path>`, or `postgres://<user>@<host>/<database>` for hosts that share one [default:
    /// countersign.db in the data folder]
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        global = true,
        hide_env_values = true
    )]
    pub database_url: Option<String>,
    /// Watched folder of policy modules [default: policies in the data folder]
    #[arg(long, env = "COUNTERSIGN_POLICIES", value_name = "DIR", global = true)]
    pub policies: Option<PathBuf>,
    /// Who decides what the folder may change: `trusted`, whoever can write to it [default: trusted]
    #[arg(
        long,
        env = "COUNTERSIGN_POLICY_FOLDER",
        value_name = "HOW",
        global = true
    )]
    pub policy_folder: Option<String>,
    /// Control plane that verifies people's sessions, http(s) [default: none]
    #[arg(long, env = "CP_UPSTREAM_URL", value_name = "URL", global = true)]
    pub cp_upstream_url: Option<String>,
    /// This tenant's slug at the control plane
    #[arg(long, env = "MOLECULE_ORG_SLUG", value_name = "SLUG", global = true)]
    pub molecule_org_slug: Option<String>,
    /// This tenant's id [default: made once and kept]
    #[arg(long, env = "MOLECULE_ORG_ID", value_name = "UUID", global = true)]
    pub molecule_org_id: Option<String>,
    /// Workspace under which requests of the admin token are filed [default: derived from the org id]
    #[arg(
        long,
        env = "MOLECULE_PLATFORM_WORKSPACE_ID",
        value_name = "UUID",
        global = true
    )]
    pub molecule_platform_workspace_id: Option<String>,
    /// Live organisation tokens at most; 0 turns the limit off [default: 100]
    #[arg(long, env = "LIVE_TOKEN_LIMIT", value_name = "N", global = true)]
    pub live_token_limit: Option<Number>,
    /// Addresses and networks of proxies, with commas between them, whose forwarding and identity headers
    /// count [default: none]
    #[arg(
        long,
        env = "COUNTERSIGN_TRUSTED_PROXIES",
        value_name = "LIST",
        global = true
    )]
    pub trusted_proxies: Option<String>,
    /// Requests a minute for one address; 0 turns the limit off [default: 600]
    #[arg(long, env = "RATE_LIMIT", value_name = "N", global = true)]
    pub rate_limit: Option<Number>,
    /// Browser origins, with commas between them, whose pages may use the HTTP interface [default: none]
    #[arg(long, env = "CORS_ORIGINS", value_name = "LIST", global = true)]
    pub cors_origins: Option<String>,
    /// People who may change the policies, `issuer:user` with commas between them; issuers are
    /// control-plane, identity-assertion and operator [default: sessions of the host's own login]
    #[arg(
        long,
        env = "COUNTERSIGN_OPERATORS",
        value_name = "LIST",
        global = true
    )]
    pub operators: Option<String>,
    /// Header in which an edge or identity-aware proxy puts a signed JWT about the person at its other side,
    /// such as Cf-Access-Jwt-Assertion; needs the next three, and COUNTERSIGN_TRUSTED_PROXIES
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_HEADER",
        value_name = "NAME",
        global = true
    )]
    pub assertion_header: Option<String>,
    /// The JWT's issuer, its `iss`
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_ISSUER",
        value_name = "ISS",
        global = true
    )]
    pub assertion_issuer: Option<String>,
    /// The JWT's audience, one of its `aud`; several with commas between them
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_AUDIENCE",
        value_name = "LIST",
        global = true
    )]
    pub assertion_audience: Option<String>,
    /// The issuer's public keys (JWKS): an https URL, or a file
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_JWKS",
        value_name = "URL|FILE",
        global = true
    )]
    pub assertion_jwks: Option<String>,
    /// Claim that names the person, or a JSON pointer to one such as /user/id [default: sub]
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_PERSON_CLAIM",
        value_name = "CLAIM",
        global = true
    )]
    pub assertion_person_claim: Option<String>,
    /// Claim that names their groups, or a JSON pointer to one [default: groups]
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_GROUPS_CLAIM",
        value_name = "CLAIM",
        global = true
    )]
    pub assertion_groups_claim: Option<String>,
    /// People who may come, as the person claim names them, with commas between them [default: everybody
    /// whom the issuer signs for, unless groups are listed]
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_USERS",
        value_name = "LIST",
        global = true
    )]
    pub assertion_users: Option<String>,
    /// Groups whose people may come as well, with commas between them
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_GROUPS",
        value_name = "LIST",
        global = true
    )]
    pub assertion_groups: Option<String>,
    /// What marks a program, which is no person: claims that are there, or `claim=value` with one `*` for
    /// anything [default: common_name,email=*.gserviceaccount.com,gty=client-credentials,idtyp=app,
    /// preferred_username=service-account-*]
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_SERVICES",
        value_name = "LIST",
        global = true
    )]
    pub assertion_services: Option<String>,
    /// Organisation tokens minted in an hour from one address at most; 0 turns the limit off [default: 10]
    #[arg(long, env = "MINT_LIMIT", value_name = "N", global = true)]
    pub mint_limit: Option<Number>,
    /// Seconds for people to decide, 30 to 604800: policies may ask for fewer, never for more
    /// [default: 3600, and as a policy says]
    #[arg(
        long,
        env = "COUNTERSIGN_PENDING_SECONDS",
        value_name = "N",
        global = true
    )]
    pub pending_seconds: Option<Number>,
    /// Seconds to use what was approved, 10 to 86400: policies may ask for fewer, never for more
    /// [default: 900, and as a policy says]
    #[arg(
        long,
        env = "COUNTERSIGN_GRANT_SECONDS",
        value_name = "N",
        global = true
    )]
    pub grant_seconds: Option<Number>,
    /// Seconds after a denial before the same may be asked again, 0 to 86400 [default: 60]
    #[arg(
        long,
        env = "COUNTERSIGN_COOL_DOWN_SECONDS",
        value_name = "N",
        global = true
    )]
    pub cool_down_seconds: Option<Number>,
    /// ADMIN_TOKEN; never a flag
    #[arg(skip)]
    pub admin_token: Option<Hidden>,
    /// PROVISION_TOKEN; never a flag
    #[arg(skip)]
    pub provision_token: Option<Hidden>,
    /// SECRETS_ENCRYPTION_KEY; never a flag
    #[arg(skip)]
    pub secrets_encryption_key: Option<Hidden>,
    /// SECRETS_ENCRYPTION_KEY_OLD, while it is being replaced; never a flag
    #[arg(skip)]
    pub secrets_encryption_key_old: Option<Hidden>,
    /// How the log is written: `text` for people, `json` one object a line [default: text on a terminal,
    /// else json]
    #[arg(
        long,
        env = "COUNTERSIGN_LOG_FORMAT",
        value_name = "FORMAT",
        global = true
    )]
    pub log_format: Option<String>,
}

/// Text that is not shown.
#[derive(Clone, Deserialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// `text`, hidden.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

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
}

/// Everything that is wrong with a configuration, a line each.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has mistakes:\n{}", .0.iter().map(|line| format!("  - {line}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(pub Vec<String>);

/// A folder whose loosening changes wait for a person is promised by no version that cannot compare decisions.
fn policy_folder(how: &str) -> Result<(), &'static str> {
    match how {
        "trusted" => Ok(()),
        "reviewed" => {
            Err("possible in this version, which does not compare decisions yet: only `trusted` is")
        }
        _ => Err("`trusted`"),
    }
}

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
        if let Some(folder) = set(flags.policy_folder).or(set(file.policy_folder)) {
            parsed(
                mistakes,
                "COUNTERSIGN_POLICY_FOLDER",
                &folder,
                policy_folder,
            );
        }
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
        Some(Self {
            lives: lives(seconds, mistakes),
            listen: listen?,
            public_url,
            database: database?,
            policies_is_default: policies.is_none(),
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
mod tests {
    use std::path::Path;

    use super::*;

    fn load(flags: Flags) -> Result<Config, ConfigError> {
        Config::load(flags)
    }

    #[test]
    fn nothing_configured_is_a_host_on_loopback() {
        let config = load(Flags::default()).expect("the defaults are right");
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.policies, Path::new("./countersign-data/policies"));
        assert_eq!((config.live_token_limit, config.mint_limit), (100, 10));
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let error = load(Flags {
            listen: Some("nowhere".to_owned()),
            molecule_org_id: Some("x".to_owned()),
            cp_upstream_url: Some("ftp://cp".to_owned()),
            molecule_org_slug: Some("acme".to_owned()),
            ..Flags::default()
        })
        .expect_err("three mistakes");
        assert_eq!(error.0.len(), 3, "{error}");
    }

    #[test]
    fn a_control_plane_without_a_slug_verifies_nobody() {
        let config = load(Flags {
            cp_upstream_url: Some("https://cp".to_owned()),
            ..Flags::default()
        })
        .expect("right");
        assert!(config.control_plane.expect("set").members.is_none());
    }

    #[test]
    fn the_membership_url_keeps_the_upstream_path_and_escapes_the_slug() {
        let config = load(Flags {
            cp_upstream_url: Some("https://cp.example/base/".to_owned()),
            molecule_org_slug: Some("a&b".to_owned()),
            ..Flags::default()
        })
        .expect("right");
        assert_eq!(
            config
                .control_plane
                .and_then(|cp| cp.members)
                .expect("set")
                .url
                .as_str(),
            "https://cp.example/base/cp/auth/tenant-member?slug=a%26b"
        );
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_by_its_line_and_not_repeated() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "\nadmin_token = 12345678\n").expect("written");
        let error = load(Flags {
            config: Some(file.path().to_owned()),
            ..Flags::default()
        })
        .expect_err("a number");
        assert!(error.to_string().contains("line 2"), "{error}");
        assert!(!error.to_string().contains("12345678"), "{error}");
    }

    #[test]
    fn an_empty_flag_is_an_unset_one_and_the_file_stands() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "public_url = \"https://a.example\"\n").expect("written");
        let config = load(Flags {
            config: Some(file.path().to_owned()),
            public_url: Some(String::new()),
            listen: Some(String::new()),
            ..Flags::default()
        })
        .expect("right");
        assert_eq!(config.public_url.as_deref(), Some("https://a.example"));
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    }

    #[test]
    fn an_unknown_key_in_the_file_is_an_error_that_quotes_no_value() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "admin_tokn = \"hunter2\"\n").expect("written");
        let error = load(Flags {
            config: Some(file.path().to_owned()),
            ..Flags::default()
        })
        .expect_err("unknown key");
        assert!(error.to_string().contains("admin_tokn"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
